import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { after, beforeEach, test } from "node:test";

import { at, root } from "../lib/paths.mjs";
import { openStamp } from "../lib/stamp.mjs";

mkdirSync(at("build"), { recursive: true });
const folder = mkdtempSync(at("build", "stamp-test-"));
const input = join(folder, "input.txt");
const output = join(folder, "output.txt");
const name = relative(at("build"), folder);
const open = (facts = []) =>
  openStamp(name, { inputs: [relative(root, folder)], facts, outputs: [relative(root, output)] });

beforeEach(() => {
  writeFileSync(input, "one");
  writeFileSync(output, "made");
  open().write();
});

after(() => {
  rmSync(folder, { recursive: true });
  rmSync(at("build", "stamps", name.replace(/\W+/g, "-")), { force: true });
});

test("nothing changed: the step is done", () => assert.equal(open().fresh, true));

test("a file that was only touched has not changed", () => {
  utimesSync(input, 1, 1);
  assert.equal(open().fresh, true);
});

test("an input with other content, one more input, and one less, all count", () => {
  writeFileSync(input, "two");
  assert.equal(open().fresh, false);
  writeFileSync(input, "one");
  writeFileSync(join(folder, "another.txt"), "");
  assert.equal(open().fresh, false);
  rmSync(join(folder, "another.txt"));
  assert.equal(open().fresh, true);
  rmSync(input);
  assert.equal(open().fresh, false);
});

test("another fact counts", () => assert.equal(open(["g++ 13"]).fresh, false));

test("a missing output counts", () => {
  rmSync(output);
  assert.equal(open().fresh, false);
});
