// What is measured, in which order. Every trial is a run of fresh processes; a figure is the median of the trials'.
import { cores } from "./machine.mjs";
import { grpc, limit, onOneCore, peers, runTogether, scenario } from "./programs.mjs";
import { medianOfTrials } from "./statistics.mjs";

const frame = (width, height, count = 1) => width * height * 3 * count;

/** From a small message to eight full-HD frames, which are 47 MiB. */
export const sizes = [64, 1024, 65_536, frame(640, 640), frame(1920, 1080), frame(1920, 1080, 8)];
export const throughputSizes = [64, 1024, 65_536];
export const checksumSizes = [65_536, frame(1920, 1080), frame(1920, 1080, 8)];

/** What a process that dies holds in memory, and with how many ports of another process one that joins is linked. */
export const touched = [0, 1e9];
export const links = [1, 64];

/** The rows of the table that the older C++/Python library published, with its milliseconds (Xeon Gold 6226R). */
export const olderRows = [
  { bytes: frame(640, 640), older: 0.21 },
  { bytes: frame(640, 640, 4), older: 0.67 },
  { bytes: frame(640, 640, 8), older: 1.34 },
  { bytes: frame(640, 640, 16), older: 3.03 },
  { bytes: frame(480, 540), older: 0.12 },
  { bytes: frame(1920, 1080), older: 0.89 },
  { bytes: frame(1920, 1080, 4), older: 4.09 },
  { bytes: frame(1920, 1080, 8), older: 8.56 },
  { bytes: 2_099_994_000, older: 367.79 },
];

export const waits = {
  spin: { wait: "spin", limit: "spin", place: (command) => command },
  sleep: { wait: "sleep", limit: "pipe", place: (command) => command },
  "sleep, one core": { wait: "sleep", limit: "pipe", place: (command) => onOneCore(command, cores()) },
};

const option = (name, value) => [`--${name}`, String(value)];

/** How much of everything: for figures to publish, and for a test that only wants to see it run. */
export const efforts = {
  full: { trials: 5, seconds: 0.2, least: 20, largest: Infinity, comings: 200, others: true },
  quick: { trials: 1, seconds: 0.01, least: 2, largest: 2e6, comings: 2, others: false },
};

export async function measureLimits({ trials, seconds, largest }, onTrial) {
  const runs = { copy: [] };
  for (const name of Object.keys(waits)) runs[name] = [];
  for (let trial = 0; trial < trials; trial++) {
    for (const [name, { limit: which, place }] of Object.entries(waits)) {
      const [result] = await runTogether(place([...limit(which), ...option("seconds", seconds)]));
      runs[name].push(result);
    }
    const list = sizes.filter((bytes) => bytes <= largest).join(",");
    const [copies] = await runTogether([...limit("copy"), ...option("seconds", seconds), ...option("sizes", list)]);
    runs.copy.push(copies);
    onTrial("limits");
  }
  return Object.fromEntries(Object.entries(runs).map(([name, list]) => [name, medianOfTrials(list)]));
}

async function roundTrip(language, waiting, list, { seconds, least }) {
  const { wait, place } = waits[waiting];
  const [results] = await runTogether(
    place([
      ...scenario("round-trip"),
      ...option("wait", wait),
      ...option("seconds", seconds),
      ...option("least", least),
      ...option("sizes", list.join(",")),
    ]),
    place([...peers[language]("round-trip"), ...option("wait", wait)]),
  );
  return results;
}

export async function measureRoundTrips({ trials, seconds, least, largest }, onTrial) {
  const list = sizes.filter((bytes) => bytes <= largest);
  const all = {};
  for (const language of Object.keys(peers)) {
    all[language] = {};
    for (const waiting of Object.keys(waits)) {
      const runs = [];
      for (let trial = 0; trial < trials; trial++) {
        runs.push(await roundTrip(language, waiting, list, { seconds, least }));
        onTrial(`round trip, ${language}, ${waiting}`);
      }
      all[language][waiting] = medianOfTrials(runs);
    }
  }
  return all;
}

export async function measureThroughput({ trials, seconds }, onTrial) {
  const all = {};
  for (const language of Object.keys(peers)) {
    const runs = [];
    for (let trial = 0; trial < trials; trial++) {
      const [results] = await runTogether(
        [...scenario("throughput"), ...option("seconds", seconds * 5), ...option("sizes", throughputSizes.join(","))],
        peers[language]("throughput"),
      );
      runs.push(results);
      onTrial(`throughput, ${language}`);
    }
    all[language] = medianOfTrials(runs);
  }
  return all;
}

/** A copy sent and taken with and without a checksum, and the sum alone. */
export async function measureChecksum({ trials, seconds, largest }, onTrial) {
  const list = checksumSizes.filter((bytes) => bytes <= largest).join(",");
  const runs = [];
  for (let trial = 0; trial < trials; trial++) {
    const [results] = await runTogether([
      ...scenario("checksum"),
      ...option("seconds", seconds),
      ...option("sizes", list),
    ]);
    runs.push(results);
    onTrial("checksum");
  }
  return medianOfTrials(runs);
}

/** How soon a death is heard, and what joining costs. Each trial is an event of its own, so one run holds many. */
export async function measureComingsAndGoings({ comings, largest }, onTrial) {
  const run = async (program, ...options) => {
    const [[result]] = await runTogether([...program, ...options]);
    return result;
  };
  const deaths = [];
  for (const bytes of touched.filter((each) => each <= largest)) {
    const trials = bytes === 0 ? comings : Math.ceil(comings / 10); // it takes a second to touch a gigabyte
    const options = [...option("trials", trials), ...option("touched", bytes)];
    const { ns, p99_ns } = await run(limit("death"), ...options);
    deaths.push({ ...(await run(scenario("death"), ...options)), limit_ns: ns, limit_p99_ns: p99_ns });
    onTrial("death");
  }
  const joins = [];
  for (const count of links) {
    joins.push(await run(scenario("join"), ...option("trials", comings), ...option("links", count)));
    onTrial("join");
  }
  return { deaths, joins };
}

/** C++ to Python, both spinning, as the older library does. */
export async function measureOlderRows({ trials, seconds, largest }, onTrial) {
  const rows = olderRows.filter(({ bytes }) => bytes <= largest);
  const runs = [];
  for (let trial = 0; trial < trials; trial++) {
    runs.push(
      await roundTrip(
        "Python",
        "spin",
        rows.map(({ bytes }) => bytes),
        { seconds, least: 3 },
      ),
    );
    onTrial("the older library's rows");
  }
  const measured = medianOfTrials(runs);
  const find = (bytes, how) => measured.find((row) => row.bytes === bytes && row.how === how);
  return rows.map((row) => ({ ...row, loan: find(row.bytes, "loan"), copy: find(row.bytes, "copy") }));
}

/** The same rows through gRPC. It takes seconds for the largest, so that one is tried only once. */
export async function measureGrpc({ trials, seconds }, onTrial) {
  const all = olderRows.map(({ bytes }) => bytes);
  const run = async (sizes, least) => {
    const options = [...option("sizes", sizes.join(",")), ...option("seconds", seconds), ...option("least", least)];
    const [results] = await runTogether([...grpc, ...options]);
    onTrial("gRPC");
    return results;
  };
  const runs = [];
  for (let trial = 0; trial < trials; trial++)
    runs.push(
      await run(
        all.filter((bytes) => bytes < 1e9),
        3,
      ),
    );
  const largest = await run(
    all.filter((bytes) => bytes >= 1e9),
    1,
  );
  return [...medianOfTrials(runs), ...largest];
}

/** How many times `onTrial` will be called, for a progress bar. */
export const trialCount = ({ trials, largest, others }) =>
  touched.filter((each) => each <= largest).length +
  links.length +
  trials * (3 + Object.keys(peers).length * (Object.keys(waits).length + 1)) +
  (others ? trials + 1 : 0);
