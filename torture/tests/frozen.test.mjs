// The run with frozen subscribers ends well where nothing may be lost, and says so where something must be.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const program = join(import.meta.dirname, "..", "frozen.mjs");
const out = mkdtempSync(join(tmpdir(), "torture-test-"));
after(() => {
  rmSync(out, { recursive: true });
});

function run(...args) {
  const small = ["--minutes", "0.02", "--samples", "30", "--out", out];
  return spawnSync(process.execPath, [program, ...small, ...args], { encoding: "utf8" });
}

test("frozen subscribers lose nothing", () => {
  const { status, stdout, stderr } = run();
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /3 subscribers, 30 samples each, none lost/);
});

test("what is lost is found", () => {
  const { status, stdout } = run("--overflow", "drop-oldest", "--patience", "1");
  assert.equal(status, 1);
  assert.equal(stdout.match(/^WRONG {2}(cpp|python|typescript): /gm)?.length, 3, stdout);
});
