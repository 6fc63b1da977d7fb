// `npm run fuzz`: builds the core's fuzzers and runs each for a while, from the inputs in packages/core-native/fuzz/corpus
// and those that earlier runs found (build/fuzz/corpus).
//   --seconds N   for each fuzzer (60 if not given)
//   --only NAME   one of them
//   --keep        takes a small set of inputs that reaches all that was reached over into the repository
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { withLaneDirectory } from "./lib/lane-directory.mjs";
import { at, root } from "./lib/paths.mjs";
import { Counts } from "./lib/reports.mjs";
import { environment, logFile, run, tail } from "./lib/run.mjs";

const sources = at("packages", "core-native", "fuzz");
const built = at("build", "fuzz");
const report = at("build", "reports", "fuzz.txt");
const longestKept = 64; // bytes: the repository keeps small inputs only

const fuzzers = () =>
  readdirSync(sources)
    .filter((file) => file.endsWith("_fuzz.cpp"))
    .map((file) => file.replace(/\.cpp$/, ""));

const programOf = (name) => join(built, "packages", "core-native", "fuzz", name);

/** Why the fuzzers cannot be built here, or undefined. */
function obstacle() {
  const probe =
    '#include <cstdint>\nextern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) { return 0; }\n';
  mkdirSync(built, { recursive: true });
  const program = join(built, "probe");
  try {
    const args = ["-std=c++20", "-fsanitize=fuzzer,address,undefined", "-x", "c++", "-", "-o", program];
    execFileSync("clang++", args, { input: probe, stdio: ["pipe", "ignore", "ignore"], env: environment() });
    return undefined;
  } catch {
    return "there is no Clang with libFuzzer (Debian: apt-get install clang)";
  } finally {
    rmSync(program, { force: true });
  }
}

/** Runs one for `seconds`. Returns how many inputs it tried, or undefined if it found something. */
async function fuzz(name, seconds, { log, env }) {
  const own = join(built, "corpus", name);
  const found = join(built, "found", name);
  for (const folder of [own, found]) mkdirSync(folder, { recursive: true });
  const limits = ["-timeout=120", "-rss_limit_mb=3000", "-malloc_limit_mb=1500", "-max_len=1024"];
  const from = existsSync(log) ? readFileSync(log, "utf8").length : 0;
  const args = [
    `-max_total_time=${seconds}`,
    ...limits,
    "-print_final_stats=1",
    "-print_funcs=0", // whose names a symbolizer finds, which outlives the fuzzer for a moment
    `-artifact_prefix=${found}/`,
    own,
    unpack(name),
  ];
  const exit = await run(programOf(name), args, { log, env, check: false });
  const runs = /stat::number_of_executed_units: (\d+)/.exec(readFileSync(log, "utf8").slice(from))?.[1];
  return exit === 0 && runs !== undefined ? Number(runs) : undefined;
}

/** The inputs in the repository, one in each line, as files that libFuzzer reads. */
function unpack(name) {
  const folder = join(built, "kept", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packed = join(sources, "corpus", `${name}.txt`);
  const lines = existsSync(packed) ? readFileSync(packed, "utf8").trim().split("\n") : [];
  lines.forEach((line, i) => {
    writeFileSync(join(folder, String(i)), Buffer.from(line, "base64"));
  });
  return folder;
}

/** Takes what the runs found over into the repository: small inputs, and no more of them than reach everything. */
async function keep(name, { log, env }) {
  const merged = join(built, "merged", name);
  rmSync(merged, { recursive: true, force: true });
  mkdirSync(merged, { recursive: true });
  const args = ["-set_cover_merge=1", `-max_len=${longestKept}`, merged, unpack(name), join(built, "corpus", name)];
  await run(programOf(name), args, { log, env });
  const lines = readdirSync(merged).map((file) => readFileSync(join(merged, file)).toString("base64"));
  writeFileSync(join(sources, "corpus", `${name}.txt`), `${lines.sort().join("\n")}\n`);
}

/** The fuzzers as a suite: `seconds` for each. */
export const fuzzing = (seconds, only) => async (context) => {
  const counts = new Counts();
  const reason = obstacle();
  if (reason !== undefined) {
    counts.skipped.push(`all fuzzers: ${reason}`);
    return counts;
  }
  mkdirSync(dirname(report), { recursive: true });
  writeFileSync(report, "");
  await run("cmake", ["--preset", "fuzz"], context);
  await run("cmake", ["--build", "--preset", "fuzz"], context);
  for (const name of fuzzers().filter((each) => only === undefined || each === only)) {
    const runs = await fuzz(name, seconds, context);
    if (runs === undefined) {
      counts.failed.push(`${name}: the input is in ${relative(root, join(built, "found", name))}`);
    } else {
      counts.passed += 1;
      appendFileSync(report, `${name}: ${runs} inputs in ${seconds} s, nothing found\n`);
    }
  }
  return counts;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { seconds: { type: "string", default: "60" }, only: { type: "string" }, keep: { type: "boolean" } },
  });
  const log = logFile("fuzz");
  writeFileSync(log, "");
  const { result, left } = await withLaneDirectory(async (directory) => {
    const context = { log, env: { MEMLANE_DIR: directory } };
    const counts = await fuzzing(Number(values.seconds), values.only)(context);
    if (values.keep && counts.failed.length === 0) {
      for (const name of fuzzers()) await keep(name, context);
    }
    return counts;
  });
  result.failed.push(...left);
  if (result.failed.length > 0) console.log(tail(log, 80));
  if (existsSync(report)) process.stdout.write(readFileSync(report, "utf8"));
  for (const name of [...result.failed, ...result.skipped]) console.log(name);
  console.log(`${result}`);
  process.exitCode = result.failed.length === 0 ? 0 : 1;
}
