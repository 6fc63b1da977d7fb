// A process of the torture: a peer of the conformance suite, which does the steps it is sent (conformance/peers/PROTOCOL.md).
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { at, venv } from "../../scripts/lib/paths.mjs";

const peers = at("conformance");

export const commands = {
  cpp: [at("build", "release", "conformance", "conformance_peer")],
  python: [`${venv}/bin/python`, `${peers}/peers/python/peer.py`],
  typescript: [process.execPath, `${peers}/dist/main.js`],
};

const living = new Set();

/** At the end of the run, however it ends: a frozen process would outlive it. */
export function endAll() {
  for (const actor of living) actor.signal("SIGKILL");
}

/** The process did not do what it was told. */
export class ActorFailed extends Error {}

export class Actor {
  #process;
  #waiting; // { resolve, reject } of the step under way
  #lastWords = []; // the last lines that were not answers
  #step = "";
  ended; // how it ended: its exit code, or the signal's name

  /** `patience`: milliseconds after which a step that is not answered has failed. */
  constructor(language, directory, patience) {
    this.language = language;
    this.directory = directory;
    this.patience = patience;
    const [command, ...args] = commands[language];
    this.#process = spawn(command, args, { stdio: "pipe", env: { ...process.env, MEMLANE_DIR: directory } });
    living.add(this);
    this.#process.stdin.on("error", () => undefined); // it is dead, and `ended` tells how
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#hear(line));
    createInterface({ input: this.#process.stderr }).on("line", (line) => this.#lastWords.push(line));
    this.exit = new Promise((resolve) => {
      this.#process.once("error", (error) => resolve(error.message));
      this.#process.once("close", (code, signal) => resolve(signal ?? code));
    }).then((how) => {
      this.ended = how;
      living.delete(this);
      this.#waiting?.reject(this.#failure(`ended (${how}) before it answered`));
      return how;
    });
  }

  get pid() {
    return this.#process.pid;
  }

  /** Does one step, `[name, value]` each; returns its answer. One step at a time. */
  async call(fields) {
    const step = new URLSearchParams(
      fields.filter(([, value]) => value !== undefined).map(([name, value]) => [name, `${value}`]),
    ).toString();
    this.#step = step;
    if (this.ended !== undefined) throw this.#failure(`has ended (${this.ended}) before the step`);
    let timer;
    try {
      const answer = await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
        timer = setTimeout(() => reject(this.#failure(`has not answered for ${this.patience} ms`)), this.patience);
        this.#process.stdin.write(`${step}\n`);
      });
      const form = new URLSearchParams(answer);
      if (form.has("error")) throw this.#failure(`answers ${form.get("error")}: ${form.get("message")}`);
      return form;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  /** Sends a step that ends the process. */
  callLast(fields) {
    this.#step = new URLSearchParams(fields).toString();
    this.#process.stdin.write(`${this.#step}\n`);
  }

  signal(name) {
    if (this.ended === undefined) this.#process.kill(name);
  }

  /** Lets the process end by itself, as it does when there are no more steps. */
  leave() {
    this.#process.stdin.end();
  }

  /** How it ended; throws if it does not. */
  async end() {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(this.#failure(`has not ended after ${this.patience} ms`)), this.patience);
    });
    try {
      return await Promise.race([this.exit, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #hear(line) {
    if (this.#waiting !== undefined) this.#waiting.resolve(line);
    else this.#lastWords.push(line);
  }

  #failure(what) {
    const words = this.#lastWords.slice(-15).map((line) => `\n    ${line}`);
    return new ActorFailed(`the ${this.language} process ${this.pid} ${what}: ${this.#step}${words.join("")}`);
  }
}
