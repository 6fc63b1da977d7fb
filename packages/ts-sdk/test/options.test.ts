// Options that are no plain objects: each is read once, what a getter throws goes through, and nothing is left behind.
import { describe, expect, test } from "@jest/globals";

import * as native from "@memlane/core";

import { Publisher, Subscriber, type LaneName, type SendOptions } from "../src/index.js";
import { caught } from "./support/caught.js";
import { useLanes } from "./support/lanes.js";

const lanes = useLanes();
const thrown = new Error("thrown by a getter");

/** Of each property the first value it is asked for; the second time it throws. */
function onceOnly<T extends object>(values: T): T {
  const asked = new Set<string | symbol>();
  return new Proxy(values, {
    get(target, name) {
      if (asked.has(name)) throw new Error(`${String(name)} was read twice`);
      asked.add(name);
      return Reflect.get(target, name) as unknown;
    },
  });
}

/** Throws whenever that property is read. */
const throwing = (name: string): object => Object.defineProperty({}, name, { enumerable: true, get: throwIt });
function throwIt(): never {
  throw thrown;
}

const open = (kind: "publisher" | "subscriber", name: LaneName, options: object): Publisher | Subscriber =>
  kind === "publisher" ? new Publisher(name, options) : new Subscriber(name, options);

const common = { joinTimeout: 1000, label: "odd", spin: 0 };
const all = {
  publisher: { ...common, history: 1, memoryBudget: 1e8, maxHeld: 0, sendTimeout: 100, checksum: true },
  subscriber: { ...common, depth: 4, overflow: "drop-oldest" },
};

describe.each(["publisher", "subscriber"] as const)("the options of a %s", (kind) => {
  test("are read once", () => {
    open(kind, "odd", onceOnly({ ...all[kind], directory: lanes.directory })).close();
  });

  test("may throw", async () => {
    for (const name of [...Object.keys(all[kind]), "directory", "group"]) {
      expect(await caught(() => open(kind, "odd", throwing(name)))).toBe(thrown);
    }
  });
});

const info = { encoding: "png", userHeader: Uint8Array.of(1) };
const sends: [string, (publisher: Publisher, options: SendOptions) => unknown, object][] = [
  ["send", (publisher, options) => publisher.send(new Uint8Array(4), options), { ...info, shape: [2, 2] }],
  ["trySend", (publisher, options) => publisher.trySend(new Uint8Array(4), options), { ...info, dtype: "uint16" }],
  ["sendAsync", (publisher, options) => publisher.sendAsync(new Uint8Array(4), options), { ...info, timeout: 100 }],
  ["sendAsync of a loan", (publisher, options) => publisher.sendAsync(publisher.loan(4), options), info],
  ["send of a loan", (publisher, options) => publisher.loan(4).send(options), info],
];

describe.each(sends)("the options of %s", (_, send, options) => {
  test("are read once, when it is called", async () => {
    const subscriber = lanes.subscriber();
    const publisher = lanes.publisher();
    expect(await send(publisher, onceOnly(options))).toBe(1);
    using sample = subscriber.take();
    expect([sample?.encoding, sample?.userHeader]).toEqual([info.encoding, info.userHeader]);
  });

  test("may throw, and then nothing is sent", async () => {
    const subscriber = lanes.subscriber();
    const publisher = lanes.publisher();
    for (const name of Object.keys(options)) {
      expect(await caught(() => send(publisher, throwing(name)))).toBe(thrown);
    }
    expect([publisher.stats().sent, subscriber.take()]).toEqual([0, undefined]);
  });
});

test("a send that waits sends with the options as they were at the call", async () => {
  const subscriber = lanes.subscriber({ depth: 1 });
  const publisher = lanes.publisher();
  publisher.send(new Uint8Array(1));
  const options = { encoding: "png" };
  const sending = publisher.sendAsync(new Uint8Array(2), options);
  options.encoding = "jpeg";
  subscriber.take()?.release();
  expect(await sending).toBe(1);
  using sample = subscriber.take();
  expect(sample?.encoding).toBe("png");
});

test("an extent of a shape that closes the port, or moves the bytes away, is an error", async () => {
  const shape = (act: () => void): number[] => {
    const odd = [0];
    Object.defineProperty(odd, 0, { get: () => (act(), 4) });
    return odd;
  };
  const publisher = lanes.publisher();
  const bytes = new Uint8Array(4);
  const move = (): void => void structuredClone(bytes, { transfer: [bytes.buffer] });
  expect((await caught(() => publisher.send(bytes, { shape: shape(move) }))).message).toContain("detached");
  const close = (): void => {
    publisher.close();
  };
  expect(await caught(() => publisher.loan(shape(close), "uint8"))).toMatchObject({ code: "closed" });
  expect(await caught(() => publisher.send(new Uint8Array(4), { shape: shape(close) }))).toMatchObject({
    code: "closed",
  });
});

test("the addon itself reads a shape before it looks at the port or the bytes", async () => {
  const { directory } = lanes;
  const names = { joinTimeout: 0, label: "", directory, group: "", spin: -1 };
  const options = { ...names, history: 0, memoryBudget: 0, maxHeld: 0, sendTimeout: 0, checksum: false };
  for (const call of [
    (port: native.Publisher, shape: number[]) => port.loan(0, shape),
    (port: native.Publisher, shape: number[]) => port.send(new Uint8Array(4), 0, shape, 0, undefined, undefined),
  ]) {
    const port = new native.Publisher("odd", options);
    const shape = [0];
    Object.defineProperty(shape, 0, { get: () => (port.close(), 4) });
    expect(await caught(() => call(port, shape))).toMatchObject({ code: "closed" });
    Object.defineProperty(shape, 0, { get: throwIt });
    expect(await caught(() => call(port, shape))).toBe(thrown);
  }
});

test("a signal that cannot be listened to is an error, and keeps no wait", async () => {
  const subscriber = lanes.subscriber();
  const signal = { aborted: false, addEventListener: throwIt, removeEventListener: throwIt };
  expect(await caught(() => subscriber.next({ signal: signal as unknown as AbortSignal }))).toBe(thrown);
  const publisher = lanes.publisher();
  publisher.send(Uint8Array.of(1));
  expect((await subscriber.next())?.bytes).toEqual(Uint8Array.of(1));
});
