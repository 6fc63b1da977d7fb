// `npm run bench`: memlane beside the machine's own limits, in one run. Prints the tables as Markdown, keeps the figures
// in build/bench/results.json, and with `--write` puts the tables between their markers in the README and the docs.
//
//   npm run bench                  takes some minutes; let nothing else run meanwhile
//   npm run bench -- --quick       seconds, to see that it works; its figures mean nothing
import { mkdirSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";

import { at, root } from "../scripts/lib/paths.mjs";
import { machine } from "./lib/machine.mjs";
import * as measure from "./lib/measure.mjs";
import { bringInOthers } from "./lib/others.mjs";
import { writePages } from "./lib/pages.mjs";
import { report } from "./lib/report.mjs";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    trials: { type: "string" },
    out: { type: "string", default: at("build", "bench") },
  },
});

const effort = { ...measure.efforts[values.quick ? "quick" : "full"] };
if (values.trials !== undefined) effort.trials = Number(values.trials);
if (!Number.isInteger(effort.trials) || effort.trials < 1) throw new RangeError("--trials wants a number from 1 up");

if (effort.others) await bringInOthers();
const total = measure.trialCount(effort);
let done = 0;
const onTrial = (what) => process.stderr.write(`[${String(++done).padStart(3)}/${total}] ${what}\n`);

const results = {
  machine: machine(),
  trials: effort.trials,
  limits: await measure.measureLimits(effort, onTrial),
  roundTrips: await measure.measureRoundTrips(effort, onTrial),
  throughput: await measure.measureThroughput(effort, onTrial),
  checksum: await measure.measureChecksum(effort, onTrial),
  comingsAndGoings: await measure.measureComingsAndGoings(effort, onTrial),
  older: await measure.measureOlderRows(effort, onTrial),
  grpc: effort.others ? await measure.measureGrpc(effort, onTrial) : undefined,
};

mkdirSync(values.out, { recursive: true });
writeFileSync(`${values.out}/results.json`, `${JSON.stringify(results, null, 2)}\n`);
const text = report(results);
console.log(text);
process.stderr.write(`figures: ${relative(root, values.out)}/results.json\n`);
if (values.write) for (const page of writePages(results)) process.stderr.write(`written: ${page}\n`);
