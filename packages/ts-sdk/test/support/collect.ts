// The garbage collector, on demand.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Collects, and lets the event loop turn: finalizers run on a later turn only. */
export async function collect(): Promise<void> {
  gc();
  await new Promise((resolve) => setImmediate(resolve));
}
