// The counting side of the throughput, in TypeScript. What payloads and counts hold: common/payload.hpp.
import { Publisher, Subscriber } from "memlane";

import { isEnd, words } from "../common/payload.js";

using stream = new Subscriber("bench/stream", { depth: 1024 });
using counts = new Publisher("bench/counts");

await stream.waitForPublishers(1, { timeout: 20_000 });
let good = 0;
for await (const sample of stream.samples({ untilIdle: true })) {
  const header = sample.userHeader;
  if (isEnd(header)) break;
  const payload = words(sample.bytes);
  const number = payload[0] ?? 0;
  if (number === good + 1 && payload[payload.length - 1] === ~number >>> 0) good = number;
  if (header.length !== 0) {
    counts.send(Uint32Array.of(good, ~good));
    good = 0;
  }
}
