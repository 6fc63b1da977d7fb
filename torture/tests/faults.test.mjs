// The torture fails where it must: a fault that was put in, in any language, is found, and named.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { commands } from "../lib/actor.mjs";
import { faults } from "../lib/fault.mjs";

const program = join(import.meta.dirname, "..", "torture.mjs");
let out;

before(() => {
  out = mkdtempSync(join(tmpdir(), "torture-test-"));
});
after(() => {
  rmSync(out, { recursive: true });
});

/** A short run: its exit code and what it printed. */
function run(...args) {
  const small = ["--seed", "11", "--rounds", "1", "--steps", "40", "--slots", "3", "--lanes", "2", "--patience", "10"];
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...small, "--out", out, ...args], (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, text: stdout + stderr });
    });
  });
}

test("without a fault nothing is found", async () => {
  const { code, text } = await run();
  assert.equal(code, 0, text);
  assert.match(text, /samples lost +0\n/);
});

describe("a fault is found", () => {
  for (const [name, kind] of Object.entries(faults)) {
    const inPeer = ["lose", "twice", "change"].includes(name);
    for (const fault of inPeer ? Object.keys(commands).map((language) => `${name}:${language}`) : [name]) {
      test(fault, async () => {
        const { code, text } = await run("--fault", fault);
        assert.equal(code, 1, text);
        assert.match(text, new RegExp(`^WRONG {2}${kind}: `, "m"));
        assert.match(text, /^the same steps again: npm run torture -- --seed 11 .*--rounds 1$/m);
      });
    }
  }
});
