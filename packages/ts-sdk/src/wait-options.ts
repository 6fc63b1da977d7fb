import { checkOptions, checkSignal, checkTime } from "./check.js";

export interface WaitOptions {
  /** Milliseconds; for ever if not given. */
  readonly timeout?: number | undefined;
  /** Ends the wait: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export const waitNames = ["timeout", "signal"];

export interface CheckedWait {
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** Checks the options of a call that waits; `names` are those that it knows. */
export function checkWait(
  call: string,
  options: WaitOptions,
  names: readonly string[] = waitNames,
  byDefault = Infinity,
): CheckedWait {
  checkOptions(call, options, names);
  const { timeout, signal } = options;
  return {
    timeout: timeout === undefined ? byDefault : checkTime("timeout", timeout),
    signal: checkSignal("signal", signal),
  };
}
