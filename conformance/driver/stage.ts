// Where scenarios are played: the processes, the lane directories, and what a scenario keeps from one column to the next.
import { mkdtempSync, rmSync } from "node:fs";

import { Cell, newDirectory, removeDirectory } from "./cell.js";
import type { Column } from "./columns.js";
import type { Language } from "./languages.js";
import { Ledger } from "./ledger.js";
import { Pool } from "./pool.js";
import type { Scenario } from "./scenario.js";
import { DriverSeat, RemoteSeat } from "./seat.js";

/** What stays between the columns of a scenario that keeps its publishers. */
interface Kept {
  readonly scenario: Scenario;
  readonly directory: string;
  readonly ledger: Ledger;
  readonly publishers: Map<Language, RemoteSeat>;
}

export class Stage {
  readonly #pool = new Pool();
  readonly #driver = new DriverSeat();
  // Short, since a socket's path ends at 108 bytes; mkdtemp gives it mode 0700.
  readonly #parent = mkdtempSync("/tmp/mlc-");
  #cells = 0;
  #kept: Kept | undefined;

  /** Bytes that a process may still reserve, as the core sees it. */
  async memoryRoom(): Promise<number> {
    const peer = this.#pool.take("cpp");
    const reply = await peer.call(new URLSearchParams({ do: "memory-room" }), 10_000);
    this.#pool.giveBack(peer);
    return Number(reply.get("bytes"));
  }

  /** Plays one cell. Returns what its languages cannot say; throws if anything is not as it should be. */
  async play(scenario: Scenario, column: Column): Promise<ReadonlySet<string>> {
    if (this.#kept !== undefined && this.#kept.scenario !== scenario) await this.#letGo();
    if (scenario.keepsPublishers) await this.#keepFor(scenario, column);
    const kept = this.#kept;
    const seat = (role: string) => (language: Language, i: number) =>
      new RemoteSeat(`${role}-${i + 1}`, language, this.#pool);
    const publishers = column.publishers.map(
      (language, i) => kept?.publishers.get(language) ?? seat("publisher")(language, i),
    );
    const subscribers = column.subscribers.map(seat("subscriber"));
    const directory = kept?.directory ?? newDirectory(this.#parent, `${++this.#cells}`);
    const ledger = kept?.ledger ?? new Ledger();
    const cell = new Cell({ scenario, column, directory, ledger, driver: this.#driver, publishers, subscribers });
    const seats = [...publishers, ...subscribers];
    try {
      await cell.run();
      const leaving = kept === undefined ? seats : subscribers;
      await Promise.all([this.#driver.reset(), ...leaving.map((each) => each.reset())]);
      if (kept === undefined)
        await removeDirectory(
          directory,
          this.#driver,
          seats.some(({ lost }) => lost),
        );
    } catch (error) {
      this.#kept = undefined;
      await Promise.all([...seats, ...(kept?.publishers.values() ?? [])].map((each) => each.discard()));
      await this.#driver.reset();
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    return cell.omitted;
  }

  /** Makes ready what the scenario keeps. Where memory is short, only the publishers that this column needs. */
  async #keepFor(scenario: Scenario, column: Column): Promise<void> {
    this.#kept ??= {
      scenario,
      directory: newDirectory(this.#parent, `${++this.#cells}`),
      ledger: new Ledger(),
      publishers: new Map(),
    };
    const { publishers } = this.#kept;
    const wanted = column.publishers.filter((language) => !publishers.has(language));
    if (wanted.length * scenario.memory > (await this.memoryRoom())) {
      for (const [language, seat] of publishers) {
        if (column.publishers.includes(language)) continue;
        await seat.reset();
        publishers.delete(language);
      }
    }
    for (const language of wanted)
      publishers.set(language, new RemoteSeat(`publisher-${language}`, language, this.#pool));
  }

  async #letGo(): Promise<void> {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    await Promise.all([...kept.publishers.values()].map((seat) => seat.reset()));
    await removeDirectory(kept.directory, this.#driver, false);
  }

  async close(): Promise<void> {
    try {
      await this.#letGo();
      await this.#pool.close();
    } finally {
      rmSync(this.#parent, { recursive: true, force: true });
    }
  }
}
