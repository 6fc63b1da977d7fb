// The TypeScript peer of the conformance suite: plays any role by doing the steps it is sent. The steps: ../PROTOCOL.md.
// The driver plays one too, in its own process.
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { MemlaneError, Publisher, Subscriber } from "memlane";
import type { DType, Loan, Overflow, Sample, SubscriberOptions } from "memlane";

import { checkElements, newElements, writeElements } from "./elements.js";
import { sumUp, write } from "./payload.js";
import { Soak } from "./soak.js";

/** The fields of a step or of a reply. */
export type Form = URLSearchParams;

/** What was received from one publisher, where there is too much to list. */
interface Run {
  count: number;
  first: bigint;
  last: bigint;
  gapless: boolean;
  crc: number; // of all payloads, one after the other
}

type Verb = (step: Form, reply: Form) => void | Promise<void>;

const statistics = ["sent", "received", "dropped", "waiting", "held", "bytes", "peers"];

function text(step: Form, name: string): string {
  const value = step.get(name);
  if (value === null) throw new Error(`the step lacks \`${name}\``);
  return value;
}

function number(step: Form, name: string): number;
function number<T>(step: Form, name: string, otherwise: T): number | T;
function number(step: Form, name: string, otherwise?: unknown): unknown {
  const value = step.get(name);
  if (value === null && arguments.length > 2) return otherwise;
  return Number(text(step, name));
}

function lane(step: Form): string | bigint {
  const key = step.get("key");
  return key === null ? text(step, "lane") : BigInt(key);
}

const dtype = (step: Form) => (step.get("dtype") ?? undefined) as DType | undefined;
const shape = (step: Form) => step.getAll("shape").map(Number);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const unhex = (digits: string) => new Uint8Array(Buffer.from(digits, "hex"));

/** Without the fields that are undefined: an option that is not given is not there. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof given<T>
  >;
}

function named<T>(all: Map<string, T>, name: string): T {
  const found = all.get(name);
  if (found === undefined) throw new Error(`there is nothing named ${name}`);
  return found;
}

function subscriberOptions(step: Form): SubscriberOptions {
  return given({
    depth: number(step, "depth", undefined),
    overflow: (step.get("overflow") ?? undefined) as Overflow | undefined,
    joinTimeout: number(step, "join-timeout", undefined),
    label: step.get("label") ?? undefined,
    directory: text(step, "directory"),
    group: step.get("group") ?? undefined,
    spin: number(step, "spin", undefined),
  });
}

export class Peer {
  readonly #publishers = new Map<string, Publisher>();
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #loans = new Map<string, Loan>();
  readonly #held = new Map<string, Sample[]>();
  readonly #runs = new Map<string, Run>();
  readonly #soak = new Soak();
  #progress: number | undefined; // samples that a send has sent so far
  leaving = false;

  /** Does one step. An error is an answer too. */
  async execute(step: Form): Promise<Form> {
    this.#progress = undefined;
    const reply = new URLSearchParams();
    try {
      const verb = this.#verbs[text(step, "do")];
      if (verb === undefined) throw new Error(`this peer knows no step \`${step.get("do") ?? ""}\``);
      await verb(step, reply);
      return reply;
    } catch (error) {
      const { code, lane } = error instanceof MemlaneError ? error : { code: "unexpected", lane: "" };
      const failure = new URLSearchParams({ error: code, message: String(error), "error-lane": lane });
      const sent = this.#sentSoFar();
      if (sent !== undefined) failure.append("sent", `${sent}`);
      return failure;
    }
  }

  #sentSoFar(): number | undefined {
    return this.#progress;
  }

  readonly #verbs: Record<string, Verb> = {
    // ---- ports ----

    hello: (_, reply) => {
      reply.append("language", "typescript");
      reply.append("pid", `${process.pid}`);
    },

    "open-publisher": (step, reply) => {
      const port = new Publisher(
        lane(step),
        given({
          history: number(step, "history", undefined),
          memoryBudget: number(step, "budget", undefined),
          maxHeld: number(step, "max-held", undefined),
          sendTimeout: number(step, "send-timeout", undefined),
          checksum: step.get("checksum") === "true",
          joinTimeout: number(step, "join-timeout", undefined),
          label: step.get("label") ?? undefined,
          directory: text(step, "directory"),
          group: step.get("group") ?? undefined,
          spin: number(step, "spin", undefined),
        }),
      );
      this.#publishers.set(step.get("as") ?? "main", port);
      reply.append("name", port.name);
    },

    "open-subscriber": (step, reply) => {
      const port = new Subscriber(lane(step), subscriberOptions(step));
      this.#subscribers.set(step.get("as") ?? "main", port);
      reply.append("name", port.name);
    },

    close: (step) => {
      this.#port(step).close();
    },

    "wait-for-subscribers": async (step, reply) => {
      const { n, options } = {
        n: number(step, "n", 1),
        options: given({ timeout: number(step, "timeout", undefined) }),
      };
      await timed(reply, () => this.#publisher(step).waitForSubscribers(n, options));
    },

    "wait-for-publishers": async (step, reply) => {
      const { n, options } = {
        n: number(step, "n", 1),
        options: given({ timeout: number(step, "timeout", undefined) }),
      };
      await timed(reply, () => this.#subscriber(step).waitForPublishers(n, options));
    },

    flush: async (step, reply) => {
      const options = given({ timeout: number(step, "timeout", undefined) });
      await timed(reply, () => this.#publisher(step).flush(options));
    },

    stats: (step, reply) => {
      for (const [name, value] of Object.entries(this.#port(step).stats())) {
        reply.append(
          name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
          `${value}`,
        );
      }
    },

    // Until every statistic that the step names has the value it gives, or the time is over.
    "await-stats": async (step, reply) => {
      const wanted = statistics.filter((name) => step.has(name));
      const deadline = performance.now() + number(step, "timeout");
      for (;;) {
        const now = new URLSearchParams();
        await this.#verbs.stats?.(step, now);
        if (wanted.every((name) => now.get(name) === step.get(name)) || performance.now() > deadline) {
          now.forEach((value, name) => {
            reply.append(name, value);
          });
          return;
        }
        await sleep(2);
      }
    },

    // ---- sending ----

    reserve: (step) => {
      this.#publisher(step).reserve(number(step, "bytes"), number(step, "count", 1));
    },

    send: async (step, reply) => {
      const port = this.#publisher(step);
      const sizes = step.getAll("bytes").map(Number);
      const count = number(step, "count", Math.max(1, sizes.length));
      const seed = number(step, "seed", 0);
      this.#progress = 0;
      let reached: number | undefined = 0;
      for (let i = 0; i < count && reached !== undefined; i++) {
        reached = await this.#sendOne(port, step, sizes[i % sizes.length] ?? 0, seed + i);
        if (reached !== undefined) this.#progress = i + 1;
      }
      const exit = step.get("then-exit");
      if (exit !== null) this.#leave(exit);
      reply.append("sent", `${this.#progress}`);
      reply.append("reached", `${reached ?? "none"}`);
    },

    loan: (step) => {
      const port = this.#publisher(step);
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

    // ---- receiving ----

    take: async (step, reply) => {
      const port = this.#subscriber(step);
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

    // ---- many samples ----

    "soak-send": async (step, reply) => {
      append(
        reply,
        await Soak.send(this.#publisher(step), {
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
        await this.#soak.take(this.#subscriber(step), {
          count: number(step, "count"),
          keep: number(step, "keep", 0),
          timeout: number(step, "timeout"),
          via: step.get("via") ?? "take",
          fault: step.get("fault") ?? "",
        }),
      );
    },

    "soak-release": (step, reply) => {
      append(reply, this.#soak.release(number(step, "count")));
    },

    // Closes a port, and forgets it.
    discard: (step) => {
      const name = text(step, "port");
      this.#port(step).close();
      this.#publishers.delete(name);
      this.#subscribers.delete(name);
    },

    // ---- meeting ----

    // Joins, and in the same breath calls for a sample: whoever answers sends after this constructor has returned.
    "join-and-call": async (step, reply) => {
      const back = this.#publisher(step);
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
      const port = this.#publisher(step);
      const calls = named(this.#subscribers, text(step, "calls"));
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

    // ---- the process ----

    exit: (step) => {
      this.#leave(step.get("how") ?? "return");
    },

    // Lets go of everything, and tells what is still open in the process.
    reset: (_, reply) => {
      for (const sample of [...this.#held.values()].flat()) sample.release();
      this.#soak.clear();
      for (const loan of this.#loans.values()) loan.giveUp();
      for (const port of [...this.#publishers.values(), ...this.#subscribers.values()]) port.close();
      for (const all of [this.#held, this.#loans, this.#publishers, this.#subscribers]) all.clear();
      reply.append("descriptors", `${readdirSync("/proc/self/fd").length - 1}`); // without the one that looks
    },
  };

  /** Sends one sample. Returns how many it went to; undefined if there was no room, and it did not wait. */
  async #sendOne(port: Publisher, step: Form, size: number, seed: number): Promise<number | undefined> {
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

  #publisher(step: Form): Publisher {
    return named(this.#publishers, step.get("port") ?? "main");
  }

  #subscriber(step: Form): Subscriber {
    return named(this.#subscribers, step.get("port") ?? "main");
  }

  #port(step: Form): Publisher | Subscriber {
    return this.#publishers.get(step.get("port") ?? "main") ?? this.#subscriber(step);
  }

  #leave(how: string): void {
    if (how === "killed") process.kill(process.pid, "SIGKILL");
    if (how === "at-once") process.exit(0);
    this.leaving = true; // the program ends, ports open
  }
}

function append(reply: Form, all: readonly (readonly [string, string | number | bigint])[]): void {
  for (const [name, value] of all) reply.append(name, `${value}`);
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

async function timed(reply: Form, call: () => Promise<boolean>): Promise<void> {
  const begin = performance.now();
  reply.append("value", `${await call()}`);
  reply.append("elapsed", `${performance.now() - begin}`);
}
