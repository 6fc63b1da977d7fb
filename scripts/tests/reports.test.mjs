import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { readJUnit, readJest } from "../lib/reports.mjs";

const folder = mkdtempSync(join(tmpdir(), "memlane-reports-"));
after(() => rmSync(folder, { recursive: true }));

function reportOf(text) {
  const file = join(folder, "report");
  writeFileSync(file, text);
  return file;
}

test("pytest's report is counted, errors and failures alike", () => {
  const counts = readJUnit(
    reportOf(`<testsuites><testsuite>
      <testcase classname="tests.test_a" name="test_one" time="0.1" />
      <testcase classname="tests.test_a" name="test_two[a&gt;b]"><failure message="x &lt; y">no</failure></testcase>
      <testcase classname="tests.test_a" name="test_three"><error message="in a fixture">no</error></testcase>
      <testcase classname="tests.test_a" name="test_four"><skipped message="why">no</skipped></testcase>
    </testsuite></testsuites>`),
  );
  assert.equal(counts.passed, 1);
  assert.deepEqual(counts.failed, ["tests.test_a test_two[a>b]", "tests.test_a test_three"]);
  assert.deepEqual(counts.skipped, ["tests.test_a test_four"]);
});

test("CTest's report is counted, with what it did not run as skipped or failed", () => {
  const counts = readJUnit(
    reportOf(`<testsuite tests="4">
      <testcase name="Ring.wraps" classname="Ring.wraps" time="0.01" status="run"><system-out>ok</system-out></testcase>
      <testcase name="Ring.crashes" classname="Ring.crashes" status="fail"><failure message="SIGABRT"/></testcase>
      <testcase name="Ring.off" classname="Ring.off" status="disabled"><properties/></testcase>
      <testcase name="Ring.skips" classname="Ring.skips" status="notrun"><skipped message="SKIP"/></testcase>
    </testsuite>`),
  );
  assert.equal(`${counts}`, "1 passed, 1 failed, 2 skipped");
  assert.deepEqual(counts.failed, ["Ring.crashes"]);
});

test("a jest file that cannot be loaded is a failure", () => {
  const testResults = [
    { name: "broken.test.ts", status: "failed", assertionResults: [] },
    {
      name: "good.test.ts",
      status: "passed",
      assertionResults: [
        { fullName: "works", status: "passed" },
        { fullName: "later", status: "todo" },
      ],
    },
  ];
  const counts = readJest(reportOf(JSON.stringify({ testResults })));
  assert.equal(counts.passed, 1);
  assert.deepEqual(counts.failed, ["broken.test.ts"]);
  assert.deepEqual(counts.skipped, ["later"]);
});
