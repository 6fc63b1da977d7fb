// What a peer sends, and its loans.
import type { Loan, Publisher } from "memlane";

import { newElements, writeElements } from "./elements.js";
import { number, text, unhex } from "./form.js";
import type { Form } from "./form.js";
import type { Leaving } from "./leaving.js";
import { dtype, given, shape } from "./options.js";
import { write } from "./payload.js";
import type { Ports } from "./ports.js";
import { named } from "./verbs.js";
import type { Verbs } from "./verbs.js";

export class Sending {
  readonly #ports: Ports;
  readonly #leaving: Leaving;
  readonly #loans = new Map<string, Loan>();
  #progress: number | undefined;

  constructor(ports: Ports, leaving: Leaving) {
    this.#ports = ports;
    this.#leaving = leaving;
  }

  readonly verbs: Verbs = {
    reserve: (step) => {
      this.#ports.publisher(step).reserve(number(step, "bytes"), number(step, "count", 1));
    },

    send: async (step, reply) => {
      const port = this.#ports.publisher(step);
      const sizes = step.getAll("bytes").map(Number);
      const count = number(step, "count", Math.max(1, sizes.length));
      const seed = number(step, "seed", 0);
      this.#progress = 0;
      let reached: number | undefined = 0;
      for (let i = 0; i < count && reached !== undefined; i++) {
        reached = await sendOne(port, step, sizes[i % sizes.length] ?? 0, seed + i);
        if (reached !== undefined) this.#progress = i + 1;
      }
      const exit = step.get("then-exit");
      if (exit !== null) this.#leaving.leave(exit);
      reply.append("sent", `${this.#progress}`);
      reply.append("reached", `${reached ?? "none"}`);
    },

    loan: (step) => {
      const port = this.#ports.publisher(step);
      const type = dtype(step);
      const loan = type === undefined ? port.loan(number(step, "bytes")) : port.loan(shape(step), type);
      if (step.has("seed")) write(loan.bytes, number(step, "seed"), 0);
      this.#loans.set(text(step, "loan"), loan);
    },

    "write-loan": (step) => {
      named(this.#loans, text(step, "loan")).bytes.fill(0);
    },

    "send-loan": (step, reply) => {
      reply.append("sent", "1");
      reply.append("reached", `${named(this.#loans, text(step, "loan")).send()}`);
    },

    "give-up": (step) => {
      named(this.#loans, text(step, "loan")).giveUp();
    },
  };

  beginStep(): void {
    this.#progress = undefined;
  }

  /** How many samples the step at hand has sent so far, if it sends. */
  get progress(): number | undefined {
    return this.#progress;
  }

  clear(): void {
    for (const loan of this.#loans.values()) loan.giveUp();
    this.#loans.clear();
  }
}

/** Sends one sample. Returns how many it went to; undefined if there was no room, and it did not wait. */
async function sendOne(port: Publisher, step: Form, size: number, seed: number): Promise<number | undefined> {
  const how = step.get("how") ?? "loan";
  const stride = number(step, "stride", 0);
  const header = step.get("header");
  const info = given({
    encoding: step.get("encoding") ?? undefined,
    userHeader: header === null ? undefined : unhex(header),
  });
  const type = dtype(step);
  if (how === "copy") {
    if (type === undefined) {
      const data = new Uint8Array(size);
      write(data, seed, stride);
      return await port.sendAsync(data, info);
    }
    return await port.sendAsync(newElements(type, shape(step)), { ...info, shape: shape(step), dtype: type });
  }
  using loan = type === undefined ? port.loan(size) : port.loan(shape(step), type); // given up if it is not sent
  if (type === undefined) write(loan.bytes, seed, stride);
  else writeElements(loan.data, type);
  if (how === "try") return port.trySend(loan, info);
  const timeout = number(step, "timeout", undefined);
  return timeout === undefined ? loan.send(info) : await port.sendAsync(loan, { ...info, timeout });
}
