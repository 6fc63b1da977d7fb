// One place of the torture: a process that does the steps of its plan, and the one that takes its place when it dies.
import { setTimeout as sleep } from "node:timers/promises";

import { Actor, ActorFailed } from "./actor.mjs";
import { lent, smallBudget } from "./patterns.mjs";
import { descriptors, mappings } from "./resources.mjs";

const number = (form, name) => Number(form.get(name));

/** Which lanes a frozen process has a port on: there, a slow join says nothing. */
export class Weather {
  #freezes = new Map(); // by lane: how many there were
  #frozen = new Map(); // by lane: how many there are

  freeze(lanes) {
    for (const lane of lanes) {
      this.#freezes.set(lane, (this.#freezes.get(lane) ?? 0) + 1);
      this.#frozen.set(lane, (this.#frozen.get(lane) ?? 0) + 1);
    }
  }

  thaw(lanes) {
    for (const lane of lanes) this.#frozen.set(lane, this.#frozen.get(lane) - 1);
  }

  /** For wasCalm(); undefined if somebody is frozen now. */
  mark(lane) {
    return (this.#frozen.get(lane) ?? 0) > 0 ? undefined : (this.#freezes.get(lane) ?? 0);
  }

  /** Whether nobody on the lane is frozen, or was since `mark`. */
  wasCalm(lane, mark) {
    return mark !== undefined && mark === this.mark(lane);
  }
}

export class Slot {
  #actor;
  #baseline = 0; // descriptors of the process when it has no port
  #held = 0; // samples that it keeps
  #disturbed = false; // it is frozen during the step that is under way

  /** `run`: what all slots share: `{ directory, patience, ledgers, tally, weather, fault, aborted }`. */
  constructor(index, language, plan, run) {
    this.index = index;
    this.language = language;
    this.plan = plan;
    this.run = run;
    this.ports = new Set(); // that are open in the process
  }

  // ---- a round ----

  async play(steps) {
    if (this.#actor === undefined) await this.#start();
    for (let i = 0; i < steps && !this.run.aborted; i++) {
      const step = this.plan.next();
      this.run.tally.add("operations");
      if (step.kill !== undefined) await this.#killDuring(step);
      else if (step.freeze !== undefined) await this.#freezeDuring(step);
      else await this.#do(step);
    }
  }

  /** One look at everything, on the way to rest. Answers the counters of every port, by number. */
  async rest() {
    await this.#release(Number.MAX_SAFE_INTEGER);
    const stats = [];
    for (const port of this.ports) {
      if (port.role === "receiver") await this.#take({ port, count: 2000, timeout: 2, via: "take", keep: 0 });
      else
        await this.#actor.call([
          ["do", "flush"],
          ["port", port.name],
          ["timeout", 2],
        ]);
    }
    for (const port of this.ports) stats.push([port.id, await this.#stats(port.name)]);
    return stats;
  }

  /** At rest a sender without history holds nothing: its whole budget can be lent. */
  async checkMemory() {
    const { tally } = this.run;
    for (const { name, id, role, options } of this.ports) {
      if (role !== "sender" || options.budget !== smallBudget || options.history > 0) continue;
      const before = await this.#stats(name);
      if (!(await this.#reserve({ port: { name }, bytes: lent, count: 1 }))) {
        const what = `port ${id} (${this.language}) does not get its ${smallBudget} bytes free`;
        tally.complain("bytes", `${what} of the ${before.bytes} it holds`, before.bytes);
      }
      tally.add("memories");
    }
  }

  /** Closes every port and sees what the process still holds. */
  async undress() {
    await this.#release(Number.MAX_SAFE_INTEGER);
    for (const port of [...this.ports]) {
      if (!this.run.fault.keeps(port)) await this.#discard(port);
    }
    await this.#checkBare();
    this.run.tally.add("undressed");
  }

  /** Ends the process as programs end. */
  async finish() {
    if (this.#actor === undefined) return;
    this.#actor.leave();
    const how = await this.#actor.end();
    if (how !== 0) this.run.tally.complain("crashed", `the ${this.language} process ended with ${how} at the end`);
    this.#actor = undefined;
  }

  /** Whatever state the process is in. */
  async abort() {
    this.#actor?.signal("SIGKILL");
    await this.#actor?.exit;
  }

  // ---- steps ----

  async #do(step) {
    switch (step.do) {
      case "open":
        return this.#open(step.port);
      case "discard":
        return this.#discard(step.port);
      case "send":
        return this.#send(step);
      case "take":
        return this.#take(step);
      case "release":
        return this.#release(step.count);
      case "reserve":
        return this.#reserve(step);
      case "flush":
        return this.#actor.call([
          ["do", "flush"],
          ["port", step.port.name],
          ["timeout", step.timeout],
        ]);
      case "undress":
        return this.undress();
      case "exit":
        return this.#exit(step.how);
      default:
        throw new Error(`no such step: ${step.do}`);
    }
  }

  #ledger(port) {
    return this.run.ledgers.get(port.lane.pattern);
  }

  async #open(port) {
    const { weather, tally, directory } = this.run;
    port.language = this.language;
    this.ports.add(port);
    this.#ledger(port).opening(port);
    const mark = weather.mark(port.lane);
    const begin = performance.now();
    await this.#actor.call([
      ["do", port.open],
      ["as", port.name],
      ["lane", port.lane.name],
      ["directory", directory],
      ["label", `soak-${port.id}`],
      ...Object.entries(port.options),
    ]);
    if (!this.#disturbed && weather.wasCalm(port.lane, mark)) tally.stall("join", performance.now() - begin);
    this.#ledger(port).opened(port);
    tally.add("joins");
  }

  async #discard(port) {
    this.#ledger(port).leaving(port);
    await this.#actor.call([
      ["do", "discard"],
      ["port", port.name],
    ]);
    this.#ledger(port).gone(port);
    this.ports.delete(port);
    this.run.tally.add("leaves");
  }

  async #send({ port, count, sizes, how, timeout }) {
    const { tally } = this.run;
    this.#ledger(port).sending(port, count);
    const before = port.acknowledged;
    const form = await this.#actor.call([
      ["do", "soak-send"],
      ["port", port.name],
      ["id", port.id],
      ["count", count],
      ...sizes.map((size) => ["bytes", size]),
      ["how", how],
      ["timeout", timeout],
    ]);
    const refused = form.get("refused");
    this.#ledger(port).sent(port, { sequence: number(form, "sequence"), bytes: number(form, "bytes"), refused });
    // A copy waits for as long as its port says.
    const patience = how === "copy" ? port.options["send-timeout"] - timeout : how === "try" ? -timeout : 0;
    if (!this.#disturbed) tally.stall("send", number(form, "stall") - patience);
    tally.add("sent", port.acknowledged - before);
    tally.add("operations", port.acknowledged - before);
    if (refused !== "") tally.add("refused");
  }

  async #take({ port, count, timeout, via, keep }) {
    const { tally, fault } = this.run;
    const form = await this.#actor.call([
      ["do", "soak-take"],
      ["port", port.name],
      ["count", count],
      ["timeout", timeout],
      ["via", via],
      ["keep", keep],
      ["fault", fault.of(this.language)],
    ]);
    const taken = number(form, "taken");
    if (taken > 0) fault.done(this.language);
    const runs = form.getAll("run").map((run) => {
      const [id, first, last] = run.split(/[:-]/).map(Number);
      return { id, first, last };
    });
    this.#ledger(port).received(port, runs, number(form, "bytes"));
    this.#hear(form);
    if (!this.#disturbed) tally.stall("take", number(form, "stall"));
    tally.add("samples", taken);
    tally.add("operations", taken);
    tally.add("bytes", number(form, "bytes"));
    tally.add("held", number(form, "held") - this.#held);
    this.#held = number(form, "held");
  }

  async #release(count) {
    const form = await this.#actor.call([
      ["do", "soak-release"],
      ["count", count],
    ]);
    this.#hear(form);
    this.#held = number(form, "held");
    this.run.tally.add("operations", number(form, "released"));
  }

  async #stats(port) {
    const form = await this.#actor.call([
      ["do", "stats"],
      ["port", port],
    ]);
    const names = ["sent", "received", "dropped", "waiting", "peers", "broken", "held", "bytes"];
    const stats = Object.fromEntries(names.map((name) => [name, number(form, name)]));
    stats.sentBytes = number(form, "sent-bytes");
    // Each binding says it in its own words.
    stats.receivedBytes = Number(form.get("received-bytes") ?? form.get("bytes"));
    return stats;
  }

  #hear(form) {
    for (const text of form.getAll("wrong")) this.run.tally.complain("changed", `${text} (${this.language})`);
  }

  /** False: the port's budget has no room for it. */
  async #reserve({ port, bytes, count }) {
    try {
      await this.#actor.call([
        ["do", "reserve"],
        ["port", port.name],
        ["bytes", bytes],
        ["count", count],
      ]);
      return true;
    } catch (error) {
      if (!(error instanceof ActorFailed && error.message.includes("budget-spent"))) throw error;
      return false;
    }
  }

  // ---- deaths ----

  async #freezeDuring(step) {
    const { weather, tally } = this.run;
    this.#disturbed = true;
    const done = this.#do(step);
    done.catch(() => undefined); // awaited below
    const lanes = new Set([...this.ports].map(({ lane }) => lane));
    await sleep(step.freeze.after);
    weather.freeze(lanes);
    this.#actor.signal("SIGSTOP");
    await sleep(step.freeze.span);
    this.#actor.signal("SIGCONT");
    weather.thaw(lanes);
    tally.add("freezes");
    await done;
    this.#disturbed = false;
  }

  async #killDuring(step) {
    const done = this.#do(step);
    done.catch(() => undefined); // it is not answered, most of the time
    await sleep(step.kill.after);
    this.#lose();
    this.#actor.signal("SIGKILL");
    await this.#died("SIGKILL", "kills");
  }

  async #exit(how) {
    this.#lose();
    this.#actor.callLast([
      ["do", "exit"],
      ["how", how],
    ]);
    await this.#died(how === "killed" ? "SIGKILL" : 0, how === "killed" ? "kills" : "exits");
  }

  #lose() {
    for (const port of this.ports) this.#ledger(port).leaving(port);
  }

  async #died(expected, counter) {
    const how = await this.#actor.end();
    if (how !== expected) {
      this.run.tally.complain("crashed", `the ${this.language} process ended with ${how}, not with ${expected}`);
    }
    for (const port of this.ports) this.#ledger(port).gone(port);
    this.ports.clear();
    this.#held = 0;
    this.run.tally.add(counter);
    await this.#start();
  }

  // ---- births ----

  async #start() {
    const { directory, patience, tally } = this.run;
    if (this.run.aborted) return;
    this.#actor = new Actor(this.language, directory, patience);
    tally.add("processes");
    // One exchange, so that what the language itself opens only once is open.
    const lane = ["lane", `warm-up/${this.index}`];
    const place = ["directory", directory];
    await this.#actor.call([["do", "open-publisher"], ["as", "p"], lane, place, ["label", "soak-0"], ["history", 1]]);
    await this.#actor.call([["do", "open-subscriber"], ["as", "s"], lane, place]);
    const send = [
      ["count", 3],
      ["bytes", 100_000],
      ["how", "loan"],
      ["timeout", 1000],
    ];
    await this.#actor.call([["do", "soak-send"], ["port", "p"], ["id", 0], ...send]);
    for (const via of ["take", "bell"]) {
      await this.#actor.call([
        ["do", "soak-take"],
        ["port", "s"],
        ["count", 1],
        ["timeout", 1000],
        ["via", via],
      ]);
    }
    for (const port of ["p", "s"])
      await this.#actor.call([
        ["do", "discard"],
        ["port", port],
      ]);
    this.#baseline = descriptors(this.#actor.pid);
    await this.#checkBare();
  }

  /** Without a port the process holds nothing; its service thread may need a moment to end. */
  async #checkBare() {
    const { patience, tally } = this.run;
    const { pid } = this.#actor;
    const end = performance.now() + patience;
    let [extra, mapped] = [descriptors(pid) - this.#baseline, mappings(pid)];
    while ((extra > 0 || mapped.count > 0) && performance.now() < end) {
      await sleep(2);
      [extra, mapped] = [descriptors(pid) - this.#baseline, mappings(pid)];
    }
    if (extra < 0) this.#baseline += extra;
    const who = `the ${this.language} process ${pid} without a port`;
    if (extra > 0) tally.complain("descriptors", `${who} has ${extra} descriptors more than it began with`, extra);
    if (mapped.count > 0) {
      tally.complain("mappings", `${who} maps ${mapped.count} memories of lanes`, mapped.count);
      tally.complain("bytes", `${who} maps ${mapped.bytes} bytes of lanes`, mapped.bytes);
    }
  }
}
