// Faults that the torture must find: to prove that it can fail.

/** Each, with the kind of complaint that it must bring. */
export const faults = {
  lose: "lost", // a sample that arrived is not reported
  twice: "twice", // one is reported twice
  change: "changed", // a bit of one is another
  drop: "undeclared", // a drop is declared that was none
  port: "descriptors", // one is not closed with the others
  name: "names", // a file stays in the lane directory
};

/** Whether there is such a fault; "" is none. */
export const isFault = (text) => text === "" || text.split(":", 1)[0] in faults;

/** Happens once, in one language if one is named: "lose", "lose:python". */
export class Fault {
  #left;

  constructor(text = "") {
    [this.name, this.language] = text.split(":");
    this.#left = this.name !== "";
  }

  /** Whether a port stays open: the first that asks. */
  keeps(port) {
    if (this.name !== "port") return false;
    this.kept ??= port;
    return this.kept === port;
  }

  /** For a step of that language. */
  of(language) {
    const meant = this.language === undefined || this.language === language;
    return this.#left && meant && ["lose", "twice", "change"].includes(this.name) ? this.name : undefined;
  }

  done(language) {
    if (this.of(language) !== undefined) this.#left = false;
  }
}
