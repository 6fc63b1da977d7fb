// The visitor of visitor.cpp in JavaScript: the same commands and answers.
import { createInterface } from "node:readline";

import { MemlaneError, Publisher, Subscriber } from "../../packages/ts-sdk/dist/index.mjs";

const timeout = 30_000;
let publisher;
let subscriber;
let sample;

const pattern = (size, seed) => Uint8Array.from({ length: size }, (_, i) => (Number(seed) + i) % 251);
const options = (directory, group) => ({
  ...(directory === "-" ? {} : { directory }),
  ...(group === "-" ? {} : { group }),
});

function check(seed) {
  if (sample === undefined) throw new Error("no sample came");
  if (Buffer.compare(sample.data, pattern(sample.data.length, seed)) !== 0) {
    throw new Error("the sample is not as it was sent");
  }
}

const verbs = {
  become: (user, group, groups) => {
    process.setgroups(groups === "-" ? [] : groups.split(",").map(Number));
    process.setgid(Number(group));
    process.setuid(Number(user));
  },
  umask: (mask) => {
    process.umask(parseInt(mask, 8));
  },
  pub: (lane, directory, group) => {
    // By number as a number, since that is how JavaScript says it.
    const named = /^\d+$/.test(group) ? Number(group) : group;
    publisher = new Publisher(lane, { history: 1, ...options(directory, named) });
  },
  sub: (lane, directory, group) => {
    subscriber = new Subscriber(lane, options(directory, group));
  },
  peers: async (count) => {
    const reached = publisher?.waitForSubscribers(Number(count), { timeout });
    return (await (reached ?? subscriber.waitForPublishers(Number(count), { timeout }))) ? "yes" : "no";
  },
  send: (size, seed) => publisher.send(pattern(Number(size), seed)),
  take: async (seed) => {
    sample = await subscriber.next({ timeout });
    check(seed);
    return sample.data.length;
  },
  check,
  // As a stray write would: into the array that the sample gave out.
  scribble: () => sample.data.fill(0xee),
  read: () => sample.data[0],
  release: () => sample.release(),
  close: () => {
    sample?.release();
    publisher?.close();
    subscriber?.close();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...words] = line.split(" ");
  try {
    const value = await verbs[verb](...words);
    console.log(`ok ${typeof value === "object" ? "" : (value ?? "")}`);
  } catch (error) {
    console.log(`error ${error instanceof MemlaneError ? error.code : "unexpected"}: ${error.message}`);
  }
}
