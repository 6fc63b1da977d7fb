import { checkText, checkTime } from "./check.js";

/** What every port can be told when it is opened. */
export interface PortOptions {
  /** How long opening waits, in milliseconds, for a peer that is alive but does not answer. 1000 if not given. */
  readonly joinTimeout?: number | undefined;
  /** Shown to peers in messages, at most 63 bytes of UTF-8. */
  readonly label?: string | undefined;
  /** Where lanes meet; MEMLANE_DIR, else $XDG_RUNTIME_DIR/memlane, else /run/user/UID/memlane, else /tmp/memlane-UID. */
  readonly directory?: string | undefined;
  /** How long, in milliseconds, a call that blocks the thread may spin before it sleeps; adaptive if not given. */
  readonly spin?: number | undefined;
}

export const portOptionNames = ["joinTimeout", "label", "directory", "spin"];

/** The same as the addon wants it. */
export function checkPortOptions({ joinTimeout = 1000, label = "", directory = "", spin }: PortOptions): {
  joinTimeout: number;
  label: string;
  directory: string;
  spin: number;
} {
  return {
    joinTimeout: checkTime("joinTimeout", joinTimeout),
    label: checkText("label", label),
    directory: checkText("directory", directory),
    spin: spin === undefined ? -1 : checkTime("spin", spin),
  };
}
