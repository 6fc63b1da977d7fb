// A local static that is made at its first use has a guard. If another thread holds it at a fork, whoever asks in the child
// waits for ever: so the core has none but those that no fork can meet half made. The others are facts (platform/fact.hpp).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { test } from "node:test";

import { at } from "../lib/paths.mjs";
import { filesUnder } from "../lib/stamp.mjs";

const include = at("packages/core-native/include/memlane");

const exempt = {
  "platform/linux/fork.hpp": "made as the program is loaded",
  "platform/linux/strangers.hpp": "under the fork lock",
  "endpoint/endpoint_table.hpp": "under the fork lock",
};

test("no local static is made where a fork could meet it half made", () => {
  const made = /^[ \t]+static (?!constexpr\b)[^(;=\n]*=[^=]/m;
  const found = filesUnder(include)
    .filter((file) => made.test(readFileSync(file, "utf8")))
    .map((file) => relative(include, file));
  assert.deepEqual(found.sort(), Object.keys(exempt).sort());
});
