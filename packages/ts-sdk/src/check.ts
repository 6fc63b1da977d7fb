// Arguments, checked where they come in. Messages say what was expected for what, and what came instead.
import { makeError } from "./make-error.js";

function shown(value: unknown): string {
  if (typeof value === "string") return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  if (typeof value === "number" || typeof value === "boolean" || value === null || value === undefined) {
    return String(value);
  }
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "object") return `a ${typeof value}`;
  const { constructor } = value as { constructor?: { name?: unknown } };
  return typeof constructor?.name === "string" ? `an object of class ${constructor.name}` : "an object";
}

/** Throws a TypeError: the value is of the wrong type, or makes no sense. */
export function refuse(what: string, expected: string, value: unknown): never {
  throw makeError("invalid-argument", `expected ${expected} for ${what} but received ${shown(value)}`);
}

/** Throws a RangeError. */
export function refuseRange(what: string, expected: string, value: unknown): never {
  throw makeError("out-of-range", `expected ${expected} for ${what} but received ${shown(value)}`);
}

/** A whole number from `least` on that a JavaScript number holds exactly. */
export function checkCount(what: string, value: unknown, least = 0): number {
  if (typeof value !== "number" || Number.isNaN(value)) refuse(what, "a whole number", value);
  if (!Number.isSafeInteger(value) || value < least) refuseRange(what, `a whole number from ${least} on`, value);
  return value;
}

export function checkFlag(what: string, value: unknown): boolean {
  if (typeof value !== "boolean") refuse(what, "true or false", value);
  return value;
}

/** Milliseconds, not negative; Infinity waits for ever. */
export function checkTime(what: string, value: unknown): number {
  if (typeof value !== "number" || Number.isNaN(value)) refuse(what, "a number of milliseconds", value);
  if (value < 0) refuseRange(what, "a number of milliseconds that is not negative", value);
  return value;
}

export function checkText(what: string, value: unknown): string {
  if (typeof value !== "string") refuse(what, "a string", value);
  if (/\p{Surrogate}/u.test(value)) refuse(what, "well-formed Unicode", value);
  return value;
}

/** An object that has no other keys than `known`, or undefined. */
export function checkOptions(whose: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) refuse(`the options of ${whose}`, "an object", options);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = known.find((each) => each.toLowerCase() === name.toLowerCase().replaceAll(/[-_]/g, ""));
    const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`;
    throw makeError("invalid-argument", `unknown option "${name}" for ${whose}; ${hint}`);
  }
}

export function checkSignal(what: string, value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined;
  const has = (name: string): boolean => typeof value === "object" && value !== null && name in value;
  if (!["aborted", "addEventListener", "removeEventListener"].every(has)) {
    refuse(what, "an AbortSignal", value);
  }
  return value as AbortSignal;
}
