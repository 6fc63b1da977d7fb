// Does the process end when it should, not before, in order, and with nothing left behind? Asked of real processes.
import { describe, expect, test } from "@jest/globals";

import type { Publisher, Subscriber } from "../src/index.js";
import { eventually } from "./support/eventually.js";
import { leftIn, useLanes } from "./support/lanes.js";
import { Program } from "./support/program.js";

const lanes = useLanes();

test("idle ports let the process end", async () => {
  const { code, signal, output } = await new Program("idle.mjs", lanes.directory).end();
  expect({ code, signal, output }).toEqual({ code: 0, signal: null, output: ["idle"] });
  expect(leftIn(lanes.directory)).toEqual([]);
});

describe("a pending call keeps the process alive, and no longer", () => {
  type Ways = Record<string, (publisher: Publisher, subscriber: Subscriber) => unknown>;
  const send = (publisher: Publisher): unknown => publisher.send(new Uint8Array(1));
  const take = async (_: Publisher, subscriber: Subscriber): Promise<void> => (await subscriber.next())?.release();
  const ends: Ways = {
    next: send,
    loop: send,
    wait: send,
    peers: () => lanes.publisher({}, "to/child"),
    send: take,
    flush: take,
  };
  test.each(Object.entries(ends))("%s", async (way, end) => {
    const publisher = lanes.publisher({}, "to/child");
    const subscriber = lanes.subscriber({ depth: 1 }, "from/child");
    const child = new Program("pending.mjs", lanes.directory, [way]);
    await child.says("waiting");
    await publisher.waitForSubscribers();
    await end(publisher, subscriber);
    const { code, signal, output, errors } = await child.end();
    // "left" after "done": had the loop been empty before, "beforeExit" would have come first.
    expect({ code, signal, output, errors }).toEqual({
      code: 0,
      signal: null,
      output: ["waiting", "done", "left"],
      errors: "",
    });
    for (let sample = subscriber.take(); sample !== undefined; sample = subscriber.take()) sample.release();
  });
});

describe("nothing is left in the directory by a process that", () => {
  test.each([
    ["exit", 3],
    ["exitLater", 3],
    ["throw", 1],
    ["reject", 1],
    ["close", 0],
  ])("ends by %s, with samples, loans and calls pending", async (way, expected) => {
    const { code, signal } = await new Program("leave.mjs", lanes.directory, [way]).end();
    expect({ code, signal }).toEqual({ code: expected, signal: null });
    expect(leftIn(lanes.directory)).toEqual([]);
  });

  test("is killed, as soon as somebody joins", async () => {
    const child = new Program("pending.mjs", lanes.directory, ["next"]);
    await child.says("waiting");
    child.kill("SIGKILL");
    expect((await child.end()).signal).toBe("SIGKILL");
    const publisher = lanes.publisher({}, "to/child");
    const own = leftIn(lanes.directory).length;
    await eventually(() => {
      const door = leftIn(lanes.directory).filter((name) => name.startsWith("door-"));
      expect(door).toHaveLength(1);
    });
    expect(own).toBeGreaterThan(0);
    publisher.close();
  });
});

test("a sample that was sent just before the end of the process arrives", async () => {
  const subscriber = lanes.subscriber({}, "leave");
  const child = new Program("leave.mjs", lanes.directory, ["exit"]);
  await child.end();
  const taken: unknown[] = [];
  for await (const sample of subscriber.samples({ untilIdle: true })) taken.push(sample.sequence);
  expect(taken).toEqual([1n, 2n, 3n, 4n, 5n]);
});
