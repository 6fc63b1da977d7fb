// Every system call of the core goes through the gate (platform/linux/sys.hpp), where a test can let it fail; and the test
// that does so (packages/core-native/nth_call) knows what each can fail with. Held against the sources.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { test } from "node:test";

import { at } from "../lib/paths.mjs";
import { filesUnder } from "../lib/stamp.mjs";

const include = at("packages/core-native/include/memlane");

// Not behind the gate, each for a reason: whoever fails them has nothing left to do.
const exempt = {
  close: "the descriptor is gone, whatever it returns",
  closedir: "likewise",
  munmap: "of whole mappings of our own: there is nothing that it could lack",
  strnlen: "no system call",
  getpid: "cannot fail",
  geteuid: "cannot fail",
  getegid: "cannot fail",
  getgrnam_r: "the C library's look-up of a name, in files and over the network: no call of ours",
  sysconf: "of the page size: cannot fail",
  clock_gettime: "of CLOCK_MONOTONIC: cannot fail",
  getauxval: "no system call",
  sigfillset: "no system call",
  sigemptyset: "no system call",
  sigaddset: "no system call",
  sigismember: "no system call",
  sigpending: "cannot fail",
  sigtimedwait: "of no time: there is a signal, or there is none",
  pthread_sigmask: "of valid arguments: cannot fail",
  pthread_atfork: "glibc has room for 48 without asking for memory; without it, only forks are not noticed",
};

// The standard library's own ways to the system.
const hiddenCalls = [
  /<fstream>/,
  /\bstd::(i|o)?fstream\b/,
  /\bfopen\b/,
  /new std::thread\b/,
  /make_unique<std::thread>/,
];

const withoutComments = (text) => text.replace(/\/\/.*$/gm, "");
const sources = filesUnder(include)
  .filter((file) => file.endsWith(".hpp") || file.endsWith(".h"))
  .map((file) => ({ name: relative(include, file), text: withoutComments(readFileSync(file, "utf8")) }));

/** The calls `::name(` of a text, each with its place in it. */
const calls = (text) =>
  [...text.matchAll(/(?<![\w>:])::([a-z_0-9]+)\(/g)].map((match) => ({ function: match[1], index: match.index }));

/** The gates of a text: the name that is given, and from where to where the call inside may stand. */
function gates(text) {
  return [...text.matchAll(/sys::(?:call|retried)\(\s*"([^"]+)"/g)].map((match) => {
    let depth = 0;
    let end = match.index + match[0].indexOf("(");
    do {
      if (text[end] === "(") depth += 1;
      if (text[end] === ")") depth -= 1;
      end += 1;
    } while (depth > 0);
    return { name: match[1], function: match[1].replace(/\(.*/, ""), begin: match.index, end };
  });
}

test("system calls are made in platform/ only", () => {
  for (const { name, text } of sources.filter(({ name }) => !name.startsWith("platform/"))) {
    const found = calls(text).filter((call) => !(call.function in exempt));
    assert.deepEqual(found, [], name);
    for (const pattern of hiddenCalls) assert.doesNotMatch(text, pattern, name);
    assert.doesNotMatch(
      text,
      /#include <(sys|linux)\/(?!types\.h)|#include <(unistd|fcntl|pthread|poll|sched|dirent)\.h>/,
      name,
    );
  }
});

test("every one of them is behind the gate, under its own name", () => {
  let seen = 0;
  for (const { name, text } of sources.filter(({ name }) => name.startsWith("platform/"))) {
    const all = gates(text);
    for (const call of calls(text)) {
      if (call.function in exempt) continue;
      const around = all.filter(({ begin, end }) => begin < call.index && call.index < end);
      assert.ok(around.length > 0, `${name}: ::${call.function} is outside of the gate`);
      assert.equal(around.at(-1).function, call.function, `${name}: the gate's name for ::${call.function}`);
      seen += 1;
    }
    for (const pattern of hiddenCalls.slice(0, 3)) assert.doesNotMatch(text, pattern, name);
  }
  assert.ok(seen > 50, `only ${seen} calls were found: does this test still read the sources?`);
});

test("the test of the n-th call knows every gate, and no other", () => {
  const table = readFileSync(at("packages/core-native/nth_call/plausible.hpp"), "utf8");
  const rows = [...table.matchAll(/^\s*\{"([^"]+)", \{/gm)].map((match) => match[1]);
  const names = sources.flatMap(({ text }) => gates(text).map(({ name }) => name));
  assert.deepEqual([...new Set(names)].toSorted(), rows.toSorted());
});
