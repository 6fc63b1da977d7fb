// The demo finds what it is there to find, and leaves nothing behind, whatever happens to its parts.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { at, tools } from "../../scripts/lib/paths.mjs";
import { environment } from "../../scripts/lib/run.mjs";
import { until } from "./programs.js";

let work: string;
let running: ChildProcess[];
beforeEach(() => {
  work = mkdtempSync("/tmp/memlane-demo-test-");
  running = [];
});
afterEach(() => {
  for (const child of running) child.kill("SIGKILL"); // where a test failed half way
  rmSync(work, { recursive: true });
});

const photograph = (name: string): string => join(tools, "photographs", name);
const few = [photograph("coffee.png"), photograph("rocket.jpg"), photograph("astronaut.png")];

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<unknown>;
}

/** Starts the demo with small frames; a mark in its environment tells its processes, and no others, from then on. */
function start(...args: string[]): Run {
  const own = ["--sizes", "64x48,160x120", "--sheet", join(work, "sheet.png")];
  const child = spawn(process.execPath, [at("examples", "demo", "demo.mjs"), ...own, ...args], {
    env: environment({ MEMLANE_DEMO_TEST: work, MEMLANE_DEMO_PIDS: "1", TMPDIR: work }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => {
    child.once("close", (code, signal) => {
      resolve(signal ?? code);
    });
  });
  return { child, output: () => Buffer.concat(chunks).toString(), ended };
}

/** The demo's processes that are still there, whatever they have become. */
function survivors(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(`MEMLANE_DEMO_TEST=${work}`)) return [];
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return line === "" ? [] : [line]; // dead, and not yet reaped
      } catch {
        return []; // gone meanwhile
      }
    });
}

const laneDirectories = (): string[] => readdirSync(work).filter((name) => name.startsWith("ml-demo-"));

/** Ended without its table, which is what most tests are about. */
async function framesOnly(...args: string[]): Promise<{ code: unknown; output: string }> {
  const run = start("--no-table", ...args);
  const code = await run.ended;
  expect(survivors()).toEqual([]);
  expect(laneDirectories()).toEqual([]);
  return { code, output: run.output() };
}

test("every frame of some photographs arrives, and a contact sheet is left", async () => {
  const { code, output } = await framesOnly(...few);
  expect(output).toContain("6 originals and 6 results");
  expect(output).toContain("each once, in order, with the right checksum");
  expect(code).toBe(0);
  const png = readFileSync(join(work, "sheet.png"));
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect(png.readUInt32BE(16)).toBeGreaterThan(1000); // its width
});

test("a folder with a video in it, a name that is not ASCII, and a file that is no picture", async () => {
  const folder = join(work, "in put ü");
  const { execFileSync } = await import("node:child_process");
  const { mkdirSync, copyFileSync } = await import("node:fs");
  mkdirSync(folder);
  copyFileSync(photograph("coffee.png"), join(folder, "kaffee ☕.png"));
  writeFileSync(join(folder, "broken.png"), "this is no picture");
  const ffmpeg = execFileSync(at(".venv", "bin", "python"), [
    "-c",
    "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())",
  ]);
  const clip = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x240:d=3:r=10", join(folder, "clip.avi")];
  execFileSync(ffmpeg.toString().trim(), clip);

  const { code, output } = await framesOnly("--frames", "8", folder);
  expect(output).toContain("broken.png could not be read");
  expect(output).toContain("18 originals and 18 results"); // (1 picture + 8 of 30 frames) in two sizes
  expect(code).toBe(0);
});

describe("what cannot be shown is refused:", () => {
  test("a path that does not exist", async () => {
    const { code, output } = await framesOnly(join(work, "nowhere"));
    expect(output).toContain(`there is no ${join(work, "nowhere")}`);
    expect(code).toBe(1);
  });

  test("a folder without pictures", async () => {
    const { code, output } = await framesOnly(work);
    expect(output).toContain("holds no picture and no video");
    expect(code).toBe(1);
  });

  test("nothing but a broken file", async () => {
    const file = join(work, "broken.png");
    writeFileSync(file, "this is no picture");
    const { code, output } = await framesOnly(file);
    expect(output).toContain("not one frame could be read");
    expect(code).toBe(1);
  });
});

describe("what goes wrong is found:", () => {
  test.each([
    ["camera:change", "originals: frame 5 is not what was sent"],
    ["camera:lose", "originals: after frame 4 came frame 6"],
    ["camera:reorder", "originals: after frame 6 came frame 5"],
    ["filter:change", "results: frame 5 is not what was sent"],
    ["filter:lose", "results: after frame 4 came frame 6"],
  ])("%s", async (fault, finding) => {
    const { code, output } = await framesOnly("--fault", fault, ...few);
    expect(output).toContain(finding);
    expect(output).not.toContain("with the right checksum");
    expect(code).toBe(1);
  });

  test("the last frame is lost", async () => {
    // Five frames, of which the fifth is not sent: nothing comes after it that would show the gap.
    const fifth = [...few, ...few].slice(0, 5);
    const { code, output } = await framesOnly("--sizes", "64x48", "--fault", "camera:lose", ...fifth);
    expect(output).toContain("originals: 5 frames were published, 4 arrived");
    expect(code).toBe(1);
  });
});

describe("nothing is left behind when", () => {
  // Enough to be in the middle of when something happens.
  const many = Array.from({ length: 60 }, () => few).flat();

  /** Waits until frames flow, and gives the process ids of the parts. */
  async function flowing(run: Run): Promise<Record<string, number>> {
    await until("frames flow", () => /published [1-9]/.test(run.output()));
    return JSON.parse(/^\{.*\}$/m.exec(run.output())?.[0] ?? "") as Record<string, number>;
  }

  test.each(["camera", "filter", "checker", "contact sheet"])("the %s is killed", async (part) => {
    const run = start("--no-table", ...many);
    const pid = (await flowing(run))[part] ?? 0;
    process.kill(pid, "SIGKILL");
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain(`the ${part} was ended: SIGKILL`);
    expect(survivors()).toEqual([]);
    expect(laneDirectories()).toEqual([]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("the demo gets %s", async (signal, code) => {
    const run = start("--no-table", ...many);
    await flowing(run);
    run.child.kill(signal);
    expect(await run.ended).toBe(code);
    expect(survivors()).toEqual([]);
    expect(laneDirectories()).toEqual([]);
  });

  test("the demo itself is killed", async () => {
    const run = start("--no-table", ...many);
    await flowing(run);
    run.child.kill("SIGKILL");
    await until("all its programs are gone", () => survivors().length === 0);
  });
});

describe("the table", () => {
  test("has a row for each size and batch", async () => {
    const run = start("--batches", "1,4", "--largest", "9", ...few);
    expect(await run.ended).toBe(0);
    const figures = String.raw`( +[\d.,]+){6}$`;
    for (const row of ["1 x 64x48x3", "4 x 64x48x3", "1 x 160x120x3", "4 x 160x120x3", "9 x 160x120x3"]) {
      expect(run.output()).toMatch(new RegExp(`^  ${row}${figures}`, "m"));
    }
    expect(survivors()).toEqual([]);
    expect(laneDirectories()).toEqual([]);
  });

  test("says plainly where memory does not allow a size", async () => {
    const budget = ["--memory-budget", "1000000"];
    const run = start("--batches", "1", "--largest", "100", ...budget, ...few); // 5.8 MB, twice
    expect(await run.ended).toBe(0);
    expect(run.output()).toMatch(/^ {2}100 x 160x120x3 +5\.76 +skipped: it does not fit into the memory budget$/m);
    expect(run.output()).toMatch(/^ {2}1 x 160x120x3( +[\d.,]+){6}$/m);
  });
});

test("the photographs that the setup brings in are all there", () => {
  const text = readFileSync(at("examples", "demo", "lib", "sources.mjs"), "utf8");
  const names = [...text.matchAll(/"([\w]+\.(?:png|jpg))"/g)].map(([, name]) => name ?? "");
  expect(names).toHaveLength(16);
  expect(names.filter((name) => !existsSync(photograph(name)))).toEqual([]);
});
