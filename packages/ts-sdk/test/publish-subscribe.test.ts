import { describe, expect, test } from "@jest/globals";

import { patience } from "./support/eventually.js";
import { useLanes } from "./support/lanes.js";

const lanes = useLanes();

describe("a sample", () => {
  test("arrives as it was sent, with what was sent along", () => {
    using subscriber = lanes.subscriber({ label: "reader" });
    using publisher = lanes.publisher({ label: "camera" });
    const before = Number(process.hrtime.bigint()) / 1e6;
    const reached = publisher.send(new Float32Array([1, 2.5, 3]), {
      shape: [3, 1],
      encoding: "row",
      userHeader: Uint8Array.of(7, 8),
    });
    expect(reached).toBe(1);
    using sample = subscriber.take();
    const after = Number(process.hrtime.bigint()) / 1e6;

    expect(sample?.data).toEqual(new Float32Array([1, 2.5, 3]));
    expect(sample?.bytes.byteLength).toBe(12);
    expect(sample?.byteLength).toBe(12);
    expect(sample?.shape).toEqual([3, 1]);
    expect(sample?.dtype).toBe("float32");
    expect(sample?.sequence).toBe(1n);
    expect(sample?.encoding).toBe("row");
    expect(sample?.userHeader).toEqual(Uint8Array.of(7, 8));
    expect(sample?.sender).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}-\d+$/),
      pid: process.pid,
      label: "camera",
    });
    expect(sample?.sentTime).toBeGreaterThanOrEqual(before);
    expect(sample?.receivedTime).toBeGreaterThanOrEqual(sample?.sentTime ?? NaN);
    expect(sample?.receivedTime).toBeLessThanOrEqual(after);
  });

  test("without an encoding or user header has empty ones", () => {
    const subscriber = lanes.subscriber();
    lanes.publisher().send(Uint8Array.of(1));
    using sample = subscriber.take();
    expect(sample?.encoding).toBe("");
    expect(sample?.userHeader).toEqual(new Uint8Array());
  });

  test.each([0, 1, 255, 2047, 2048, 4096, 100_000, 5_000_000])("of %d bytes arrives whole", (size) => {
    const subscriber = lanes.subscriber();
    const publisher = lanes.publisher();
    const payload = Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251);
    publisher.send(payload);
    using sample = subscriber.take();
    expect(Buffer.compare(sample?.bytes ?? Buffer.from("none"), payload)).toBe(0);
  });

  test("reaches every subscriber, and says how many", () => {
    const subscribers = [lanes.subscriber(), lanes.subscriber(), lanes.subscriber()];
    expect(lanes.publisher().send(Uint8Array.of(9))).toBe(3);
    for (const subscriber of subscribers) {
      using sample = subscriber.take();
      expect(sample?.data).toEqual(Uint8Array.of(9));
    }
  });

  test("of any publisher of the lane comes in order for each", () => {
    const subscriber = lanes.subscriber();
    const [first, second] = [lanes.publisher({ label: "1" }), lanes.publisher({ label: "2" })];
    for (let i = 0; i < 5; i += 1) {
      first.send(Uint8Array.of(i));
      second.send(Uint8Array.of(i));
    }
    const taken: Record<string, unknown[]> = { 1: [], 2: [] };
    for (let i = 0; i < 10; i += 1) {
      using sample = subscriber.take();
      if (sample !== undefined) taken[sample.sender.label]?.push([sample.sequence, sample.data[0]]);
    }
    const inOrder = [0, 1, 2, 3, 4].map((i) => [BigInt(i + 1), i]);
    expect(taken).toEqual({ 1: inOrder, 2: inOrder });
  });

  test("waits for a late joiner if there is a history", () => {
    const publisher = lanes.publisher({ history: 2 });
    for (let i = 1; i <= 3; i += 1) publisher.send(Uint8Array.of(i));
    const subscriber = lanes.subscriber();
    using second = subscriber.take();
    using third = subscriber.take();
    expect([second?.data[0], third?.data[0], subscriber.take()]).toEqual([2, 3, undefined]);
  });
});

describe("a lane", () => {
  test.each([
    ["a/b", "a/b"],
    [12331, "key/12331"],
    [-5n, "key/-5"],
    ["Kamera vörn/左", "Kamera vörn/左"],
    [" a b ?*:\\\"'", " a b ?*:\\\"'"],
  ])("is known by the name %p", (name, text) => {
    const subscriber = lanes.subscriber({}, name);
    const publisher = lanes.publisher({}, name);
    expect([publisher.name, subscriber.name]).toEqual([text, text]);
    expect(publisher.send(new Uint8Array(1))).toBe(1);
    subscriber.take()?.release();
  });

  test("is apart from every other", () => {
    const subscriber = lanes.subscriber({}, "a");
    expect(lanes.publisher({}, "a/b").send(new Uint8Array(1))).toBe(0);
    expect(subscriber.take()).toBeUndefined();
  });
});

describe("a full queue", () => {
  const fill = (overflow: "drop-oldest" | "drop-newest") => {
    const subscriber = lanes.subscriber({ depth: 2, overflow });
    const publisher = lanes.publisher();
    const reached = [1, 2, 3].map((i) => publisher.send(Uint8Array.of(i)));
    const taken = [subscriber.take(), subscriber.take(), subscriber.take()].map((sample) => {
      const value = sample?.data[0];
      sample?.release();
      return value;
    });
    return { reached, taken, dropped: [publisher.stats().dropped, subscriber.stats().dropped] };
  };

  test("drops the oldest", () => {
    expect(fill("drop-oldest")).toEqual({ reached: [1, 1, 1], taken: [2, 3, undefined], dropped: [1, 1] });
  });

  test("drops the newest", () => {
    expect(fill("drop-newest")).toEqual({ reached: [1, 1, 0], taken: [1, 2, undefined], dropped: [1, 1] });
  });
});

test("stats count", async () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  for (let i = 0; i < 3; i += 1) publisher.send(new Uint8Array(1000));
  const sample = subscriber.take();
  expect(publisher.stats()).toEqual({
    sent: 3,
    sentBytes: 3000,
    dropped: 0,
    waiting: 3,
    bytes: expect.any(Number),
    peers: 1,
    broken: 0,
  });
  expect(subscriber.stats()).toEqual({
    received: 1,
    bytes: 1000,
    dropped: 0,
    waiting: 2,
    held: 1,
    peers: 1,
    broken: 0,
  });
  sample?.release();
  expect(publisher.stats().waiting).toBe(2);
  subscriber.close();
  expect(await publisher.flush({ timeout: patience })).toBe(true);
});

test("memory that is reserved is there", () => {
  const publisher = lanes.publisher();
  publisher.reserve(1_000_000, 3);
  const { bytes } = publisher.stats();
  expect(bytes).toBeGreaterThanOrEqual(3_000_000);
  const loans = [1, 2, 3].map(() => publisher.loan(1_000_000));
  expect(publisher.stats().bytes).toBe(bytes);
  for (const loan of loans) loan.giveUp();
});

test("ports and samples show what they are, and not what they hold", async () => {
  const { inspect } = await import("node:util");
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  const loan = publisher.loan([2, 3], "float32");
  expect(inspect(loan)).toBe("Loan { float32 2x3, 24 bytes }");
  loan.send();
  const sample = subscriber.take();
  expect(inspect(sample)).toBe("Sample { float32 2x3, 24 bytes, sequence 1 }");
  sample?.release();
  expect(inspect(sample)).toBe("Sample { released }");
  expect(inspect(publisher)).toBe('Publisher { "lane" }');
  subscriber.close();
  expect(inspect(subscriber)).toBe('Subscriber { "lane", closed }');
});
