// What is dropped without a word is given back by the garbage collector.
import { readdirSync } from "node:fs";
import { constants, PerformanceObserver } from "node:perf_hooks";

import { expect, test } from "@jest/globals";

import { Publisher, Subscriber } from "../src/index.js";
import { collect } from "./support/collect.js";
import { eventually } from "./support/eventually.js";
import { leftIn, useLanes } from "./support/lanes.js";

const lanes = useLanes();

/** Runs something in a frame of its own, so that nothing of it is on the stack afterwards. */
function apart<T>(run: () => T): T {
  return run();
}

test.each([10, 100_000])("a sample of %d bytes that is dropped is released", async (size) => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  for (let i = 0; i < 10; i += 1) publisher.send(new Uint8Array(size));
  apart(() => {
    for (let i = 0; i < 10; i += 1) {
      const sample = subscriber.take();
      if (i % 2 === 0) expect(sample?.data).toHaveLength(size);
    }
  });
  expect(subscriber.stats().held).toBe(10);
  await eventually(async () => {
    await collect();
    expect(subscriber.stats().held).toBe(0);
  });
});

test("a sample whose array is still in use is not released", async () => {
  const subscriber = lanes.subscriber();
  lanes.publisher().send(new Uint8Array(100_000).fill(5));
  const held = { view: apart(() => subscriber.take()?.bytes.subarray(1000)) };
  // Something that is dropped later, and so collected later or at the same time, tells that the sample had its chance.
  lanes.publisher().send(new Uint8Array(100_000));
  apart(() => subscriber.take());
  await eventually(async () => {
    await collect();
    expect(subscriber.stats().held).toBe(1);
  });
  expect([held.view?.length, held.view?.[98_999]]).toEqual([99_000, 5]);
  held.view = undefined;
  await eventually(async () => {
    await collect();
    expect(subscriber.stats().held).toBe(0);
  });
});

test("samples that are dropped unread make the collector work", async () => {
  // 1 GB of them, of which nothing is on JavaScript's heap: without being told of it nobody would ever collect.
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  const size = 1 << 20;
  let most = 0;
  for (let i = 0; i < 1000; i += 1) {
    const loan = publisher.loan(size);
    loan.send();
    await subscriber.next();
    most = Math.max(most, subscriber.stats().held);
    if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(most).toBeLessThan(500); // with 1000 it would never have run
  await eventually(async () => {
    await collect();
    expect(subscriber.stats().held).toBe(0);
  });
});

test("a large sample that is read and released leaves the collector alone", async () => {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) {
      if ((detail as { kind?: number }).kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections += 1;
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  for (let i = 0; i < 50; i += 1) {
    publisher.loan(48 << 20).send(); // V8 collects when 64 MiB have come: this one must not count twice
    const sample = await subscriber.next();
    expect(sample?.bytes[1]).toBe(0);
    sample?.release();
    await new Promise((resolve) => setImmediate(resolve)); // collections are told on a later turn
  }
  observer.disconnect();
  expect(collections).toBeLessThan(10); // 50: one a sample
});

test.each([10, 100_000])("a loan of %d bytes that is dropped is given up", async (size) => {
  const publisher = lanes.publisher({ memoryBudget: 20 * 131_072 });
  const lend = (): void => {
    apart(() => {
      for (let i = 0; i < 10; i += 1) {
        const loan = publisher.loan(size);
        if (i % 2 === 0) loan.data[0] = 1;
      }
    });
  };
  lend();
  const { bytes } = publisher.stats();
  for (let i = 0; i < 10; i += 1) {
    await eventually(async () => {
      await collect();
      lend(); // throws "budget-spent" if those before are not back
      expect(publisher.stats().bytes).toBeLessThanOrEqual(Math.max(bytes, 20 * 131_072));
    });
  }
});

test("a port that is dropped is closed, also after it has waited", async () => {
  const { directory } = lanes;
  await apart(async () => {
    const publisher = new Publisher("dropped", { directory });
    const subscriber = new Subscriber("dropped", { directory });
    await publisher.waitForSubscribers();
    expect(await subscriber.next({ timeout: 1 })).toBeUndefined();
    publisher.send(new Uint8Array(1));
    (await subscriber.next())?.release();
  });
  expect(leftIn(directory)).not.toEqual([]);
  await eventually(async () => {
    await collect();
    expect(leftIn(directory)).toEqual([]);
  });
});

test("a port that somebody waits for is not collected", async () => {
  const { directory } = lanes;
  const next = apart(() => new Subscriber("lane", { directory }).next());
  for (let i = 0; i < 5; i += 1) await collect();
  const publisher = lanes.publisher();
  publisher.send(Uint8Array.of(7));
  const sample = await next;
  expect(sample?.data[0]).toBe(7);
  sample?.release();
  publisher.close();
  await eventually(async () => {
    await collect(); // nobody waits any more
    expect(leftIn(directory)).toEqual([]);
  });
});

test("ports that are closed give their descriptors back at once", () => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  const cycle = (): void => {
    using subscriber = lanes.subscriber();
    using publisher = lanes.publisher();
    publisher.send(new Uint8Array(1));
    subscriber.take()?.release();
  };
  cycle();
  const before = open();
  for (let i = 0; i < 200; i += 1) cycle();
  expect(open() - before).toBeLessThan(20);
});
