// All that `npm test` runs, in this order. Another suite is another line.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, relative } from "node:path";

import { arm64Obstacle } from "./arm64.mjs";
import { fuzzing } from "./fuzz.mjs";
import { docs } from "./lib/docs-runner.mjs";
import { checks } from "./lint.mjs";
import { at, root } from "./lib/paths.mjs";
import { all, commands, ctest, jest, nodeTest, pytest, unless } from "./lib/runners.mjs";
import { filesUnder } from "./lib/stamp.mjs";

const node = process.execPath;

// The wheel is installed, so the stubs are held against what is really in it.
const pythonTypes = {
  "mypy, strictly": ["mypy", "packages/py-shim", "packages/cpp-header", "conformance"],
  "the stubs tell the truth": ["stubtest", "memlane", "--mypy-config-file", "pyproject.toml"],
};

const hostileTypes = {
  "mypy, strictly": ["env", "MYPYPATH=conformance/peers/python", "mypy", "packages/core-native/hostile"],
};

// What npm users get: both module kinds find their code and their types.
const typescriptPackage = {
  "tsc, strictly": ["turbo", "run", "typecheck", "--ui=stream"],
  publint: ["pnpm", "--filter", "memlane", "exec", "publint", "--strict"],
  "are the types wrong": ["pnpm", "--filter", "memlane", "exec", "attw", "--pack", "."],
};

// Each folder by itself: its programs are scripts, and several are of one name.
const programTypes = (folder) =>
  Object.fromEntries(
    [
      ...new Set(
        filesUnder(at(folder))
          .filter((file) => file.endsWith(".py"))
          .map(dirname),
      ),
    ]
      .map((path) => relative(root, path))
      .map((path) => [`mypy --strict ${path}`, ["mypy", path]]),
  );

// A suite with a report of its own, which people want to see and not to look for.
const thenPrint = (runner, file) => async (context) => {
  rmSync(at(file), { force: true });
  const counts = await runner(context);
  if (existsSync(at(file))) console.log(readFileSync(at(file), "utf8"));
  return counts;
};

// Its victim is built over a core with fault points; one of its survivors is the TypeScript peer.
const killMatrix = {
  "its types": ["env", "MYPYPATH=conformance/peers/python", "mypy", "kill-matrix"],
  "its victim, configured": ["cmake", "--preset", "kill-matrix"],
  "its victim, built": ["cmake", "--build", "--preset", "kill-matrix"],
  "the TypeScript peer": [
    node,
    "--input-type=module",
    "-e",
    'await (await import("./conformance/driver/build-peer.mjs")).default();',
  ],
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
  // Cross-compiled, under qemu-user: some 15 s, and half a minute to build.
  { name: "arm64", run: unless(arm64Obstacle, ctest("arm64")) },
  // About half a minute, and as much again to build.
  { name: "fuzz", run: thenPrint(fuzzing(8), "build/reports/fuzz.txt") },
  // Each of the core's calls and allocations fails once, some 15,000 times in all: about a minute, and half of one to build.
  { name: "nth-call", run: thenPrint(ctest("nth-call"), "build/reports/nth-call.txt") },
  // Half a minute. As root, some tests become an ordinary user, and containers and control groups are made.
  { name: "limits", run: ctest("limits") },
  // Each test computes by itself, so there is one on each core.
  { name: "models", run: pytest("--numprocesses=auto", "packages/core-native/models") },
  { name: "cpp-header", run: all(ctest("release"), pytest("packages/cpp-header/tests")) },
  { name: "python", run: all(commands(pythonTypes), pytest("packages/py-shim/tests")) },
  { name: "typescript", run: all(commands(typescriptPackage), jest("packages/ts-sdk")) },
  { name: "conformance", run: thenPrint(jest("conformance"), "build/reports/conformance.txt") },
  // Less than two minutes on two quiet cores, and half a minute to build.
  {
    name: "kill-matrix",
    run: thenPrint(all(commands(killMatrix), pytest("kill-matrix")), "build/reports/kill-matrix.txt"),
  },
  // About three quarters of a minute on two quiet cores.
  { name: "hostile", run: all(commands(hostileTypes), pytest("packages/core-native/hostile")) },
  { name: "security", run: all(commands({ "mypy, strictly": ["mypy", "security"] }), pytest("security")) }, // about half a minute; as root, since it becomes other users
  // Some 20 s of proof that it can fail, and two minutes in which it must not.
  {
    name: "torture",
    run: thenPrint(
      all(
        nodeTest("torture/tests"),
        commands({ "two minutes of torture": [node, "torture/torture.mjs", "--minutes", "2", "--seed", "1"] }),
      ),
      "build/reports/torture.txt",
    ),
  },
  { name: "examples", run: all(commands(programTypes("examples")), jest("examples")) },
  { name: "bench", run: all(commands(programTypes("bench")), jest("bench")) },
  { name: "docs", run: docs("README.md", "docs", "CONTRIBUTING.md") },
];
