// `npm test`: sets up, runs every suite of suites.mjs, and ends with one line that says how it went.
// `npm test -- --only NAME` runs one suite (repeat it for more), `--list` names them all.
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";

import { withLaneDirectory } from "./lib/lane-directory.mjs";
import { root } from "./lib/paths.mjs";
import { Counts } from "./lib/reports.mjs";
import { CommandFailed, logFile, tail } from "./lib/run.mjs";
import { setup } from "./setup.mjs";
import { suites } from "./suites.mjs";

async function runSuite(suite) {
  const log = logFile(`test ${suite.name}`);
  writeFileSync(log, "");
  const begin = performance.now();
  let counts = new Counts();
  try {
    const { result, left } = await withLaneDirectory((directory) =>
      suite.run({ name: suite.name, log, env: { MEMLANE_DIR: directory, PREBUILDS_ONLY: "1" } }),
    );
    counts = result;
    counts.failed.push(...left);
    if (counts.total === 0) counts.failed.push("ran no test");
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    counts.failed.push(error.message.split("\n", 1)[0]);
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`${suite.name.padEnd(16)} ${counts}   ${seconds} s`);
  for (const name of counts.skipped) console.log(`    skipped: ${name}`);
  if (counts.failed.length > 0) {
    for (const name of counts.failed) console.log(`    failed: ${name}`);
    console.log(`    the end of ${relative(root, log)}:`);
    console.log(tail(log).replace(/^/gm, "    | "));
  }
  return counts;
}

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, list: { type: "boolean" } },
});
const unknown = values.only?.find((name) => !suites.some((suite) => suite.name === name));

if (values.list || unknown !== undefined) {
  if (unknown !== undefined) console.error(`there is no suite named ${unknown}; these are:`);
  for (const { name } of suites) console.log(name);
  process.exitCode = unknown === undefined ? 0 : 2;
} else {
  const total = new Counts();
  try {
    await setup();
    for (const suite of suites) {
      if (values.only?.includes(suite.name) ?? true) total.add(await runSuite(suite));
    }
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    console.error(error.message);
    total.failed.push("setup");
  }
  console.log(`\n${total}`);
  process.exitCode = total.failed.length === 0 ? 0 : 1;
}
