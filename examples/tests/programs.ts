// Running the examples as a person would: each a process of its own.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { withLaneDirectory } from "../../scripts/lib/lane-directory.mjs";
import { at, venv } from "../../scripts/lib/paths.mjs";
import { environment } from "../../scripts/lib/run.mjs";

export const languages = ["C++", "Python", "TypeScript"] as const;
export type Language = (typeof languages)[number];

const python = join(venv, "bin", "python");

/** The command that runs a program, named as its file without the ending: `hello/publisher`. */
export function command(language: Language, program: string): string[] {
  switch (language) {
    case "C++":
      return [at("build", "release", "examples", "cpp", program)];
    case "Python":
      return [python, at("examples", "python", `${program}.py`)];
    case "TypeScript":
      return [process.execPath, at("examples", "dist", "typescript", `${program}.js`)];
  }
}

export interface Ended {
  readonly lines: string[];
  readonly complaints: string;
}

/** Runs a program to its end. Rejects if it fails, or has not ended after a minute. */
export async function run([program = "", ...args]: string[], directory: string): Promise<Ended> {
  const child = spawn(program, args, {
    env: environment({ MEMLANE_DIR: directory }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: Buffer[] = [];
  const complaints: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => complaints.push(chunk));
  const deadline = setTimeout(() => child.kill("SIGKILL"), 60_000);
  try {
    const how = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        resolve(signal ?? code);
      });
    });
    const said = Buffer.concat(complaints).toString();
    if (how !== 0) throw new Error(`${[program, ...args].join(" ")} ended with ${String(how)}\n${said}`);
    const text = Buffer.concat(output).toString().trimEnd();
    return { lines: text === "" ? [] : text.split("\n"), complaints: said };
  } finally {
    clearTimeout(deadline);
  }
}

type InLaneDirectory = <T>(work: (directory: string) => Promise<T>) => Promise<{ result: T; left: string[] }>;

/** Runs programs at the same time, in a lane directory of their own in which they must leave nothing. */
export async function runTogether(...commands: string[][]): Promise<Ended[]> {
  const { result, left } = await (withLaneDirectory as InLaneDirectory)((directory) =>
    Promise.all(commands.map((each) => run(each, directory))),
  );
  if (left.length > 0) throw new Error(left.join("\n"));
  return result;
}

/** Waits until `condition()` is true. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited 30 s in vain until ${what}`);
    await sleep(20);
  }
}
