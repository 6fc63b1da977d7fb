// The addon as the SDK sees it: conversions and lifetimes, no comfort. Nothing in it waits but a send that is told to.
// Times are milliseconds; -1 for `spin` is the core's own choice.

export interface PublisherOptions {
  readonly history: number;
  readonly memoryBudget: number;
  readonly maxHeld: number;
  readonly sendTimeout: number;
  readonly checksum: boolean;
  readonly joinTimeout: number;
  readonly label: string;
  readonly directory: string;
  /** A name, or a number in digits; empty: none. */
  readonly group: string;
  readonly spin: number;
}

export interface SubscriberOptions {
  readonly depth: number;
  readonly overflow: string;
  readonly joinTimeout: number;
  readonly label: string;
  readonly directory: string;
  /** A name, or a number in digits; empty: none. */
  readonly group: string;
  readonly spin: number;
}

export interface PublisherStats {
  sent: number;
  sentBytes: number;
  dropped: number;
  waiting: number;
  bytes: number;
  peers: number;
  broken: number;
}

export interface SubscriberStats {
  received: number;
  bytes: number;
  dropped: number;
  waiting: number;
  held: number;
  peers: number;
  broken: number;
}

/** What both kinds of port have. After close() every method but the second close() throws. */
export interface Port {
  readonly name: string;
  readonly closed: boolean;
  /** Whether `n` ports of the other kind are linked. */
  hasPeers(n: number): boolean;
  /** Whether a take would find something, or a send room. */
  ready(): boolean;
  /** The port's own descriptor. */
  fileno(): number;
  /**
   * A descriptor for an event loop, which reads it empty whenever it rings, and closes it. From now on every look that
   * finds nothing (take, ready, hasPeers, isFlushed, a send with POLL or TRY_ONCE) makes the bell ring when it is worth
   * looking again.
   */
  openBell(): number;
  close(): void;
}

export declare class Publisher implements Port {
  constructor(lane: string, options: PublisherOptions);
  readonly name: string;
  readonly closed: boolean;
  loan(dtype: number, shape: readonly number[]): Loan;
  /** Sends a copy. `patience`: milliseconds to wait for room, or POLL or TRY_ONCE, with which there may be no result. */
  send(
    bytes: Uint8Array,
    dtype: number,
    shape: readonly number[],
    patience: number,
    encoding: string | undefined,
    userHeader: Uint8Array | undefined,
  ): number | undefined;
  reserve(bytes: number, count: number): void;
  hasPeers(n: number): boolean;
  isFlushed(): boolean;
  ready(): boolean;
  stats(): PublisherStats;
  fileno(): number;
  openBell(): number;
  close(): void;
}

export interface Loan {
  /** A buffer over the loan; undefined where the host forbids it, for an empty loan, and the second time. */
  lend(): ArrayBuffer | undefined;
  /** Writes the whole loan, without a buffer over it. */
  copyFrom(bytes: Uint8Array): void;
  /**
   * `buffer`: what lend() returned, or one of the same size in its place, which is copied; undefined if nothing was written.
   * Detached if the send succeeds, as before if not.
   */
  send(
    buffer: ArrayBuffer | undefined,
    patience: number,
    encoding: string | undefined,
    userHeader: Uint8Array | undefined,
  ): number | undefined;
  /** `buffer`: as for send; it is detached. The second time does nothing. */
  giveUp(buffer: ArrayBuffer | undefined): void;
}

export declare class Subscriber implements Port {
  constructor(lane: string, options: SubscriberOptions);
  readonly name: string;
  readonly closed: boolean;
  take(): Sample | undefined;
  /** Whether every publisher that there was has left, and everything it sent was taken. */
  idle(): boolean;
  hasPeers(n: number): boolean;
  ready(): boolean;
  stats(): SubscriberStats;
  fileno(): number;
  openBell(): number;
  close(): void;
}

/** After release() everything but a second release() throws. */
export interface Sample {
  readonly size: number;
  readonly sequence: bigint;
  readonly sentTime: number;
  readonly receivedTime: number;
  readonly sender: { id: string; pid: number; label: string };
  readonly dtype: number;
  readonly shape: number[];
  readonly encoding: string;
  readonly userHeader: Uint8Array;
  /** A buffer over the payload; undefined where it has to be copied, and the second time. */
  lend(): ArrayBuffer | undefined;
  copyTo(target: Uint8Array): void;
  /**
   * `buffer`: what lend() returned, or the copy; it is detached. False: the memory was moved out of the buffer, and is
   * given back when the garbage collector finds the other one.
   */
  release(buffer: ArrayBuffer | undefined): boolean;
}

/** How errors are to be made in this environment. */
export declare function setErrorFactory(
  make: (code: string, message: string, lane: string, systemError: number) => Error,
): void;

/** Every error code of the core. */
export declare const errorCodes: readonly string[];
/** Every element type of the core, at the index that is its number. */
export declare const dtypes: readonly { readonly name: string; readonly size: number }[];
/** Patience: not at all; no result where a subscriber with overflow "block" would have to be waited for. */
export declare const POLL: number;
/** Patience: not at all; no result where any subscriber's queue is full. */
export declare const TRY_ONCE: number;
/** The version of the core. */
export declare const version: string;
