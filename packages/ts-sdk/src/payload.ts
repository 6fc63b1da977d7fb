import { checkCount, refuse } from "./check.js";
import { dtypeOfName, dtypeOfView, type DType } from "./dtype.js";
import { makeError } from "./make-error.js";

/** What can be sent by copy. A typed array brings its element type along; of a Buffer, only the bytes are meant. */
export type Payload = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

export interface PayloadOptions {
  /** Extents in elements; a row of all elements if not given. */
  readonly shape?: number | readonly number[] | undefined;
  /** The type of the elements; that of the array if not given. */
  readonly dtype?: DType | undefined;
}

export interface Described {
  readonly bytes: Uint8Array;
  /** The core's number. */
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** A shape as programs give it: a number is a row of so many. */
export function checkShape(shape: unknown): readonly number[] {
  if (typeof shape === "number") return [checkCount("the shape", shape)];
  if (!Array.isArray(shape)) refuse("the shape", "a number or an array of numbers", shape);
  return Array.from(shape, (extent) => checkCount("an extent of the shape", extent));
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function bytesOf(data: unknown): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const tag = Object.prototype.toString.call(data);
  if (tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]")
    return new Uint8Array(data as ArrayBuffer);
  return refuse("the payload", "a typed array, Buffer, DataView or ArrayBuffer (or a loan)", data);
}

/** The bytes of a payload, and what they are. Throws a TypeError if the three do not fit together. */
export function describe(data: unknown, options: PayloadOptions): Described {
  const { dtype: asked, shape: given } = options; // read before the bytes are looked at: a getter may move them
  const shape = given === undefined ? undefined : checkShape(given);
  const bytes = bytesOf(data);
  const { number, size, name } =
    asked !== undefined ? dtypeOfName(asked) : ArrayBuffer.isView(data) ? dtypeOfView(data) : dtypeOfName("bytes");
  if (shape === undefined) {
    if (bytes.byteLength % size !== 0) {
      throw makeError(
        "invalid-argument",
        `${bytes.byteLength} bytes are no whole number of ${name} elements of ${size} bytes`,
      );
    }
    return { bytes, dtype: number, shape: [bytes.byteLength / size] };
  }
  const needed = elementCount(shape) * size;
  if (needed !== bytes.byteLength) {
    throw makeError(
      "invalid-argument",
      `an array of ${shape.join("x")} ${name} has ${needed} bytes, the payload has ${bytes.byteLength}`,
    );
  }
  return { bytes, dtype: number, shape };
}
