import { describe, expect, test } from "@jest/globals";

import { codeOf } from "./support/caught.js";
import { useLanes } from "./support/lanes.js";

const lanes = useLanes();

test("a loan is read where it was written", () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  const loan = publisher.loan([100, 200, 3], "uint8");
  expect([loan.dtype, loan.shape, loan.byteLength, loan.data.length]).toEqual(["uint8", [100, 200, 3], 60_000, 60_000]);
  loan.data.fill(7);
  loan.bytes[0] = 8; // the same memory
  expect(loan.data).toBe(loan.data);
  expect(loan.send({ encoding: "bgr" })).toBe(1);
  using sample = subscriber.take();
  expect([sample?.shape, sample?.encoding, sample?.data[0], sample?.data[59_999]]).toEqual([
    [100, 200, 3],
    "bgr",
    8,
    7,
  ]);
});

test("a loan of a number is that many bytes, or a row", () => {
  const publisher = lanes.publisher();
  using bytes = publisher.loan(10);
  using row = publisher.loan(10, "float64");
  using scalar = publisher.loan([], "int32");
  using none = publisher.loan([5, 0], "int32");
  expect([bytes.dtype, bytes.data.length]).toEqual(["bytes", 10]);
  expect([row.dtype, row.shape, row.byteLength]).toEqual(["float64", [10], 80]);
  expect([scalar.data.length, none.data.length]).toEqual([1, 0]);
});

test("several loans at once are apart", () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  const loans = Array.from({ length: 10 }, () => publisher.loan(5000));
  for (const [i, loan] of loans.entries()) loan.data.fill(i);
  for (const loan of loans.toReversed()) loan.send();
  for (let i = 9; i >= 0; i -= 1) {
    using sample = subscriber.take();
    expect(new Set(sample?.bytes)).toEqual(new Set([i]));
  }
});

describe("a loan that was sent", () => {
  test("is detached", () => {
    lanes.subscriber();
    const loan = lanes.publisher().loan(5000);
    const views = [loan.data, loan.bytes, loan.data.subarray(10)];
    loan.send();
    expect(views.map((view) => view.length)).toEqual([0, 0, 0]);
    expect(views[0]?.buffer.byteLength).toBe(0);
  });

  test("can be used no more", async () => {
    const publisher = lanes.publisher();
    const loan = publisher.loan(5000);
    loan.send();
    for (const use of [
      () => loan.send(),
      () => loan.data,
      () => loan.bytes,
      () => publisher.send(loan),
      () => publisher.trySend(loan),
      () => publisher.sendAsync(loan),
    ]) {
      expect(await codeOf(use)).toBe("already-sent");
    }
    loan.giveUp();
    expect(await codeOf(() => loan.send())).toBe("already-sent");
  });
});

describe("a loan that was given up", () => {
  test("is detached, and can be used no more", async () => {
    const publisher = lanes.publisher();
    const loan = publisher.loan(5000);
    const { data } = loan;
    loan.giveUp();
    loan.giveUp();
    expect(data).toHaveLength(0);
    for (const use of [() => loan.send(), () => loan.data, () => publisher.sendAsync(loan)]) {
      expect(await codeOf(use)).toBe("released");
    }
  });

  test("gives its memory to the next", () => {
    const publisher = lanes.publisher();
    publisher.loan(1_000_000).giveUp();
    const { bytes } = publisher.stats();
    for (let i = 0; i < 20; i += 1) {
      using loan = publisher.loan(1_000_000);
      loan.data[0] = i;
    }
    expect(publisher.stats().bytes).toBe(bytes);
  });
});

test("a loan at the end of its block is given up, unless it was sent", () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  {
    using loan = publisher.loan(1);
    loan.data[0] = 1;
  }
  {
    using loan = publisher.loan(1);
    loan.data[0] = 2;
    loan.send();
  }
  using sample = subscriber.take();
  expect([sample?.data[0], sample?.sequence]).toEqual([2, 1n]);
});

test("a loan belongs to its publisher", async () => {
  const loan = lanes.publisher().loan(1);
  expect(await codeOf(() => lanes.publisher().send(loan))).toBe("invalid-argument");
  loan.giveUp();
});

test("a loan outlives its publisher, but cannot be sent", async () => {
  const publisher = lanes.publisher();
  const loan = publisher.loan(5000);
  loan.data[4999] = 1;
  publisher.close();
  expect(loan.data[4999]).toBe(1);
  expect(await codeOf(() => loan.send())).toBe("closed");
  loan.giveUp();
});
