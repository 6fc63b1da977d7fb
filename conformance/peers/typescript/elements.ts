// Arrays of every dtype, written and read as TypeScript sees them: element by element, in the typed arrays of loans and
// samples. Element i is value i modulo 11 of the dtype's row, as in ../cpp/elements.hpp.
import type { DType } from "memlane";

type Row = readonly (number | bigint)[];

const signed = (min: number | bigint, max: number | bigint): Row =>
  typeof min === "bigint"
    ? [min, max, -1n, 0n, 1n, 42n, -99n, 100n, -128n, 127n, 7n]
    : [min, max, -1, 0, 1, 42, -99, 100, -128, 127, 7];

const unsigned = (max: number | bigint): Row =>
  typeof max === "bigint"
    ? [0n, max, 1n, 2n, 42n, 99n, max - 1n, 100n, 128n, 127n, 7n]
    : [0, max, 1, 2, 42, 99, max - 1, 100, 128, 127, 7];

const floats = (largest: number, smallest: number): Row => [
  ...[0, -0, 1, -1, 1.5, -2.25, largest, smallest],
  ...[Infinity, -Infinity, NaN],
];

const float32 = floats(3.4028234663852886e38, 1.401298464324817e-45);
const float64 = floats(Number.MAX_VALUE, Number.MIN_VALUE);

// JavaScript of Node 20 has no array for the two half-width kinds: a program handles their bits.
const rows: Record<DType, Row> = {
  bytes: unsigned(0xff),
  bool: [1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0],
  int8: signed(-0x80, 0x7f),
  int16: signed(-0x8000, 0x7fff),
  int32: signed(-0x80000000, 0x7fffffff),
  int64: signed(-(2n ** 63n), 2n ** 63n - 1n),
  uint8: unsigned(0xff),
  uint16: unsigned(0xffff),
  uint32: unsigned(0xffffffff),
  uint64: unsigned(2n ** 64n - 1n),
  float16: [0x0000, 0x8000, 0x3c00, 0xbc00, 0x3e00, 0xc080, 0x7bff, 0x0001, 0x7c00, 0xfc00, 0x7e00],
  bfloat16: [0x0000, 0x8000, 0x3f80, 0xbf80, 0x3fc0, 0xc010, 0x7f7f, 0x0001, 0x7f80, 0xff80, 0x7fc0],
  float32,
  float64,
  complex64: float32,
  complex128: float64,
};

/** Number `index` of the array's own numbers, two of which are one complex element. */
function value(dtype: DType, index: number): number | bigint {
  const row = rows[dtype];
  const element = dtype.startsWith("complex") ? (index >> 1) + (index & 1) : index;
  return row[element % row.length] ?? NaN;
}

/** Memory of a loan or sample, as the SDK hands it out: numbers by index. */
interface Numbers {
  readonly length: number;
  [index: number]: number | bigint;
}

type Maker = new (length: number) => Numbers & ArrayBufferView<ArrayBuffer>;

// Arrays of a program's own, of the kinds that loans have.
const arrays: Record<DType, Maker> = {
  bytes: Uint8Array,
  bool: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
};

/** An array with the values that it is to have. */
export function newElements(dtype: DType, shape: readonly number[]): ArrayBufferView<ArrayBuffer> {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const data = new arrays[dtype](dtype.startsWith("complex") ? 2 * count : count);
  writeElements(data, dtype);
  return data;
}

export function writeElements(data: Numbers, dtype: DType): void {
  for (let i = 0; i < data.length; i++) data[i] = value(dtype, i);
}

/** An empty text if every element is as it should be, else which one is not. */
export function checkElements(data: Numbers, dtype: DType, count: number): string {
  const numbers = dtype.startsWith("complex") ? 2 * count : count;
  if (data.length !== numbers) return `there are ${data.length} numbers in place of ${numbers}`;
  for (let i = 0; i < data.length; i++) {
    if (!Object.is(data[i], value(dtype, i))) return `number ${i} is ${data[i]} in place of ${value(dtype, i)}`;
  }
  return "";
}
