import { makeError } from "./make-error.js";
import { Port, portAccess } from "./port.js";
import { Timer } from "./timer.js";
import { checkWait, type CheckedWait, type WaitOptions } from "./wait-options.js";
import { ended, type Wait, type WithoutResult } from "./wait-queue.js";

/**
 * Waits until at least one of the ports is ready: a receiving port has something to take, a sending one has room. Returns
 * those that are, in their order; none if the time is over. Rejects with code "closed" if a port is closed, now or meanwhile,
 * with "invalid-argument" if there are no ports and nothing would end the wait, or with the signal's reason.
 */
export async function wait<P extends Port>(ports: readonly P[], options: WaitOptions = {}): Promise<P[]> {
  const limits = { ...checkWait("wait", options), inTurn: false };
  const given: unknown = ports;
  if (!Array.isArray(given) || !given.every((port) => port instanceof Port)) {
    throw makeError("invalid-argument", "expected an array of ports for wait");
  }
  const isReady = (port: Port): boolean => portAccess.native(port).ready();
  // One port's look at all of them: whichever rings, the result is the same. A look also arms each bell.
  const look = (): P[] | undefined => {
    const ready = ports.filter(isReady);
    return ready.length > 0 ? ready : undefined;
  };
  if (ports.length === 0) {
    await passTime(limits);
    return [];
  }
  const waits: Wait<P[]>[] = [];
  const start = async (port: P): Promise<{ port: P; result: P[] | WithoutResult }> => {
    const queue = portAccess.queue(port);
    const each = queue.start(look, limits);
    waits.push(each);
    return { port, result: await queue.resultOf(each) };
  };
  try {
    const { port, result } = await Promise.race(ports.map(start));
    if (result === ended) throw portAccess.closedError(port);
    return typeof result === "symbol" ? [] : result;
  } finally {
    for (const each of waits) each.cancel();
  }
}

/** A wait for nothing but its end. */
function passTime({ timeout, signal }: CheckedWait): Promise<void> {
  if (timeout === Infinity && signal === undefined) {
    throw makeError("invalid-argument", "a wait on no ports would never end; give it a port, or a timeout");
  }
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = (): void => {
      timer?.clear();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it was given
      reject(signal?.reason);
    };
    const timer =
      timeout === Infinity
        ? undefined
        : new Timer(timeout, () => {
            signal?.removeEventListener("abort", abort);
            resolve();
          });
    signal?.addEventListener("abort", abort, { once: true });
  });
}
