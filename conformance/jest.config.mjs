import base from "../jest.base.mjs";

// Steps have deadlines of their own, which name the step and the peer; this one is for the driver itself.
export default { ...base, globalSetup: "<rootDir>/driver/build-peer.mjs", testTimeout: 180_000 };
