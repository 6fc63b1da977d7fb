// The receiving programs of the benchmark notice what is wrong: else a figure would be worth nothing.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Publisher, Subscriber } from "memlane";

import { environment } from "../../scripts/lib/run.mjs";
import { peers } from "../lib/programs.mjs";

const languages = ["C++", "Python", "TypeScript"] as const;
const lookAtAll = new TextEncoder().encode("w");
const theEnd = new TextEncoder().encode("e");

let directory: string;
let running: ChildProcess | undefined;
beforeEach(() => {
  directory = mkdtempSync("/tmp/ml-");
});
afterEach(() => {
  running?.kill("SIGKILL"); // where a test failed half way
  rmSync(directory, { recursive: true });
});

/** A payload as every round has it. */
function payload(round: number, words: number): Uint32Array {
  const made = Uint32Array.from({ length: words }, (_, i) => i);
  made[0] = round;
  made[words - 1] = ~round;
  return made;
}

function start(scenario: string, language: (typeof languages)[number], ...args: string[]): Promise<unknown> {
  const [program = "", ...own] = peers[language](scenario);
  const child = spawn(program, [...own, ...args], { env: environment({ MEMLANE_DIR: directory }), stdio: "inherit" });
  running = child;
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve(signal ?? code);
    });
  });
}

describe.each(languages)("in %s", (language) => {
  test.each(["spin", "sleep"])("the answering side tells right from wrong (%s)", async (wait) => {
    using ping = new Publisher("bench/ping", { directory });
    using pong = new Subscriber("bench/pong", { directory });
    const ended = start("round-trip", language, "--wait", wait);
    await ping.waitForSubscribers(1);
    await pong.waitForPublishers(1);
    const answer = async (words: Uint32Array, userHeader?: Uint8Array): Promise<number[]> => {
      ping.send(words, { userHeader });
      using sample = await pong.next({ timeout: 30_000 });
      const bytes = Uint8Array.from(sample?.bytes ?? []);
      return [...new Uint32Array(bytes.buffer)];
    };
    const wrong = payload(4, 1000);
    wrong[500] = 0;
    const last = payload(5, 1000);
    last[998] = 0;
    const first = payload(6, 1000);
    first[1] = 0;

    expect(await answer(payload(1, 16))).toEqual([1, 0xffff_fffe]);
    expect(await answer(payload(2, 3_000_000), lookAtAll)).toEqual([2, 0xffff_fffd]);
    expect(await answer(wrong)).toEqual([4, 0xffff_fffb]); // only the ends are looked at
    expect(await answer(wrong, lookAtAll)).toEqual([4, 0]);
    expect(await answer(last, lookAtAll)).toEqual([5, 0]);
    expect(await answer(first, lookAtAll)).toEqual([6, 0]);
    ping.send(new Uint8Array(0), { userHeader: theEnd });
    expect(await ended).toBe(0);
  });

  test("the counting side counts what came in order, and nothing else", async () => {
    using stream = new Publisher("bench/stream", { directory });
    using counts = new Subscriber("bench/counts", { directory });
    const ended = start("throughput", language);
    await stream.waitForSubscribers(1);
    await counts.waitForPublishers(1);
    const count = async (...rounds: Uint32Array[]): Promise<number> => {
      for (const words of rounds.slice(0, -1)) stream.send(words);
      stream.send(rounds.at(-1) ?? payload(1, 16), { userHeader: lookAtAll });
      using sample = await counts.next({ timeout: 30_000 });
      return new Uint32Array(Uint8Array.from(sample?.bytes ?? []).buffer)[0] ?? -1;
    };
    const torn = payload(2, 16);
    torn[15] = 0;

    expect(await count(payload(1, 16), payload(2, 16), payload(3, 16))).toBe(3);
    expect(await count(payload(1, 16), payload(3, 16), payload(4, 16))).toBe(1); // 2 is missing
    expect(await count(payload(2, 16), payload(1, 16), payload(3, 16))).toBe(1); // out of order
    expect(await count(payload(1, 16), torn, payload(3, 16))).toBe(1);
    stream.send(new Uint8Array(0), { userHeader: theEnd });
    expect(await ended).toBe(0);
  });
});
