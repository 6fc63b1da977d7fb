// What a peer takes, and the samples that it holds.
import type { Sample } from "memlane";

import { checkElements } from "./elements.js";
import { hex, number, text } from "./form.js";
import type { Form } from "./form.js";
import { given } from "./options.js";
import { sumUp } from "./payload.js";
import type { Ports } from "./ports.js";
import { named } from "./verbs.js";
import type { Verbs } from "./verbs.js";

/** What was received from one publisher, where there is too much to list. */
interface Run {
  count: number;
  first: bigint;
  last: bigint;
  gapless: boolean;
  crc: number; // of all payloads, one after the other
}

export class Receiving {
  readonly #ports: Ports;
  readonly #held = new Map<string, Sample[]>();
  readonly #runs = new Map<string, Run>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  readonly verbs: Verbs = {
    take: async (step, reply) => {
      const port = this.#ports.subscriber(step);
      const count = number(step, "count", Infinity);
      const via = step.get("via") ?? "take";
      const begin = performance.now();
      let taken = 0;
      if (via === "take") {
        const timeout = number(step, "timeout", undefined);
        while (taken < count) {
          const sample = timeout === 0 ? port.take() : await port.next(given({ timeout }));
          if (sample === undefined) break;
          taken += 1;
          this.#receive(sample, step, reply);
          if (!step.has("hold")) sample.release();
        }
      } else if (count !== 0) {
        for await (const sample of via === "until-idle" ? port.samples({ untilIdle: true }) : port) {
          taken += 1;
          this.#receive(sample, step, reply);
          if (taken === count) break;
        }
      }
      reply.append("elapsed", `${performance.now() - begin}`);
      for (const [sender, run] of this.#runs) {
        reply.append("run", new URLSearchParams({ sender, ...fields(run) }).toString());
      }
      this.#runs.clear();
    },

    // Looks again at samples that are held: their payloads are still what they were.
    look: (step, reply) => {
      for (const sample of named(this.#held, text(step, "hold"))) {
        reply.append("sample", describe(sample, step));
      }
    },

    release: (step) => {
      for (const sample of named(this.#held, text(step, "hold"))) sample.release();
    },

    // Writes where only the sender may.
    scribble: (step) => {
      for (const sample of named(this.#held, text(step, "hold"))) sample.bytes.fill(0xff);
    },
  };

  clear(): void {
    for (const sample of [...this.#held.values()].flat()) sample.release();
    this.#held.clear();
  }

  #receive(sample: Sample, step: Form, reply: Form): void {
    if (step.get("report") === "runs") {
      const sender = sample.sender.label;
      const run = this.#runs.get(sender);
      const { sequence } = sample;
      this.#runs.set(sender, {
        count: (run?.count ?? 0) + 1,
        first: run?.first ?? sequence,
        last: sequence,
        gapless: run === undefined || (run.gapless && sequence === run.last + 1n),
        crc: sumUp(sample.bytes, 0, run?.crc ?? 0),
      });
    } else {
      reply.append("sample", describe(sample, step));
    }
    const hold = step.get("hold");
    if (hold !== null) this.#held.set(hold, [...(this.#held.get(hold) ?? []), sample.keep()]);
  }
}

const fields = (record: object) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, String(value)]));

function describe(sample: Sample, step: Form): string {
  const line = new URLSearchParams({
    sender: sample.sender.label,
    pid: `${sample.sender.pid}`,
    sequence: `${sample.sequence}`,
    bytes: `${sample.bytes.length}`,
    crc: `${sumUp(sample.bytes, number(step, "stride", 0))}`,
    dtype: sample.dtype,
  });
  for (const extent of sample.shape) line.append("shape", `${extent}`);
  line.append("encoding", sample.encoding);
  line.append("header", hex(sample.userHeader));
  line.append("sent-time", `${sample.sentTime}`);
  line.append("received-time", `${sample.receivedTime}`);
  if (step.has("elements")) {
    const count = sample.shape.reduce((product, extent) => product * extent, 1);
    line.append("elements", checkElements(sample.data, sample.dtype, count));
  }
  return line.toString();
}
