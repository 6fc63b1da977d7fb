// The results as Markdown.
import { gigabytesPerSecond, microseconds, milliseconds, short, size, table, times } from "./markdown.mjs";

const languages = ["C++", "Python", "TypeScript"];
const pick = (rows, bytes, how) => rows.find((row) => row.bytes === bytes && row.how === how);

/** Round trips of the smallest message beside the limit of the same kind of waiting. */
function smallRoundTrips({ limits, roundTrips }) {
  const kinds = [
    ["spin", "both spin (limit: two cache lines)"],
    ["sleep", "both sleep (limit: one byte over a pipe)"],
    ["sleep, one core", "both sleep, on one core (limit: the same)"],
  ];
  const rows = kinds.map(([waiting, label]) => {
    const [{ ns: base }] = limits[waiting];
    const cells = languages.map((language) => {
      const { ns } = pick(roundTrips[language][waiting], 64, "loan");
      return `${microseconds(ns)} (${times(ns, base)})`;
    });
    return [label, microseconds(base), ...cells];
  });
  return table(["64 bytes, µs", "limit", ...languages.map((language) => `C++ to ${language}`)], rows);
}

/** By size, the sender sleeping as programs do by default. */
function bySize({ limits, roundTrips }, waiting) {
  const base = Object.fromEntries(languages.map((each) => [each, roundTrips[each][waiting]]));
  const rows = limits.copy.map(({ bytes, memcpy_ns, past_cache_ns }) => {
    const best = Math.min(memcpy_ns, past_cache_ns ?? Infinity);
    const copied = pick(base["C++"], bytes, "copy").send_ns;
    return [
      size(bytes),
      microseconds(pick(base["C++"], bytes, "loan").send_ns),
      ...languages.map((language) => microseconds(pick(base[language], bytes, "loan").ns)),
      ...languages.map((language) => microseconds(pick(base[language], bytes, "copy").ns)),
      microseconds(best),
      short(best / copied),
    ];
  });
  const loans = languages.map((language) => `loan, ${language}`);
  const copies = languages.map((language) => `copy, ${language}`);
  return table(["size", "send by loan", ...loans, ...copies, "raw copy", "raw copy / send_copy"], rows);
}

function throughputTable({ throughput }) {
  const rows = throughput["C++"].map(({ bytes, how }) => [
    `${size(bytes)}, ${how}`,
    ...languages.map((language) => {
      const { per_second } = pick(throughput[language], bytes, how);
      return `${short(per_second / 1e6)} M/s, ${gigabytesPerSecond(bytes * per_second, 1e9)} GB/s`;
    }),
  ]);
  return table(["one-way", ...languages.map((language) => `C++ to ${language}`)], rows);
}

function olderTable({ older }) {
  const rows = older.map(({ bytes, older: published, loan, copy }) => [
    `${short(bytes / 2 ** 20)} MiB`,
    milliseconds(copy.ns),
    milliseconds(loan.ns),
    gigabytesPerSecond(bytes, copy.ns),
    short(published),
  ]);
  return table(
    [
      "C++ to Python, answer back, ms",
      "memlane, copied in",
      "memlane, by loan",
      "GB/s copied",
      "older library, as published",
    ],
    rows,
  );
}

function machineLine({ machine, trials }) {
  const parts = [machine.processor, machine.memory, machine.system, machine.compiler, machine.python, machine.node];
  return `Measured on: ${parts.join("; ")}; memlane ${machine.memlane}. Medians of ${trials} trials in fresh processes.`;
}

/** What a loan costs for much against little: 1 means that size does not matter. */
export function loanRatio({ roundTrips }, language, waiting) {
  const loans = roundTrips[language][waiting].filter(({ how }) => how === "loan");
  const small = loans.find(({ bytes }) => bytes === 1024);
  return loans[loans.length - 1].ns / small.ns;
}

/** The part that a README shows. */
export function summary(results) {
  const loans = results.roundTrips["C++"].spin.filter(({ how }) => how === "loan");
  const largest = size(loans[loans.length - 1].bytes);
  const ratios = languages.map((language) => `${short(loanRatio(results, language, "spin"))} (${language})`);
  return [
    smallRoundTrips(results),
    `A round trip of ${largest} by loan costs as much as one of 1 KB: ${ratios.join(", ")} times as much, both spinning.`,
    bySizeShort(results),
  ].join("\n\n");
}

function bySizeShort(results) {
  const { limits, roundTrips } = results;
  const rows = limits.copy.map(({ bytes, memcpy_ns, past_cache_ns }) => [
    size(bytes),
    ...languages.map((language) => microseconds(pick(roundTrips[language].spin, bytes, "loan").ns)),
    ...languages.map((language) => microseconds(pick(roundTrips[language].spin, bytes, "copy").ns)),
    microseconds(Math.min(memcpy_ns, past_cache_ns ?? Infinity)),
  ]);
  return table(
    [
      "there and answer back, µs, spinning",
      ...languages.map((language) => `loan, ${language}`),
      ...languages.map((language) => `copy, ${language}`),
      "raw copy alone",
    ],
    rows,
  );
}

/** All of it. */
export function report(results) {
  return [
    machineLine(results),
    "## Round trip of a small message",
    smallRoundTrips(results),
    "## Round trip by size, both sides spinning, µs",
    bySize(results, "spin"),
    "## Round trip by size, both sides sleeping, µs",
    bySize(results, "sleep"),
    "## Throughput",
    throughputTable(results),
    "## The older library's rows",
    olderTable(results),
  ].join("\n\n");
}
