// Running other programs: quietly, with their whole output in a log, in the repository's own environment.
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";

import { at, logs, root, tools, venv } from "./paths.mjs";

/** A command that ended badly. Its message is all that a person needs: what ran, how it ended, the tail of its log. */
export class CommandFailed extends Error {}

/** What every command runs with: the project's own tools first, and nothing that asks or reports home. */
export function environment(extra = {}) {
  const env = {
    ...process.env,
    PATH: [join(venv, "bin"), join(tools, "node_modules", ".bin"), at("node_modules", ".bin"), process.env.PATH].join(
      delimiter,
    ),
    VIRTUAL_ENV: venv,
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    npm_config_jobs: "max", // node-gyp's number of compilers at once
    CI: process.env.CI ?? "1", // no tool may ask a question
    ...extra,
  };
  // node-gyp would download headers that came with this Node.
  const nodePrefix = dirname(dirname(process.execPath));
  if (env.npm_config_nodedir === undefined && existsSync(join(nodePrefix, "include", "node", "node_api.h"))) {
    env.npm_config_nodedir = nodePrefix;
  }
  return env;
}

/** The last lines of a log. */
export function tail(file, lines = 40) {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}

/** Where the output of the step `name` goes. */
export function logFile(name) {
  mkdirSync(logs, { recursive: true });
  return join(logs, `${name.replace(/[^\w.-]+/g, "-")}.log`);
}

/**
 * Runs a command to its end, its output appended to `log`.
 * @returns the exit code, or throws CommandFailed if it is not 0 and `check` is not false.
 */
export async function run(command, args, { log, cwd = root, env = {}, check = true } = {}) {
  const output = openSync(log, "a");
  let outcome;
  try {
    outcome = await new Promise((resolve) => {
      const child = spawn(command, args, { cwd, env: environment(env), stdio: ["ignore", output, output] });
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => resolve(signal ?? code));
    });
  } finally {
    closeSync(output);
  }
  if (check && outcome !== 0) {
    const how = typeof outcome === "number" ? `exit code ${outcome}` : outcome;
    throw new CommandFailed(
      `${[command, ...args].join(" ")}: ${how}. The end of ${relative(root, log)}:\n${tail(log)}`,
    );
  }
  return outcome;
}
