// The answering side of the round trip, in TypeScript. What payloads and answers hold: common/payload.hpp.
import { Publisher, Subscriber, type Sample } from "memlane";

import { isEnd, isWhole, looksAtAll, words } from "../common/payload.js";

const spins = process.argv.includes("spin");

using ping = new Subscriber("bench/ping");
using pong = new Publisher("bench/pong");
const answer = new Uint32Array(2);

/** Returns false at the end. */
function respond(sample: Sample): boolean {
  const header = sample.userHeader;
  if (isEnd(header)) {
    sample.release();
    return false;
  }
  const payload = words(sample.bytes);
  answer[0] = payload[0] ?? 0;
  answer[1] = payload[payload.length - 1] ?? 0;
  if (looksAtAll(header) && !isWhole(payload)) answer[1] = 0;
  sample.release();
  pong.send(answer);
  return true;
}

await ping.waitForPublishers(1, { timeout: 20_000 });
if (spins) {
  for (let more = true; more;) {
    const sample = ping.take();
    if (sample !== undefined) more = respond(sample);
  }
} else {
  for await (const sample of ping.samples({ untilIdle: true })) {
    if (!respond(sample)) break;
  }
}
