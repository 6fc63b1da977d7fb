// docs/security.md against the suites: every promise names a test that exists, and every test of the suite `security` is named.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { at } from "../lib/paths.mjs";

const files = (folder, ending) =>
  readdirSync(at(folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => ({ name, text: readFileSync(join(at(folder), name), "utf8") }));

const pytests = (folder) =>
  files(folder, ".py").flatMap(({ name, text }) =>
    [...text.matchAll(/^def (test_\w+)\(/gm)].map(([, test]) => `${name.replace(".py", "")}.${test}`),
  );

/** The names of the tests of each suite that the page refers to. */
const suites = {
  security: pytests("security"),
  hostile: pytests("packages/core-native/hostile"),
  core: files("packages/core-native/tests", "_test.cpp").flatMap(({ text }) =>
    [...text.matchAll(/^TEST(?:_F)?\((\w+),\s*(\w+)\)/gm)].map(([, suite, name]) => `${suite}.${name}`),
  ),
  conformance: files("conformance/scenarios", ".json")
    .map(({ text }) => JSON.parse(text))
    .filter(Array.isArray)
    .flatMap((scenarios) => scenarios.map(({ name }) => name)),
};

const page = readFileSync(at("docs/security.md"), "utf8");
const sections = page.split(/^## /m).slice(1);

/** `suite` names stand before the first of their tests, and hold for those that follow: core `A.b`, `A.c`. */
function named(cell) {
  let suite;
  return [...cell.matchAll(/(?:\b(security|hostile|core|conformance) )?`([^`]+)`/g)].map(([, of, name]) => {
    suite = of ?? suite;
    return { suite, name };
  });
}

const rows = sections.flatMap((section) =>
  [...section.matchAll(/^\| (?!promise |---)(.+) \| (.+) \|$/gm)].map(([, promise, tests]) => ({ promise, tests })),
);

test("every promise is proved by tests that exist", () => {
  assert.ok(rows.length > 30, `only ${rows.length} promises were found on the page`);
  for (const { promise, tests } of rows) {
    const list = named(tests);
    assert.ok(list.length > 0, `no test for: ${promise}`);
    for (const { suite, name } of list) {
      assert.ok(suite !== undefined && suites[suite].includes(name), `${suite} has no test ${name} (for: ${promise})`);
    }
  }
});

test("every test of the suite is on the page", () => {
  const mentioned = new Set(rows.flatMap(({ tests }) => named(tests).map(({ name }) => name)));
  assert.ok(suites.security.length > 25, `only ${suites.security.length} tests were found`);
  assert.deepEqual(
    suites.security.filter((name) => !mentioned.has(name)),
    [],
  );
});

test("every threat has its promises", () => {
  for (const section of sections) {
    const [title] = section.split("\n");
    if (["Who is who", "What is not promised"].includes(title)) continue;
    assert.match(section, /^\| promise \| test \|$/m, title);
  }
});
