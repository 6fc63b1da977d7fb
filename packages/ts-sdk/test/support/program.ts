// Programs of their own, over the built package: what users have, in a process that can end, fail and be killed.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { patience } from "./eventually.js";

const programs = join(import.meta.dirname, "..", "programs");

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string[];
  readonly errors: string;
}

export class Program {
  readonly #child: ChildProcess;
  readonly #end: Promise<End>;
  readonly #lines: string[] = [];
  readonly #waiting: (() => void)[] = [];

  /** Starts test/programs/NAME with the lane directory. */
  constructor(name: string, directory: string, args: string[] = [], { flags = [] as string[], env = {} } = {}) {
    const child = spawn(process.execPath, [...flags, join(programs, name), ...args], {
      env: { ...process.env, MEMLANE_DIR: directory, PREBUILDS_ONLY: "1", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    createInterface(child.stdout).on("line", (line) => {
      this.#lines.push(line);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), patience);
    this.#child = child;
    this.#end = once(child, "close").then(() => {
      clearTimeout(timer);
      for (const wake of this.#waiting.splice(0)) wake();
      return { code: child.exitCode, signal: child.signalCode, output: this.#lines, errors };
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Waits for a line of its output. */
  async says(line: string): Promise<void> {
    while (!this.#lines.includes(line)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        const { code, signal, output, errors } = await this.#end;
        if (output.includes(line)) return;
        throw new Error(`ended (${code ?? signal}) without saying "${line}":\n${output.join("\n")}\n${errors}`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** How it ended. A program that does not end is killed, which shows as its signal. */
  end(): Promise<End> {
    return this.#end;
  }
}
