// `npm run guarantees`: what others publish of what survives in them, what memlane is to reach, and what the last runs on this
// machine found. Runs nothing itself: a figure that is missing names the command that measures it.
import { existsSync, readFileSync } from "node:fs";

import { short, table } from "../bench/lib/markdown.mjs";
import { at } from "./lib/paths.mjs";
import { readJUnit } from "./lib/reports.mjs";

const junit = (suite, runner) => ({
  file: `build/reports/${suite}.${runner}.xml`,
  command: `npm test -- --only ${suite}`,
  read: readJUnit,
});
const text = (suite) => ({
  file: `build/reports/${suite}.txt`,
  command: `npm test -- --only ${suite}`,
  read: (path) => readFileSync(path, "utf8"),
});
const json = (file, command) => ({ file, command, read: (path) => JSON.parse(readFileSync(path, "utf8")) });

const reports = {
  bench: json("build/bench/results.json", "npm run bench"),
  torture: json("build/reports/torture.json", "npm run torture"),
  frozen: json("build/reports/frozen.json", "node torture/frozen.mjs --minutes 10"),
  hostile: junit("hostile", "pytest"),
  fuzz: text("fuzz"),
  limits: junit("limits", "ctest"),
  kills: text("kill-matrix"),
  killTests: junit("kill-matrix", "pytest"),
};

/** What `tell` says of the last run's report, or how to get one. */
function figure(name, tell) {
  const { file, command, read } = reports[name];
  return existsSync(at(file)) ? tell(read(at(file))) : `not measured: ${command}`;
}

/** Of tests that pass or fail, and have no figure. */
const tests = (name, passed) => figure(name, (counts) => (counts.failed.length === 0 ? passed(counts) : "FAILED"));

const count = (number) => Math.round(number).toLocaleString("en-US");
const microseconds = (ns) => `${short(ns / 1e3)} µs`;
const sum = (numbers) => numbers.reduce((all, each) => all + each, 0);

const rows = [
  {
    what: "real SIGKILLs at distinct steps × roles × patterns",
    others: "iceoryx2: 2 scripts; Fast DDS: 1 test",
    aim: "1,000 and more; lost 0, leaked 0",
    found: tests("killTests", () =>
      figure("kills", (text) => {
        const all = (pattern) => sum([...text.matchAll(pattern)].map(([, number]) => Number(number)));
        const played = all(/^combinations: (\d+)/gm) + all(/killed at (\d+) of/g) + all(/^group .*: (\d+) of/gm);
        const kills =
          all(/^killed at a point: (\d+)/gm) + all(/killed at (\d+) of/g) + all(/^group .* kill.*: (\d+) of/gm);
        const others = `${count(played - kills)} other ends, freezes and forks`;
        return `${count(kills)}, and ${others}; ${count(all(/samples checked: (\d+)/g))} samples checked, lost 0, leaked 0`;
      }),
    ),
  },
  {
    what: "kills, exits and freezes at random, three languages",
    others: "none published",
    aim: "lost 0, leaked 0",
    found: figure("torture", ({ counts, wrong }) => {
      const ends = `${count(counts.kills + counts.exits + counts.freezes)} in ${count(counts.operations)} operations`;
      return `${ends}; ${count(counts.samples)} samples checked, wrong ${sum(Object.values(wrong))}`;
    }),
  },
  {
    what: "death heard by a waiting peer",
    others: "Aeron 10 s, iceoryx 1.5 s, Fast DDS 1 s, zenoh 0.1 s",
    aim: "99 of 100 within 200 µs",
    found: figure(
      "bench",
      ({ comingsAndGoings: { deaths } }) =>
        `median ${microseconds(deaths[0].ns)}, 99 of 100 within ${microseconds(deaths[0].p99_ns)}`,
    ),
  },
  {
    what: "frozen, then continued",
    others: "systems with time-outs lose data",
    aim: "10 minutes; nothing lost, nobody else delayed",
    found: figure(
      "frozen",
      ({ minutes, samples, frozen, slowest, missed }) =>
        `${minutes} minutes; ${frozen} × ${samples} samples, lost by ${missed.length}; slowest for the others ${short(slowest)} ms`,
    ),
  },
  {
    what: "left in the file system after everyone was killed",
    others: "27,000 to 124,000 files on sgl-project/sglang's CI hosts (#28089, #30591)",
    aim: "no data; empty names gone at the next join",
    found: figure("torture", ({ wrong }) => `no data; names left after the next join: ${wrong.names}`),
  },
  {
    what: "a rogue peer harms",
    others: "every link of its receiver (iceoryx2 #854)",
    aim: "its own link only",
    found: tests("hostile", ({ passed }) => `its own link only, in ${count(passed)} tests of what one may do`),
  },
  {
    what: "hostile memory and messages",
    others: "none published",
    aim: "no access outside a mapping, no endless loop",
    found: figure("fuzz", (lines) => lines.trim().replaceAll("\n", "; ")),
  },
  {
    what: "a large sample beside a small /dev/shm",
    others: "SIGBUS (iceoryx #2287, pytorch #58386)",
    aim: "works",
    found: tests("limits", ({ skipped }) =>
      skipped.some((name) => name.includes("Containers"))
        ? "no container can be made here"
        : "works: 200 MB beside 1 MB",
    ),
  },
  {
    what: "a memory limit is hit",
    others: "SIGBUS or a kill",
    aim: "an exception that names the limit, before anything is reserved",
    found: tests("limits", () => "an exception that names the limit"),
  },
  {
    what: "a join",
    others: "100 ms loop (iceoryx)",
    aim: "under 50 µs a link",
    found: figure("bench", ({ comingsAndGoings: { joins } }) => {
      const { links, ns } = joins[joins.length - 1];
      return `${microseconds(ns / links)} a link (${links} links)`;
    }),
  },
];

console.log(
  table(
    ["figure", "others", "aim", "memlane, last run"],
    rows.map(({ what, others, aim, found }) => [what, others, aim, found]),
  ),
);
