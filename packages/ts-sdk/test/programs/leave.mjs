// Ends in the middle of everything, in the way that its argument names.
import { Publisher, Subscriber } from "memlane";

const publisher = new Publisher("leave", { history: 3 });
const subscriber = new Subscriber("leave");
const waiting = new Subscriber("leave/quiet");
for (let i = 0; i < 5; i += 1) publisher.send(new Uint8Array(100_000));
const held = [subscriber.take(), await subscriber.next()];
const loans = [publisher.loan(10), publisher.loan(1_000_000)];
globalThis.kept = [held.map((sample) => sample.data), loans.map((loan) => loan.data)];
const next = waiting.next();
const loop = (async () => {
  for await (const sample of waiting) sample.keep();
})();
globalThis.promises = [next, loop];

const ways = {
  exit: () => process.exit(3),
  exitLater: () => setTimeout(() => process.exit(3), 5),
  throw: () =>
    setImmediate(() => {
      throw new Error("on purpose");
    }),
  reject: () => void Promise.reject(new Error("on purpose")),
  close: () => waiting.close(),
};
ways[process.argv[2]]();
