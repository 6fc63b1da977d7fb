// Waits in the way that its argument names, with nothing else to keep the process alive; leaves in order when it is over.
import { Publisher, Subscriber, wait } from "memlane";

const subscriber = new Subscriber("to/child", { depth: 1 });
const publisher = new Publisher("from/child");

const ways = {
  next: () => subscriber.next(),
  async loop() {
    for await (const sample of subscriber) return sample.keep();
  },
  wait: () => wait([subscriber]),
  peers: () => subscriber.waitForPublishers(2),
  async send() {
    publisher.send(new Uint8Array(1)); // fills the queue of the parent's subscriber, whose depth is 1
    await publisher.sendAsync(new Uint8Array(1));
  },
  async flush() {
    publisher.send(new Uint8Array(1));
    await publisher.flush();
  },
};

process.on("beforeExit", () => console.log("left"));
const waiting = ways[process.argv[2]]();
setImmediate(() => console.log("waiting"));
await waiting;
console.log("done");
