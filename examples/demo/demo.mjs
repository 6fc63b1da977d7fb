// `npm run demo`: real pictures through three languages. A C++ program decodes and publishes them, a Python program finds
// their edges, a TypeScript program checks that every original and every result arrived as it was sent. Then a table of
// sizes, and a contact sheet to look at.
//
//   npm run demo                       the photographs that scikit-image carries
//   npm run demo -- PATH ...           pictures, videos, or folders of them
//
//   --frames N      of each video at most so many frames (60)
//   --sizes A,B     of the published frames (640x640,1280x720,1920x1080)
//   --batches A,B   of frames, for the table (1,4,8,16); --no-table leaves it out
//   --largest N     frames of the largest size in the table's last row (354, which is 2.2 GB)
//   --sheet FILE    where the contact sheet goes (build/demo/contact-sheet.png)
//
// Ends with exit code 0 if every frame arrived, once, in order and unchanged, and with 1 if not.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";

import { at, root, venv } from "../../scripts/lib/paths.mjs";
import { PartFailed, Parts } from "./lib/parts.mjs";
import { openProgress } from "./lib/progress.mjs";
import { NoSources, sources } from "./lib/sources.mjs";
import { sizeTable } from "./lib/table.mjs";
import { findings } from "./lib/verdict.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    frames: { type: "string", default: "60" },
    sizes: { type: "string", default: "640x640,1280x720,1920x1080" },
    batches: { type: "string", default: "1,4,8,16" },
    largest: { type: "string", default: "354" },
    table: { type: "boolean", default: true },
    sheet: { type: "string", default: at("build", "demo", "contact-sheet.png") },
    // For the tests: what is to go wrong (camera:change, filter:lose, ...), and a bound for the memory of the table.
    fault: { type: "string", default: "" },
    "memory-budget": { type: "string", default: "0" },
  },
});

const python = join(venv, "bin", "python");
const here = (name) => at("examples", "demo", name);
const compiled = (name) => at("build", "release", "examples", "demo", name);
const faultOf = (part) => (values.fault.startsWith(`${part}:`) ? ["--fault", values.fault.split(":")[1]] : []);

/** The main job. Throws PartFailed if a program fails; returns what went wrong with frames, and a line about the rest. */
async function runFrames(directory, files, ffmpeg, signal) {
  const parts = new Parts(directory);
  const sizes = values.sizes.split(",");
  const progress = openProgress(files.length * sizes.length);
  const problems = [];
  const said = {};
  const listen = (facts) => {
    progress.show(facts);
    if ("problem" in facts) problems.push(facts.problem);
    Object.assign(said, facts);
  };
  const begin = performance.now();
  try {
    parts.start("checker", [process.execPath, at("examples", "dist", "demo", "check.js")], listen);
    const sheet = ["--out", values.sheet, "--size", sizes[sizes.length - 1]];
    parts.start("contact sheet", [python, here("contact_sheet.py"), ...sheet], listen);
    parts.start("filter", [python, here("filter.py"), ...faultOf("filter")], listen);
    const options = ["--ffmpeg", ffmpeg, "--sizes", values.sizes, "--frames", values.frames, ...faultOf("camera")];
    const complaints = parts.start("camera", [compiled("camera"), ...options, ...files], listen);
    if (process.env.MEMLANE_DEMO_PIDS !== undefined) process.stderr.write(`${JSON.stringify(parts.pids)}\n`);
    await parts.ended(signal);
    said.unreadable = await complaints;
  } finally {
    progress.stop();
    await parts.stop();
  }
  return { ...said, problems, seconds: (performance.now() - begin) / 1000 };
}

/** The table: each row as it comes would break the alignment, so rows are counted while they come. */
async function runTable(directory, files, ffmpeg, signal) {
  const parts = new Parts(directory);
  const rows = [];
  const total = values.sizes.split(",").length * values.batches.split(",").length + (values.largest === "0" ? 0 : 1);
  const show = () => {
    if (process.stdout.isTTY) process.stdout.write(`\r  measured ${rows.length} of ${total} sizes`);
  };
  try {
    parts.start("acknowledger", [python, here("acknowledge.py")]);
    const options = ["sizes", "batches", "largest", "memory-budget"].flatMap((name) => [`--${name}`, values[name]]);
    parts.start("measurement", [compiled("measure"), "--ffmpeg", ffmpeg, ...options, ...new Set(files)], (row) => {
      rows.push(row);
      show();
    });
    show();
    await parts.ended(signal);
  } finally {
    if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
    await parts.stop();
  }
  return rows;
}

async function run(directory, signal) {
  const files = sources(positionals);
  const ffmpeg = execFileSync(python, ["-c", "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"], {
    encoding: "utf8",
  }).trim();

  console.log(`${new Set(files).size} sources, as frames of ${values.sizes.replaceAll(",", ", ")}:`);
  const { total, checked, pairs, problems, unreadable, seconds } = await runFrames(directory, files, ffmpeg, signal);
  if (unreadable !== "") console.log(`\nffmpeg could not read everything:\n${unreadable}`);
  const wrong = findings(total === undefined ? undefined : { total }, checked, problems);
  if (wrong.length > 0) {
    console.error(`\nFAILED:\n${wrong.map((line) => `  ${line}`).join("\n")}`);
    return 1;
  }
  const gigabytes = (checked.bytes / 1e9).toFixed(2);
  console.log(
    `\n${checked.originals} originals and ${checked.results} results (${gigabytes} GB) arrived, each once, in order, ` +
      `with the right checksum, in ${seconds.toFixed(1)} s.`,
  );
  console.log(`Contact sheet of ${pairs} originals beside results: ${relative(root, values.sheet)}`);

  if (values.table) {
    console.log("\nBatches of these frames, C++ to Python, medians:\n");
    const rows = await runTable(directory, files, ffmpeg, signal);
    console.log(sizeTable(rows).join("\n"));
    console.log(
      "\nBy loan the data is written where it will be read; by copy it is elsewhere, and is copied in first.",
    );
  }
  return 0;
}

const stop = new AbortController();
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
]) {
  process.on(signal, () => {
    process.exitCode = code;
    stop.abort(new PartFailed(`stopped by ${signal}`));
  });
}

// Short, since a socket's path ends at 108 bytes; mkdtemp gives it mode 0700.
const directory = mkdtempSync(join(tmpdir(), "ml-demo-"));
try {
  process.exitCode = await run(directory, stop.signal);
} catch (error) {
  if (!(error instanceof PartFailed || error instanceof NoSources)) throw error;
  console.error(`\nFAILED: ${error.message}`);
  process.exitCode ??= 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
