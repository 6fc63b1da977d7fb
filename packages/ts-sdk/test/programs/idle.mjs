// Ports that have waited, and wait no more: the process must end by itself.
import { Publisher, Subscriber } from "memlane";

const publisher = new Publisher("idle");
const subscriber = new Subscriber("idle");
await publisher.waitForSubscribers();
await subscriber.next({ timeout: 1 });
publisher.send(new Uint8Array(10));
(await subscriber.next()).release();
await publisher.flush();
console.log("idle");
