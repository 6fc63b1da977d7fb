// The SDK twice in one process, as ES module and as CommonJS: an error of one is an error of the other.
import { createRequire } from "node:module";

import * as esm from "memlane";

const cjs = createRequire(import.meta.url)("memlane");

const check = (what, holds) => console.log(`${what}: ${holds ? "yes" : "NO"}`);
check("two copies", esm.Publisher !== cjs.Publisher);
check("with the same names", Object.keys(esm).sort().join() === Object.keys(cjs).sort().join());
const publisher = new esm.Publisher("reload");
const subscriber = new cjs.Subscriber("reload");
publisher.send(Uint8Array.of(5));
const sample = await subscriber.next();
check("exchange", sample.data[0] === 5);
sample.release();
subscriber.close();
try {
  subscriber.take();
} catch (error) {
  check("and know each other's errors", error instanceof esm.MemlaneError && error instanceof cjs.MemlaneError);
}
