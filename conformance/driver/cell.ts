// One cell of the matrix: a scenario, played by the languages of one column.
import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Form } from "../peers/typescript/form.js";
import type { Column } from "./columns.js";
import { directorySteps } from "./directory-steps.js";
import { checkError, checkRuns, checkSamples, same } from "./expectations.js";
import type { Ledger, Sent } from "./ledger.js";
import type { Samples, SamplesOf, Scenario, Step, Value } from "./scenario.js";
import type { DriverSeat, Seat } from "./seat.js";
import { RemoteSeat } from "./seat.js";

const usualDeadline = 20_000; // milliseconds for one step
const usualTimeout = 10_000; // milliseconds that a call waits for what must come

// What a step says to the driver; all else goes to the peer.
const driversOwn = new Set([
  "on",
  "do",
  "expect",
  "meanwhile",
  "unless",
  "once",
  "when",
  "deadline",
  "each",
  "stats",
  "command",
]);

// Steps that wait for something that must come.
const waits = [
  "take",
  "answer",
  "join-and-call",
  "wait-for-subscribers",
  "wait-for-publishers",
  "flush",
  "await-stats",
];

/** What is not as the scenario says. Where in the driver that was noticed tells nobody anything. */
class Failure extends Error {
  override readonly name = "Failure";

  constructor(message: string) {
    super(message);
    this.stack = message;
  }
}

interface Options {
  readonly scenario: Scenario;
  readonly column: Column;
  readonly directory: string;
  readonly ledger: Ledger;
  readonly driver: DriverSeat;
  readonly publishers: readonly RemoteSeat[];
  readonly subscribers: readonly RemoteSeat[];
}

export class Cell {
  readonly #options: Options;
  readonly #loans = new Map<string, Form>(); // what was written into a loan that is to be sent
  readonly #taken = new Map<string, number>(); // by receiving port and sender: the last sequence number that was taken
  #nonces = 0;
  #failed = false;
  /** Steps that a language cannot say, with the reason that the scenario gives. */
  readonly omitted = new Set<string>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Throws at the first thing that is not as the scenario says. */
  async run(): Promise<void> {
    this.#options.ledger.beginCell();
    await this.#runAll(this.#options.scenario.steps);
  }

  async #runAll(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#run(step);
  }

  async #run(step: Step): Promise<void> {
    const under = Promise.all(this.#seats(step.on).map((seat) => this.#runOn(seat, step)));
    // Whichever fails first is told; a peer that then waits for the other is ended with the cell.
    await Promise.all([under, this.#runAll(step.meanwhile ?? [])]);
  }

  #seats(target: string): readonly Seat[] {
    const { publishers, subscribers, driver } = this.#options;
    const targets: Record<string, readonly Seat[]> = {
      driver: [driver],
      everyone: [...publishers, ...subscribers],
      publishers,
      subscribers,
      "first publisher": publishers.slice(0, 1),
      "other publishers": publishers.slice(1),
      "first subscriber": subscribers.slice(0, 1),
      "other subscribers": subscribers.slice(1),
    };
    const seats = targets[target];
    if (seats === undefined) throw new Error(`there is no role named ${target}`);
    return seats;
  }

  async #runOn(seat: Seat, step: Step): Promise<void> {
    if (this.#failed) return; // what ran beside the step that failed does not go on
    const reason = this.#whyNot(seat, step);
    if (reason !== undefined) {
      this.omitted.add(reason);
      return;
    }
    if (step.once === true && seat.done.has(step)) return;
    seat.done.add(step);
    try {
      await this.#perform(seat, step);
    } catch (error) {
      this.#failed = true;
      const where = `${seat.name} (${seat.language}), at ${step.do} ${JSON.stringify({ ...step, meanwhile: undefined })}`;
      throw new Failure(`${where}\n${(error as Error).message}`);
    }
  }

  /** Why a step cannot be done here, if it cannot. */
  #whyNot(seat: Seat, step: Step): string | undefined {
    const unsayable = step.unless?.[seat.language];
    if (unsayable !== undefined) return `${step.do} in ${seat.language}: ${unsayable}`;
    const isRoot = process.getuid?.() === 0;
    if (step.when === undefined || isRoot === (step.when === "root")) return undefined;
    return `${step.do} ${step.path ?? step.directory ?? ""}: only when ${step.when}`;
  }

  async #perform(seat: Seat, step: Step): Promise<void> {
    const own = directorySteps[step.do];
    if (own !== undefined) {
      own(step, this.#options.directory);
    } else if (seat instanceof RemoteSeat && step.do === "kill") {
      await seat.kill();
    } else if (seat instanceof RemoteSeat && step.do === "freeze") {
      await seat.freeze();
    } else if (seat instanceof RemoteSeat && step.do === "thaw") {
      seat.thaw();
    } else {
      await this.#ask(seat, step, this.#fields(seat, step));
    }
  }

  /** Has the peer do the step, and checks what it answers. */
  async #ask(seat: Seat, step: Step, fields: Form): Promise<void> {
    const { ledger } = this.#options;
    const deadline = step.deadline ?? usualDeadline;
    const loan = `${seat.name}/${fields.get("loan")}`;
    if (step.do === "open-publisher") ledger.open(fields.get("label") ?? "", seat.pid);
    if (step.do === "loan" && fields.has("seed")) this.#loans.set(loan, fields);

    const port = `${seat.name}/${fields.get("port") ?? "main"}`;
    let settle: ((sent: number) => void) | undefined;
    if (step.do.startsWith("send") && ledger.has(port)) {
      settle = ledger.plan(port, (step.do === "send-loan" ? this.#loans.get(loan) : undefined) ?? fields);
    }
    if (seat instanceof RemoteSeat && (step.do === "exit" || fields.has("then-exit"))) {
      await seat.callLast(fields, deadline);
      return;
    }
    const reply = await seat.call(fields, deadline);
    settle?.(Number(reply.get("sent") ?? 0));
    this.#check(seat, step, reply);
  }

  /** What is sent to the peer. */
  #fields(seat: Seat, step: Step): Form {
    const { scenario, directory, ledger } = this.#options;
    const fields = new URLSearchParams({ do: step.do });
    for (const [name, value] of Object.entries(step)) {
      if (driversOwn.has(name)) continue;
      for (const each of [value].flat()) fields.append(name, String(this.#evaluate(each as Value)));
    }
    const otherwise = (name: string, value: string | number) => {
      if (!fields.has(name)) fields.set(name, `${value}`);
    };
    const port = `${seat.name}/${fields.get("port") ?? "main"}`;
    if (step.do.startsWith("open-") || step.do === "join-and-call") {
      if (!fields.has("key")) otherwise("lane", scenario.lane);
      fields.set("directory", join(directory, fields.get("directory") ?? ""));
    }
    if (step.do.startsWith("open-")) otherwise("label", `${seat.name}/${fields.get("as") ?? "main"}`);
    if (fields.get("group") === "own") fields.set("group", `${process.getgid?.() ?? 0}`);
    if (step.do === "join-and-call") otherwise("nonce", Buffer.from(`${seat.name}/${++this.#nonces}`).toString("hex"));
    if (step.do === "send" && ledger.has(port)) otherwise("seed", ledger.seed(port));
    if (step.do === "loan" && ledger.has(port)) otherwise("seed", ledger.seedForLoan(port));
    if (step.do === "take" && step.each !== undefined) {
      otherwise("count", Number(this.#evaluate(step.each)) * this.#options.publishers.length);
    }
    if (step.do === "take" && fields.get("via") !== "until-idle" && step.expect?.samples !== undefined) {
      const wanted = [...this.#wanted(step.expect.samples, port).values()].flat().length;
      if (wanted === 0 && !fields.has("count")) otherwise("timeout", 0); // looks whether there is one all the same
      otherwise("count", Math.max(1, wanted));
    }
    if (waits.includes(step.do)) otherwise("timeout", usualTimeout);
    if (step.do === "await-stats") {
      for (const [name, value] of Object.entries(step.stats ?? {})) {
        fields.set(name, String(this.#evaluate(value)));
      }
    }
    if (step.command !== undefined) {
      fields.set("command", this.#fields(seat, step.command).toString());
    }
    return fields;
  }

  /** A value as it is, or a sum of products such as "6 * publishers + 1". */
  #evaluate(value: Value): Value {
    if (typeof value !== "string" || !/^((\d+ [*+] )*(publishers|subscribers)( [*+] \d+)*)+$/.test(value)) return value;
    const { publishers, subscribers } = this.#options;
    const named: Record<string, number> = { publishers: publishers.length, subscribers: subscribers.length };
    const product = (term: string) => term.split(" * ").reduce((all, each) => all * (named[each] ?? Number(each)), 1);
    return value.split(" + ").reduce((sum, term) => sum + product(term), 0);
  }

  /** What should be taken at the port `at`, by the label of who sent it. */
  #wanted(samples: Samples, at: string): Map<string, readonly Sent[]> {
    if (samples === "none") return new Map();
    const { ledger } = this.#options;
    const isList = (of: typeof samples): of is readonly SamplesOf[] => typeof of[0] === "object";
    const range = samples === "new" ? "all" : samples;
    const lists = isList(range) ? range : [{ of: "publishers", range } as SamplesOf];
    return new Map(
      lists
        .flatMap(({ of, port = "main", range }) =>
          this.#seats(of).map(({ name }) => ({ label: `${name}/${port}`, range })),
        )
        .map(({ label, range }) => {
          const taken = samples === "new" ? (this.#taken.get(`${at} ${label}`) ?? 0) : 0;
          return [label, ledger.sent(label, range).filter(({ sequence }) => sequence > taken)] as const;
        })
        .filter(([, sent]) => sent.length > 0),
    );
  }

  #check(seat: Seat, step: Step, reply: Form): void {
    const { expect = {} } = step;
    const named = expect.names === undefined ? [] : this.#seats(expect.names);
    const ports = named.map(({ name, pid }) => ({ label: `${name}/main`, pid }));
    const failed = checkError(reply, expect, ports);
    if (expect.sent !== undefined) same("the number of samples sent", reply.get("sent"), this.#evaluate(expect.sent));
    if (failed) return;
    if (expect.samples !== undefined) {
      const at = `${seat.name}/${step.port ?? "main"}`;
      const wanted = this.#wanted(expect.samples, at);
      if (step.report === "runs") checkRuns(reply, wanted);
      else checkSamples(reply, wanted, this.#options.ledger, step.elements);
      for (const [label, sent] of wanted) {
        if (step.do === "take") this.#taken.set(`${at} ${label}`, sent.at(-1)?.sequence ?? 0);
      }
    }
    if (reply.has("value")) same(`the answer of ${step.do}`, reply.get("value"), expect.value ?? true);
    if (expect.atLeast !== undefined && !(Number(reply.get("elapsed")) >= expect.atLeast)) {
      throw new Error(`returned after ${reply.get("elapsed")} ms, and not after ${expect.atLeast} at the least`);
    }
    if (step.do === "await-stats") {
      for (const [name, value] of Object.entries(step.stats ?? {})) {
        same(`the statistic ${name} of ${seat.name}`, reply.get(name), this.#evaluate(value));
      }
    }
    const count = step.count === undefined ? undefined : this.#evaluate(step.count);
    if (step.do === "join-and-call") same("the number of answers", reply.get("answers"), count);
    if (step.do === "answer") same("the number of calls", reply.get("answered"), count);
    for (const [name, value] of Object.entries(expect.fields ?? {})) {
      same(`the field ${name}`, reply.get(name), this.#evaluate(value));
    }
  }
}

/** A new lane directory, which the peers find empty. */
export function newDirectory(parent: string, name: string): string {
  const directory = join(parent, name);
  mkdirSync(directory, { mode: 0o700 });
  return directory;
}

/**
 * Takes a lane directory away, which fails while anything is in it. After a process has died in it, a port that joins
 * any lane removes what is left of it; here the driver's.
 */
export async function removeDirectory(directory: string, driver: DriverSeat, somebodyDied: boolean): Promise<void> {
  if (somebodyDied) {
    const open = { do: "open-publisher", lane: "conformance/sweep", directory };
    const reply = await driver.call(new URLSearchParams(open), usualDeadline);
    if (reply.has("error")) throw new Error(`nobody can join any more: ${reply.toString()}`);
    await driver.reset();
  }
  for (const end = Date.now() + usualDeadline; readdirSync(directory).length > 0 && Date.now() < end;) await sleep(2);
  const left = readdirSync(directory, { recursive: true });
  if (left.length > 0) throw new Error(`left in the lane directory: ${left.join(", ")}`);
  rmdirSync(directory);
}
