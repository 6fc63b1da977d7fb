import type * as native from "@memlane/core";

import { addon } from "./addon.js";
import { checkCount, checkOptions, checkSignal, refuse } from "./check.js";
import { laneName, type LaneName } from "./lane-name.js";
import { Port, portAccess } from "./port.js";
import { checkPortOptions, portOptionNames, type PortOptions } from "./port-options.js";
import { Sample } from "./sample.js";
import { SampleIterator } from "./sample-iterator.js";
import { checkWait, type WaitOptions } from "./wait-options.js";
import { ended, expired } from "./wait-queue.js";

/**
 * What happens to a sample that finds the subscriber's queue full. "block": its publisher waits, nothing is lost;
 * "drop-oldest": the oldest that waits makes room; "drop-newest": it does not reach this subscriber; "fail": its send
 * fails. Every drop is counted.
 */
export type Overflow = "block" | "drop-oldest" | "drop-newest" | "fail";
const overflows: readonly unknown[] = ["block", "drop-oldest", "drop-newest", "fail"] satisfies Overflow[];

export interface SubscriberOptions extends PortOptions {
  /** How many samples of each publisher may wait here, 1 to 65,536; 16 if not given. */
  readonly depth?: number | undefined;
  /** "block" if not given. */
  readonly overflow?: Overflow | undefined;
}

export interface LoopOptions {
  /** The loop also ends when every publisher that there was has left and everything it sent was taken. */
  readonly untilIdle?: boolean | undefined;
  /** Ends the loop: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export type SubscriberStats = Readonly<native.SubscriberStats>;

const optionNames = [...portOptionNames, "depth", "overflow"];

/**
 * The receiving port: gets every sample of every publisher of its lane, in order for each of them.
 *
 * Opens with its constructor: every send that begins after that has returned reaches it. A pending `next` or loop keeps the
 * process alive, an idle subscriber does not. Samples may outlive it.
 */
export class Subscriber extends Port implements AsyncIterable<Sample> {
  readonly #native: native.Subscriber;

  /** Throws a TypeError or RangeError for wrong arguments, a MemlaneError if the lane cannot be joined. */
  constructor(name: LaneName, options: SubscriberOptions = {}) {
    checkOptions("Subscriber", options, optionNames);
    const { depth = 16, overflow = "block" } = options;
    if (!overflows.includes(overflow)) refuse("overflow", `one of ${overflows.join(", ")}`, overflow);
    const port = new addon.Subscriber(laneName(name), {
      ...checkPortOptions(options),
      depth: checkCount("depth", depth, 1),
      overflow,
    });
    super(port, "Subscriber");
    this.#native = port;
  }

  /**
   * The next sample, if one is there. Throws a MemlaneError with code "corrupt", once, for each publisher whose link had to
   * be dropped because what it wrote made no sense; the others go on.
   */
  take(): Sample | undefined {
    const taken = this.#native.take();
    return taken === undefined ? undefined : new Sample(taken, this.name);
  }

  /**
   * The next sample, waiting for it. Undefined: the time is over, or the port was closed meanwhile. Several calls at once
   * are served in their order. Rejects as take throws, or with the signal's reason.
   */
  async next(options: WaitOptions = {}): Promise<Sample | undefined> {
    const limits = checkWait("Subscriber.next", options);
    const result = await portAccess.queue(this).until(() => this.take(), { ...limits, inTurn: true });
    return result === expired || result === ended ? undefined : result;
  }

  /**
   * Samples until the port is closed: `for await (const sample of subscriber)`. Each is released when the loop goes on, or
   * is left, unless it was kept (`sample.keep()`).
   */
  [Symbol.asyncIterator](): SampleIterator {
    return this.samples();
  }

  /** The same, with options. */
  samples(options: LoopOptions = {}): SampleIterator {
    checkOptions("Subscriber.samples", options, ["untilIdle", "signal"]);
    const { untilIdle = false } = options;
    if (typeof untilIdle !== "boolean") refuse("untilIdle", "true or false", untilIdle);
    const signal = checkSignal("signal", options.signal);
    const isOver = (): boolean => untilIdle && this.#native.idle();
    return new SampleIterator(portAccess.queue(this), {
      signal,
      isClosed: () => this.closed,
      look: () => this.take() ?? (isOver() ? null : undefined),
    });
  }

  /** True when at least `n` publishers are linked, false if `timeout` is over. Rejects with code "closed". */
  waitForPublishers(n = 1, options: WaitOptions = {}): Promise<boolean> {
    return this.waitForPeers("Subscriber.waitForPublishers", n, options);
  }

  stats(): SubscriberStats {
    return this.#native.stats();
  }
}
