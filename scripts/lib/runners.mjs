// One runner for each kind of suite. A runner takes { name, log, env }, runs every test, and returns their Counts.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { at, venv } from "./paths.mjs";
import { Counts, readJUnit, readJest } from "./reports.mjs";
import { CommandFailed, run } from "./run.mjs";
import { filesUnder } from "./stamp.mjs";

/** Where the runner of the suite `name` writes its report; none of an earlier run is there. */
function newReport(name, kind) {
  const file = at("build", "reports", `${name}.${kind}`);
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  return file;
}

/** Reads the report, and holds it against the exit code: a runner that failed without a failed test failed itself. */
function read(report, reader, exit) {
  const counts = existsSync(report) ? reader(report) : new Counts();
  if (exit !== 0 && counts.failed.length === 0) counts.failed.push(`the runner itself (${exit})`);
  return counts;
}

/** The tests of a CMake preset, configured and built first. */
export const ctest =
  (preset) =>
  async ({ name, log, env }) => {
    await run("cmake", ["--preset", preset], { log, env });
    await run("cmake", ["--build", "--preset", preset], { log, env });
    const report = newReport(name, "ctest.xml");
    const exit = await run("ctest", ["--preset", preset, "--output-junit", report], { log, env, check: false });
    return read(report, readJUnit, exit);
  };

export const pytest =
  (...paths) =>
  async ({ name, log, env }) => {
    const report = newReport(name, "pytest.xml");
    const args = ["-m", "pytest", `--junit-xml=${report}`, ...paths];
    const exit = await run(join(venv, "bin", "python"), args, { log, env, check: false });
    return read(report, readJUnit, exit);
  };

/** The jest tests of one package of the workspace. */
export const jest =
  (folder) =>
  async ({ name, log, env }) => {
    const report = newReport(name, "jest.json");
    const flags = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];
    const args = [...flags, at("node_modules/jest/bin/jest.js"), "--json", `--outputFile=${report}`];
    const exit = await run(process.execPath, args, { log, env, cwd: at(folder), check: false });
    return read(report, readJest, exit);
  };

/** Tests written for Node's own runner. */
export const nodeTest =
  (folder) =>
  async ({ name, log, env }) => {
    const report = newReport(name, "node.xml");
    const files = filesUnder(at(folder)).filter((file) => file.endsWith(".test.mjs"));
    const reporters = ["spec", "junit"].map((reporter) => `--test-reporter=${reporter}`);
    const destinations = ["stdout", report].map((destination) => `--test-reporter-destination=${destination}`);
    const args = ["--test", ...reporters, ...destinations, ...files];
    const exit = await run(process.execPath, args, { log, env, check: false });
    return read(report, readJUnit, exit);
  };

/** Commands that each are one test: `{ "what it checks": [command, ...args] }`. All run, whatever the first says. */
export const commands =
  (checks) =>
  async ({ log, env }) => {
    const counts = new Counts();
    for (const [name, [command, ...args]] of Object.entries(checks)) {
      try {
        await run(command, args, { log, env });
        counts.passed += 1;
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
        counts.failed.push(name);
      }
    }
    return counts;
  };

/** Several runners as one suite. */
export const all =
  (...runners) =>
  async (context) => {
    const counts = new Counts();
    for (const runner of runners) counts.add(await runner(context));
    return counts;
  };

/** A runner for where `obstacle()` finds nothing in its way; else all of it is skipped, with the reason that was found. */
export const unless = (obstacle, runner) => async (context) => {
  const reason = obstacle();
  if (reason === undefined) return runner(context);
  const counts = new Counts();
  counts.skipped.push(`all of it: ${reason}`);
  return counts;
};
