/** What setTimeout can do at most: 2^31 - 1 milliseconds. */
const longest = 2_147_483_647;

/** A timer for any number of milliseconds, also for more than setTimeout takes. */
export class Timer {
  #handle: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, expired: () => void) {
    const end = performance.now() + milliseconds;
    const start = (left: number): void => {
      this.#handle = setTimeout(
        () => {
          const rest = end - performance.now();
          if (left > longest && rest > 0) start(rest);
          else expired();
        },
        Math.min(left, longest),
      );
    };
    start(milliseconds);
  }

  clear(): void {
    clearTimeout(this.#handle);
  }
}
