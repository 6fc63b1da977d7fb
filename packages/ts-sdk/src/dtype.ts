import { addon } from "./addon.js";
import { makeError } from "./make-error.js";

/** A Float16Array, where the JavaScript engine has it: a row of numbers. */
export interface Float16ArrayLike extends ArrayLike<number> {
  readonly BYTES_PER_ELEMENT: number;
  readonly buffer: ArrayBufferLike;
  readonly byteLength: number;
  readonly byteOffset: number;
  [index: number]: number;
  [Symbol.iterator](): IterableIterator<number>;
  fill(value: number, start?: number, end?: number): this;
  set(array: ArrayLike<number>, offset?: number): void;
}

/**
 * Which array holds elements of which type. Types that JavaScript lacks come as what they are made of: a bfloat16 as its
 * 16 bits, a complex number as two numbers in a row, a bool as 0 or 1.
 */
export interface ArrayTypes {
  bytes: Uint8Array<ArrayBuffer>;
  bool: Uint8Array<ArrayBuffer>;
  int8: Int8Array<ArrayBuffer>;
  int16: Int16Array<ArrayBuffer>;
  int32: Int32Array<ArrayBuffer>;
  int64: BigInt64Array<ArrayBuffer>;
  uint8: Uint8Array<ArrayBuffer>;
  uint16: Uint16Array<ArrayBuffer>;
  uint32: Uint32Array<ArrayBuffer>;
  uint64: BigUint64Array<ArrayBuffer>;
  /** A Float16Array where there is one (Node 24), else a Uint16Array of the 16 bits. */
  float16: Uint16Array<ArrayBuffer> | Float16ArrayLike;
  bfloat16: Uint16Array<ArrayBuffer>;
  float32: Float32Array<ArrayBuffer>;
  float64: Float64Array<ArrayBuffer>;
  complex64: Float32Array<ArrayBuffer>;
  complex128: Float64Array<ArrayBuffer>;
}

/** The type of a payload's elements; "bytes" for a payload without one. */
export type DType = keyof ArrayTypes;

type Make = (buffer: ArrayBuffer) => ArrayTypes[DType];

export interface DTypeInfo {
  readonly name: DType;
  /** The core's number for it. */
  readonly number: number;
  /** Bytes of an element. */
  readonly size: number;
  /** The array over a whole buffer. */
  readonly make: Make;
}

type Float16ArrayConstructor = new (buffer: ArrayBuffer) => Float16ArrayLike;
const { Float16Array } = globalThis as { Float16Array?: Float16ArrayConstructor };

const makers: Record<DType, Make> = {
  bytes: (buffer) => new Uint8Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  int16: (buffer) => new Int16Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
  uint16: (buffer) => new Uint16Array(buffer),
  uint32: (buffer) => new Uint32Array(buffer),
  uint64: (buffer) => new BigUint64Array(buffer),
  float16: (buffer) => (Float16Array === undefined ? new Uint16Array(buffer) : new Float16Array(buffer)),
  bfloat16: (buffer) => new Uint16Array(buffer),
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => new Float64Array(buffer),
  complex64: (buffer) => new Float32Array(buffer),
  complex128: (buffer) => new Float64Array(buffer),
};

const byNumber: readonly DTypeInfo[] = addon.dtypes.map(({ name, size }, number) => {
  const known = name as DType;
  return { name: known, number, size, make: makers[known] };
});
const byName = new Map<string, DTypeInfo>(byNumber.map((info) => [info.name, info]));

/** All element types, by their names. */
export const dtypes: readonly DType[] = byNumber.map(({ name }) => name);

/** By the core's number, which the core has checked. */
export function dtypeOfNumber(number: number): DTypeInfo {
  const info = byNumber[number];
  if (info === undefined)
    throw makeError("unsupported", `the addon knows an element type (${number}) that the SDK does not`);
  return info;
}

/** By the name that a program gave. */
export function dtypeOfName(name: unknown): DTypeInfo {
  const info = typeof name === "string" ? byName.get(name) : undefined;
  if (info === undefined) {
    const given = typeof name === "string" ? `"${name}"` : typeof name;
    throw makeError("invalid-argument", `expected a dtype (one of ${dtypes.join(", ")}) but received ${given}`);
  }
  return info;
}

/** The element type of each kind of array, by the name that the language itself gives to it. */
const ofArrays: Record<string, DType> = {
  Int8Array: "int8",
  Int16Array: "int16",
  Int32Array: "int32",
  BigInt64Array: "int64",
  Uint8Array: "uint8",
  Uint8ClampedArray: "uint8",
  Uint16Array: "uint16",
  Uint32Array: "uint32",
  BigUint64Array: "uint64",
  Float16Array: "float16",
  Float32Array: "float32",
  Float64Array: "float64",
};

/** The element type of a view. A DataView, and Node's Buffer, which is used for bytes of any meaning, are plain bytes. */
export function dtypeOfView(view: ArrayBufferView): DTypeInfo {
  const kind = Buffer.isBuffer(view) ? undefined : (view as { [Symbol.toStringTag]?: string })[Symbol.toStringTag];
  return dtypeOfName(ofArrays[kind ?? ""] ?? "bytes");
}
