// The TypeScript peer of the conformance suite, which also does the step `end`: it leaves in the middle of things.
import { createInterface } from "node:readline";

import { Peer } from "../../conformance/dist/peer.js";

const ends = {
  return: () => undefined,
  "process.exit": () => process.exit(0),
  "process.exit in beforeExit": () => process.on("beforeExit", () => process.exit(0)),
  "process.reallyExit": () => process.reallyExit(0),
  "process.abort": () => process.abort(),
  SIGTERM: () => process.kill(process.pid, "SIGTERM"),
  SIGINT: () => process.kill(process.pid, "SIGINT"),
  exception: () => {
    setImmediate(() => {
      throw new Error("an exception that nobody catches");
    });
  },
  rejection: () => {
    void Promise.reject(new Error("a rejection that nobody handles"));
  },
};

const peer = new Peer();
const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
for await (const line of lines) {
  const step = new URLSearchParams(line);
  if (step.get("do") === "end") {
    ends[step.get("how")]();
    break;
  }
  const reply = await peer.execute(step);
  reply.append("id", step.get("id") ?? "");
  process.stdout.write(`${reply.toString()}\n`);
}
lines.close();
process.stdin.destroy();
