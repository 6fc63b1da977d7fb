// A peer in a process of its own: steps go in as lines, replies come out as lines, and each has a deadline.
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import type { Form } from "../peers/typescript/form.js";
import { commands } from "./languages.js";
import type { Language } from "./languages.js";

interface Waiting {
  readonly step: string;
  readonly resolve: (reply: Form) => void;
  readonly reject: (error: Error) => void;
}

export class RemotePeer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<string, Waiting>();
  readonly #history: string[] = []; // the last lines, both ways
  readonly #exit: Promise<number | string>;
  #ended: number | string | undefined;
  #stepNumber = 0;
  /** How many descriptors the process had open when it first had no port any more. */
  descriptors: number | undefined;

  constructor(readonly language: Language) {
    const [command, ...args] = commands[language];
    // A group of its own, so that children which it forks end with it.
    this.#process = spawn(command, args, { stdio: "pipe", detached: true });
    this.#process.stdin.on("error", () => undefined); // it is dead; `exit` tells how it ended
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      this.#hear(line);
    });
    createInterface({ input: this.#process.stderr }).on("line", (line) => {
      this.#remember(`stderr: ${line}`);
    });
    this.#exit = new Promise((resolve) => {
      this.#process.once("error", (error) => {
        this.#remember(`cannot be started: ${error.message}`);
        resolve(error.message);
      });
      // `close` and not `exit`: then its last words have arrived.
      this.#process.once("close", (code, signal) => {
        resolve(signal ?? code ?? "unknown");
      });
    });
    void this.#exit.then((how) => {
      this.#ended = how;
      for (const { step, reject } of this.#waiting.values()) {
        reject(this.#error(`ended (${how}) before it answered: ${step}`));
      }
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get alive(): boolean {
    return this.#ended === undefined;
  }

  /** Does one step. Rejects, and kills the process, if there is no reply within `deadline` milliseconds. */
  async call(step: Form, deadline: number): Promise<Form> {
    const id = `${++this.#stepNumber}`;
    const line = `${step.toString()}&id=${id}`;
    this.#remember(`> ${line}`);
    if (this.#ended !== undefined) throw this.#error(`has ended (${this.#ended}) before the step: ${line}`);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Form>((resolve, reject) => {
        this.#waiting.set(id, { step: line, resolve, reject });
        timer = setTimeout(() => {
          reject(this.#error(`has not answered for ${deadline} ms, and was killed: ${line}`));
          this.kill();
        }, deadline);
        this.#process.stdin.write(`${line}\n`);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Sends a step that is not answered, since it ends the process, and waits for that end. */
  async callLast(step: Form, deadline: number): Promise<void> {
    const line = step.toString();
    this.#remember(`> ${line}`);
    this.#process.stdin.write(`${line}\n`);
    const how = await this.ended(deadline);
    const wanted = step.get("then-exit") === "killed" ? "SIGKILL" : 0;
    if (how !== wanted) throw this.#error(`ended with ${how} in place of ${wanted} after: ${line}`);
  }

  /** How the process ended: its exit code, or the signal's name. */
  async ended(deadline: number): Promise<number | string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(this.#error(`has not ended after ${deadline} ms, and was killed`));
        this.kill();
      }, deadline);
    });
    try {
      return await Promise.race([this.#exit, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#remember(`! ${signal}`);
    if (this.alive && this.#process.pid !== undefined) process.kill(-this.#process.pid, signal);
  }

  kill(): void {
    this.signal("SIGKILL");
  }

  /** Lets the process end by itself, as it does when there are no more steps. */
  leave(): void {
    this.#process.stdin.end();
  }

  #hear(line: string): void {
    this.#remember(`< ${line}`);
    const reply = new URLSearchParams(line);
    this.#waiting.get(reply.get("id") ?? "")?.resolve(reply);
  }

  #remember(line: string): void {
    this.#history.push(line.length > 400 ? `${line.slice(0, 400)}…` : line);
    if (this.#history.length > 12) this.#history.shift();
  }

  #error(what: string): Error {
    const history = this.#history.map((line) => `\n    ${line}`).join("");
    return new Error(`the ${this.language} peer (process ${this.pid}) ${what}\n  last:${history}`);
  }
}
