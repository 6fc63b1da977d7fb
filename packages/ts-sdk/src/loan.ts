import type * as native from "@memlane/core";

import { allocate } from "./buffer-limit.js";
import { dtypeOfName, type ArrayTypes, type DType } from "./dtype.js";
import { checkSendInfo, type SendInfo } from "./send-info.js";

/** What only the publisher may do with its loans. */
export interface LoanAccess {
  /** Sends it with a patience of the addon's; undefined if that had no result. */
  send(loan: Loan, patience: number, info: SendInfo): number | undefined;
  /** Writes the whole loan at once, which needs no buffer over it. */
  write(loan: Loan, bytes: Uint8Array): void;
  /** Whether the loan is of that publisher. */
  isOf(loan: Loan, publisher: native.Publisher): boolean;
}
let access!: LoanAccess;
export { access as loanAccess };

/** What the publisher tells a new loan. */
export interface LoanOrigin<D extends DType> {
  readonly publisher: native.Publisher;
  /** Milliseconds that a send may wait. */
  readonly sendTimeout: number;
  readonly lane: string;
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/**
 * Writable memory inside the lane, to be sent or given up. What it holds at first is undefined.
 *
 * After a send, or after it was given up, its arrays are detached (their length is 0), and everything but `giveUp()`
 * throws: code "already-sent", or "released". A loan that is dropped is given up by the garbage collector, some time.
 */
export class Loan<D extends DType = DType> implements Disposable {
  readonly #native: native.Loan;
  readonly #origin: LoanOrigin<D>;
  #buffer: ArrayBuffer | undefined;
  #data: ArrayTypes[D] | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  /** Loans come from a publisher. */
  constructor(native: native.Loan, origin: LoanOrigin<D>) {
    this.#native = native;
    this.#origin = origin;
  }

  static {
    access = {
      send: (loan, patience, info) => loan.#send(patience, info),
      write: (loan, bytes) => {
        loan.#native.copyFrom(bytes);
      },
      isOf: (loan, publisher) => loan.#origin.publisher === publisher,
    };
  }

  /** The elements to be written. Always the same array, until the loan is sent or given up. */
  get data(): ArrayTypes[D] {
    return (this.#data ??= dtypeOfName(this.#origin.dtype).make(this.#memory()) as ArrayTypes[D]);
  }

  /** The bytes to be written: the same memory as `data`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return (this.#bytes ??= new Uint8Array(this.#memory()));
  }

  /** Extents in elements, outermost first. */
  get shape(): readonly number[] {
    return this.#origin.shape;
  }

  get dtype(): D {
    return this.#origin.dtype;
  }

  get byteLength(): number {
    return this.#origin.byteLength;
  }

  /**
   * Gives the memory away; subscribers read it where it lies. Returns how many it went to.
   *
   * Blocks the thread for up to the publisher's `sendTimeout` while the queue of a subscriber with overflow "block" is
   * full; `publisher.sendAsync(loan)` waits without blocking. Throws a MemlaneError with code "timeout", "queue-full",
   * "deadlock" (the subscriber is of this thread) or "closed": then nobody got it, and the loan is as before.
   */
  send(info: SendInfo = {}): number {
    return this.#send(this.#origin.sendTimeout, checkSendInfo("Loan.send", info)) ?? 0;
  }

  /** Gives the memory back unsent. Harmless if there is nothing to give back. */
  giveUp(): void {
    this.#native.giveUp(this.#buffer);
    this.#forget();
  }

  /** Gives up a loan that was not sent. */
  [Symbol.dispose](): void {
    this.giveUp();
  }

  /** For `console.log`: what it is, never what it holds. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Loan { ${this.dtype} ${this.shape.join("x")}, ${this.byteLength} bytes }`;
  }

  #memory(): ArrayBuffer {
    return (this.#buffer ??= this.#native.lend() ?? allocate(this.byteLength, this.#origin.lane));
  }

  #send(patience: number, { encoding, userHeader }: SendInfo): number | undefined {
    const reached = this.#native.send(this.#buffer, patience, encoding, userHeader);
    if (reached !== undefined) this.#forget();
    return reached;
  }

  #forget(): void {
    this.#buffer = this.#data = this.#bytes = undefined;
  }
}
