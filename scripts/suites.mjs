// All that `npm test` runs, in this order. Another suite is another line.
import { docs } from "./lib/docs-runner.mjs";
import { checks } from "./lint.mjs";
import { all, commands, ctest, jest, nodeTest, pytest } from "./lib/runners.mjs";

const node = process.execPath;

export const suites = [
  { name: "lint", run: commands(checks()) },
  {
    name: "repository",
    run: all(commands({ "one version number": [node, "scripts/version.mjs"] }), nodeTest("scripts/tests")),
  },
  { name: "core", run: ctest("dev") },
  { name: "core-asan", run: ctest("asan") },
  { name: "core-tsan", run: ctest("tsan") },
  { name: "cpp-header", run: all(ctest("release"), pytest("packages/cpp-header/tests")) },
  { name: "python", run: pytest("packages/py-shim/tests") },
  { name: "typescript", run: jest("packages/ts-sdk") },
  { name: "conformance", run: jest("conformance") },
  { name: "docs", run: docs("README.md", "docs", "CONTRIBUTING.md") },
];
