// `node torture/frozen.mjs --minutes 10`: subscribers of all three languages are frozen for that long while others go on
// around them; then they continue, and must have lost nothing. Ends with 1 if anything is wrong.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import buildPeer from "../conformance/driver/build-peer.mjs";
import { at } from "../scripts/lib/paths.mjs";
import { Actor, commands, endAll } from "./lib/actor.mjs";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    samples: { type: "string", default: "600" },
    overflow: { type: "string", default: "block" }, // another one must lose samples: see tests/frozen.test.mjs
    patience: { type: "string", default: "60" }, // seconds until what does not come is lost
    out: { type: "string", default: at("build", "reports") },
  },
});
const minutes = Number(values.minutes);
const samples = Number(values.samples);
if (!(minutes > 0) || !(samples > 0)) throw new RangeError("--minutes and --samples want numbers above 0");

const depth = values.overflow === "block" ? samples : Math.ceil(samples / 2);
const patience = Number(values.patience) * 1000;
const taking = (count) => [["do", "take"], ["count", count], ["timeout", patience], ["report", "runs"]]; // prettier-ignore

await buildPeer();
const directory = mkdtempSync("/tmp/ml-"); // short: a socket's path ends at 108 bytes
const lane = [["lane", "frozen"], ["directory", directory]]; // prettier-ignore
const start = (language) => new Actor(language, directory, 60_000 + patience);
try {
  const sender = start("cpp");
  const awake = start("cpp");
  const frozen = Object.keys(commands).map(start);
  await sender.call([["do", "open-publisher"], ...lane]);
  for (const each of [awake, ...frozen]) {
    await each.call([["do", "open-subscriber"], ...lane, ["depth", depth], ["overflow", values.overflow]]);
  }
  for (const each of frozen) each.signal("SIGSTOP");

  let slowest = 0; // milliseconds from the step to send to the answer that it has arrived
  const begin = performance.now();
  for (let n = 1; n <= samples; n++) {
    const before = performance.now();
    await sender.call([["do", "send"], ["bytes", 10_000], ["seed", n]]); // prettier-ignore
    await awake.call(taking(1));
    slowest = Math.max(slowest, performance.now() - before);
    await pause(Math.max(0, begin + (n / samples) * minutes * 60_000 - performance.now()));
  }

  const missed = [];
  for (const each of frozen) {
    each.signal("SIGCONT");
    const answer = await each.call(taking(samples));
    const run = new URLSearchParams(answer.get("run") ?? "");
    const right = run.get("count") === `${samples}` && run.get("first") === "1" && run.get("last") === `${samples}`;
    if (!right || answer.getAll("run").length !== 1) missed.push(`${each.language}: ${answer}`);
  }
  const left = await sender.call([["do", "flush"], ["timeout", patience]]); // prettier-ignore
  if (left.get("value") !== "true") missed.push("not everything was given back");
  for (const each of [sender, awake, ...frozen]) each.leave();
  for (const each of [sender, awake, ...frozen]) await each.end();

  const result = { minutes, samples, frozen: frozen.length, slowest, missed };
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, "frozen.json"), `${JSON.stringify(result, null, 2)}\n`);
  console.log(
    `frozen for ${minutes} minutes: ${frozen.length} subscribers, ${samples} samples each, ` +
      `${missed.length === 0 ? "none lost" : "LOST"}; the others went on, the slowest sample took ${slowest.toFixed(0)} ms`,
  );
  for (const line of missed) console.log(`WRONG  ${line}`);
  process.exitCode = missed.length === 0 ? 0 : 1;
} finally {
  endAll();
  rmSync(directory, { recursive: true, force: true });
}
