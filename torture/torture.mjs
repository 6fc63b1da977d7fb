// `npm run torture`: processes of all three languages join, send, take, hold, freeze, die and come back on a few dozen
// lanes, as a seed says, and every sample is accounted for. Ends with 1 if anything is wrong.
//
//   npm run torture                            two minutes, with a new seed
//   npm run torture -- --minutes 60            longer
//   npm run torture -- --seed 7 --rounds 3     the same steps again
//   npm run torture -- --fault lose:python     must fail: see lib/fault.mjs
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import buildPeer from "../conformance/driver/build-peer.mjs";
import { at } from "../scripts/lib/paths.mjs";
import { endAll } from "./lib/actor.mjs";
import { faults, isFault } from "./lib/fault.mjs";
import { patterns } from "./lib/patterns.mjs";
import { report } from "./lib/report.mjs";
import { torture } from "./lib/run.mjs";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    rounds: { type: "string" },
    seed: { type: "string" },
    slots: { type: "string", default: "12" },
    lanes: { type: "string", default: "24" },
    steps: { type: "string", default: "150" },
    pattern: { type: "string", multiple: true, default: Object.keys(patterns) },
    patience: { type: "string", default: "60" }, // seconds until what does not happen has failed
    fault: { type: "string", default: "" },
    out: { type: "string", default: at("build", "reports") },
  },
});

function count(name, otherwise) {
  const number = values[name] === undefined ? otherwise : Number(values[name]);
  if (!(number > 0)) throw new RangeError(`--${name} wants a number above 0`);
  return number;
}

for (const name of values.pattern) {
  if (!(name in patterns)) throw new RangeError(`--pattern wants one of ${Object.keys(patterns).join(", ")}`);
}
if (!isFault(values.fault)) throw new RangeError(`--fault wants one of ${Object.keys(faults).join(", ")}`);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed) >>> 0;
const minutes = count("minutes", values.rounds === undefined ? 2 : Infinity);
const rounds = count("rounds", Infinity);
const shape = { seed, slots: count("slots"), lanes: count("lanes"), steps: count("steps") };

await buildPeer();
console.log(`torture with seed ${seed}`);
// Short, since a socket's path ends at 108 bytes; mkdtemp gives it mode 0700.
const directory = mkdtempSync(join(process.env.MEMLANE_DIR ?? "/tmp", "ml-"));
process.once("exit", () => {
  endAll();
  rmSync(directory, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const begin = performance.now();
const seconds = () => (performance.now() - begin) / 1000;
const tally = await torture({
  ...shape,
  patterns: values.pattern,
  directory,
  patience: count("patience") * 1000,
  fault: values.fault,
  goesOn: (done) => done < rounds && seconds() < minutes * 60,
});
const text = report(tally, { ...shape, seconds: seconds(), languages: "C++, Python, TypeScript" });
console.log(text);
for (const line of tally.complaints) console.log(`WRONG  ${line}`);
mkdirSync(values.out, { recursive: true });
writeFileSync(join(values.out, "torture.txt"), `${text}\n`);
writeFileSync(
  join(values.out, "torture.json"),
  `${JSON.stringify({ ...shape, ...tally, seconds: seconds() }, null, 2)}\n`,
);
if (tally.failed) {
  const same = Object.entries(shape).map(([name, value]) => `--${name} ${value}`);
  console.log(`the same steps again: npm run torture -- ${same.join(" ")} --rounds ${tally.counts.rounds}`);
  process.exitCode = 1;
}
