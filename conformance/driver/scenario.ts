// Scenarios: data in ../scenarios, one list a file. What a step may say is written down in ../README.md.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Language } from "./languages.js";

export type Value = string | number | boolean | readonly (string | number)[];

/** Which ports' samples, and which of them: all that were sent so far, or those from one sequence number to another. */
export interface SamplesOf {
  readonly of: string;
  readonly port?: string;
  readonly range: "all" | readonly [number, number];
}

/** `all`: all that the publishers sent so far; `new`: what of it this port has not taken yet; or by sequence numbers. */
export type Samples = "all" | "new" | "none" | readonly [number, number] | readonly SamplesOf[];

export interface Expectation {
  /** The error's code. Without it, an error is a failure. */
  readonly error?: string;
  /** Texts that the error's message must hold. */
  readonly message?: readonly string[];
  /** The message must hold label and pid of one of these roles. */
  readonly names?: string;
  /** How many samples of a send were sent before the error. */
  readonly sent?: Value;
  /** The answer of a wait. */
  readonly value?: boolean;
  /** The least time that the call took, in milliseconds. There is no most: a deadline is no measurement. */
  readonly atLeast?: number;
  /** What was taken. */
  readonly samples?: Samples;
  /** Other fields of the reply. */
  readonly fields?: Readonly<Record<string, Value>>;
}

export interface Step {
  readonly on: string;
  readonly do: string;
  readonly expect?: Expectation;
  /** Steps that are done while this one is under way. */
  readonly meanwhile?: readonly Step[];
  /** Languages in which this step cannot be said, and why. */
  readonly unless?: Partial<Record<Language, string>>;
  /** Where the step can be done at all: what it needs is the right of root, or not to have it. */
  readonly when?: "root" | "not root";
  /** In a scenario whose publishers are kept: for each of them only the first time. */
  readonly once?: boolean;
  /** Milliseconds after which the peer is taken for stuck. */
  readonly deadline?: number;
  // Arguments that the driver looks at itself.
  readonly port?: string;
  readonly count?: Value;
  readonly each?: Value;
  readonly report?: string;
  readonly elements?: boolean;
  readonly stats?: Readonly<Record<string, Value>>;
  readonly command?: Step;
  readonly directory?: string;
  readonly path?: string;
  readonly to?: string;
  readonly how?: string;
  readonly mode?: string;
  readonly owner?: number;
  readonly [argument: string]: unknown;
}

export interface Scenario {
  readonly name: string;
  readonly lane: string;
  readonly steps: readonly Step[];
  /** One publisher process per language serves all columns, and keeps its memory from one to the next. */
  readonly keepsPublishers: boolean;
  /** Bytes of memory that each publisher needs; where the machine has not that much, the column is skipped. */
  readonly memory: number;
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Entry = Readonly<Record<string, Json>>;

const text = (json: Json) => (typeof json === "string" ? json : JSON.stringify(json));

/** The template with `$NAME` replaced: by the item itself where it is all of a value, by its text inside a longer one. */
function fill(template: Json, name: string, item: Json): Json {
  if (template === `$${name}`) return item;
  if (typeof template === "string") {
    const parts: readonly Json[] = Array.isArray(item) ? item : [];
    const filled = parts.reduce<string>((all, part, i) => all.replaceAll(`$${name}[${i}]`, text(part)), template);
    return filled.replaceAll(`$${name}`, text(item));
  }
  if (Array.isArray(template)) return template.map((each: Json) => fill(each, name, item));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, fill(value, name, item)]));
}

/**
 * Loops written out: `{ "for": NAME, "in": [ITEM...], "steps": [...] }`, where `$NAME` stands for the item, `$NAME[0]` for
 * a part of it and `$index` for its number; and `{ "repeat": TIMES, "steps": [...] }`.
 */
export function writtenOut(entries: readonly Entry[]): Step[] {
  return entries.flatMap((entry) => {
    const { for: name, in: items, steps, repeat } = entry;
    if (typeof name === "string") {
      return (items as Json[]).flatMap((item, i) =>
        writtenOut(fill(fill(steps ?? [], name, item), "index", i + 1) as Entry[]),
      );
    }
    if (typeof repeat === "number") {
      return Array.from({ length: repeat }, (_, i) => writtenOut(fill(steps ?? [], "index", i + 1) as Entry[])).flat();
    }
    const step = entry as unknown as Step;
    if (typeof step.on !== "string" || typeof step.do !== "string") {
      throw new Error(`no step: ${JSON.stringify(entry)}`);
    }
    if (step.do === "take" && step.expect === undefined) {
      throw new Error(`a take must say what it expects: ${JSON.stringify(entry)}`);
    }
    if (step.meanwhile === undefined) return [step];
    return [{ ...step, meanwhile: writtenOut(step.meanwhile as unknown as Entry[]) }];
  });
}

function scenario(entry: Entry): Scenario {
  const { name, steps, lane, keepsPublishers = false, memory = 0, ...rest } = entry;
  const unknown = Object.keys(rest).filter((key) => key !== "why");
  if (typeof name !== "string" || unknown.length > 0) throw new Error(`no scenario: ${JSON.stringify(entry)}`);
  return {
    name,
    lane: typeof lane === "string" ? lane : `conformance/${name.replace(/\W+/g, "-")}`,
    steps: writtenOut(steps as Entry[]),
    keepsPublishers: keepsPublishers === true,
    memory: Number(memory),
  };
}

export function loadScenarios(): Scenario[] {
  const folder = fileURLToPath(new URL("../scenarios", import.meta.url));
  const files = readdirSync(folder).filter((file) => /^\d.*\.json$/.test(file));
  const scenarios = files
    .sort()
    .flatMap((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Entry[])
    .map(scenario);
  const names = scenarios.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`two scenarios are named ${twice}`);
  return scenarios;
}
