// What a run was, for people.
import { kinds } from "./tally.mjs";

const grouped = (count) => Math.round(count).toLocaleString("en");

export function report(tally, { seed, seconds, languages, slots, lanes }) {
  const { counts, wrong, stalls } = tally;
  const rows = [
    ["seed", `${seed}`],
    ["time", `${seconds.toFixed(0)} s, ${grouped(counts.rounds)} rounds`],
    ["processes", `${slots} at a time (${languages}), ${grouped(counts.processes)} in all, on ${lanes} lanes`],
    ["operations", `${grouped(counts.operations)} (${grouped(counts.operations / seconds)} a second)`],
    ["joins, leaves", `${grouped(counts.joins)}, ${grouped(counts.leaves)}`],
    [
      "killed, exited without close, frozen",
      `${grouped(counts.kills)}, ${grouped(counts.exits)}, ${grouped(counts.freezes)}`,
    ],
    ["samples sent", `${grouped(counts.sent)} (${grouped(counts.refused)} times there was no room)`],
    [
      "samples checked",
      `${grouped(counts.samples)} (${grouped(counts.bytes / 1e6)} MB, ${grouped(counts.held)} of them held)`,
    ],
    ["drops declared", `${grouped(counts.dropped)}`],
    ["looks at a process without a port", `${grouped(counts.undressed)}`],
    ["looks at a sender's memory at rest", `${grouped(counts.memories)}`],
    ...Object.entries(kinds).map(([kind, what]) => [what, grouped(wrong[kind])]),
    [
      "longest stall of a port that was not frozen",
      Object.entries(stalls)
        .map(([what, milliseconds]) => `${what} ${milliseconds.toFixed(0)} ms`)
        .join(", "),
    ],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
