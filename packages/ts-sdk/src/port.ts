import type * as native from "@memlane/core";

import { checkCount } from "./check.js";
import { makeError } from "./make-error.js";
import { checkWait, type WaitOptions } from "./wait-options.js";
import { ended, expired, WaitQueue } from "./wait-queue.js";

/** What only the SDK itself may have of a port. */
export interface PortAccess {
  queue(port: Port): WaitQueue;
  native(port: Port): native.Port;
  closedError(port: Port): Error;
}
let access!: PortAccess;
export { access as portAccess };

/** One end of a lane: what publishers and subscribers have in common. */
export abstract class Port implements Disposable {
  readonly #native: native.Port;
  readonly #kind: string;
  readonly #name: string;
  readonly #queue: WaitQueue;

  /** Ports are opened by their own classes. */
  protected constructor(port: native.Port, kind: string) {
    this.#native = port;
    this.#kind = kind;
    this.#name = port.name;
    this.#queue = new WaitQueue(() => port.openBell());
  }

  static {
    access = {
      queue: (port) => port.#queue,
      native: (port) => port.#native,
      closedError: (port) => port.#closedError(),
    };
  }

  /** The lane's name. */
  get name(): string {
    return this.#name;
  }

  get closed(): boolean {
    return this.#native.closed;
  }

  /**
   * The port's one waitable descriptor, for poll or another event loop; the port keeps and closes it. Readable whenever
   * there may be something; a call that finds nothing makes it quiet again. Not needed with `next`, `for await` and the like.
   */
  fileno(): number {
    return this.#native.fileno();
  }

  /**
   * Leaves the lane, and ends every call that waits: `next()` and loops without a sample, all others with an error of code
   * "closed". The second time does nothing.
   */
  close(): void {
    this.#native.close();
    this.#queue.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** For `console.log`. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `${this.#kind} { "${this.name}"${this.closed ? ", closed" : ""} }`;
  }

  /** True when a look says so, false when the time is over. */
  protected async waitUntil(call: string, options: WaitOptions, look: () => boolean): Promise<boolean> {
    const limits = checkWait(call, options);
    const result = await this.#queue.until(() => look() || undefined, { ...limits, inTurn: false });
    if (result === ended) throw this.#closedError();
    return result !== expired;
  }

  protected async waitForPeers(call: string, n: number, options: WaitOptions): Promise<boolean> {
    const wanted = checkCount("n", n);
    return await this.waitUntil(call, options, () => this.#native.hasPeers(wanted));
  }

  #closedError(): Error {
    const kind = this.#kind.toLowerCase();
    return makeError("closed", `the ${kind} of lane "${this.name}" was closed while a call waited`, {
      lane: this.name,
    });
  }
}
