// docs/security.md and docs/guarantees.md against the suites: every promise names a test that exists, and every test of the
// suite `security` is named.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { sections, suites } from "../lib/promises.mjs";

const without = [
  "Who is who",
  "What is not promised",
  "Not promised",
  "A peer that lies harms its own link",
  "Longer runs",
];

for (const page of ["docs/security.md", "docs/guarantees.md"]) {
  describe(page, () => {
    const all = sections(page);

    test("every promise is proved by tests that exist", () => {
      const promises = all.flatMap((section) => section.promises);
      assert.ok(promises.length > 15, `only ${promises.length} promises were found on the page`);
      for (const { promise, tests } of promises) {
        assert.ok(tests.length > 0, `no test for: ${promise}`);
        for (const { suite, name } of tests) {
          assert.ok(suites[suite]?.includes(name), `${suite} has no test ${name} (for: ${promise})`);
        }
      }
    });

    test("every section has its promises", () => {
      for (const { title, text } of all.filter((section) => !without.includes(section.title))) {
        assert.match(text, /^\| promise \| test \|$/m, title);
      }
    });
  });
}

test("every test of the suite `security` is on its page", () => {
  const mentioned = new Set(
    sections("docs/security.md").flatMap(({ promises }) =>
      promises.flatMap(({ tests }) => tests.map(({ name }) => name)),
    ),
  );
  assert.ok(suites.security.length > 25, `only ${suites.security.length} tests were found`);
  assert.deepEqual(
    suites.security.filter((name) => !mentioned.has(name)),
    [],
  );
});
