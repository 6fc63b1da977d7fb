// A role in a scenario and who plays it: a process of its language, or the driver itself, through the SDK.
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import type { Form } from "../peers/typescript/form.js";
import type { Peer } from "../peers/typescript/peer.js";
import type { Language } from "./languages.js";
import type { Pool } from "./pool.js";
import type { RemotePeer } from "./remote-peer.js";

// Descriptors that a process may open once and keep, such as that of /proc/self/pagemap. A leak grows past any number.
const mayBeKept = 3;

export interface Seat {
  readonly name: string; // e.g. "publisher-1": the first half of its ports' labels
  readonly language: Language;
  readonly pid: number;
  /** What it has done that is done once only. */
  readonly done: Set<unknown>;
  call(step: Form, deadline: number): Promise<Form>;
}

export class RemoteSeat implements Seat {
  readonly done = new Set<unknown>();
  #peer: RemotePeer | undefined;
  #lost = false;

  constructor(
    readonly name: string,
    readonly language: Language,
    readonly pool: Pool,
  ) {}

  /** The process; a new one if the last was killed or has left. */
  get peer(): RemotePeer {
    if (this.#peer?.alive !== true) this.#peer = this.pool.take(this.language);
    return this.#peer;
  }

  get pid(): number {
    return this.peer.pid;
  }

  /** Whether a process of this seat has ended without leaving the lane. */
  get lost(): boolean {
    return this.#lost;
  }

  call(step: Form, deadline: number): Promise<Form> {
    return this.peer.call(step, deadline);
  }

  async kill(): Promise<void> {
    const peer = this.peer;
    this.#lost = true;
    await this.pool.discard(peer);
    this.#peer = undefined;
  }

  /** A step after which the process ends by itself. */
  async callLast(step: Form, deadline: number): Promise<void> {
    const peer = this.peer;
    this.#lost = true;
    await peer.callLast(step, deadline);
    await this.pool.discard(peer);
    this.#peer = undefined;
  }

  /** Stops the process; when this is done, not one of its threads runs. */
  async freeze(): Promise<void> {
    const { peer } = this;
    peer.signal("SIGSTOP");
    const tasks = `/proc/${peer.pid}/task`;
    const isStopped = (task: string) => /^\d+ \(.*\) T/.test(readFileSync(`${tasks}/${task}/stat`, "latin1"));
    const deadline = Date.now() + 10_000;
    while (!readdirSync(tasks).every(isStopped)) {
      if (Date.now() > deadline) throw new Error(`${this.name} does not stop`);
      await sleep(1);
    }
  }

  thaw(): void {
    this.peer.signal("SIGCONT");
  }

  /** Lets go of everything, and checks that the process does not keep ever more descriptors open. */
  async reset(): Promise<void> {
    const peer = this.#peer;
    if (peer?.alive !== true) return;
    const reply = await peer.call(new URLSearchParams({ do: "reset" }), 20_000);
    const descriptors = Number(reply.get("descriptors"));
    if (reply.has("error")) throw new Error(`${this.name} cannot let go: ${reply.toString()}`);
    peer.descriptors ??= descriptors;
    if (descriptors > peer.descriptors + mayBeKept) {
      throw new Error(
        `${this.name} (${this.language}) has ${descriptors} descriptors open, ${peer.descriptors} at first`,
      );
    }
    this.pool.giveBack(peer);
    this.#peer = undefined;
  }

  /** Something failed: nobody knows what this process still does. */
  async discard(): Promise<void> {
    if (this.#peer !== undefined) await this.pool.discard(this.#peer);
    this.#peer = undefined;
  }
}

/** The driver itself: one process for the whole run, with the SDK loaded when it is first needed. */
export class DriverSeat implements Seat {
  readonly name = "driver";
  readonly language = "typescript";
  readonly pid = process.pid;
  readonly done = new Set<unknown>();
  #peer: Peer | undefined;

  async call(step: Form, deadline: number): Promise<Form> {
    this.#peer ??= new (await import("../peers/typescript/peer.js")).Peer();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await Promise.race([
        this.#peer.execute(step),
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => {
            reject(new Error(`the driver itself has been at a step for ${deadline} ms: ${step.toString()}`));
          }, deadline);
        }),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  async reset(): Promise<void> {
    if (this.#peer === undefined) return;
    const reply = await this.call(new URLSearchParams({ do: "reset" }), 20_000);
    if (reply.has("error")) throw new Error(`the driver cannot let go: ${reply.toString()}`);
  }
}
