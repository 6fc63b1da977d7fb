// What was sent: entered before it is, so that whatever a subscriber reports can be held against it, down to the bytes.
import { readFileSync } from "node:fs";

import { crc32 } from "node:zlib";

import type { Form } from "../peers/typescript/form.js";
import { expectedSum } from "../peers/typescript/payload.js";

export interface Sent {
  readonly sequence: number;
  readonly bytes: number;
  readonly dtypes: readonly string[]; // the first is the one that was asked for
  readonly shape: readonly string[];
  readonly encoding: string;
  readonly header: string;
  /** The CRC-32 of the payload, continued from `before`. */
  readonly crc: (before?: number) => number;
}

interface Port {
  readonly pid: number;
  readonly ordinal: number;
  readonly sent: Sent[];
  loans: number;
  cell: number; // how many had been sent when the cell began
}

// The bits of one round of elements, as they lie in memory: see ../peers/cpp/elements.hpp.
const elements = JSON.parse(readFileSync(new URL("../scenarios/elements.json", import.meta.url), "utf8")) as Record<
  string,
  string
>;

/** An array's bytes. */
function bytesOf(dtype: string, shape: readonly number[]): Buffer {
  const round = Buffer.from((elements[dtype] ?? "").replaceAll(" ", ""), "hex");
  const size = (round.length / 11) * shape.reduce((product, extent) => product * extent, 1);
  return Buffer.alloc(size, round);
}

const sums = new Map<string, number>();

/** The CRC-32 of a payload, remembered, since the same payloads come again in every column. */
function sumOf(bytes: number, seed: number, stride: number): number {
  const key = `${bytes} ${seed} ${stride}`;
  const known = sums.get(key) ?? expectedSum(bytes, seed, stride);
  sums.set(key, known);
  return known;
}

export class Ledger {
  readonly #ports = new Map<string, Port>();

  open(label: string, pid: number): void {
    this.#ports.set(label, { pid, ordinal: this.#ports.size, sent: [], loans: 0, cell: 0 });
  }

  /** Only what is sent from now on counts as "all". */
  beginCell(): void {
    for (const port of this.#ports.values()) port.cell = port.sent.length;
  }

  /** The process behind a label. */
  pid(label: string): number {
    return this.#port(label).pid;
  }

  has(label: string): boolean {
    return this.#ports.has(label);
  }

  #port(label: string): Port {
    const port = this.#ports.get(label);
    if (port === undefined) throw new Error(`the scenario means a publisher that is not there: ${label}`);
    return port;
  }

  /** The seed for the next loan that is filled before it is sent. */
  seedForLoan(label: string): number {
    const port = this.#port(label);
    return port.ordinal * 1_000_003 + 500_000 + ++port.loans;
  }

  /** The seed for the next sample that is sent; the one after it has the next number. */
  seed(label: string): number {
    const port = this.#port(label);
    return port.ordinal * 1_000_003 + port.sent.length + 1;
  }

  /** Enters what a `send` is going to send. Returns what takes back all but the first `sent`, for one that failed. */
  plan(label: string, step: Form): (sent: number) => void {
    const port = this.#port(label);
    const before = port.sent.length;
    const sizes = step.getAll("bytes").map(Number);
    const count = Number(step.get("count") ?? Math.max(1, sizes.length));
    const seed = Number(step.get("seed") ?? 0);
    for (let i = 0; i < count; i++)
      port.sent.push(this.#sent(before + i + 1, sizes[i % sizes.length] ?? 0, seed + i, step));
    return (sent) => {
      port.sent.length = before + sent;
    };
  }

  #sent(sequence: number, bytes: number, seed: number, step: Form): Sent {
    const { encoding, header, dtype } = {
      encoding: step.get("encoding") ?? "",
      header: step.get("header") ?? "",
      dtype: step.get("dtype"),
    };
    const meta = { sequence, encoding, header };
    if (dtype !== null) {
      const data = bytesOf(dtype, step.getAll("shape").map(Number));
      const shape = step.getAll("shape");
      return { ...meta, bytes: data.length, dtypes: [dtype], shape, crc: (sum = 0) => crc32(data, sum) };
    }
    const stride = Number(step.get("stride") ?? 0);
    const crc = (sum = 0) => (sum === 0 ? sumOf(bytes, seed, stride) : expectedSum(bytes, seed, stride, sum));
    // A copy of an array of bytes is an array of uint8 where the language tells one from the other.
    const dtypes = step.get("how") === "copy" ? ["bytes", "uint8"] : ["bytes"];
    return { ...meta, bytes, dtypes, shape: [`${bytes}`], crc };
  }

  /** What a port has sent in this cell, or those of it with the sequence numbers of `range`. */
  sent(label: string, range: "all" | readonly [number, number]): Sent[] {
    const { sent, cell } = this.#port(label);
    if (range === "all") return sent.slice(cell);
    return sent.filter(({ sequence }) => sequence >= range[0] && sequence <= range[1]);
  }
}
