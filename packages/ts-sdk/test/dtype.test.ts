import * as native from "@memlane/core";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { dtypes, type DType } from "../src/index.js";
import { useLanes } from "./support/lanes.js";

const lanes = useLanes();

const hasFloat16 = "Float16Array" in globalThis;

const expected: Record<DType, { array: string; size: number; perElement: number }> = {
  bytes: { array: "Uint8Array", size: 1, perElement: 1 },
  bool: { array: "Uint8Array", size: 1, perElement: 1 },
  int8: { array: "Int8Array", size: 1, perElement: 1 },
  int16: { array: "Int16Array", size: 2, perElement: 1 },
  int32: { array: "Int32Array", size: 4, perElement: 1 },
  int64: { array: "BigInt64Array", size: 8, perElement: 1 },
  uint8: { array: "Uint8Array", size: 1, perElement: 1 },
  uint16: { array: "Uint16Array", size: 2, perElement: 1 },
  uint32: { array: "Uint32Array", size: 4, perElement: 1 },
  uint64: { array: "BigUint64Array", size: 8, perElement: 1 },
  float16: { array: hasFloat16 ? "Float16Array" : "Uint16Array", size: 2, perElement: 1 },
  bfloat16: { array: "Uint16Array", size: 2, perElement: 1 },
  float32: { array: "Float32Array", size: 4, perElement: 1 },
  float64: { array: "Float64Array", size: 8, perElement: 1 },
  complex64: { array: "Float32Array", size: 8, perElement: 2 },
  complex128: { array: "Float64Array", size: 16, perElement: 2 },
};
const kindOf = (array: unknown): unknown => (array as { [Symbol.toStringTag]: string })[Symbol.toStringTag];

test("the core and the SDK know the same types", () => {
  expect(dtypes).toEqual(Object.keys(expected));
  expect(native.dtypes).toEqual(Object.entries(expected).map(([name, { size }]) => ({ name, size })));
});

describe.each(dtypes)("%s", (dtype) => {
  const { array, size, perElement } = expected[dtype];

  test("is lent, and arrives, in the right array", () => {
    const subscriber = lanes.subscriber();
    const loan = lanes.publisher().loan([2, 3], dtype);
    expect([kindOf(loan.data), loan.data.length, loan.byteLength]).toEqual([array, 6 * perElement, 6 * size]);
    loan.bytes.set(Uint8Array.from({ length: 6 * size }, (_, i) => i));
    loan.send();
    using sample = subscriber.take();
    expect([sample?.dtype, sample?.shape, kindOf(sample?.data)]).toEqual([dtype, [2, 3], array]);
    expect(sample?.bytes).toEqual(Uint8Array.from({ length: 6 * size }, (_, i) => i));
  });

  test("can be sent as bytes that are said to be of it", () => {
    const subscriber = lanes.subscriber();
    lanes.publisher().send(new Uint8Array(6 * size), { dtype });
    using sample = subscriber.take();
    expect([sample?.dtype, sample?.shape]).toEqual([dtype, [6]]);
  });
});

test.each([
  [Int8Array.of(-1), "int8"],
  [Uint8Array.of(1), "uint8"],
  [Uint8ClampedArray.of(1), "uint8"],
  [Int16Array.of(-1), "int16"],
  [Uint16Array.of(1), "uint16"],
  [Int32Array.of(-1), "int32"],
  [Uint32Array.of(1), "uint32"],
  [BigInt64Array.of(-1n), "int64"],
  [BigUint64Array.of(1n), "uint64"],
  [Float32Array.of(0.5), "float32"],
  [Float64Array.of(0.5), "float64"],
  [Buffer.from("x"), "bytes"],
  [new DataView(new ArrayBuffer(1)), "bytes"],
  [new ArrayBuffer(1), "bytes"],
  [new SharedArrayBuffer(1), "bytes"],
])("%p is sent as %s", (data, dtype) => {
  const subscriber = lanes.subscriber();
  lanes.publisher().send(data);
  using sample = subscriber.take();
  expect([sample?.dtype, sample?.shape]).toEqual([dtype, [1]]);
});

test("only the part that a view shows is sent", () => {
  const subscriber = lanes.subscriber();
  lanes.publisher().send(Int16Array.of(1, 2, 3, 4).subarray(1, 3));
  using sample = subscriber.take();
  expect(sample?.data).toEqual(Int16Array.of(2, 3));
});

test("any type and shape arrives as it was sent", () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  fc.assert(
    fc.property(
      fc.constantFrom(...dtypes),
      fc
        .array(fc.integer({ min: 0, max: 5 }), { maxLength: 8 })
        .filter((shape) => shape.reduce((a, b) => a * b, 1) < 2000),
      fc.integer({ min: 0, max: 255 }),
      (dtype, shape, seed) => {
        const count = shape.reduce((a, b) => a * b, 1);
        const bytes = Uint8Array.from({ length: count * expected[dtype].size }, (_, i) => (seed + i * 7) % 256);
        publisher.send(bytes, { dtype, shape });
        using sample = subscriber.take();
        expect([sample?.dtype, sample?.shape]).toEqual([dtype, shape]);
        expect(Buffer.compare(sample?.bytes ?? Buffer.from("none"), bytes)).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});
