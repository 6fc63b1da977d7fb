// What payloads hold, as common/payload.hpp says it, for the peers in TypeScript.

const whole = "w".charCodeAt(0);
const end = "e".charCodeAt(0);

export const looksAtAll = (header: Uint8Array): boolean => header[0] === whole;
export const isEnd = (header: Uint8Array): boolean => header[0] === end;

/** The payload as 32-bit words, where it lies. */
export const words = (bytes: Uint8Array): Uint32Array =>
  new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

/** Whether every word between the ends is its own index. */
export function isWhole(payload: Uint32Array): boolean {
  for (let i = 1; i < payload.length - 1; i++) {
    if (payload[i] !== i) return false;
  }
  return true;
}
