// The matrix: scenarios by columns, every hole in sight.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Column } from "./columns.js";
import type { Scenario } from "./scenario.js";

export interface Result {
  readonly state: "ok" | "FAILED" | "skipped";
  readonly seconds: number;
  /** What failed, or why it was skipped. */
  readonly note?: string;
}

const folder = fileURLToPath(new URL("../../build/reports", import.meta.url));

export class Report {
  readonly #results = new Map<string, Result>();
  readonly #omitted = new Map<string, Set<string>>(); // by scenario: what a language cannot say

  constructor(
    readonly scenarios: readonly Scenario[],
    readonly columns: readonly Column[],
  ) {}

  enter(scenario: Scenario, column: Column, result: Result, omitted: Iterable<string> = []): void {
    this.#results.set(`${scenario.name}\n${column.name}`, result);
    const all = this.#omitted.get(scenario.name) ?? new Set<string>();
    for (const each of omitted) all.add(each);
    this.#omitted.set(scenario.name, all);
  }

  #of(scenario: Scenario, column: Column): Result | undefined {
    return this.#results.get(`${scenario.name}\n${column.name}`);
  }

  /** Every cell that nobody ran. */
  get holes(): string[] {
    return this.scenarios.flatMap((scenario) =>
      this.columns
        .filter((column) => this.#of(scenario, column) === undefined)
        .map((column) => `${scenario.name}, ${column.name}`),
    );
  }

  toString(): string {
    const width = Math.max(...this.scenarios.map(({ name }) => name.length));
    const widths = this.columns.map(({ name }) => Math.max(name.length, 4) + 2);
    const head = `${"".padEnd(width)}${this.columns.map(({ name }, i) => name.padStart(widths[i] ?? 0)).join("")}  seconds`;
    const marks = { ok: "ok", FAILED: "FAIL", skipped: "skip" };
    const rows = this.scenarios.map((scenario) => {
      const cells = this.columns.map((column) => this.#of(scenario, column));
      const shown = cells.map((cell, i) => (cell === undefined ? "HOLE" : marks[cell.state]).padStart(widths[i] ?? 0));
      const seconds = cells.reduce((sum, cell) => sum + (cell?.seconds ?? 0), 0);
      return `${scenario.name.padEnd(width)}${shown.join("")}${seconds.toFixed(1).padStart(9)}`;
    });
    const results = [...this.#results.values()];
    const count = (state: Result["state"]) => results.filter((result) => result.state === state).length;
    const skips = new Set(results.flatMap(({ state, note }) => (state === "skipped" ? [note ?? ""] : [])));
    const omitted = [...this.#omitted].flatMap(([name, all]) => [...all].map((each) => `not said in ${name}: ${each}`));
    return [
      `conformance: ${this.scenarios.length} scenarios × ${this.columns.length} columns; publishers→subscribers, all = one of each language`,
      "",
      head,
      ...rows,
      "",
      ...[...skips].map((note) => `skipped: ${note}`),
      ...omitted,
      `${count("ok")} ok, ${count("FAILED")} failed, ${count("skipped")} skipped, ${this.holes.length} holes`,
      "",
    ].join("\n");
  }

  write(): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "conformance.txt"), this.toString());
    const scenarios = this.scenarios.map((scenario) => ({
      name: scenario.name,
      cells: Object.fromEntries(
        this.columns.map((column) => [column.name, this.#of(scenario, column) ?? { state: "HOLE" }]),
      ),
      omitted: [...(this.#omitted.get(scenario.name) ?? [])],
    }));
    const columns = this.columns.map(({ name, publishers, subscribers }) => ({ name, publishers, subscribers }));
    writeFileSync(
      join(folder, "conformance.json"),
      `${JSON.stringify({ columns, scenarios, holes: this.holes }, null, 2)}\n`,
    );
  }
}
