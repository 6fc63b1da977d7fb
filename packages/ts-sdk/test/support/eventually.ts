import { setTimeout as pause } from "node:timers/promises";

/** How long a test waits for what must come, in milliseconds. Generous: the machine may be busy with other things. */
export const patience = 60_000;

/** Tries until the assertions hold; fails with what they say last. */
export async function eventually(assertions: () => unknown): Promise<void> {
  const end = performance.now() + patience;
  for (;;) {
    try {
      await assertions();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await pause(2);
  }
}
