import { getEventListeners } from "node:events";
import { closeSync, constants, openSync, readSync } from "node:fs";

import { describe, expect, jest, test } from "@jest/globals";

import { wait, type Publisher, type Sample, type Subscriber } from "../src/index.js";
import { caught, caughtMemlane, codeOf } from "./support/caught.js";
import { eventually, patience } from "./support/eventually.js";
import { useLanes } from "./support/lanes.js";

const lanes = useLanes();

const valueOf = (sample: Sample | undefined): unknown => {
  const value = sample?.data[0];
  sample?.release();
  return value;
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Counts the timers that are started while `run` runs, and those that are ended early. */
async function timersOf(run: () => Promise<void>): Promise<{ started: number; ended: number }> {
  const start = jest.spyOn(globalThis, "setTimeout");
  const interval = jest.spyOn(globalThis, "setInterval");
  const end = jest.spyOn(globalThis, "clearTimeout");
  try {
    await run();
    expect(interval).not.toHaveBeenCalled();
    return { started: start.mock.calls.length, ended: end.mock.calls.length };
  } finally {
    jest.restoreAllMocks();
  }
}

describe("next", () => {
  test("has what is there already", async () => {
    const subscriber = lanes.subscriber();
    lanes.publisher().send(Uint8Array.of(5));
    expect(valueOf(await subscriber.next())).toBe(5);
  });

  test("waits for what comes, any number of times, with no timer", async () => {
    const subscriber = lanes.subscriber();
    const publisher = lanes.publisher();
    const { started } = await timersOf(async () => {
      for (let i = 0; i < 200; i += 1) {
        const next = subscriber.next();
        await turn();
        publisher.send(Uint8Array.of(i));
        expect(valueOf(await next)).toBe(i);
      }
    });
    expect(started).toBe(0);
  });

  test("several at once are served in their order", async () => {
    const subscriber = lanes.subscriber();
    const publisher = lanes.publisher();
    const nexts = [subscriber.next(), subscriber.next(), subscriber.next()];
    await turn();
    for (const i of [1, 2, 3, 4]) publisher.send(Uint8Array.of(i));
    nexts.push(subscriber.next()); // must not get ahead of those before
    expect((await Promise.all(nexts)).map(valueOf)).toEqual([1, 2, 3, 4]);
  });

  test("with a timeout of 0 only looks", async () => {
    const subscriber = lanes.subscriber();
    expect(await subscriber.next({ timeout: 0 })).toBeUndefined();
    lanes.publisher().send(Uint8Array.of(1));
    expect(valueOf(await subscriber.next({ timeout: 0 }))).toBe(1);
  });

  test("with a timeout gives up, and leaves the next sample to who comes after", async () => {
    const subscriber = lanes.subscriber();
    const begin = performance.now();
    expect(await subscriber.next({ timeout: 20 })).toBeUndefined();
    expect(performance.now() - begin).toBeGreaterThan(18);
    lanes.publisher().send(Uint8Array.of(1));
    expect(valueOf(await subscriber.next({ timeout: patience }))).toBe(1);
  });

  test("with a timeout longer than a timer of Node waits", async () => {
    const subscriber = lanes.subscriber();
    const next = subscriber.next({ timeout: 2 ** 40 });
    await turn();
    lanes.publisher().send(Uint8Array.of(1));
    expect(valueOf(await next)).toBe(1);
  });

  test("leaves no timer behind when it has a sample", async () => {
    const subscriber = lanes.subscriber();
    const timers = await timersOf(async () => {
      const next = subscriber.next({ timeout: patience });
      lanes.publisher().send(Uint8Array.of(1));
      valueOf(await next);
    });
    expect(timers).toEqual({ started: 1, ended: 1 });
  });

  test("lets the rest of the program run, however much there is to take", async () => {
    const subscriber = lanes.subscriber();
    const publisher = lanes.publisher();
    let turns = 0;
    const count = (): void => {
      turns += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    for (let i = 0; i < 1000; i += 1) {
      publisher.send(Uint8Array.of(1));
      valueOf(await subscriber.next());
    }
    for (let i = 0; i < 1000; i += 1) await subscriber.next({ timeout: 0 });
    clearImmediate(immediate);
    expect(turns).toBeGreaterThan(20);
  });

  test("is undefined if the port is closed meanwhile", async () => {
    const subscriber = lanes.subscriber();
    const nexts = [subscriber.next(), subscriber.next({ timeout: patience })];
    await turn();
    subscriber.close();
    expect(await Promise.all(nexts)).toEqual([undefined, undefined]);
    expect(await codeOf(() => subscriber.next())).toBe("closed");
  });
});

describe("a signal", () => {
  test("that was given already rejects at once, and takes nothing", async () => {
    const subscriber = lanes.subscriber();
    lanes.publisher().send(Uint8Array.of(1));
    const reason = new Error("enough");
    expect(await caught(() => subscriber.next({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(valueOf(subscriber.take())).toBe(1);
  });

  test("ends a wait with its reason, and the wait lets go of it", async () => {
    const subscriber = lanes.subscriber();
    const controller = new AbortController();
    const next = subscriber.next({ signal: controller.signal });
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort();
    expect((await caught(() => next)).name).toBe("AbortError");
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test.each<[string, (subscriber: Subscriber, publisher: Publisher) => void]>([
    ["a sample", (_, publisher) => publisher.send(Uint8Array.of(1))],
    ["the end of the time", () => undefined],
    [
      "close",
      (subscriber) => {
        subscriber.close();
      },
    ],
  ])("is let go of after %s", async (_, end) => {
    const subscriber = lanes.subscriber();
    const publisher = lanes.publisher();
    const { signal } = new AbortController();
    const next = subscriber.next({ signal, timeout: 50 });
    end(subscriber, publisher);
    valueOf(await next);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("may be one with a timeout", async () => {
    const subscriber = lanes.subscriber();
    expect((await caught(() => subscriber.next({ signal: AbortSignal.timeout(10) }))).name).toBe("TimeoutError");
  });

  test("that comes after the sample changes nothing", async () => {
    const subscriber = lanes.subscriber();
    const controller = new AbortController();
    const next = subscriber.next({ signal: controller.signal });
    lanes.publisher().send(Uint8Array.of(3));
    const sample = await next;
    controller.abort();
    expect(valueOf(sample)).toBe(3);
  });
});

describe("sendAsync", () => {
  const fillOne = () => {
    const subscriber = lanes.subscriber({ depth: 1, label: "slow" });
    const publisher = lanes.publisher();
    publisher.send(Uint8Array.of(0));
    return { subscriber, publisher };
  };

  test("sends at once if there is room", async () => {
    const subscriber = lanes.subscriber();
    expect(await lanes.publisher().sendAsync(Uint8Array.of(1))).toBe(1);
    expect(valueOf(subscriber.take())).toBe(1);
  });

  test("waits for room, in the order of the calls", async () => {
    const { subscriber, publisher } = fillOne();
    const sends = [1, 2, 3].map((i) => publisher.sendAsync(Uint8Array.of(i)));
    for (const i of [0, 1, 2, 3]) expect(valueOf(await subscriber.next({ timeout: patience }))).toBe(i);
    expect(await Promise.all(sends)).toEqual([1, 1, 1]);
  });

  test("copies before it returns", async () => {
    const { subscriber, publisher } = fillOne();
    const data = Uint8Array.of(1);
    const send = publisher.sendAsync(data);
    data[0] = 99;
    valueOf(subscriber.take());
    await send;
    expect(valueOf(subscriber.take())).toBe(1);
  });

  test("sends a loan, which is as before if that fails", async () => {
    const { subscriber, publisher } = fillOne();
    const loan = publisher.loan(1);
    const { data } = loan;
    data[0] = 7;
    expect(await codeOf(() => publisher.sendAsync(loan, { timeout: 10 }))).toBe("timeout");
    expect([data.length, loan.data[0]]).toEqual([1, 7]);
    const send = publisher.sendAsync(loan);
    valueOf(subscriber.take());
    expect(await send).toBe(1);
    expect(data).toHaveLength(0);
    expect(valueOf(subscriber.take())).toBe(7);
  });

  test("names who it waited for when the time is over, and gives the memory back", async () => {
    const { publisher } = fillOne();
    const { bytes } = publisher.stats();
    for (let i = 0; i < 100; i += 1) await caught(() => publisher.sendAsync(new Uint8Array(1000), { timeout: 0 }));
    const error = await caughtMemlane(() => publisher.sendAsync(Uint8Array.of(1), { timeout: 10 }));
    expect([error.code, error.lane]).toEqual(["timeout", "lane"]);
    expect(error.message).toContain(`process ${process.pid} ("slow")`);
    expect(publisher.stats().bytes).toBeLessThanOrEqual(bytes + 65536);
  });

  test("takes the publisher's own timeout if none is given", async () => {
    lanes.subscriber({ depth: 1 });
    const publisher = lanes.publisher({ sendTimeout: 10 });
    publisher.send(new Uint8Array(1));
    expect(await codeOf(() => publisher.sendAsync(new Uint8Array(1)))).toBe("timeout");
  });

  test("is rejected when the publisher is closed, or the signal comes", async () => {
    const { publisher } = fillOne();
    const controller = new AbortController();
    const aborted = publisher.sendAsync(Uint8Array.of(1), { signal: controller.signal });
    const pending = publisher.sendAsync(Uint8Array.of(2));
    controller.abort();
    expect((await caught(() => aborted)).name).toBe("AbortError");
    publisher.close();
    const error = await caughtMemlane(() => pending);
    expect([error.code, error.lane]).toEqual(["closed", "lane"]);
    expect(error.stack).toContain("waiting.test.ts"); // where the call was made, and not the event loop
  });

  test("does not wait for a subscriber that asked for failure", async () => {
    lanes.subscriber({ depth: 1, overflow: "fail" });
    const publisher = lanes.publisher();
    publisher.send(new Uint8Array(1));
    expect(await codeOf(() => publisher.sendAsync(new Uint8Array(1)))).toBe("queue-full");
  });
});

test("an error that is found on the event loop shows who waited", async () => {
  const slow = lanes.subscriber({ depth: 1 });
  const publisher = lanes.publisher({ history: 1 });
  publisher.send(new Uint8Array(1));
  const whoWaits = async (): Promise<number> => await publisher.sendAsync(new Uint8Array(1));
  const sent = whoWaits();
  await turn();
  const strict = lanes.subscriber({ depth: 1, overflow: "fail" }); // full at once, of the history
  const error = await caughtMemlane(() => sent);
  expect(error.code).toBe("queue-full");
  expect(error.stack).toMatch(/^MemlaneError: the queue of/);
  expect(error.stack).toContain("whoWaits");
  for (const subscriber of [slow, strict]) valueOf(subscriber.take());
});

describe("a send that does not wait", () => {
  test.each(["block", "fail"] as const)("says so if a queue is full (%s)", (overflow) => {
    const subscriber = lanes.subscriber({ depth: 1, overflow });
    const publisher = lanes.publisher();
    expect(publisher.trySend(Uint8Array.of(1))).toBe(1);
    expect(publisher.trySend(Uint8Array.of(2))).toBeUndefined();
    const loan = publisher.loan(1);
    expect(publisher.trySend(loan)).toBeUndefined();
    valueOf(subscriber.take());
    expect(publisher.trySend(loan)).toBe(1);
    valueOf(subscriber.take());
  });
});

describe("a send that blocks", () => {
  test("gives up after the send timeout", async () => {
    lanes.subscriber({ depth: 1 });
    const publisher = lanes.publisher({ sendTimeout: 20 });
    publisher.send(new Uint8Array(1));
    const begin = performance.now();
    expect(await codeOf(() => publisher.send(new Uint8Array(1)))).toBe("timeout");
    expect(performance.now() - begin).toBeGreaterThan(18);
  });

  test("does not wait for ever for its own thread", async () => {
    const subscriber = lanes.subscriber({ depth: 1 });
    const publisher = lanes.publisher();
    publisher.send(Uint8Array.of(1));
    expect(await codeOf(() => publisher.send(Uint8Array.of(2)))).toBe("deadlock");
    const loan = publisher.loan(1);
    expect(await codeOf(() => loan.send())).toBe("deadlock");
    loan.giveUp();
    expect([valueOf(subscriber.take()), subscriber.take()]).toEqual([1, undefined]);
  });
});

describe("waiting for peers", () => {
  test("ends when they are there", async () => {
    const publisher = lanes.publisher();
    expect(await publisher.waitForSubscribers(1, { timeout: 5 })).toBe(false);
    const both = publisher.waitForSubscribers(2);
    const subscriber = lanes.subscriber();
    expect(await subscriber.waitForPublishers(1, { timeout: patience })).toBe(true);
    lanes.subscriber();
    expect(await both).toBe(true);
    expect(await publisher.waitForSubscribers(0, { timeout: 0 })).toBe(true);
  });

  test("is rejected when the port is closed", async () => {
    const publisher = lanes.publisher();
    const waiting = publisher.waitForSubscribers();
    await turn();
    publisher.close();
    expect(await codeOf(() => waiting)).toBe("closed");
  });
});

describe("flush", () => {
  test("ends when everything was taken and released", async () => {
    const subscriber = lanes.subscriber();
    const publisher = lanes.publisher();
    expect(await publisher.flush()).toBe(true);
    publisher.send(new Uint8Array(1));
    expect(await publisher.flush({ timeout: 5 })).toBe(false);
    const flushed = publisher.flush({ timeout: patience });
    const sample = await subscriber.next();
    await turn();
    sample?.release();
    expect(await flushed).toBe(true);
  });

  test("is woken beside a send that waits for room, whichever comes first", async () => {
    const subscriber = lanes.subscriber({ depth: 1 });
    const publisher = lanes.publisher();
    for (let i = 0; i < 100; i += 1) {
      publisher.send(Uint8Array.of(1));
      const flushed = publisher.flush({ timeout: patience });
      const sent = publisher.sendAsync(Uint8Array.of(2), { timeout: patience });
      await turn();
      valueOf(await subscriber.next());
      expect(await sent).toBe(1);
      valueOf(await subscriber.next());
      expect(await flushed).toBe(true);
    }
  });
});

describe("wait", () => {
  test("returns the ports that are ready", async () => {
    const [first, second] = [lanes.subscriber({}, "1"), lanes.subscriber({}, "2")];
    const full = lanes.publisher({}, "3");
    const slow = lanes.subscriber({ depth: 1 }, "3");
    full.send(Uint8Array.of(1));
    expect(await wait([first, second, full], { timeout: 5 })).toEqual([]);
    const waiting = wait([first, second, full], { timeout: patience });
    await turn();
    lanes.publisher({}, "2").send(Uint8Array.of(1));
    expect(await waiting).toEqual([second]);
    valueOf(slow.take());
    expect(await wait([first, second, full])).toEqual([second, full]);
    valueOf(second.take());
  });

  test("wakes again and again", async () => {
    const subscribers = [lanes.subscriber({}, "1"), lanes.subscriber({}, "2")];
    const publishers = [lanes.publisher({}, "1"), lanes.publisher({}, "2")];
    for (let i = 0; i < 200; i += 1) {
      const waiting = wait(subscribers, { timeout: patience });
      await turn();
      publishers[i % 2]?.send(Uint8Array.of(i));
      const ready = await waiting;
      expect(ready).toEqual([subscribers[i % 2]]);
      expect(valueOf(ready[0]?.take())).toBe(i);
    }
  });

  test("has nothing to wait for without ports", async () => {
    expect(await wait([], { timeout: 0 })).toEqual([]);
    const begin = performance.now();
    expect(await wait([], { timeout: 20 })).toEqual([]);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(19);
    expect(await codeOf(() => wait([]))).toBe("invalid-argument");
    expect((await caught(() => wait([], { signal: AbortSignal.abort() }))).name).toBe("AbortError");
    const controller = new AbortController();
    const waiting = wait([], { timeout: patience, signal: controller.signal });
    controller.abort();
    expect((await caught(() => waiting)).name).toBe("AbortError");
  });

  test("is rejected when a port is closed, before or meanwhile, or the signal comes", async () => {
    const [first, second] = [lanes.subscriber({}, "1"), lanes.subscriber({}, "2")];
    const controller = new AbortController();
    const aborted = wait([first, second], { signal: controller.signal });
    controller.abort();
    expect((await caught(() => aborted)).name).toBe("AbortError");
    const waiting = wait([first, second]);
    await turn();
    second.close();
    const error = await caughtMemlane(() => waiting);
    expect([error.code, error.lane]).toEqual(["closed", "2"]);
    expect(await codeOf(() => wait([first, second]))).toBe("closed");
  });
});

test("a port's own descriptor is readable when there is something, and quiet after a take that found nothing", async () => {
  const subscriber = lanes.subscriber();
  const publisher = lanes.publisher();
  // The same pipe once more, without blocking. To read from it is what a poll would tell.
  const bell = openSync(`/proc/self/fd/${subscriber.fileno()}`, constants.O_RDONLY | constants.O_NONBLOCK);
  const hasRung = (): boolean => {
    try {
      return readSync(bell, new Uint8Array(1)) === 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
      throw error;
    }
  };
  for (let i = 0; i < 3; i += 1) {
    // Not at once: it may ring for nothing, as it does when a link comes up.
    await eventually(() => {
      expect(subscriber.take()).toBeUndefined();
      expect(hasRung()).toBe(false);
    });
    publisher.send(Uint8Array.of(i));
    expect(hasRung()).toBe(true);
    expect(valueOf(subscriber.take())).toBe(i);
  }
  closeSync(bell);
});
