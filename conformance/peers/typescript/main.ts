// The TypeScript peer as a process: steps come in as lines, replies go out as lines.
import { createInterface } from "node:readline";

import { Peer } from "./peer.js";

const peer = new Peer();
const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
for await (const line of lines) {
  const step = new URLSearchParams(line);
  const reply = await peer.execute(step);
  if (peer.isLeaving) break;
  reply.append("id", step.get("id") ?? "");
  process.stdout.write(`${reply.toString()}\n`);
}
// Nothing is closed: the process must be able to end all the same.
lines.close();
process.stdin.destroy();
