// The TypeScript peer of the conformance suite: plays any role by doing the steps it is sent. The steps: ../PROTOCOL.md.
// The driver plays one too, in its own process.
import { readdirSync } from "node:fs";

import { MemlaneError } from "memlane";

import { text } from "./form.js";
import type { Form } from "./form.js";
import { Leaving } from "./leaving.js";
import { Meeting } from "./meeting.js";
import { Ports } from "./ports.js";
import { Receiving } from "./receiving.js";
import { Sending } from "./sending.js";
import { Soak } from "./soak.js";
import type { Verbs } from "./verbs.js";

export class Peer {
  readonly #leaving = new Leaving();
  readonly #ports = new Ports();
  readonly #sending = new Sending(this.#ports, this.#leaving);
  readonly #receiving = new Receiving(this.#ports);
  readonly #meeting = new Meeting(this.#ports);
  readonly #soak = new Soak(this.#ports);

  readonly #verbs: Verbs = {
    ...this.#ports.verbs,
    ...this.#sending.verbs,
    ...this.#receiving.verbs,
    ...this.#meeting.verbs,
    ...this.#soak.verbs,

    hello: (_, reply) => {
      reply.append("language", "typescript");
      reply.append("pid", `${process.pid}`);
    },

    exit: (step) => {
      this.#leaving.leave(step.get("how") ?? "return");
    },

    // Lets go of everything, and tells what is still open in the process.
    reset: (_, reply) => {
      this.#receiving.clear();
      this.#soak.clear();
      this.#sending.clear();
      this.#ports.clear();
      reply.append("descriptors", `${readdirSync("/proc/self/fd").length - 1}`); // without the one that looks
    },
  };

  /** Does one step. An error is an answer too. */
  async execute(step: Form): Promise<Form> {
    this.#sending.beginStep();
    const reply = new URLSearchParams();
    try {
      const verb = this.#verbs[text(step, "do")];
      if (verb === undefined) throw new Error(`this peer knows no step \`${step.get("do") ?? ""}\``);
      await verb(step, reply);
      return reply;
    } catch (error) {
      const { code, lane } = error instanceof MemlaneError ? error : { code: "unexpected", lane: "" };
      const failure = new URLSearchParams({ error: code, message: String(error), "error-lane": lane });
      const sent = this.#sending.progress;
      if (sent !== undefined) failure.append("sent", `${sent}`);
      return failure;
    }
  }

  /** Whether the program is to end. */
  get isLeaving(): boolean {
    return this.#leaving.hasBegun;
  }
}
