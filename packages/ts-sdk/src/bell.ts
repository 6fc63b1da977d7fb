import { Socket, type OnReadOpts, type SocketConstructorOpts } from "node:net";

/** More rings than are ever waiting: one is enough to look, the rest says nothing. */
const ringBytes = 256;

/** Who a bell wakes. */
export interface Sleeper {
  /** The bell has rung: look again. */
  wake(): void;
}

/**
 * The read end of a port's bell on Node's own event loop. It keeps the process alive only while it is held.
 *
 * A sleeper that is not waiting is known by a weak reference only, so that a port that was forgotten can be collected.
 */
export class Bell {
  readonly #socket: Socket;
  readonly #sleeper: WeakRef<Sleeper>;
  #held: Sleeper | undefined;

  /** Takes the descriptor over: it is closed with the bell. */
  constructor(descriptor: number, sleeper: Sleeper) {
    this.#sleeper = new WeakRef(sleeper);
    // Read into one buffer, for its content means nothing: the cheapest way there is from a pipe to JavaScript.
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafe(ringBytes),
      callback: () => {
        this.#ring();
        return true;
      },
    };
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      fd: descriptor,
      readable: true,
      writable: false,
      onread,
    };
    this.#socket = new Socket(options);
    this.#socket.unref();
  }

  /** Somebody waits: the process must not end, and the sleeper must not be collected. */
  hold(): void {
    this.#held = this.#sleeper.deref();
    this.#socket.ref();
  }

  letGo(): void {
    this.#held = undefined;
    this.#socket.unref();
  }

  close(): void {
    this.#held = undefined;
    this.#socket.destroy();
  }

  #ring(): void {
    const sleeper = this.#held ?? this.#sleeper.deref();
    if (sleeper === undefined)
      this.close(); // the port was collected
    else sleeper.wake();
  }
}
