import { describe, expect, test } from "@jest/globals";

import type { Sample } from "../src/index.js";
import { codeOf } from "./support/caught.js";
import { useLanes } from "./support/lanes.js";

const lanes = useLanes();

/** Opens a lane and sends `count` samples of `size` bytes, all of them i + 1. */
function sent(size: number, count = 1) {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  for (let i = 0; i < count; i += 1) publisher.send(new Uint8Array(size).fill(i + 1));
  const take = (): Sample => {
    const sample = subscriber.take();
    if (sample === undefined) throw new Error("no sample");
    return sample;
  };
  return { subscriber, publisher, take };
}

/** The one value that all bytes have, or undefined. Jest's own comparison of long arrays takes its time. */
const valueOfAll = (bytes: Uint8Array | undefined): number | undefined =>
  bytes?.every((byte) => byte === bytes[0]) ? bytes[0] : undefined;

// A small payload is copied, a large one is not: for whoever holds an array there must be no difference.
describe.each([10, 100_000])("a sample of %d bytes", (size) => {
  test("says whether it was copied", () => {
    const { take } = sent(size);
    using sample = take();
    expect(sample.copied).toBe(size < 2048);
  });

  test("has one array, over the same memory as its bytes", () => {
    const { take } = sent(size);
    using sample = take();
    expect(sample.data).toBe(sample.data);
    expect(sample.bytes).toBe(sample.bytes);
    expect(sample.data.buffer).toBe(sample.bytes.buffer);
  });

  test("detaches its arrays at release", () => {
    const { take } = sent(size);
    const sample = take();
    const views = [sample.data, sample.bytes, sample.bytes.subarray(3), new Uint16Array(sample.bytes.buffer)];
    sample.release();
    expect(views.map((view) => view.length)).toEqual([0, 0, 0, 0]);
    expect(views[0]?.[0]).toBeUndefined();
  });

  test("can be used no more after release, but released again", async () => {
    const { subscriber, take } = sent(size);
    const sample = take();
    expect(sample.released).toBe(false);
    sample.release();
    sample.release();
    expect(sample.released).toBe(true);
    const uses: (() => unknown)[] = [
      () => sample.data,
      () => sample.bytes,
      () => sample.copied,
      () => sample.shape,
      () => sample.dtype,
      () => sample.byteLength,
      () => sample.sequence,
      () => sample.sentTime,
      () => sample.receivedTime,
      () => sample.sender,
      () => sample.encoding,
      () => sample.userHeader,
      () => sample.as("uint8"),
      () => sample.copy(),
      () => sample.keep(),
    ];
    for (const use of uses) expect(await codeOf(use)).toBe("released");
    expect(subscriber.stats().held).toBe(0);
  });

  test("can be copied, and the copy stays", () => {
    const { take } = sent(size);
    const sample = take();
    const copy = sample.copy();
    sample.release();
    expect([copy.length, valueOfAll(copy as Uint8Array)]).toEqual([size, 1]);
  });

  test("may be written to: nobody sees it, and it is gone with the sample", () => {
    const { take, publisher } = sent(size);
    const other = lanes.subscriber();
    publisher.send(new Uint8Array(size).fill(2));
    const first = take();
    const [second, elsewhere] = [take(), other.take()];
    first.bytes.fill(99);
    second.data[size - 1] = 98;
    // Its neighbour, and another subscriber's view of the same sample.
    expect(second.bytes[0]).toBe(2);
    expect(valueOfAll(elsewhere?.bytes)).toBe(2);
    // What is sent into the same page while that is held.
    publisher.send(new Uint8Array(size).fill(50));
    const third = take();
    expect(valueOfAll(third.bytes)).toBe(50);
    other.take()?.release();
    for (const sample of [first, second, third, elsewhere]) sample?.release();
    // The same memory again, and again.
    for (let i = 3; i < 10; i += 1) {
      publisher.send(new Uint8Array(size).fill(i));
      using again = take();
      using there = other.take();
      expect([valueOfAll(again.bytes), valueOfAll(there?.bytes)]).toEqual([i, i]);
      again.bytes.fill(100 + i);
    }
  });

  test("may outlive its subscriber", () => {
    const { subscriber, take } = sent(size);
    const sample = take();
    subscriber.close();
    expect(sample.data[size - 1]).toBe(1);
    sample.release();
  });

  test("may outlive its publisher", () => {
    const { publisher, take } = sent(size);
    const sample = take();
    publisher.close();
    expect(sample.data[size - 1]).toBe(1);
    sample.release();
  });

  test("gives its memory to the next", () => {
    const { publisher, take } = sent(size);
    take().release();
    const { bytes } = publisher.stats();
    for (let i = 0; i < 100; i += 1) {
      publisher.send(new Uint8Array(size));
      take().release();
    }
    expect(publisher.stats().bytes).toBe(bytes);
  });
});

test("an empty sample has empty arrays", () => {
  const { take } = sent(0);
  using sample = take();
  expect([sample.data.length, sample.bytes.length, sample.byteLength, sample.shape]).toEqual([0, 0, 0, [0]]);
  expect(sample.copy()).toHaveLength(0);
});

test("a sample is read as what it holds, or refused", async () => {
  const subscriber = lanes.subscriber();
  lanes.publisher().send(Int16Array.of(1, -2));
  using sample = subscriber.take();
  const values: Int16Array | undefined = sample?.as("int16");
  expect(values).toEqual(Int16Array.of(1, -2));
  expect(await codeOf(() => sample?.as("uint16"))).toBe("type-mismatch");
});

test("release takes back only what the sample's own buffer holds", () => {
  // What is sent from a sample's array is a copy of its own.
  const { subscriber, publisher, take } = sent(100_000);
  {
    using sample = take();
    publisher.send(sample.bytes);
  }
  using forwarded = take();
  expect([forwarded.bytes[0], forwarded.bytes[99_999], subscriber.stats().held]).toEqual([1, 1, 1]);
});
