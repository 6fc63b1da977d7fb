import type * as native from "@memlane/core";

import { addon } from "./addon.js";
import { checkFitsBuffer } from "./buffer-limit.js";
import { checkCount, checkFlag, checkOptions, checkTime } from "./check.js";
import { dtypeOfName, dtypeOfNumber, type DType, type DTypeInfo } from "./dtype.js";
import { laneName, type LaneName } from "./lane-name.js";
import { Loan, loanAccess } from "./loan.js";
import { makeError } from "./make-error.js";
import { checkShape, describe, elementCount, type Payload, type PayloadOptions } from "./payload.js";
import { Port, portAccess } from "./port.js";
import { checkPortOptions, portOptionNames, type PortOptions } from "./port-options.js";
import { checkSendInfo, sendInfoNames, type SendInfo } from "./send-info.js";
import { checkWait, waitNames, type WaitOptions } from "./wait-options.js";
import { ended, expired, type Limits } from "./wait-queue.js";

export interface PublisherOptions extends PortOptions {
  /** How many of the last samples a late joiner is given first, 0 (if not given) to 65,536. */
  readonly history?: number | undefined;
  /** The most memory this port may hold, in bytes; 0 (if not given): what the machine and the control group allow. */
  readonly memoryBudget?: number | undefined;
  /**
   * How many samples one subscriber may hold, taken and not released, before its queue counts as full; what waits in it then
   * can still be taken. 0 (if not given): as many as it likes.
   */
  readonly maxHeld?: number | undefined;
  /** How long, in milliseconds, a send lets itself be kept waiting by a full queue; for ever if not given. */
  readonly sendTimeout?: number | undefined;
  /**
   * Each sample travels with a CRC-32C, and subscribers check it when they take it (false if not given): one that was changed
   * after it was sent, by a stray write of this process or by failing memory, is an error with code "corrupt" there.
   */
  readonly checksum?: boolean | undefined;
}

export interface SendOptions extends SendInfo, PayloadOptions {}

export type PublisherStats = Readonly<native.PublisherStats>;

const optionNames = [...portOptionNames, "history", "memoryBudget", "maxHeld", "sendTimeout", "checksum"];
const payloadNames = ["shape", "dtype"];

/**
 * The sending port: every subscriber of its lane gets every sample.
 *
 * Opens with its constructor: when that returns, every live subscriber is linked. An idle publisher does not keep the
 * process alive. What was sent stays readable for those who were linked, also if the process ends at once.
 */
export class Publisher extends Port {
  readonly #native: native.Publisher;
  readonly #sendTimeout: number;

  /** Throws a TypeError or RangeError for wrong arguments, a MemlaneError if the lane cannot be joined. */
  constructor(name: LaneName, options: PublisherOptions = {}) {
    checkOptions("Publisher", options, optionNames);
    const sendTimeout = checkTime("sendTimeout", options.sendTimeout ?? Infinity);
    const port = new addon.Publisher(laneName(name), {
      ...checkPortOptions(options),
      history: checkCount("history", options.history ?? 0),
      memoryBudget: checkCount("memoryBudget", options.memoryBudget ?? 0),
      maxHeld: checkCount("maxHeld", options.maxHeld ?? 0),
      sendTimeout,
      checksum: checkFlag("checksum", options.checksum ?? false),
    });
    super(port, "Publisher");
    this.#native = port;
    this.#sendTimeout = sendTimeout;
  }

  /**
   * Memory inside the lane, to be written and sent: so many bytes, or an array of that shape and type. Several at once are
   * fine. Throws a RangeError for an impossible size, a MemlaneError with code "budget-spent", "out-of-memory" or
   * "descriptor-limit".
   */
  loan(bytes: number): Loan<"bytes">;
  loan<D extends DType>(shape: number | readonly number[], dtype: D): Loan<D>;
  loan(shape: number | readonly number[], dtype: DType = "bytes"): Loan {
    return this.#lend(dtypeOfName(dtype), checkShape(shape));
  }

  /**
   * Sends a copy of the data, or a loan. Returns how many subscribers it went to.
   *
   * Blocks the thread for up to `sendTimeout` while the queue of a subscriber with overflow "block" is full; `sendAsync`
   * waits without blocking. Throws a MemlaneError with code "timeout", "queue-full", "deadlock" (the full queue is that of
   * a subscriber of this thread, which could never make room), "closed", or those of `loan`: then nobody got it.
   */
  send(data: Payload, options?: SendOptions): number;
  send(loan: Loan, info?: SendInfo): number;
  send(data: Payload | Loan, options: SendOptions = {}): number {
    return this.#send("Publisher.send", data, options, this.#sendTimeout) ?? 0;
  }

  /** As send, without waiting: undefined if a queue is full; then nobody got it, and a loan is as before. */
  trySend(data: Payload, options?: SendOptions): number | undefined;
  trySend(loan: Loan, info?: SendInfo): number | undefined;
  trySend(data: Payload | Loan, options: SendOptions = {}): number | undefined {
    return this.#send("Publisher.trySend", data, options, addon.TRY_ONCE);
  }

  /**
   * As send, waiting for room without blocking the thread; keeps the process alive meanwhile. Sends go out in the order of
   * the calls. The data is copied before the call returns, so it may be changed at once.
   *
   * `timeout`: milliseconds, `sendTimeout` if not given. Rejects as send throws, with code "closed" if the publisher is
   * closed meanwhile, or with the signal's reason.
   */
  sendAsync(data: Payload, options?: SendOptions & WaitOptions): Promise<number>;
  sendAsync(loan: Loan, options?: SendInfo & WaitOptions): Promise<number>;
  async sendAsync(data: Payload | Loan, options: SendOptions & WaitOptions = {}): Promise<number> {
    const isLoan = data instanceof Loan;
    const infoNames = isLoan ? sendInfoNames : [...sendInfoNames, ...payloadNames];
    const names = [...infoNames, ...waitNames];
    const info = checkSendInfo("Publisher.sendAsync", options, names);
    const limits = { ...checkWait("Publisher.sendAsync", options, names, this.#sendTimeout), inTurn: true };
    if (isLoan) {
      this.#checkOwn(data);
      return this.#sendInTurn(data, info, limits);
    }
    limits.signal?.throwIfAborted(); // before the copy
    const loan = this.#copyIntoLoan(data, options);
    try {
      return await this.#sendInTurn(loan, info, limits);
    } catch (error) {
      loan.giveUp();
      throw error;
    }
  }

  /**
   * Makes memory ready for `count` loans of `bytes` at once, so that none of them waits for the system to hand it out.
   * Throws as loan does.
   */
  reserve(bytes: number, count = 1): void {
    this.#native.reserve(checkCount("bytes", bytes), checkCount("count", count));
  }

  /** True when at least `n` subscribers are linked, false if `timeout` is over. Rejects with code "closed". */
  waitForSubscribers(n = 1, options: WaitOptions = {}): Promise<boolean> {
    return this.waitForPeers("Publisher.waitForSubscribers", n, options);
  }

  /** True when everything sent was taken and released by everybody, false if `timeout` is over. Rejects with code "closed". */
  flush(options: WaitOptions = {}): Promise<boolean> {
    return this.waitUntil("Publisher.flush", options, () => this.#native.isFlushed());
  }

  stats(): PublisherStats {
    return this.#native.stats();
  }

  #send(call: string, data: Payload | Loan, options: SendOptions, patience: number): number | undefined {
    if (data instanceof Loan) {
      const info = checkSendInfo(call, options);
      this.#checkOwn(data);
      return loanAccess.send(data, patience, info);
    }
    const { encoding, userHeader } = checkSendInfo(call, options, [...sendInfoNames, ...payloadNames]);
    const { bytes, dtype, shape } = describe(data, options);
    return this.#native.send(bytes, dtype, shape, patience, encoding, userHeader);
  }

  #lend({ name, number, size }: DTypeInfo, shape: readonly number[]): Loan {
    const byteLength = elementCount(shape) * size;
    checkFitsBuffer("a loan", byteLength, this.name);
    return new Loan(this.#native.loan(number, shape), {
      publisher: this.#native,
      sendTimeout: this.#sendTimeout,
      lane: this.name,
      dtype: name,
      shape,
      byteLength,
    });
  }

  async #sendInTurn(loan: Loan, info: SendInfo, limits: Limits): Promise<number> {
    const attempt = (patience: number): number | undefined => loanAccess.send(loan, patience, info);
    const reached = await portAccess.queue(this).until(() => attempt(addon.POLL), limits);
    if (reached === ended) throw portAccess.closedError(this);
    // Once more, for the error that names the subscriber; or, who knows, there is room now.
    return reached === expired ? (attempt(0) ?? 0) : reached;
  }

  #copyIntoLoan(data: Payload, options: PayloadOptions): Loan {
    const { bytes, dtype, shape } = describe(data, options);
    const loan = this.#lend(dtypeOfNumber(dtype), shape);
    loanAccess.write(loan, bytes);
    return loan;
  }

  #checkOwn(loan: Loan): void {
    if (loanAccess.isOf(loan, this.#native)) return;
    throw makeError("invalid-argument", "the loan belongs to another publisher", { lane: this.name });
  }
}
