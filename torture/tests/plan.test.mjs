// A seed says everything that is done.
import assert from "node:assert/strict";
import { test } from "node:test";

import { patterns } from "../lib/patterns.mjs";
import { Plan } from "../lib/plan.mjs";

const lanes = Array.from({ length: 24 }, (_, i) => ({ name: `lane/${i}`, pattern: Object.keys(patterns)[0] }));

function steps(seed, slot, count) {
  const plan = new Plan(seed, slot, lanes);
  return Array.from({ length: count }, () => plan.next());
}

test("the same seed, the same steps", () => {
  assert.deepEqual(steps(7, 3, 2000), steps(7, 3, 2000));
});

test("another seed, or another place, other steps", () => {
  assert.notDeepEqual(steps(7, 3, 50), steps(8, 3, 50));
  assert.notDeepEqual(steps(7, 3, 50), steps(7, 4, 50));
});

test("everything that can happen does", () => {
  const all = steps(1, 0, 20_000);
  const kinds = ["open", "discard", "send", "take", "release", "reserve", "flush", "undress", "exit"];
  assert.deepEqual(new Set(all.map((step) => step.do)), new Set(kinds));
  const options = (name) => new Set(all.filter((step) => step.do === "open").map(({ port }) => port.options[name]));
  assert.ok(options("overflow").size >= 4 && options("depth").size > 4 && options("history").size > 3);
  assert.ok(options("spin").size > 2 && options("join-timeout").size > 1);
  assert.deepEqual(
    new Set(all.filter((step) => step.do === "send").map(({ how }) => how)),
    new Set(["loan", "copy", "try", "waste"]),
  );
  assert.ok(all.some((step) => step.freeze !== undefined) && all.some((step) => step.kill !== undefined));
  const sizes = all.flatMap((step) => step.sizes ?? []);
  assert.ok(sizes.includes(0) && sizes.includes(1) && Math.max(...sizes) > 4_000_000);
});

test("no step is for a port that the process has not open", () => {
  const open = new Set();
  for (const step of steps(5, 1, 20_000)) {
    if (step.do === "open") open.add(step.port);
    else if (step.port !== undefined) assert.ok(open.has(step.port), step.do);
    if (step.do === "discard") open.delete(step.port);
    if (step.do === "undress" || step.do === "exit" || step.kill !== undefined) open.clear();
  }
});
