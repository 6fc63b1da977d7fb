import { checkOptions, checkText, refuse, refuseRange } from "./check.js";

/** What travels with a payload besides its type. */
export interface SendInfo {
  /** A well-known name of the payload's encoding, e.g. "arrow-ipc"; at most 63 bytes. */
  readonly encoding?: string | undefined;
  /** Bytes for the application's own use; at most 64. */
  readonly userHeader?: Uint8Array | undefined;
}

export const sendInfoNames = ["encoding", "userHeader"];
const largestUserHeader = 64; // bytes, as in the core

/** Checks `info`, and returns what it was then; `names` are the options that the call knows. */
export function checkSendInfo(call: string, info: SendInfo, names: readonly string[] = sendInfoNames): SendInfo {
  checkOptions(call, info, names);
  const { encoding, userHeader } = info;
  if (encoding !== undefined) checkText("encoding", encoding);
  if (userHeader === undefined) return { encoding, userHeader };
  if (!ArrayBuffer.isView(userHeader) || !(userHeader instanceof Uint8Array))
    refuse("userHeader", "a Uint8Array", userHeader);
  if (userHeader.byteLength > largestUserHeader) {
    refuseRange("userHeader", `at most ${largestUserHeader} bytes`, userHeader.byteLength);
  }
  return { encoding, userHeader };
}
