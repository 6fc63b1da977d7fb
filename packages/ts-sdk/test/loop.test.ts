import { describe, expect, test } from "@jest/globals";

import type { Sample } from "../src/index.js";
import { caught, codeOf } from "./support/caught.js";
import { useLanes } from "./support/lanes.js";

const lanes = useLanes();

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a loop releases each sample when it goes on", async () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  for (const i of [1, 2, 3]) publisher.send(Uint8Array.of(i));
  const seen: [unknown, number][] = [];
  const views: Uint8Array[] = [];
  for await (const sample of subscriber) {
    seen.push([sample.data[0], subscriber.stats().held]);
    views.push(sample.bytes);
    if (seen.length === 3) break;
  }
  expect(seen).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  expect(subscriber.stats().held).toBe(0);
  expect(views.map((view) => view.length)).toEqual([0, 0, 0]);
});

test("a loop leaves alone what was kept", async () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  for (const i of [1, 2]) publisher.send(Uint8Array.of(i));
  const kept: Sample[] = [];
  for await (const sample of subscriber) {
    kept.push(sample.keep());
    if (kept.length === 2) break;
  }
  expect(kept.map((sample) => sample.data[0])).toEqual([1, 2]);
  expect(subscriber.stats().held).toBe(2);
  for (const sample of kept) sample.release();
});

describe("a loop that is left releases what it held", () => {
  test("by an error", async () => {
    const subscriber = lanes.subscriber();
    lanes.publisher().send(Uint8Array.of(1));
    const loop = async (): Promise<void> => {
      for await (const sample of subscriber) throw new Error(`no more of ${sample.byteLength}`);
    };
    expect((await caught(loop)).message).toBe("no more of 1");
    expect(subscriber.stats().held).toBe(0);
  });

  test("by return(), also while it waits", async () => {
    const subscriber = lanes.subscriber();
    const publisher = lanes.publisher();
    const loop = subscriber.samples();
    const next = loop.next();
    await turn();
    expect(await loop.return()).toEqual({ done: true, value: undefined });
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    // It must not have taken away what comes now.
    publisher.send(Uint8Array.of(1));
    subscriber.take()?.release();
    expect(subscriber.stats().received).toBe(1);
  });

  test("by the end of an `await using`", async () => {
    const subscriber = lanes.subscriber();
    lanes.publisher().send(Uint8Array.of(1));
    {
      await using loop = subscriber.samples();
      await loop.next();
      expect(subscriber.stats().held).toBe(1);
    }
    expect(subscriber.stats().held).toBe(0);
  });
});

describe("a loop ends", () => {
  test("when the port is closed, before or meanwhile", async () => {
    const subscriber = lanes.subscriber();
    const loop = (async () => {
      for await (const sample of subscriber) throw new Error(`unexpected ${sample.sequence}`);
      return "ended";
    })();
    await turn();
    subscriber.close();
    expect(await loop).toBe("ended");
    for await (const sample of subscriber) throw new Error(`unexpected ${sample.sequence}`);
  });

  test("when the port is closed in it", async () => {
    const subscriber = lanes.subscriber();
    lanes.publisher().send(Uint8Array.of(1));
    let rounds = 0;
    for await (const sample of subscriber) {
      rounds += 1;
      subscriber.close();
      expect(sample.data[0]).toBe(1); // what is held stays
    }
    expect(rounds).toBe(1);
  });

  test("when there is nobody left, if it was told so", async () => {
    const subscriber = lanes.subscriber();
    const publishers = [lanes.publisher(), lanes.publisher()];
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const sample of subscriber.samples({ untilIdle: true })) seen.push(sample.data[0]);
    })();
    await turn();
    for (const [i, publisher] of publishers.entries()) {
      publisher.send(Uint8Array.of(i));
      publisher.close();
      await turn();
    }
    await loop;
    expect(seen.toSorted()).toEqual([0, 1]);
    // Over, and not only until the next comes.
    for await (const sample of subscriber.samples({ untilIdle: true }))
      throw new Error(`unexpected ${sample.sequence}`);
  });

  test("with the reason of a signal", async () => {
    const subscriber = lanes.subscriber();
    const controller = new AbortController();
    const loop = (async () => {
      for await (const sample of subscriber.samples({ signal: controller.signal })) expect(sample.data[0]).toBe(1);
    })();
    lanes.publisher().send(Uint8Array.of(1));
    await turn();
    controller.abort(new Error("enough"));
    expect((await caught(() => loop)).message).toBe("enough");
    expect(subscriber.stats().held).toBe(0);
  });
});

test("several calls of next() of one loop come one after the other", async () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  const loop = subscriber.samples();
  const results = [1, 2, 3].map(async () => {
    const { value } = await loop.next();
    return [value?.data[0], subscriber.stats().held];
  });
  await turn();
  for (const i of [1, 2, 3]) publisher.send(Uint8Array.of(i));
  expect(await Promise.all(results)).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  await loop.return();
});

test("two loops share what comes", async () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  const take = async (): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for await (const sample of subscriber.samples({ untilIdle: true })) seen.push(sample.data[0]);
    return seen;
  };
  const loops = [take(), take()];
  await turn();
  for (let i = 0; i < 10; i += 1) publisher.send(Uint8Array.of(i));
  publisher.close();
  const seen = await Promise.all(loops);
  expect(seen.flat().toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a loop of a closed port is not an error, a take is", async () => {
  const subscriber = lanes.subscriber();
  subscriber.close();
  expect(await subscriber.samples().next()).toEqual({ done: true, value: undefined });
  expect(await codeOf(() => subscriber.take())).toBe("closed");
});
