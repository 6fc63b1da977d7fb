import { makeError } from "./make-error.js";

/**
 * The name of a lane: 1 to 200 bytes of UTF-8, parts separated by `/`, none of them empty, `.` or `..`; or an integer key
 * N, which is the lane `key/N`.
 */
export type LaneName = string | number | bigint;

/** The smallest and largest key that every language can hold. */
const [leastKey, largestKey] = [-(2n ** 63n), 2n ** 64n - 1n];

/** The name as text. The core checks the text; here is what only JavaScript can get wrong. */
export function laneName(name: unknown): string {
  if (typeof name === "string") {
    if (/\p{Surrogate}/u.test(name)) throw makeError("invalid-name", "the lane name is not well-formed Unicode");
    return name;
  }
  if (typeof name === "bigint" || (typeof name === "number" && Number.isSafeInteger(name))) {
    if (name < leastKey || name > largestKey)
      throw makeError("invalid-name", `the lane key ${name} has more than 64 bits`);
    return `key/${name}`;
  }
  const given = typeof name === "number" ? String(name) : typeof name;
  throw makeError("invalid-name", `a lane's name is a string or an integer key, not ${given}`);
}
