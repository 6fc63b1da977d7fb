import { constants } from "node:buffer";

import { makeError } from "./make-error.js";

/** The largest ArrayBuffer that this Node has: 4 GiB until Node 20, more than any machine's memory from 22 on. */
export const largestBuffer = constants.MAX_LENGTH;

/** Throws a RangeError if no ArrayBuffer can hold so many bytes. */
export function checkFitsBuffer(what: string, bytes: number, lane: string): void {
  if (bytes <= largestBuffer) return;
  throw makeError(
    "out-of-range",
    `${what} of ${bytes} bytes is larger than any ArrayBuffer of Node ${process.versions.node}, which ends at ` +
      `${largestBuffer} bytes; use Node 22 or later, or several samples`,
    { lane },
  );
}

/** A new ArrayBuffer. Throws a MemlaneError where there is no memory for it. */
export function allocate(bytes: number, lane: string): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw makeError("out-of-memory", `there is no memory for a copy of ${bytes} bytes`, { lane, cause });
  }
}
