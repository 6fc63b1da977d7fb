/**
 * What went wrong, as a value to branch on. The list is the same in every language, and stable within a major version;
 * texts of messages are not.
 */
export type ErrorCode =
  /** A lane name that breaks the rules: 1 to 200 bytes, parts separated by `/`, none of them empty, `.` or `..`. */
  | "invalid-name"
  /** An argument that makes no sense. */
  | "invalid-argument"
  /** A size, shape, depth or count beyond what is possible. */
  | "out-of-range"
  /** The port was closed, by this process. */
  | "closed"
  /** The object belongs to the parent process. */
  | "forked"
  /** The sample or loan was given back already. */
  | "released"
  /** The loan was sent already. */
  | "already-sent"
  /** The time given for waiting is over; nothing was changed. */
  | "timeout"
  /** A subscriber's queue is full and it asked for `fail`. */
  | "queue-full"
  /** The wait was ended from outside. */
  | "interrupted"
  /** The port's own memory budget does not allow it. */
  | "budget-spent"
  /** The control group's limit, or the machine's memory, does not allow it. */
  | "out-of-memory"
  /** The process or the system has no file descriptor left. */
  | "descriptor-limit"
  /** The operating system refused access. */
  | "permission-denied"
  /** The lane directory is not ours alone: another owner, looser rights, or a symbolic link. */
  | "foreign-directory"
  /** The other side speaks another version of the layout. */
  | "version-mismatch"
  /** What another process wrote does not make sense; only its own link is dropped. */
  | "corrupt"
  /** The lane carries another pattern. */
  | "pattern-mismatch"
  /** The payload is not of the type that was asked for. */
  | "type-mismatch"
  /** A peer that is alive does not answer. */
  | "peer-frozen"
  /** The wait could never end: the thread that should make room is the one that would wait. */
  | "deadlock"
  /** This system cannot do it. */
  | "unsupported"
  /** A system call failed. */
  | "system";

export interface ErrorDetails {
  /** The lane it happened to, or an empty string. */
  readonly lane?: string;
  /** The errno of the system call that failed, or 0. */
  readonly systemError?: number;
  readonly cause?: unknown;
}

/** Marks every error of memlane, whichever class it has, and whichever copy of the SDK made it. */
export const brand: unique symbol = Symbol.for("memlane.error") as never;

/**
 * Every error of memlane. `code` says what happened, `message` also to which lane, and what to do.
 *
 * Wrong arguments throw a `TypeError` or a `RangeError` instead, as the language itself does. They have the same fields,
 * and `error instanceof MemlaneError` is true for them as well.
 */
export class MemlaneError extends Error {
  readonly code: ErrorCode;
  /** The lane it happened to, or an empty string. */
  readonly lane: string;
  /** The errno of the system call that failed, or 0. */
  readonly systemError: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.lane = details.lane ?? "";
    this.systemError = details.systemError ?? 0;
  }

  static {
    Object.defineProperty(this.prototype, "name", { value: "MemlaneError", configurable: true, writable: true });
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  /** By a brand, so that it holds for the argument errors too, and if a program has loaded the SDK twice. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== MemlaneError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && brand in value;
  }
}
