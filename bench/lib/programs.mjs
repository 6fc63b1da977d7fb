// The programs of the benchmark, and how to run one or a pair of them: each run in processes of its own, which meet in a
// lane directory of their own.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { withLaneDirectory } from "../../scripts/lib/lane-directory.mjs";
import { at, venv } from "../../scripts/lib/paths.mjs";
import { environment } from "../../scripts/lib/run.mjs";
import { othersFolder } from "./others.mjs";

const compiled = (name) => [at("build", "release", "bench", name)];

/** The command of each peer, by language and scenario. */
export const peers = {
  "C++": (scenario) => compiled(`bench-${scenario}-peer`),
  Python: (scenario) => [join(venv, "bin", "python"), at("bench", scenario, "peer.py")],
  TypeScript: (scenario) => [process.execPath, at("bench", "dist", scenario, "peer.js")],
};

/** The same round trip through something else; needs lib/others.mjs first. */
export const grpc = [join(venv, "bin", "python"), at("bench", "others", "grpc_round_trip.py")];

export const limit = (name) => compiled(`bench-limit-${name}`);
export const scenario = (name) => compiled(`bench-${name}`);

/** `command`, kept on the machine's last core together with whatever it starts. */
export const onOneCore = (command, cores) => ["taskset", "--cpu-list", String(cores - 1), ...command];

/** Starts a program. `done` holds the objects that it printed, or rejects with what it said when it failed. */
function start(command, env, stopped) {
  const child = spawn(command[0], command.slice(1), { env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  const results = [];
  const complaints = [];
  createInterface({ input: child.stdout }).on("line", (line) => results.push(JSON.parse(line)));
  child.stderr.on("data", (chunk) => complaints.push(chunk));
  stopped.addEventListener("abort", () => child.kill("SIGKILL"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(results);
      else reject(new Error(`${command.join(" ")}: ${signal ?? `exit code ${code}`}\n${complaints.join("")}`));
    });
  });
}

/**
 * Runs programs at the same time, in a lane directory of their own.
 * @returns what each printed. If one fails, the others are ended, and its error is thrown.
 */
export async function runTogether(...commands) {
  const { result, left } = await withLaneDirectory(async (directory) => {
    const stop = new AbortController();
    const runs = commands.map((command) =>
      start(command, { MEMLANE_DIR: directory, PYTHONPATH: othersFolder }, stop.signal),
    );
    for (const run of runs) run.catch(() => stop.abort());
    const ends = await Promise.allSettled(runs);
    const failed = ends.find((end) => end.status === "rejected" && !/SIGKILL/.test(end.reason.message));
    if (failed !== undefined) throw failed.reason;
    return ends.map((end) => end.value);
  });
  if (left.length > 0) throw new Error(left.join("\n"));
  return result;
}
