// What was done, and what went wrong.

/** The kinds of what can go wrong, as they are reported. */
export const kinds = {
  lost: "samples lost",
  changed: "samples changed",
  twice: "samples that came twice",
  order: "samples out of order",
  undeclared: "wrong counts of drops",
  stuck: "ports stuck",
  crashed: "processes that failed",
  bytes: "bytes leaked",
  descriptors: "descriptors leaked",
  mappings: "mappings leaked",
  names: "names left over",
};

const mostShown = 20;

export class Tally {
  counts = {
    rounds: 0,
    processes: 0,
    operations: 0,
    joins: 0,
    leaves: 0,
    kills: 0,
    exits: 0,
    freezes: 0,
    sent: 0,
    refused: 0,
    samples: 0,
    bytes: 0,
    held: 0,
    dropped: 0,
    undressed: 0,
    memories: 0,
  };
  wrong = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, 0]));
  complaints = [];
  stalls = { send: 0, take: 0, join: 0 }; // milliseconds, the longest of each

  add(name, count = 1) {
    this.counts[name] += count;
  }

  /** Something is wrong. `count`: how much of it. */
  complain(kind, text, count = 1) {
    this.wrong[kind] += count;
    if (this.complaints.length < mostShown) this.complaints.push(`${kind}: ${text}`);
  }

  stall(what, milliseconds) {
    this.stalls[what] = Math.max(this.stalls[what], milliseconds);
  }

  get failed() {
    return Object.values(this.wrong).some((count) => count > 0);
  }
}
