// What the jest suites of the workspace share: `export default { ...base }` in a package's jest.config.mjs.
// SWC only strips types (the lint suite checks them), which keeps a test file at tenths of a second.
import { fileURLToPath } from "node:url";

const swc = {
  jsc: { target: "es2022", parser: { syntax: "typescript", explicitResourceManagement: true } },
  module: { type: "es6" },
  sourceMaps: "inline",
};

export default {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: { "\\.[cm]?ts$": [fileURLToPath(import.meta.resolve("@swc/jest")), swc] },
  // In TypeScript an import names the file that will be there: x.js, made of x.ts.
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  testTimeout: 30_000,
  errorOnDeprecated: true,
  injectGlobals: false,
};
