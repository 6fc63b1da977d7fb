// Many samples in few steps, each checked where it arrives: the same as ../cpp/soak.hpp, which says why.
import { crc32 } from "node:zlib";

import { MemlaneError, wait } from "memlane";
import type { Publisher, Sample, Subscriber } from "memlane";

import { append, number, text } from "./form.js";
import { fill } from "./payload.js";
import type { Ports } from "./ports.js";
import type { Verbs } from "./verbs.js";

/** What a step says, as the torture writes it. */
export interface SendStep {
  readonly id: number; // of the publisher
  readonly count: number;
  readonly sizes: readonly number[];
  readonly how: string;
  readonly timeout: number;
}

export interface TakeStep {
  readonly count: number;
  readonly keep: number;
  readonly timeout: number;
  readonly via: string;
  readonly fault: string;
}

type Fields = [name: string, value: string | number | bigint][];

const headerBytes = 24;
const noRoom = ["timeout", "queue-full", "budget-spent"];

/** How much longer than asked for the slowest call took. */
class Stall {
  longest = 0;

  async time<T>(patience: number, call: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await call();
    } finally {
      this.longest = Math.max(this.longest, performance.now() - begin - patience);
    }
  }
}

/** Samples that came one after the other, by publisher. */
class Runs {
  readonly all: { id: number; first: bigint; last: bigint }[] = [];
  readonly #latest = new Map<number, { last: bigint }>();

  add(id: number, sequence: bigint): void {
    const latest = this.#latest.get(id);
    if (latest !== undefined && latest.last + 1n === sequence) {
      latest.last = sequence;
      return;
    }
    const run = { id, first: sequence, last: sequence };
    this.#latest.set(id, run);
    this.all.push(run);
  }
}

export class Soak {
  readonly #ports: Ports;
  readonly #kept: { sample: Sample; crc: number }[] = [];

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  readonly verbs: Verbs = {
    "soak-send": async (step, reply) => {
      append(
        reply,
        await Soak.send(this.#ports.publisher(step), {
          id: number(step, "id"),
          count: number(step, "count"),
          sizes: step.getAll("bytes").map(Number),
          how: text(step, "how"),
          timeout: number(step, "timeout"),
        }),
      );
    },

    "soak-take": async (step, reply) => {
      append(
        reply,
        await this.take(this.#ports.subscriber(step), {
          count: number(step, "count"),
          keep: number(step, "keep", 0),
          timeout: number(step, "timeout"),
          via: step.get("via") ?? "take",
          fault: step.get("fault") ?? "",
        }),
      );
    },

    "soak-release": (step, reply) => {
      append(reply, this.release(number(step, "count")));
    },
  };

  /** Sends `count` samples, or as many as there is room for. */
  static async send(port: Publisher, { id, count, sizes, how, timeout }: SendStep): Promise<Fields> {
    let sequence = port.stats().sent;
    let bytes = 0;
    let refused = "";
    const stall = new Stall();
    for (let i = 0; i < count; i++) {
      const size = sizes[i % sizes.length] ?? 0;
      refused = await stall.time(timeout, () => sendOne(port, how, size, timeout, id, sequence + 1));
      if (refused !== "") break;
      sequence += 1;
      bytes += size;
    }
    return [
      ["sequence", sequence],
      ["bytes", bytes],
      ["refused", refused],
      ["stall", stall.longest],
    ];
  }

  /** Takes up to `count` samples, and keeps every n-th of them if `keep` is n. */
  async take(port: Subscriber, { count, keep, timeout, via, fault }: TakeStep): Promise<Fields> {
    const reply: Fields = [];
    const runs = new Runs();
    const stall = new Stall();
    let taken = 0;
    let bytes = 0;
    let pending = fault;
    const takeOne = async (): Promise<Sample | undefined> => {
      if (via === "bell") await wait([port], { timeout });
      return via === "bell" || timeout === 0 ? port.take() : await port.next({ timeout });
    };
    while (taken < count) {
      const sample = await stall.time(timeout, takeOne);
      if (sample === undefined) break;
      taken += 1;
      bytes += sample.byteLength;
      const { id, crc } = check(sample, reply, pending === "change" ? 1 : 0);
      for (let times = pending === "lose" ? 0 : pending === "twice" ? 2 : 1; times > 0; times--) {
        runs.add(id, sample.sequence);
      }
      pending = "";
      if (keep !== 0 && taken % keep === 0) this.#kept.push({ sample, crc });
      else sample.release();
    }
    for (const { id, first, last } of runs.all) reply.push(["run", `${id}:${first}-${last}`]);
    reply.push(["taken", taken], ["bytes", bytes], ["held", this.#kept.length], ["stall", stall.longest]);
    return reply;
  }

  /** Lets go of the samples that were kept longest, whose payloads must still be what they were. */
  release(count: number): Fields {
    const reply: Fields = [];
    const released = this.#kept.splice(0, count);
    for (const { sample, crc } of released) {
      if (crc32(sample.bytes) !== crc) {
        reply.push(["wrong", `changed: sample ${sample.sequence} of ${sample.sender.label} while it was held`]);
      }
      sample.release();
    }
    reply.push(["released", released.length], ["held", this.#kept.length]);
    return reply;
  }

  clear(): void {
    this.release(this.#kept.length);
  }
}

function makeHeader(id: number, bytes: Uint8Array, sequence: number): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(id, 0);
  header.writeUInt32LE(crc32(bytes), 4);
  header.writeBigUInt64LE(BigInt(sequence), 8);
  header.writeBigUInt64LE(BigInt(bytes.length), 16);
  return header;
}

/** The code of the error if there is no room for it; then nobody got it. */
async function sendOne(
  port: Publisher,
  how: string,
  size: number,
  timeout: number,
  id: number,
  sequence: number,
): Promise<string> {
  try {
    if (how === "copy") {
      const data = new Uint8Array(size);
      fill(data, id + sequence);
      port.send(data, { userHeader: makeHeader(id, data, sequence) });
      return "";
    }
    if (how === "waste") port.loan(size).giveUp();
    using loan = port.loan(size); // given up if it is not sent
    fill(loan.bytes, id + sequence);
    const userHeader = makeHeader(id, loan.bytes, sequence);
    if (how === "try") return port.trySend(loan, { userHeader }) === undefined ? "queue-full" : "";
    await port.sendAsync(loan, { userHeader, timeout });
    return "";
  } catch (error) {
    if (error instanceof MemlaneError && noRoom.includes(error.code)) return error.code;
    throw error;
  }
}

/** Who sent it, and its sum; what is wrong with it goes into the reply. `flip` is what a fault does to the sum. */
function check(sample: Sample, reply: Fields, flip: number): { id: number; crc: number } {
  const sent = Buffer.from(sample.userHeader);
  const header = sent.length === headerBytes ? sent : Buffer.alloc(headerBytes);
  const id = header.readUInt32LE(0);
  const crc = header.readUInt32LE(4);
  const sequence = header.readBigUInt64LE(8);
  const bytes = header.readBigUInt64LE(16);
  const { label } = sample.sender;
  const sum = (crc32(sample.bytes) ^ flip) >>> 0;
  if (sequence !== sample.sequence || bytes !== BigInt(sample.byteLength) || crc !== sum || label !== `soak-${id}`) {
    const said = `number ${sequence} of soak-${id}, ${bytes} bytes for ${sample.byteLength}`;
    reply.push(["wrong", `changed: sample ${sample.sequence} of ${label}, whose header says ${said}`]);
  }
  return { id, crc };
}
