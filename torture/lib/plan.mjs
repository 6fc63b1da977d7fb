// What one process of the torture does: an endless list of steps that depends on the seed alone, not on what happens.
import { mix, Random } from "./random.mjs";
import { patterns } from "./patterns.mjs";

const mostPorts = 14; // open at once in a process
const idsOfSlot = 100_000; // ports that a slot may open, each under a number of its own

/** Sizes in bytes: mostly small, some of a few pages, few of megabytes. */
function sizes(random) {
  const one = () =>
    random.weighted([
      [4, () => random.between(0, 1)],
      [52, () => random.between(2, 600)],
      [30, () => random.between(601, 20_000)],
      [12, () => random.between(20_001, 300_000)],
      [2, () => random.between(300_001, 5_000_000)],
    ])();
  return Array.from({ length: random.between(1, 4) }, one);
}

export class Plan {
  #random;
  #slot;
  #lanes;
  #opened = 0;
  #ports = []; // that this process has open, by the plan

  /** `lanes`: `{ name, pattern }` each. */
  constructor(seed, slot, lanes) {
    this.#random = new Random(mix(seed, slot));
    this.#slot = slot;
    this.#lanes = lanes;
  }

  /** The next step. */
  next() {
    const random = this.#random;
    const senders = this.#ports.filter(({ role }) => role === "sender");
    const receivers = this.#ports.filter(({ role }) => role === "receiver");
    const room = this.#ports.length < mostPorts;
    const step = random.weighted([
      [this.#ports.length < 9 ? 40 : room ? 3 : 0, () => this.#open()],
      [this.#ports.length > 2 ? 2 : 0, () => this.#discard()],
      [senders.length > 0 ? 40 : 0, () => this.#send(random.of(senders))],
      [receivers.length > 0 ? 50 : 0, () => this.#take(random.of(receivers))],
      [6, () => ({ do: "release", count: random.between(1, 40) })],
      [senders.length > 0 ? 0.5 : 0, () => this.#reserve(random.of(senders))],
      [senders.length > 0 ? 1 : 0, () => ({ do: "flush", port: random.of(senders), timeout: random.between(0, 10) })],
      [this.#ports.length > 0 ? 0.4 : 0, () => this.#undress()],
      [this.#ports.length > 0 ? 0.35 : 0, () => this.#exit()],
    ])();
    return this.#disturb(step);
  }

  #open() {
    const random = this.#random;
    const lane = random.of(this.#lanes);
    const role = random.of(["sender", "receiver"]);
    const { open, options } = patterns[lane.pattern][role];
    const id = this.#slot * idsOfSlot + ++this.#opened;
    const port = { id, name: `p${id}`, slot: this.#slot, lane, role, open, options: options(random) };
    this.#ports.push(port);
    return { do: "open", port };
  }

  #discard() {
    const port = this.#random.of(this.#ports);
    this.#ports = this.#ports.filter((each) => each !== port);
    return { do: "discard", port };
  }

  #send(port) {
    const random = this.#random;
    return {
      do: "send",
      port,
      count: random.weighted([
        [30, () => random.between(1, 5)],
        [70, () => random.between(6, 80)],
      ])(),
      sizes: sizes(random),
      how: random.weighted([
        [45, "loan"],
        [25, "copy"],
        [20, "try"],
        [10, "waste"],
      ]),
      timeout: random.weighted([
        [60, 0],
        [30, random.between(1, 5)],
        [10, random.between(6, 30)],
      ]),
    };
  }

  #take(port) {
    const random = this.#random;
    return {
      do: "take",
      port,
      count: random.weighted([
        [20, () => random.between(1, 5)],
        [80, () => random.between(6, 300)],
      ])(),
      timeout: random.weighted([
        [70, 0],
        [20, random.between(1, 3)],
        [10, random.between(4, 20)],
      ]),
      via: random.percent(20) ? "bell" : "take",
      keep: random.weighted([
        [70, 0],
        [20, random.between(5, 30)],
        [10, random.between(1, 4)],
      ]),
    };
  }

  #reserve(port) {
    const random = this.#random;
    return { do: "reserve", port, bytes: random.between(1, 500_000), count: random.between(1, 4) };
  }

  #undress() {
    this.#ports = [];
    return { do: "undress" };
  }

  #exit() {
    this.#ports = [];
    return { do: "exit", how: this.#random.of(["return", "at-once", "killed"]) };
  }

  /** Some steps meet their process frozen, and some it does not survive. */
  #disturb(step) {
    const random = this.#random;
    if (step.do === "exit" || step.do === "undress") return step;
    const what = random.weighted([
      [97.7, "nothing"],
      [1.8, "freeze"],
      [0.5, "kill"],
    ]);
    if (what === "freeze") {
      return {
        ...step,
        freeze: {
          after: random.next() * 3,
          span: random.weighted([
            [70, 30],
            [25, 200],
            [5, 900],
          ]),
        },
      };
    }
    if (what === "kill") {
      this.#ports = [];
      return {
        ...step,
        kill: {
          after: random.weighted([
            [70, random.next() * 2],
            [30, random.next() * 20],
          ]),
        },
      };
    }
    return step;
  }
}
