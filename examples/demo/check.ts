// The demo's checker: receives originals and results at the same time, computes every frame's checksum, and holds it
// against what the frame's maker computed; and looks whether each frame came, once, in order, and each result belongs to
// its original. Says on the standard output what it finds, one JSON object a line.
import { crc32 } from "node:zlib";

import { Subscriber, type Sample } from "memlane";

import { type FrameHeader, readFrameHeader } from "./frame-header.js";

// This program does not outlive the one that started it, which holds the other end of its standard input.
process.stdin.on("end", () => process.exit(1)).resume();

const tell = (facts: object): void => void process.stdout.write(`${JSON.stringify(facts)}\n`);

/** The frames of one lane: each must follow on the one before. */
class Stream {
  readonly headers = new Map<number, FrameHeader>();
  bytes = 0;
  #last = 0;
  #sequence = 0n;

  constructor(private readonly name: string) {}

  accept(sample: Sample): void {
    const header = readFrameHeader(sample.userHeader);
    if (header.number !== this.#last + 1) {
      tell({ problem: `${this.name}: after frame ${this.#last} came frame ${header.number}` });
    }
    if (sample.sequence !== this.#sequence + 1n) {
      tell({ problem: `${this.name}: after sample ${this.#sequence} of the lane came sample ${sample.sequence}` });
    }
    if (crc32(sample.bytes) !== header.checksum) {
      tell({ problem: `${this.name}: frame ${header.number} is not what was sent` });
    }
    this.#last = header.number;
    this.#sequence = sample.sequence;
    this.headers.set(header.number, header);
    this.bytes += sample.bytes.byteLength;
  }
}

const originals = new Stream("originals");
const results = new Stream("results");

async function listen(lane: string, stream: Stream): Promise<void> {
  using subscriber = new Subscriber(lane, { depth: 4, label: "checker" });
  for await (const sample of subscriber.samples({ untilIdle: true })) {
    stream.accept(sample);
    tell({ originals: originals.headers.size, results: results.headers.size });
  }
}

await Promise.all([listen("demo/results", results), listen("demo/frames", originals)]);

for (const [number, { originalChecksum }] of results.headers) {
  if (originals.headers.get(number)?.checksum !== originalChecksum) {
    tell({ problem: `results: frame ${number} was not made from the original of that number` });
  }
}
tell({
  checked: { originals: originals.headers.size, results: results.headers.size, bytes: originals.bytes + results.bytes },
});
process.stdin.destroy();
