// Lanes between the threads of one process. The first argument names the scenario.
import { readFileSync, readdirSync } from "node:fs";
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { MemlaneError, Publisher, Subscriber } from "memlane";

const start = async (role) => {
  const worker = new Worker(new URL(import.meta.url), { workerData: role });
  await once(worker, "message"); // it is ready
  return worker;
};
const ready = () => parentPort.postMessage("ready");

/** Waits until a thread of this process sleeps in ppoll (the number of that call on x64, arm64), as only a blocked send does. */
const untilBlocked = async () => {
  const sleeps = (thread) => {
    try {
      return /^(271|73) /.test(readFileSync(`/proc/self/task/${thread}/syscall`, "utf8"));
    } catch {
      return false; // the thread has ended meanwhile
    }
  };
  while (!readdirSync("/proc/self/task").some(sleeps)) await new Promise(setImmediate);
};

const roles = {
  /** Sends back what it gets, and ends when there is nobody left. */
  async echo() {
    const subscriber = new Subscriber("to/workers", { depth: 4 });
    const publisher = new Publisher("from/workers");
    ready();
    for await (const sample of subscriber.samples({ untilIdle: true })) {
      await publisher.sendAsync(sample.data);
    }
    await publisher.flush();
    publisher.close();
    subscriber.close();
  },
  /** Holds whatever there is to hold, for ever. */
  async hold() {
    const subscriber = new Subscriber("to/workers");
    const publisher = new Publisher("from/workers");
    globalThis.held = [publisher.loan(10), publisher.loan(100_000).data, subscriber, publisher];
    ready();
    void subscriber.next({ timeout: 3_600_000 });
    for await (const sample of subscriber) globalThis.held.push(sample.keep().data);
  },
  /** Blocks its thread in a send that nobody makes room for. */
  blocked() {
    const publisher = new Publisher("blocked");
    publisher.send(new Uint8Array(1));
    ready();
    try {
      publisher.send(new Uint8Array(1));
    } finally {
      console.log("must not be reached");
    }
  },
  /** Does everything, all the time. */
  async busy() {
    ready();
    for (;;) {
      const subscriber = new Subscriber("busy", { depth: 4, overflow: "drop-oldest" });
      const publisher = new Publisher("busy", { history: 2 });
      const next = subscriber.next();
      for (let i = 0; i < 20; i += 1) {
        publisher.send(new Uint8Array(100), { encoding: "x" });
        const loan = publisher.loan([100, 10], "float64");
        loan.data[0] = i;
        if (i % 3 === 0) loan.giveUp();
        else await publisher.sendAsync(loan);
        const sample = i % 2 === 0 ? subscriber.take() : await subscriber.next({ timeout: 1 });
        if (sample?.data.length === 0) throw new Error("an empty sample");
        if (i % 5 !== 0) sample?.release();
        try {
          publisher.loan(-1);
        } catch (error) {
          if (error.code !== "out-of-range") throw error;
        }
      }
      (await next)?.release();
      publisher.close();
      subscriber.close();
    }
  },
  /** Takes without an event loop's help. */
  drain() {
    const subscriber = new Subscriber("drain", { depth: 1 });
    ready();
    let taken = 0;
    const poll = () => {
      for (let sample = subscriber.take(); sample; sample = subscriber.take()) {
        sample.release();
        taken += 1;
      }
      if (taken < 500) setImmediate(poll);
      else subscriber.close();
    };
    poll();
  },
};

const scenarios = {
  async exchange() {
    const workers = await Promise.all([1, 2, 3, 4].map(() => start("echo")));
    const subscriber = new Subscriber("from/workers");
    const publisher = new Publisher("to/workers");
    const done = (async () => {
      const seen = new Map();
      for await (const sample of subscriber.samples({ untilIdle: true })) {
        const values = seen.get(sample.sender.id) ?? [];
        values.push(sample.data[0]);
        seen.set(sample.sender.id, values);
      }
      return [...seen.values()];
    })();
    for (let i = 0; i < 200; i += 1) await publisher.sendAsync(Float64Array.of(i, i));
    publisher.close();
    const seen = await done;
    const inOrder = seen.every((values) => values.length === 200 && values.every((value, i) => value === i));
    console.log(`${seen.length} workers, ${inOrder ? "all in order" : "disorder"}`);
    await Promise.all(workers.map((worker) => worker.threadId === -1 || once(worker, "exit")));
  },
  async terminate() {
    const publisher = new Publisher("to/workers");
    const open = () => readdirSync("/proc/self/fd").length;
    let before;
    for (let round = 0; round < 6; round += 1) {
      const workers = await Promise.all([1, 2, 3].map(() => start("hold")));
      for (let i = 0; i < 5; i += 1) publisher.send(new Uint8Array(50_000));
      await publisher.waitForSubscribers(3);
      while (publisher.stats().waiting < 15) await new Promise(setImmediate);
      await Promise.all(workers.map((worker) => worker.terminate()));
      if (!(await publisher.flush({ timeout: 10_000 }))) console.log("samples of a worker that is gone are still held");
      before ??= open();
    }
    console.log(open() - before <= 2 ? "no descriptors lost" : `${open() - before} descriptors lost`);
    console.log(`${publisher.stats().peers} peers`);
  },
  async storm(count = 40) {
    const terminate = async () => {
      const worker = await start("busy");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      await worker.terminate();
    };
    for (let i = 0; i < count; i += 4) await Promise.all([1, 2, 3, 4].map(terminate));
    console.log("over");
  },
  async exit() {
    await Promise.all([1, 2].map(() => start("hold")));
    new Publisher("to/workers").send(new Uint8Array(50_000));
    process.exit(0);
  },
  async blocked() {
    globalThis.subscriber = new Subscriber("blocked", { depth: 1 });
    const worker = await start("blocked");
    await untilBlocked();
    console.log(`ended with ${await worker.terminate()}`);
  },
  async blockedExit() {
    globalThis.subscriber = new Subscriber("blocked", { depth: 1 });
    await start("blocked");
    await untilBlocked();
    process.exit(0);
  },
  async blockMain() {
    const worker = await start("drain");
    const publisher = new Publisher("drain");
    for (let i = 0; i < 500; i += 1) publisher.send(Uint8Array.of(1)); // waits in this thread for the other
    console.log(`sent ${publisher.stats().sent}`);
    await once(worker, "exit");
    try {
      new Subscriber("drain", { depth: 1 });
      publisher.send(Uint8Array.of(1));
      publisher.send(Uint8Array.of(1));
    } catch (error) {
      console.log(error instanceof MemlaneError ? error.code : error);
    }
  },
};

if (isMainThread) await scenarios[process.argv[2]](Number(process.argv[3] ?? 40));
else await roles[workerData]();
