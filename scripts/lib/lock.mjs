// One setup at a time in one clone: a second one waits for the first, and then finds its work done.
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { root } from "./paths.mjs";

// A name in Linux's abstract socket namespace: the kernel gives it to one process at a time, and takes it back from one
// that dies. Elsewhere there is no such name, and who starts two setups at once has to wait for the first himself.
const name = `\0memlane-setup-${createHash("sha256").update(root).digest("hex").slice(0, 32)}`;

function tryTake() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}

/** Runs `work` while no other process of this clone does. */
export async function withLock(work) {
  if (process.platform !== "linux") return await work();
  let held = await tryTake();
  if (held === undefined) console.log("  waiting for another setup of this clone");
  while (held === undefined) {
    await sleep(200);
    held = await tryTake();
  }
  try {
    return await work();
  } finally {
    held.close();
  }
}
