// A lane directory for one suite: its programs never meet the user's lanes, and what they leave behind is found.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

/** Names left in the directory. The folders directly in it are its fixed parts; anything else has been left behind. */
function leftNames(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => ({ entry, path: relative(directory, join(entry.parentPath, entry.name)) }))
    .filter(({ entry, path }) => !entry.isDirectory() || path.includes("/"))
    .map(({ path }) => `left in the lane directory: ${path}`);
}

/** Processes that were started with the directory and still run. They are ended, being nobody's any more. */
function leftProcesses(directory) {
  const left = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(`MEMLANE_DIR=${directory}`)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      if (command === "") continue; // dead, and not yet reaped
      process.kill(Number(pid), "SIGKILL");
      left.push(`left running: ${command} (process ${pid})`);
    } catch {
      // Not ours to look into, or gone meanwhile.
    }
  }
  return left;
}

/**
 * Runs `work` with a new lane directory.
 * @returns what `work` returned, and one line for each thing left behind
 */
export async function withLaneDirectory(work) {
  // Short, since a socket's path ends at 108 bytes; mkdtemp gives it mode 0700.
  const directory = mkdtempSync("/tmp/ml-");
  try {
    const result = await work(directory);
    return { result, left: [...leftProcesses(directory), ...leftNames(directory)] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
