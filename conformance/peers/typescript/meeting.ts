// Ports that call each other as soon as they have met.
import { Subscriber } from "memlane";

import { hex, number, text, unhex } from "./form.js";
import { lane, subscriberOptions } from "./options.js";
import type { Ports } from "./ports.js";
import type { Verbs } from "./verbs.js";

export class Meeting {
  readonly #ports: Ports;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  readonly verbs: Verbs = {
    // Joins, and in the same breath calls for a sample: whoever answers sends after this constructor has returned.
    "join-and-call": async (step, reply) => {
      const back = this.#ports.publisher(step);
      const nonce = text(step, "nonce");
      const wanted = number(step, "count");
      using joined = new Subscriber(lane(step), subscriberOptions(step));
      back.send(new Uint8Array(), { userHeader: unhex(nonce) });
      let answers = 0;
      while (answers < wanted) {
        using sample = await joined.next({ timeout: number(step, "timeout") });
        if (sample === undefined) break;
        if (hex(sample.userHeader) === nonce) answers += 1;
      }
      reply.append("answers", `${answers}`);
    },

    // Answers each of `count` calls with a sample that carries the call's nonce.
    answer: async (step, reply) => {
      const port = this.#ports.publisher(step);
      const calls = this.#ports.subscriber(step, "calls");
      const count = number(step, "count");
      let answered = 0;
      while (answered < count) {
        using call = await calls.next({ timeout: number(step, "timeout") });
        if (call === undefined) break;
        port.send(new Uint8Array(), { userHeader: call.userHeader });
        answered += 1;
      }
      reply.append("answered", `${answered}`);
    },
  };
}
