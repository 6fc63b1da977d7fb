import type * as native from "@memlane/core";

import { allocate, checkFitsBuffer } from "./buffer-limit.js";
import { dtypeOfName, dtypeOfNumber, type ArrayTypes, type DType } from "./dtype.js";
import { makeError } from "./make-error.js";

/** Who sent a sample. */
export interface Sender {
  /** Unique for the port, never used again. */
  readonly id: string;
  /** In the sender's own pid namespace. */
  readonly pid: number;
  /** As the sender chose it. */
  readonly label: string;
}

let isKept!: (sample: Sample) => boolean;
export { isKept };

/**
 * What a subscriber took: the payload where its sender wrote it, and what was sent with it.
 *
 * The memory goes back to the sender with `release()`, at the end of a `using` block, or when the loop that the sample came
 * from goes on. From then on everything here throws (code "released"), and the arrays that were taken from it are detached:
 * their length is 0, their elements are undefined. Keep data longer with `keep()` or `copy()`. A sample that is dropped
 * without release is given back by the garbage collector, some time.
 *
 * The arrays may be written to: this process alone sees it, and it is gone with the sample.
 */
export class Sample implements Disposable {
  readonly #native: native.Sample;
  readonly #lane: string;
  #buffer: ArrayBuffer | undefined;
  #data: ArrayTypes[DType] | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #copied = false;
  #kept = false;
  #released = false;

  /** Samples come from a subscriber. */
  constructor(native: native.Sample, lane: string) {
    this.#native = native;
    this.#lane = lane;
  }

  static {
    isKept = (sample) => sample.#kept;
  }

  /** The payload's elements, in the shared memory itself (see `copied`). Always the same array. */
  get data(): ArrayTypes[DType] {
    return (this.#data ??= dtypeOfNumber(this.#open().dtype).make(this.#memory()));
  }

  /** The payload's bytes: the same memory as `data`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return (this.#bytes ??= new Uint8Array(this.#memory()));
  }

  /** `data`, if its elements are of that type. Throws a TypeError (code "type-mismatch") if not. */
  as<D extends DType>(dtype: D): ArrayTypes[D] {
    const wanted = dtypeOfName(dtype);
    if (this.dtype !== wanted.name) {
      throw makeError("type-mismatch", `the sample holds ${this.dtype}, not ${wanted.name}`, { lane: this.#lane });
    }
    return this.data as ArrayTypes[D];
  }

  /** Extents in elements, outermost first; empty for a scalar. */
  get shape(): readonly number[] {
    return this.#open().shape;
  }

  get dtype(): DType {
    return dtypeOfNumber(this.#open().dtype).name;
  }

  /** Bytes of the payload. */
  get byteLength(): number {
    return this.#open().size;
  }

  /** 1, 2, 3, … for each publisher; a gap where samples were dropped. */
  get sequence(): bigint {
    return this.#open().sequence;
  }

  /** When it was sent: milliseconds of the system's monotonic clock, that of `process.hrtime`. */
  get sentTime(): number {
    return this.#open().sentTime;
  }

  /** When it was taken, on the same clock. */
  get receivedTime(): number {
    return this.#open().receivedTime;
  }

  get sender(): Sender {
    return this.#open().sender;
  }

  /** The name of the payload's encoding as the sender gave it, e.g. "arrow-ipc", or "". */
  get encoding(): string {
    return this.#open().encoding;
  }

  /** Bytes for the application's own use, at most 64. A copy. */
  get userHeader(): Uint8Array {
    return this.#open().userHeader;
  }

  /**
   * Whether `data` and `bytes` are a copy and not the shared memory: so for small payloads, for which that is faster, and
   * for all where the host forbids arrays over foreign memory, as Electron does.
   */
  get copied(): boolean {
    this.#memory();
    return this.#copied;
  }

  get released(): boolean {
    return this.#released;
  }

  /** The loop that the sample came from does not release it: that is left to you. Returns the sample. */
  keep(): this {
    this.#open();
    this.#kept = true;
    return this;
  }

  /** The elements in memory of their own, which stays. */
  copy(): ArrayTypes[DType] {
    return dtypeOfNumber(this.#open().dtype).make(this.#copy());
  }

  /** Gives the memory back to the sender, and detaches `data` and `bytes`. The second time does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#native.release(this.#buffer);
    this.#buffer = this.#data = this.#bytes = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /** For `console.log`: what it is, never what it holds. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    if (this.#released) return "Sample { released }";
    return `Sample { ${this.dtype} ${this.shape.join("x")}, ${this.byteLength} bytes, sequence ${this.sequence} }`;
  }

  /** The sample, if it was not released. */
  #open(): native.Sample {
    if (!this.#released) return this.#native;
    const advice = "keep it with keep(), or its data with copy()";
    throw makeError("released", `the sample of lane "${this.#lane}" was released already; ${advice}`, {
      lane: this.#lane,
    });
  }

  #memory(): ArrayBuffer {
    if (this.#buffer !== undefined) return this.#buffer;
    const bytes = this.#open().size;
    checkFitsBuffer("a sample", bytes, this.#lane);
    const lent = bytes === 0 ? undefined : this.#open().lend();
    this.#copied = lent === undefined;
    return (this.#buffer = lent ?? this.#copy());
  }

  #copy(): ArrayBuffer {
    const bytes = this.#open().size;
    checkFitsBuffer("a copy", bytes, this.#lane);
    const buffer = allocate(bytes, this.#lane);
    this.#open().copyTo(new Uint8Array(buffer));
    return buffer;
  }
}
