import { isKept, type Sample } from "./sample.js";
import { ended, expired, type Wait, type WaitQueue } from "./wait-queue.js";

export interface Source {
  readonly signal: AbortSignal | undefined;
  isClosed(): boolean;
  /** The next sample; null if there will be none, undefined if there is none yet. */
  look(): Sample | null | undefined;
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * A loop over a subscriber. Each `next()` releases the sample before, unless it was kept; leaving the loop releases the last.
 *
 * One `next()` at a time: a second call waits for the first.
 */
export class SampleIterator implements AsyncIterableIterator<Sample, undefined, undefined> {
  readonly #queue: WaitQueue;
  readonly #source: Source;
  #current: Sample | undefined;
  #wait: Wait<Sample | null> | undefined;
  #last: Promise<void> | undefined; // the next() that is under way
  #isDone = false;

  constructor(queue: WaitQueue, source: Source) {
    this.#queue = queue;
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Sample, undefined>> {
    const step = this.#last === undefined ? this.#step() : this.#last.then(() => this.#step());
    // Who comes next waits for this one, and is not concerned with how it ended.
    const over = (): void => {
      if (this.#last === last) this.#last = undefined;
    };
    const last: Promise<void> = step.then(over, over);
    this.#last = last;
    return step;
  }

  /** Ends the loop; a `next()` that waits is done. */
  return(): Promise<IteratorResult<Sample, undefined>> {
    this.#finish();
    this.#wait?.cancel();
    return Promise.resolve(done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #step(): Promise<IteratorResult<Sample, undefined>> {
    this.#release();
    if (this.#isDone || this.#source.isClosed()) return this.#finish();
    try {
      const { signal } = this.#source;
      this.#wait = this.#queue.start(() => this.#source.look(), { timeout: Infinity, signal, inTurn: true });
      const found = await this.#queue.resultOf(this.#wait);
      if (found === expired || found === ended || found === null) return this.#finish();
      this.#current = found;
      return this.#wasLeft() ? this.#finish() : { done: false, value: found };
    } catch (error) {
      this.#finish();
      throw error;
    } finally {
      this.#wait = undefined;
    }
  }

  /** Whether the loop was left, perhaps while a sample was on its way. */
  #wasLeft(): boolean {
    return this.#isDone;
  }

  #finish(): IteratorReturnResult<undefined> {
    this.#isDone = true;
    this.#release();
    return done;
  }

  #release(): void {
    const sample = this.#current;
    this.#current = undefined;
    if (sample !== undefined && !isKept(sample)) sample.release();
  }
}
