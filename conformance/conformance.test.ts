// Every scenario, in every pairing of languages and in the mixed groups. One test is one cell of the matrix.
import { afterAll, describe, expect, test } from "@jest/globals";

import { columns } from "./driver/columns.js";
import { Report } from "./driver/report.js";
import { loadScenarios } from "./driver/scenario.js";
import { Stage } from "./driver/stage.js";

const scenarios = loadScenarios();
const report = new Report(scenarios, columns);
const stage = new Stage();
const room = await stage.memoryRoom();
const spare = 2 ** 30; // bytes for everything but payloads

for (const scenario of scenarios) {
  describe(scenario.name, () => {
    for (const column of columns) {
      const needed = scenario.memory * column.publishers.length;
      if (needed > 0 && needed + spare > room) {
        const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
        const note = `${scenario.name}, ${column.name}: needs ${gigabytes(needed)} GB, ${gigabytes(room)} are there`;
        report.enter(scenario, column, { state: "skipped", seconds: 0, note });
        test.skip(`${column.name} (${note})`, () => undefined);
        continue;
      }
      test(column.name, async () => {
        const begin = performance.now();
        const seconds = () => (performance.now() - begin) / 1000;
        try {
          const omitted = await stage.play(scenario, column);
          report.enter(scenario, column, { state: "ok", seconds: seconds() }, omitted);
        } catch (error) {
          report.enter(scenario, column, { state: "FAILED", seconds: seconds(), note: (error as Error).message });
          throw error;
        }
      });
    }
  });
}

test("the matrix has no hole", () => {
  expect(report.holes).toEqual([]);
});

afterAll(async () => {
  report.write();
  process.stdout.write(`\n${report.toString()}\n`);
  await stage.close();
}, 60_000);
