import { Bell, type Sleeper } from "./bell.js";
import { Timer } from "./timer.js";

/** The time given for waiting is over. */
export const expired = Symbol("expired");
/** The port was closed, or the wait cancelled. */
export const ended = Symbol("ended");
export type WithoutResult = typeof expired | typeof ended;

export interface Limits {
  /** Milliseconds; Infinity waits for ever. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** Calls in turn get what there is in the order in which they were made. The others all look at every ring. */
  readonly inTurn: boolean;
}

interface Waiting {
  readonly inTurn: boolean;
  /** Returns whether it is over. */
  look(): boolean;
  end(): void;
}

/** A wait that can be cancelled. */
export interface Wait<T> {
  readonly result: Promise<T | WithoutResult>;
  /** Ends it without a result. Harmless if it is over. */
  cancel(): void;
}

// A loop over a lane that always has something would otherwise never let the rest of the program run: promises that are
// resolved already go before timers, input and output, and the finalizers of collected objects.
const longestStreak = 64;
const longestStreakTime = 5; // milliseconds

/**
 * All calls that wait for one port. Each is a look that finds something or not; whenever the bell rings, they look again.
 *
 * No thread and no polling: between two rings nothing runs. The bell is opened by the first call that has to wait. Who
 * waits keeps the process alive.
 */
export class WaitQueue implements Sleeper {
  readonly #openBell: () => number;
  readonly #waiting = new Set<Waiting>();
  #bell: Bell | undefined;
  #turns = 0; // of those that wait, how many are in turn
  #streak = 0; // calls that had their result at once since the event loop last turned
  #streakStart = 0;
  readonly #thrownOnLoop = new WeakSet<Error>();

  /** @param openBell returns a descriptor that the queue owns; from then on a look that finds nothing arms the bell */
  constructor(openBell: () => number) {
    this.#openBell = openBell;
  }

  /** Looks until there is something, or a limit is reached. Rejects with what the look throws, or the signal's reason. */
  until<T>(look: () => T | undefined, limits: Limits): Promise<T | WithoutResult> {
    return this.resultOf(this.start(look, limits));
  }

  /** The result of a wait; to be awaited by who made the call, for errors show where that is. */
  async resultOf<T>(wait: Wait<T>): Promise<T | WithoutResult> {
    try {
      return await wait.result;
    } catch (error) {
      // Thrown by a look on the event loop, where nobody sees who waits. Here the engine knows who awaits us.
      if (error instanceof Error && this.#thrownOnLoop.delete(error)) Error.captureStackTrace(error);
      throw error;
    }
  }

  /** As until, for who wants to be able to cancel it. */
  start<T>(look: () => T | undefined, limits: Limits): Wait<T> {
    const { timeout, signal, inTurn } = limits;
    if (signal?.aborted) return over(Promise.reject(signal.reason as Error));
    const mustYield = this.#mustYield();
    if (!mustYield && !(inTurn && this.#turns > 0)) {
      try {
        const found = look();
        if (found !== undefined) return over(Promise.resolve(found));
      } catch (error) {
        return over(Promise.reject(error as Error));
      }
      if (timeout === 0) return over<T>(Promise.resolve(expired));
    }
    return this.#enqueue(look, limits, mustYield);
  }

  /** The bell has rung. */
  wake(): void {
    this.#streak = 0;
    let turnIsOver = false;
    for (const each of this.#waiting) {
      if (each.inTurn && turnIsOver) continue;
      if (!each.look() && each.inTurn) turnIsOver = true;
    }
  }

  /** Ends every wait without a result, and closes the bell. */
  close(): void {
    for (const each of this.#waiting) each.end();
    this.#bell?.close();
    this.#bell = undefined;
  }

  #mustYield(): boolean {
    const now = performance.now();
    if (this.#streak++ === 0) this.#streakStart = now;
    return this.#streak > longestStreak || now - this.#streakStart > longestStreakTime;
  }

  #enqueue<T>(look: () => T | undefined, { timeout, signal, inTurn }: Limits, mustYield: boolean): Wait<T> {
    let cancel!: () => void;
    const result = new Promise<T | WithoutResult>((resolve, reject) => {
      let timer: Timer | undefined;
      const finish = (): void => {
        this.#remove(waiting);
        timer?.clear();
        signal?.removeEventListener("abort", abort);
      };
      const settle = (value: T | WithoutResult): void => {
        finish();
        resolve(value);
      };
      const fail = (reason: unknown): void => {
        finish();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it was thrown
        reject(reason);
      };
      const abort = (): void => {
        fail(signal?.reason);
      };
      const waiting: Waiting = {
        inTurn,
        look: () => {
          try {
            const found = look();
            if (found === undefined) return false;
            settle(found);
          } catch (error) {
            if (error instanceof Error) this.#thrownOnLoop.add(error);
            fail(error);
          }
          return true;
        },
        end: () => {
          settle(ended);
        },
      };
      cancel = () => {
        if (this.#waiting.has(waiting)) waiting.end();
      };
      try {
        this.#add(waiting);
        signal?.addEventListener("abort", abort, { once: true });
      } catch (error) {
        this.#remove(waiting);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it was thrown
        reject(error);
        return;
      }
      if (mustYield) {
        setImmediate(() => {
          this.wake();
          if (timeout === 0 && this.#waiting.has(waiting)) settle(expired);
        });
      }
      if (timeout !== Infinity && timeout !== 0) {
        timer = new Timer(timeout, () => {
          settle(expired);
        });
      }
    });
    return { result, cancel };
  }

  #add(waiting: Waiting): void {
    this.#bell ??= new Bell(this.#openBell(), this);
    this.#waiting.add(waiting);
    if (waiting.inTurn) this.#turns += 1;
    if (this.#waiting.size === 1) this.#bell.hold();
  }

  #remove(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return;
    if (waiting.inTurn) this.#turns -= 1;
    if (this.#waiting.size === 0) this.#bell?.letGo();
  }
}

function over<T>(result: Promise<T | WithoutResult>): Wait<T> {
  return { result, cancel: () => undefined };
}
