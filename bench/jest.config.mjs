import base from "../jest.base.mjs";

// The quick run still starts some forty programs.
export default { ...base, testTimeout: 120_000, roots: ["<rootDir>/tests"] };
