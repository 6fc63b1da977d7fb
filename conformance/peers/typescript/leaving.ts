// How a peer leaves in the middle of things.

export class Leaving {
  #begun = false;

  /** Whether the program is about to end, ports open. */
  get hasBegun(): boolean {
    return this.#begun;
  }

  leave(how: string): void {
    if (how === "killed") process.kill(process.pid, "SIGKILL");
    if (how === "at-once") process.exit(0);
    this.#begun = true;
  }
}
