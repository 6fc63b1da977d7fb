// The results as Markdown.
import { gigabytesPerSecond, microseconds, milliseconds, short, size, table, times } from "./markdown.mjs";

const languages = ["C++", "Python", "TypeScript"];

const pick = (rows, bytes, how) => rows.find((row) => row.bytes === bytes && row.how === how);
const bestCopy = ({ memcpy_ns, past_cache_ns }) => Math.min(memcpy_ns, past_cache_ns ?? Infinity);

const kinds = [
  ["spin", "both spin; limit: two cache lines"],
  ["sleep", "both sleep; limit: one byte over a pipe"],
  ["sleep, one core", "both sleep, on one core; limit: the same"],
];

/** The smallest message beside the limit of the same kind of waiting. */
function smallest({ limits, roundTrips }) {
  const rows = kinds.map(([waiting, label]) => {
    const [{ ns: base }] = limits[waiting];
    const cells = languages.map((language) => {
      const { ns } = pick(roundTrips[language][waiting], 64, "loan");
      return `${microseconds(ns)} (${times(ns, base)})`;
    });
    return [label, microseconds(base), ...cells];
  });
  return table(["64 bytes there, 8 back, µs", "limit", ...languages.map((each) => `C++ and ${each}`)], rows);
}

/** Round trips of every size. */
function bySize({ limits, roundTrips }, waiting) {
  const cell = (language, bytes, how) => microseconds(pick(roundTrips[language][waiting], bytes, how).ns);
  const rows = limits.copy.map((copy) => [
    size(copy.bytes),
    ...languages.map((language) => cell(language, copy.bytes, "loan")),
    ...languages.map((language) => cell(language, copy.bytes, "copy")),
    microseconds(bestCopy(copy)),
  ]);
  const heads = ["loan", "copy"].flatMap((how) => languages.map((language) => `${how}, ${language}`));
  return table(["µs", ...heads, "limit: the copy alone"], rows);
}

/** What the call that sends takes, before anything is received. */
function sending({ limits, roundTrips }) {
  const rows = limits.copy.map((copy) => {
    const { send_ns: loan } = pick(roundTrips["C++"].spin, copy.bytes, "loan");
    const { send_ns: copied } = pick(roundTrips["C++"].spin, copy.bytes, "copy");
    const raw = [copy.memcpy_ns, copy.past_cache_ns].map((ns) =>
      ns === undefined ? "" : gigabytesPerSecond(copy.bytes, ns),
    );
    return [
      size(copy.bytes),
      microseconds(loan),
      microseconds(copied),
      gigabytesPerSecond(copy.bytes, copied),
      ...raw,
      short(bestCopy(copy) / copied),
    ];
  });
  const heads = ["loan() and send(), µs", "send_copy(), µs", "send_copy(), GB/s"];
  return table(["C++", ...heads, "memcpy, GB/s", "stores past the cache, GB/s", "send_copy() / best of these"], rows);
}

function throughput({ throughput: measured }) {
  const rows = measured["C++"].map(({ bytes, how }) => [
    `${size(bytes)}, ${how}`,
    ...languages.map((language) => {
      const { per_second: rate } = pick(measured[language], bytes, how);
      return `${short(rate / 1e6)} M/s (${short((bytes * rate) / 1e9)} GB/s)`;
    }),
  ]);
  return table(["one way", ...languages.map((language) => `C++ to ${language}`)], rows);
}

/** What a checksum costs: each end sums the payload once, the sender while it copies. */
function checksum({ checksum: measured }) {
  const rows = measured.map(({ bytes, sum_ns: sum, without_ns: without, with_ns: summed }) => [
    size(bytes),
    microseconds(without),
    `${microseconds(summed)} (${times(summed, 2 * sum)})`,
    microseconds(2 * sum),
    gigabytesPerSecond(bytes, sum),
  ]);
  const heads = ["send_copy() and take(), µs", "the same with checksum", "limit: two sums", "a sum alone, GB/s"];
  return table(["C++, one process", ...heads], rows);
}

/** How soon a death is heard, and what a join costs. */
function comingsAndGoings({ comingsAndGoings: { deaths, joins } }) {
  const rows = [
    ...deaths.map(({ touched, ns, p99_ns, limit_ns, limit_p99_ns }) => [
      touched === 0
        ? "a small process is killed, and a peer that waits has heard it"
        : `the same, with ${size(touched)} in its memory`,
      `${microseconds(ns)} (${times(ns, limit_ns)})`,
      microseconds(p99_ns),
      microseconds(limit_ns),
      microseconds(limit_p99_ns),
    ]),
    ...joins.map(({ links, ns, p99_ns }) => [
      links === 1
        ? "a port joins, and is linked with 1 port"
        : `a port joins, and is linked with ${links} ports: for each`,
      microseconds(ns / links),
      microseconds(p99_ns / links),
      "",
      "",
    ]),
  ];
  return table(["µs", "median", "99 of 100 within", "limit: an equal process's socket hangs up", "99 of 100"], rows);
}

function older({ older: measured, grpc }) {
  const rows = measured.map(({ bytes, older: published, loan, copy }) => [
    short(bytes / 2 ** 20),
    milliseconds(copy.ns),
    milliseconds(loan.ns),
    gigabytesPerSecond(bytes, copy.ns),
    ...(grpc === undefined ? [] : [milliseconds(grpc.find((row) => row.bytes === bytes).ns)]),
    short(published),
  ]);
  const rival = grpc === undefined ? [] : ["gRPC, ms"];
  return table(["MiB", "copied in, ms", "by loan, ms", "copied in, GB/s", ...rival, "older library, ms"], rows);
}

function machineLine({ machine, trials }) {
  const parts = [machine.processor, machine.memory, machine.system, machine.compiler, machine.python, machine.node];
  const runs = trials === 1 ? "One trial" : `Medians of ${trials} trials`;
  return `Measured on ${parts.join(", ")}, with memlane ${machine.memlane}. ${runs} in fresh processes.`;
}

/** What a round trip by loan costs for the largest size, measured by one of 1 KB: 1 means that size does not matter. */
export function loanRatio({ roundTrips }, language, waiting) {
  const loans = roundTrips[language][waiting].filter(({ how }) => how === "loan");
  return loans[loans.length - 1].ns / loans.find(({ bytes }) => bytes === 1024).ns;
}

function loanSentence(results) {
  const { bytes } = results.limits.copy[results.limits.copy.length - 1];
  const ratios = languages.map((language) => `${short(loanRatio(results, language, "spin"))} (${language})`);
  return `By loan, a round trip of ${size(bytes)} takes ${ratios.join(", ")} times as long as one of 1 KB.`;
}

/** The part that a README shows. */
export function summary(results) {
  return [bySize(results, "spin"), loanSentence(results), smallest(results), machineLine(results)].join("\n\n");
}

/** All of it. */
export function report(results) {
  return [
    machineLine(results),
    "### A small message",
    smallest(results),
    "### Every size, both sides spinning",
    bySize(results, "spin"),
    loanSentence(results),
    "### Every size, both sides sleeping",
    bySize(results, "sleep"),
    "### Sending alone",
    sending(results),
    "### As many messages as will go",
    throughput(results),
    "### With a checksum",
    checksum(results),
    "### Comings and goings",
    comingsAndGoings(results),
    "### The rows of the older library's table",
    "C++ to Python and an answer back, both spinning, as the older library waits. gRPC is Python to Python over a Unix socket. The older library's own figures are those it published, of another machine.",
    older(results),
  ].join("\n\n");
}
