import base from "../jest.base.mjs";

// Each test starts programs, and some decode pictures: on a busy machine that takes a while. A test that needs all of this
// hangs.
export default { ...base, testTimeout: 120_000, roots: ["<rootDir>/tests"] };
