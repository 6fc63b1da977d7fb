// The benchmark runs, and has a figure for everything. What the figures are is nobody's business here.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { at } from "../../scripts/lib/paths.mjs";
import { report, summary } from "../lib/report.mjs";

interface Row {
  readonly bytes: number;
  readonly how?: string;
  readonly [figure: string]: unknown;
}
interface Results {
  readonly machine: Record<string, string>;
  readonly limits: Record<string, Row[]>;
  readonly roundTrips: Record<string, Record<string, Row[]>>;
  readonly throughput: Record<string, Row[]>;
  readonly checksum: Row[];
  readonly comingsAndGoings: Record<"deaths" | "joins", Row[]>;
  readonly older: { bytes: number; older: number; loan: Row; copy: Row }[];
}

const languages = ["C++", "Python", "TypeScript"];
const waits = ["spin", "sleep", "sleep, one core"];

let out: string;
let printed: string;
let results: Results;

beforeAll(() => {
  out = mkdtempSync("/tmp/memlane-bench-test-");
  printed = execFileSync(process.execPath, [at("bench", "run.mjs"), "--quick", "--out", out], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  results = JSON.parse(readFileSync(`${out}/results.json`, "utf8")) as Results;
});
afterAll(() => {
  rmSync(out, { recursive: true });
});

const isFigure = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value > 0;

test("says what it was measured on", () => {
  expect(Object.keys(results.machine).sort()).toEqual([
    ...["compiler", "memlane", "memory", "node", "processor", "python", "system"],
  ]);
  for (const text of Object.values(results.machine)) expect(printed).toContain(text);
});

describe.each(waits)("%s:", (wait) => {
  test("the limit has a figure", () => {
    const [limit, ...more] = results.limits[wait] ?? [];
    expect(more).toEqual([]);
    expect(isFigure(limit?.ns)).toBe(true);
  });

  test.each(languages)("each size to %s has figures, by loan and by copy", (language) => {
    const rows = results.roundTrips[language]?.[wait] ?? [];
    expect(rows.map(({ bytes, how }) => [bytes, how])).toEqual(
      [64, 1024, 65_536, 1_228_800].flatMap((bytes) => [
        [bytes, "loan"],
        [bytes, "copy"],
      ]),
    );
    for (const row of rows) {
      for (const figure of ["rounds", "ns", "p99_ns", "send_ns"])
        expect([figure, isFigure(row[figure])]).toEqual([figure, true]);
    }
  });
});

test("deaths and joins have figures", () => {
  const { deaths, joins } = results.comingsAndGoings;
  expect([...deaths.map(({ touched }) => touched), ...joins.map(({ links }) => links)]).toEqual([0, 1, 64]);
  for (const row of [...deaths, ...joins])
    expect([row, isFigure(row.ns), isFigure(row.p99_ns)]).toEqual([row, true, true]);
  for (const row of deaths)
    expect([row, isFigure(row.limit_ns), isFigure(row.limit_p99_ns)]).toEqual([row, true, true]);
});

test("each size has the limit of its copy", () => {
  expect(results.limits.copy?.map(({ bytes }) => bytes)).toEqual([64, 1024, 65_536, 1_228_800]);
  for (const row of results.limits.copy ?? []) expect(isFigure(row.memcpy_ns)).toBe(true);
});

test("the checksum has figures, and the limit of it", () => {
  expect(results.checksum.map(({ bytes }) => bytes)).toEqual([65_536]); // the others are too large for this
  for (const row of results.checksum)
    expect([row.sum_ns, row.without_ns, row.with_ns].map(isFigure)).toEqual([true, true, true]);
});

test.each(languages)("the throughput to %s has figures", (language) => {
  const rows = results.throughput[language] ?? [];
  expect(rows).toHaveLength(6);
  for (const row of rows) expect(isFigure(row.per_second)).toBe(true);
});

test("the older library's rows have both figures", () => {
  expect(results.older.map(({ bytes }) => bytes)).toEqual([1_228_800, 777_600]); // those that are small enough for it
  for (const { loan, copy } of results.older) expect([loan.ns, copy.ns].map(isFigure)).toEqual([true, true]);
});

test("the tables have a cell for every figure", () => {
  expect(printed).toBe(`${report(results)}\n`);
  for (const text of [printed, summary(results)]) {
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
    const widths = new Map<number, number>(); // each table's rows are as wide as its head
    for (const [line, row] of text.split("\n").entries()) {
      if (!row.startsWith("|")) continue;
      const width = row.split("|").length;
      widths.set(line, width);
      expect(widths.get(line - 1) ?? width).toBe(width);
    }
    expect(widths.size).toBeGreaterThan(8);
  }
});
