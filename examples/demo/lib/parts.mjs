// The programs that a run of the demo consists of: started together, watched, and all gone at the end, however it comes.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { environment } from "../../../scripts/lib/run.mjs";

/** A part of the demo ended as it should not have. */
export class PartFailed extends Error {}

export class Parts {
  #running = new Map(); // child: { name, ended }
  #directory;
  #failure = Promise.withResolvers?.() ?? withResolvers();

  /** @param directory the lane directory in which they meet */
  constructor(directory) {
    this.#directory = directory;
    this.#failure.promise.catch(() => {}); // reported by whoever waits
  }

  /** The process ids of the parts that run, by name. */
  get pids() {
    return Object.fromEntries([...this.#running].map(([child, { name }]) => [name, child.pid]));
  }

  /**
   * Starts a program. `onFact` gets each line of its standard output, a JSON object.
   *
   * It leads a process group, so that what it starts itself can be ended with it; and holds the other end of our pipe as
   * its standard input, so that it ends even where we are killed before we can see to that.
   */
  start(name, [command, ...args], onFact = () => {}) {
    const child = spawn(command, args, {
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: environment({ MEMLANE_DIR: this.#directory, PYTHONUNBUFFERED: "1" }),
    });
    const complaints = [];
    child.stdin.on("error", () => {}); // it ended first
    child.stderr.on("data", (chunk) => complaints.push(chunk));
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      try {
        onFact(JSON.parse(line));
      } catch (error) {
        this.#failure.reject(error);
      }
    });
    const ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(signal ?? code));
    }).then((how) => {
      this.#running.delete(child);
      const said = complaints.join("").trim();
      if (how !== 0) {
        const what = typeof how === "number" ? `ended with exit code ${how}` : `was ended: ${how}`;
        this.#failure.reject(new PartFailed(`the ${name} ${what}${said === "" ? "" : `\n${said}`}`));
      }
      return said;
    });
    this.#running.set(child, { name, ended });
    return ended;
  }

  /** Waits until all have ended well. Throws PartFailed as soon as one has not, or the signal's reason. */
  async ended(signal) {
    const aborted = new Promise((_, reject) => {
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    aborted.catch(() => {});
    const all = Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await Promise.race([this.#failure.promise, aborted, all]);
    // The last one's failure is known in the same turn as that all have ended.
    await Promise.race([this.#failure.promise, Promise.resolve()]);
  }

  /** Ends whatever still runs, with all that it started, and waits until it is gone. */
  async stop() {
    for (const child of this.#running.keys()) {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // Gone meanwhile.
      }
    }
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
