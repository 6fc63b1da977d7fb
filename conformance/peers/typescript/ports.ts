// The ports of a peer, by name.
import { setTimeout as sleep } from "node:timers/promises";

import { Publisher, Subscriber, wait } from "memlane";

import { number, text } from "./form.js";
import type { Form } from "./form.js";
import { given, lane, publisherOptions, subscriberOptions } from "./options.js";
import { named } from "./verbs.js";
import type { Verbs } from "./verbs.js";

const statistics = ["sent", "received", "dropped", "waiting", "held", "bytes", "peers"];

export class Ports {
  readonly #publishers = new Map<string, Publisher>();
  readonly #subscribers = new Map<string, Subscriber>();

  readonly verbs: Verbs = {
    "open-publisher": (step, reply) => {
      const port = new Publisher(lane(step), publisherOptions(step));
      this.#publishers.set(step.get("as") ?? "main", port);
      reply.append("name", port.name);
    },

    "open-subscriber": (step, reply) => {
      const port = new Subscriber(lane(step), subscriberOptions(step));
      this.#subscribers.set(step.get("as") ?? "main", port);
      reply.append("name", port.name);
    },

    close: (step) => {
      this.port(step).close();
    },

    // Closes a port, and forgets it.
    discard: (step) => {
      const name = text(step, "port");
      this.port(step).close();
      this.#publishers.delete(name);
      this.#subscribers.delete(name);
    },

    "wait-for-subscribers": async (step, reply) => {
      const { n, options } = {
        n: number(step, "n", 1),
        options: given({ timeout: number(step, "timeout", undefined) }),
      };
      await timed(reply, () => this.publisher(step).waitForSubscribers(n, options));
    },

    "wait-for-publishers": async (step, reply) => {
      const { n, options } = {
        n: number(step, "n", 1),
        options: given({ timeout: number(step, "timeout", undefined) }),
      };
      await timed(reply, () => this.subscriber(step).waitForPublishers(n, options));
    },

    "wait-for-any": async (step, reply) => {
      const among = step.getAll("among").map((name) => this.#named(name));
      const options = given({ timeout: number(step, "timeout", undefined) });
      await timed(reply, async () => (await wait(among, options)).length > 0);
    },

    flush: async (step, reply) => {
      const options = given({ timeout: number(step, "timeout", undefined) });
      await timed(reply, () => this.publisher(step).flush(options));
    },

    stats: (step, reply) => {
      this.#stats(step, reply);
    },

    // Until every statistic that the step names has the value it gives, or the time is over.
    "await-stats": async (step, reply) => {
      const wanted = statistics.filter((name) => step.has(name));
      const deadline = performance.now() + number(step, "timeout");
      for (;;) {
        const now = new URLSearchParams();
        this.#stats(step, now);
        if (wanted.every((name) => now.get(name) === step.get(name)) || performance.now() > deadline) {
          now.forEach((value, name) => {
            reply.append(name, value);
          });
          return;
        }
        await sleep(2);
      }
    },
  };

  publisher(step: Form, field = "port"): Publisher {
    return named(this.#publishers, step.get(field) ?? "main");
  }

  subscriber(step: Form, field = "port"): Subscriber {
    return named(this.#subscribers, step.get(field) ?? "main");
  }

  port(step: Form): Publisher | Subscriber {
    return this.#named(step.get("port") ?? "main");
  }

  clear(): void {
    for (const port of [...this.#publishers.values(), ...this.#subscribers.values()]) port.close();
    this.#publishers.clear();
    this.#subscribers.clear();
  }

  #named(name: string): Publisher | Subscriber {
    return this.#publishers.get(name) ?? named(this.#subscribers, name);
  }

  #stats(step: Form, reply: Form): void {
    for (const [name, value] of Object.entries(this.port(step).stats())) {
      reply.append(
        name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
        `${value}`,
      );
    }
  }
}

async function timed(reply: Form, call: () => Promise<boolean>): Promise<void> {
  const begin = performance.now();
  reply.append("value", `${await call()}`);
  reply.append("elapsed", `${performance.now() - begin}`);
}
