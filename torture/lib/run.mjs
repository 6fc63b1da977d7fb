// A run of the torture: rounds in which every process follows its plan, and after each round a rest, at which everything
// must have arrived.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Actor, ActorFailed, commands } from "./actor.mjs";
import { Fault } from "./fault.mjs";
import { patterns } from "./patterns.mjs";
import { Plan } from "./plan.mjs";
import { Slot, Weather } from "./slot.mjs";
import { Tally } from "./tally.mjs";

const languages = Object.keys(commands);

/**
 * `options`: `{ seed, slots, lanes, steps, patterns, directory, patience, fault, goesOn(rounds) }`; `steps` of each process in
 * a round; `patience` in milliseconds. Returns the tally.
 */
export async function torture(options) {
  const tally = new Tally();
  const complain = (kind, text, count) => tally.complain(kind, text, count);
  const { directory, patience, seed } = options;
  const fault = new Fault(options.fault);
  const ledgers = new Map(options.patterns.map((name) => [name, new patterns[name].ledger(complain)]));
  const lanes = Array.from({ length: options.lanes }, (_, i) => ({
    name: `torture/${i}`,
    pattern: options.patterns[i % options.patterns.length],
  }));
  const run = { directory, patience, ledgers, tally, weather: new Weather(), fault, aborted: false };
  const slots = Array.from(
    { length: options.slots },
    (_, i) => new Slot(i, languages[i % languages.length], new Plan(seed, i, lanes), run),
  );
  try {
    while (!tally.failed && options.goesOn(tally.counts.rounds)) {
      tally.add("rounds");
      await everySlot(slots, run, (slot) => slot.play(options.steps));
      await comeToRest(slots, run);
    }
    if (!tally.failed) await leave(slots, run);
  } catch (error) {
    if (!(error instanceof ActorFailed)) throw error;
    complain(error.message.includes("has not") ? "stuck" : "crashed", error.message);
  } finally {
    await Promise.all(slots.map((slot) => slot.abort()));
  }
  return tally;
}

/** All at the same time. Where one fails the others stop after their step; throws the first failure. */
async function everySlot(slots, run, action) {
  const results = await Promise.allSettled(
    slots.map(async (slot) => {
      try {
        return await action(slot);
      } catch (error) {
        run.aborted = true;
        throw error;
      }
    }),
  );
  const failure = results.find(({ status }) => status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return results.map(({ value }) => value);
}

/** Everything that was sent is taken, or was dropped, and everybody knows who is there. */
async function comeToRest(slots, run) {
  const { tally, patience } = run;
  const ledgers = [...run.ledgers.values()];
  const end = performance.now() + patience;
  for (;;) {
    const stats = new Map((await everySlot(slots, run, (slot) => slot.rest())).flat());
    const awaited = ledgers.flatMap((ledger) => ledger.awaited(stats));
    if (awaited.length === 0) {
      if (run.fault.name === "drop") for (const now of stats.values()) now.dropped += 1;
      for (const ledger of ledgers) ledger.check(stats);
      countDrops(ledgers, stats, tally);
      await everySlot(slots, run, (slot) => slot.checkMemory());
      return;
    }
    if (tally.failed) return;
    if (performance.now() > end) {
      for (const line of awaited) tally.complain(line.includes("has not arrived") ? "lost" : "stuck", line);
      return;
    }
    await sleep(5);
  }
}

/** What receivers have declared since they were last asked. */
function countDrops(ledgers, stats, tally) {
  for (const port of ledgers.flatMap(({ open }) => open)) {
    if (port.role !== "receiver") continue;
    const { dropped } = stats.get(port.id);
    tally.add("dropped", dropped - (port.declared ?? 0));
    port.declared = dropped;
  }
}

/** Everybody leaves, and nothing may be left of them. */
async function leave(slots, run) {
  const { directory, patience, tally, fault } = run;
  await everySlot(slots, run, (slot) => slot.undress());
  await everySlot(slots, run, (slot) => slot.finish());
  // Who was killed when nobody saw it leaves names, until somebody comes by.
  const visitor = new Actor("cpp", directory, patience);
  await visitor.call([
    ["do", "open-subscriber"],
    ["lane", "visit"],
    ["directory", directory],
  ]);
  await visitor.call([
    ["do", "discard"],
    ["port", "main"],
  ]);
  visitor.leave();
  await visitor.end();
  if (fault.name === "name") writeFileSync(join(directory, "left"), "");
  const names = readdirSync(directory, { recursive: true });
  if (names.length > 0) tally.complain("names", `in the lane directory: ${names.join(", ")}`, names.length);
}
