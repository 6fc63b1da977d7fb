// Worker threads: each has the addon for itself, all of them are one process to the others.
import { expect, test } from "@jest/globals";

import { leftIn, useLanes } from "./support/lanes.js";
import { Program } from "./support/program.js";

const lanes = useLanes();

test.each([
  ["exchange", ["4 workers, all in order"]],
  ["terminate", ["no descriptors lost", "0 peers"]],
  ["storm", ["over"]],
  ["exit", []],
  ["blocked", ["ended with 1"]],
  ["blockedExit", []],
  ["blockMain", ["sent 500", "deadlock"]],
])("%s", async (scenario, expected) => {
  const { code, signal, output, errors } = await new Program("workers.mjs", lanes.directory, [scenario]).end();
  expect({ code, signal, output, errors }).toEqual({ code: 0, signal: null, output: expected, errors: "" });
  expect(leftIn(lanes.directory)).toEqual([]);
});
