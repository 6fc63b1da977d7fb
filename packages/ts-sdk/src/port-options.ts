import { checkCount, checkText, checkTime } from "./check.js";

/** What every port can be told when it is opened. */
export interface PortOptions {
  /** How long opening waits, in milliseconds, for a peer that is alive but does not answer. 1000 if not given. */
  readonly joinTimeout?: number | undefined;
  /** Shown to peers in messages, at most 63 bytes of UTF-8. */
  readonly label?: string | undefined;
  /** Where lanes meet; MEMLANE_DIR, else $XDG_RUNTIME_DIR/memlane, else /run/user/UID/memlane, else /tmp/memlane-UID. */
  readonly directory?: string | undefined;
  /**
   * A group of users whose members are let in, and nobody else: its name or number. This user alone if not given. Every port
   * in the directory must say the same; where no directory is chosen it is /tmp/memlane-group-GID.
   */
  readonly group?: string | number | undefined;
  /** How long, in milliseconds, a call that blocks the thread may spin before it sleeps; adaptive if not given. */
  readonly spin?: number | undefined;
}

export const portOptionNames = ["joinTimeout", "label", "directory", "group", "spin"];

/** The same as the addon wants it. */
export function checkPortOptions({ joinTimeout = 1000, label = "", directory = "", group = "", spin }: PortOptions): {
  joinTimeout: number;
  label: string;
  directory: string;
  group: string;
  spin: number;
} {
  return {
    joinTimeout: checkTime("joinTimeout", joinTimeout),
    label: checkText("label", label),
    directory: checkText("directory", directory),
    group: typeof group === "number" ? String(checkCount("group", group)) : checkText("group", group),
    spin: spin === undefined ? -1 : checkTime("spin", spin),
  };
}
