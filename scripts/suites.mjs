// All that `npm test` runs, in this order. Another suite is another line.
import { docs } from "./lib/docs-runner.mjs";
import { checks } from "./lint.mjs";
import { all, commands, ctest, jest, nodeTest, pytest } from "./lib/runners.mjs";

const node = process.execPath;

// The wheel is installed, so the stubs are held against what is really in it.
const pythonTypes = {
  "mypy, strictly": ["mypy", "packages/py-shim", "packages/cpp-header", "conformance", "examples", "bench"],
  "the stubs tell the truth": ["stubtest", "memlane", "--mypy-config-file", "pyproject.toml"],
};

// What npm users get: both module kinds find their code and their types.
const typescriptPackage = {
  "tsc, strictly": ["turbo", "run", "typecheck", "--ui=stream"],
  publint: ["pnpm", "--filter", "memlane", "exec", "publint", "--strict"],
  "are the types wrong": ["pnpm", "--filter", "memlane", "exec", "attw", "--pack", "."],
};

export const suites = [
  { name: "lint", run: commands(checks()) },
  {
    name: "repository",
    run: all(commands({ "one version number": [node, "scripts/version.mjs"] }), nodeTest("scripts/tests")),
  },
  { name: "core", run: ctest("dev") },
  { name: "core-asan", run: ctest("asan") },
  { name: "core-tsan", run: ctest("tsan") },
  { name: "models", run: pytest("packages/core-native/models") },
  { name: "cpp-header", run: all(ctest("release"), pytest("packages/cpp-header/tests")) },
  { name: "python", run: all(commands(pythonTypes), pytest("packages/py-shim/tests")) },
  { name: "typescript", run: all(commands(typescriptPackage), jest("packages/ts-sdk")) },
  { name: "conformance", run: jest("conformance") },
  { name: "docs", run: docs("README.md", "docs", "CONTRIBUTING.md") },
];
