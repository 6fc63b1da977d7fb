import { addon } from "./addon.js";
import { brand, MemlaneError, type ErrorCode, type ErrorDetails } from "./error.js";

/** The class that JavaScript itself has for such a mistake, if it has one. */
function classFor(code: ErrorCode): ErrorConstructor | undefined {
  if (code === "invalid-name" || code === "invalid-argument" || code === "type-mismatch") return TypeError;
  if (code === "out-of-range") return RangeError;
  return undefined;
}

/**
 * The error for a code: a MemlaneError, or for a wrong argument a TypeError or RangeError that counts as one. Its stack
 * begins with who called `maker`.
 */
export function makeError(
  code: ErrorCode,
  message: string,
  details: ErrorDetails = {},
  maker: (...args: never[]) => unknown = makeError,
): Error {
  const standard = classFor(code);
  if (standard === undefined) {
    const error = new MemlaneError(code, message, details);
    Error.captureStackTrace(error, maker);
    return error;
  }
  const error = new standard(message, details.cause === undefined ? undefined : { cause: details.cause });
  Object.defineProperty(error, brand, { value: true });
  Object.assign(error, { code, lane: details.lane ?? "", systemError: details.systemError ?? 0 });
  Error.captureStackTrace(error, maker);
  return error;
}

/** An error of the addon's. Its codes are the core's own list, which ErrorCode repeats. */
function makeNativeError(code: string, message: string, lane: string, systemError: number): Error {
  return makeError(code as ErrorCode, message, { lane, systemError }, makeNativeError);
}

/** Has the addon make its errors here. */
export function installErrors(): void {
  addon.setErrorFactory(makeNativeError);
}
