// What payloads hold, and how they are checked: the same as ../cpp/payload.hpp, which says why.
import { crc32 } from "node:zlib";

const period = 65521; // bytes

const pattern = (() => {
  const made = Buffer.alloc(period);
  let state = 0x9e3779b9;
  for (let i = 0; i < period; i++) {
    state ^= state << 13; // xorshift32
    state ^= state >>> 17;
    state ^= state << 5;
    made[i] = state >>> 24;
  }
  return made;
})();

/** Fills `bytes` with what belongs at position `at` of the endless pattern of `seed`. */
export function fill(bytes: Uint8Array, seed: number, at = 0): void {
  let position = (seed * 40503 + at) % period;
  for (let done = 0; done < bytes.length; position = 0) {
    const part = Math.min(bytes.length - done, period - position);
    bytes.set(pattern.subarray(position, position + part), done);
    done += part;
  }
}

const half = 2048; // bytes on either side of a window's middle

/** The parts of a payload that are filled and summed up, as [begin, end): see ../cpp/payload.hpp. */
function windows(size: number, stride: number): [number, number][] {
  if (stride === 0) return size === 0 ? [] : [[0, size]];
  const all: [number, number][] = [];
  let done = 0;
  const add = (begin: number, end: number) => {
    if (begin < end) all.push([begin, end]);
    done = Math.max(done, end);
  };
  for (let middle = 0; middle <= size; middle += stride) {
    add(Math.max(done, middle - half), Math.min(size, middle + half));
  }
  add(Math.max(done, size - half), size);
  return all;
}

export function write(bytes: Uint8Array, seed: number, stride: number): void {
  for (const [begin, end] of windows(bytes.length, stride)) fill(bytes.subarray(begin, end), seed, begin);
}

/** The CRC-32 of the windows of a payload, continued from the sum of what came before. */
export function sumUp(bytes: Uint8Array, stride: number, before = 0): number {
  return windows(bytes.length, stride).reduce((sum, [begin, end]) => crc32(bytes.subarray(begin, end), sum), before);
}

/** What `sumUp` gives for a payload that was written as it should be: without the memory of a whole payload. */
export function expectedSum(size: number, seed: number, stride: number, before = 0): number {
  const buffer = Buffer.allocUnsafe(Math.min(size, 16 * period));
  let sum = before;
  for (const [begin, end] of windows(size, stride)) {
    for (let at = begin; at < end; at += buffer.length) {
      const part = buffer.subarray(0, Math.min(buffer.length, end - at));
      fill(part, seed, at);
      sum = crc32(part, sum);
    }
  }
  return sum;
}
