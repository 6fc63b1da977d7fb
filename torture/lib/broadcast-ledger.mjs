// What must arrive where every receiver of a lane gets every sample: all that a live sender sends, at each live receiver,
// once, in order, but for the drops that both declare.
//
// What a link is given first depends on the moment at which it comes up, which nobody sees. So for each pair of ports two
// bounds are kept of the first sample: `low`, before which none may come, and `high`, by which one must have come.
import { waitsForAll } from "./joining.mjs";

const lossless = (receiver) => ["block", "fail"].includes(receiver.options.overflow);

class Pair {
  low; // number of the first sample that may arrive
  metAt; // how much the sender had perhaps sent when both had opened; undefined: they may have missed each other
  from; // number of the first sample whose sending began after that
  first; // that arrived
  last; // that arrived
  count = 0; // that arrived
  missing = 0; // between these

  constructor(sender, receiver) {
    this.sender = sender;
    this.receiver = receiver;
    this.given = Math.min(sender.options.history, receiver.options.depth); // of the history
    this.low = Math.max(1, sender.acknowledged - this.given + 1);
  }

  get name() {
    return `port ${this.receiver.id} (${this.receiver.options.overflow}, ${this.receiver.language}) from port ${this.sender.id} (${this.sender.language})`;
  }

  /** The sample by which the first must have arrived, if nothing was dropped. */
  get high() {
    if (this.metAt === undefined) return Infinity;
    const history = this.given > 0 ? Math.max(1, this.metAt - this.given + 1) : Infinity;
    return Math.min(history, this.from ?? Infinity);
  }

  /** Whether the link is known to have come up before the sender's last sample. */
  get isOwed() {
    return this.last !== undefined || this.sender.acknowledged >= this.high;
  }
}

export class BroadcastLedger {
  #ports = new Map(); // by id
  #pairs = new Map(); // by "sender receiver"
  #complain;

  /** `complain(kind, text)`: something is wrong. */
  constructor(complain) {
    this.#complain = complain;
  }

  // ---- as steps begin and end ----

  opening(port) {
    Object.assign(port, { state: "opening", acknowledged: 0, attempted: 0, bytes: 0, taken: 0, unseen: 0 });
    this.#ports.set(port.id, port);
    for (const other of this.#opposite(port)) {
      const [sender, receiver] = port.role === "sender" ? [port, other] : [other, port];
      this.#pairs.set(`${sender.id} ${receiver.id}`, new Pair(sender, receiver));
    }
  }

  opened(port) {
    if (port.state !== "opening") return;
    port.state = "open";
    for (const pair of this.#pairsOf(port)) {
      const { sender, receiver } = pair;
      if (sender.state !== "open" || receiver.state !== "open") continue;
      if (waitsForAll(sender) && waitsForAll(receiver)) pair.metAt = sender.attempted;
    }
  }

  sending(port, count) {
    port.attempted = port.acknowledged + count;
    for (const pair of this.#pairsOf(port)) {
      if (pair.metAt !== undefined) pair.from ??= port.acknowledged + 1;
    }
  }

  sent(port, { sequence, bytes, refused }) {
    if (sequence < port.acknowledged || sequence > port.attempted || (refused === "" && sequence !== port.attempted)) {
      this.#complain("lost", `port ${port.id} has sent ${sequence}, not ${port.acknowledged} to ${port.attempted}`);
    }
    port.acknowledged = port.attempted = sequence;
    port.bytes += bytes;
  }

  /** `runs`: of samples without a gap, in the order in which they came, each of one sender. */
  received(port, runs, bytes) {
    port.bytes += bytes;
    for (const { id, first, last } of runs) {
      port.taken += last - first + 1;
      const pair = this.#pairs.get(`${id} ${port.id}`);
      if (pair === undefined) {
        this.#complain("order", `port ${port.id} took sample ${first} of port ${id}, which it cannot have met`);
      } else {
        this.#receive(pair, first, last);
      }
    }
  }

  /** The port leaves, or its process dies: from now on nothing more is owed to it, and nothing more expected of it. */
  leaving(port) {
    if (port.state === "opening" || port.state === "open") port.state = "leaving";
  }

  gone(port) {
    port.state = "gone";
  }

  // ---- at rest ----

  /** What is still on the way: a line each. `stats`: of every open port, by id. */
  awaited(stats) {
    const lines = [];
    for (const port of this.#open()) {
      const { waiting, peers } = stats.get(port.id);
      const others = this.#opposite(port).filter(({ state }) => state === "open").length;
      if (waiting !== 0) lines.push(`port ${port.id} has ${waiting} samples waiting`);
      if (peers !== others) lines.push(`port ${port.id} sees ${peers} peers in place of ${others}`);
      if (port.role !== "receiver" || !lossless(port)) continue;
      for (const pair of this.#pairsOf(port)) {
        const { acknowledged } = pair.sender;
        if (pair.isOwed && (pair.last ?? 0) < acknowledged) {
          lines.push(`${pair.name}: sample ${acknowledged} has not arrived, the last is ${pair.last ?? "none"}`);
        }
      }
    }
    return lines;
  }

  /** Holds the counters of every open port against what it sent and received. Nothing is on the way any more. */
  check(stats) {
    for (const port of this.#open()) {
      const now = stats.get(port.id);
      if (now.broken !== 0) this.#complain("changed", `port ${port.id} has dropped ${now.broken} links as corrupt`);
      if (port.role === "sender") this.#checkSender(port, now);
      else this.#checkReceiver(port, now);
    }
    // Nobody asks any more for what is between two that are gone.
    for (const [key, { sender, receiver }] of this.#pairs) {
      if (receiver.state !== "gone") continue;
      sender.unseen += sender.attempted; // at most so many were dropped for a receiver that cannot be asked any more
      this.#pairs.delete(key);
    }
    for (const port of [...this.#ports.values()]) {
      if (port.state === "gone" && this.#pairsOf(port).length === 0) this.#ports.delete(port.id);
    }
  }

  /** Every port that is open, of whatever process. */
  get open() {
    return this.#open();
  }

  #checkSender(port, now) {
    if (now.sent !== port.acknowledged || now.sentBytes !== port.bytes) {
      const said = `${now.sent} samples of ${now.sentBytes} bytes`;
      this.#complain("lost", `port ${port.id} says it has sent ${said}, not ${port.acknowledged} of ${port.bytes}`);
    }
    this.#checkDrops(port, now.dropped, port.unseen);
  }

  #checkReceiver(port, now) {
    if (now.received !== port.taken || now.receivedBytes !== port.bytes) {
      const said = `${now.received} samples of ${now.receivedBytes} bytes`;
      this.#complain("lost", `port ${port.id} says it has taken ${said}, not ${port.taken} of ${port.bytes}`);
    }
    this.#checkDrops(port, now.dropped, 0);
  }

  /** What was not received must have been declared; what was declared must not have been received. */
  #checkDrops(port, declared, unseen) {
    let least = 0;
    let most = unseen;
    for (const pair of this.#pairsOf(port)) {
      const { sender, receiver, first, last, low } = pair;
      if (lossless(receiver)) continue;
      if (receiver.state === "gone") {
        most += sender.attempted;
        continue;
      }
      const next = last === undefined ? pair.high : last + 1;
      least += pair.missing + Math.max(0, sender.acknowledged - next + 1);
      most += pair.missing + (first ?? low) - low + Math.max(0, sender.attempted - (last ?? low - 1));
    }
    if (declared >= least && declared <= most) return;
    const range = least === most ? `${least}` : `${least} to ${most}`;
    const kind = declared < least ? "lost" : "undeclared";
    this.#complain(kind, `port ${port.id} (${port.role}) declares ${declared} drops, and there were ${range}`);
  }

  #receive(pair, first, last) {
    const { sender, receiver } = pair;
    if (last > sender.attempted) this.#complain("order", `${pair.name}: sample ${last} was never sent`);
    if (pair.last === undefined) {
      if (first < pair.low) {
        this.#complain("order", `${pair.name}: the first sample is ${first}, and the history began at ${pair.low}`);
      }
      if (first > pair.high && receiver.options.overflow !== "drop-oldest") {
        this.#complain("lost", `${pair.name}: the first sample is ${first}, and ${pair.high} should have come`);
      }
      pair.first = first;
    } else if (first <= pair.last) {
      this.#complain(first === pair.last ? "twice" : "order", `${pair.name}: sample ${first} came after ${pair.last}`);
    } else if (first > pair.last + 1) {
      if (lossless(receiver)) {
        this.#complain("lost", `${pair.name}: samples ${pair.last + 1} to ${first - 1}`);
      }
      pair.missing += first - pair.last - 1;
    }
    pair.last = Math.max(pair.last ?? 0, last);
    pair.count += last - first + 1;
  }

  #open() {
    return [...this.#ports.values()].filter(({ state }) => state === "open");
  }

  #opposite(port) {
    return [...this.#ports.values()].filter(
      ({ lane, role, state }) => lane === port.lane && role !== port.role && state !== "gone",
    );
  }

  #pairsOf(port) {
    return [...this.#pairs.values()].filter(({ sender, receiver }) => sender === port || receiver === port);
  }
}
