import base from "../../jest.base.mjs";

// Longer than a test waits for anything, so that it is the test that says what has not come.
export default { ...base, testTimeout: 150_000 };
