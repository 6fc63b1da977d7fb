// The peers' processes. They are used again and again, by one scenario after the other, as a long-lived program would use
// the library; one that was killed, or was there when something failed, is replaced.
import type { Language } from "./languages.js";
import { RemotePeer } from "./remote-peer.js";

export class Pool {
  readonly #idle: RemotePeer[] = [];
  readonly #busy = new Set<RemotePeer>();

  take(language: Language): RemotePeer {
    const index = this.#idle.findIndex((peer) => peer.language === language && peer.alive);
    const peer = this.#idle.splice(index, index < 0 ? 0 : 1)[0] ?? new RemotePeer(language);
    this.#busy.add(peer);
    return peer;
  }

  /** Takes back a peer that has let go of everything. */
  giveBack(peer: RemotePeer): void {
    this.#busy.delete(peer);
    if (peer.alive) this.#idle.push(peer);
  }

  /** Ends a peer of which nobody knows what it still does. */
  async discard(peer: RemotePeer): Promise<void> {
    this.#busy.delete(peer);
    if (peer.alive) peer.kill();
    await peer.ended(10_000);
  }

  /** Every peer ends, and must end well. */
  async close(): Promise<void> {
    await Promise.all([...this.#busy].map((peer) => this.discard(peer)));
    await Promise.all(
      this.#idle.splice(0).map(async (peer) => {
        peer.leave();
        const how = await peer.ended(10_000);
        if (how !== 0) throw new Error(`a ${peer.language} peer ended with ${how} in place of 0`);
      }),
    );
  }
}
