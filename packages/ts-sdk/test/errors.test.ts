// Bad input: a clear error of the right kind, nothing lost, nothing left behind.
import * as native from "@memlane/core";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { MemlaneError, Publisher, Subscriber, wait, type ErrorCode, type Overflow } from "../src/index.js";
import { caught, caughtMemlane, codeOf } from "./support/caught.js";
import { useLanes } from "./support/lanes.js";

const lanes = useLanes();

/** What only a program without types could pass. */
const wrong = (value: unknown): never => value as never;

type Case = [what: string, call: () => unknown, code: ErrorCode, message: RegExp];

const kinds: Partial<Record<ErrorCode, ErrorConstructor>> = {
  "invalid-name": TypeError,
  "invalid-argument": TypeError,
  "type-mismatch": TypeError,
  "out-of-range": RangeError,
};

async function expectError(call: () => unknown, code: ErrorCode, message: RegExp): Promise<void> {
  const error = await caughtMemlane(call);
  expect({ code: error.code, kind: error.constructor }).toEqual({ code, kind: kinds[code] ?? MemlaneError });
  expect(error.message).toMatch(message);
}

describe("a name", () => {
  const open = (name: unknown) => () => lanes.subscriber({}, wrong(name));
  test.each<Case>([
    ["empty", open(""), "invalid-name", /is empty/],
    ["too long", open("x".repeat(201)), "invalid-name", /has 201 bytes: 200 are the most/],
    ["too long in UTF-8", open("é".repeat(101)), "invalid-name", /has 202 bytes/],
    ["with a NUL", open("a\0b"), "invalid-name", /holds a NUL/],
    ["with a control character", open("a\nb"), "invalid-name", /control character/],
    ["with a `..` part", open("a/../b"), "invalid-name", /part `\.\.`/],
    ["with an empty part", open("/a"), "invalid-name", /empty part/],
    ["with half a character", open("a\ud800"), "invalid-name", /well-formed/],
    ["a fraction", open(1.5), "invalid-name", /not 1\.5/],
    ["a number too large to be exact", open(2 ** 60), "invalid-name", /integer key/],
    ["a key beyond 64 bits", open(2n ** 64n), "invalid-name", /64 bits/],
    ["nothing", () => new Publisher(wrong(undefined)), "invalid-name", /not undefined/],
    ["an object", open({}), "invalid-name", /not object/],
  ])("that is %s", (_, call, code, message) => expectError(call, code, message));
});

describe("an option", () => {
  test.each<Case>([
    [
      "misspelt",
      () => lanes.subscriber(wrong({ dept: 1 })),
      "invalid-argument",
      /unknown option "dept" for Subscriber/,
    ],
    [
      "in snake case",
      () => lanes.publisher(wrong({ send_timeout: 1 })),
      "invalid-argument",
      /did you mean sendTimeout/,
    ],
    [
      "of another port",
      () => lanes.publisher(wrong({ depth: 1 })),
      "invalid-argument",
      /unknown option "depth" for Publisher/,
    ],
    ["not an object", () => new Publisher("a", wrong(5)), "invalid-argument", /expected an object/],
    ["depth 0", () => lanes.subscriber({ depth: 0 }), "out-of-range", /from 1 on for depth but received 0/],
    ["depth -1", () => lanes.subscriber({ depth: -1 }), "out-of-range", /received -1/],
    ["depth 65537", () => lanes.subscriber({ depth: 65537 }), "out-of-range", /1 to 65536 samples, not 65537/],
    ["depth 2^40", () => lanes.subscriber({ depth: 2 ** 40 }), "out-of-range", /1 to 65536/],
    ["depth 1.5", () => lanes.subscriber({ depth: 1.5 }), "out-of-range", /a whole number/],
    ["depth as text", () => lanes.subscriber({ depth: wrong("4") }), "invalid-argument", /for depth but received "4"/],
    [
      "overflow",
      () => lanes.subscriber({ overflow: "drop" as Overflow }),
      "invalid-argument",
      /one of block, drop-oldest/,
    ],
    ["history -1", () => lanes.publisher({ history: -1 }), "out-of-range", /history/],
    ["history 65537", () => lanes.publisher({ history: 65537 }), "out-of-range", /at most 65536/],
    ["memoryBudget", () => lanes.publisher({ memoryBudget: Infinity }), "out-of-range", /memoryBudget/],
    ["sendTimeout -1", () => lanes.publisher({ sendTimeout: -1 }), "out-of-range", /not negative for sendTimeout/],
    [
      "sendTimeout NaN",
      () => lanes.publisher({ sendTimeout: NaN }),
      "invalid-argument",
      /milliseconds for sendTimeout/,
    ],
    [
      "checksum",
      () => lanes.publisher({ checksum: wrong("crc32c") }),
      "invalid-argument",
      /true or false for checksum/,
    ],
    ["joinTimeout", () => lanes.publisher({ joinTimeout: wrong("1s") }), "invalid-argument", /joinTimeout/],
    ["spin", () => lanes.publisher({ spin: -1 }), "out-of-range", /spin/],
    ["label too long", () => lanes.publisher({ label: "x".repeat(64) }), "out-of-range", /63 bytes/],
    ["label", () => lanes.publisher({ label: wrong(5) }), "invalid-argument", /a string for label/],
    ["directory", () => lanes.publisher({ directory: wrong(5) }), "invalid-argument", /a string for directory/],
    ["group", () => lanes.publisher({ group: wrong({}) }), "invalid-argument", /a string for group/],
    ["group's number", () => lanes.publisher({ group: -1 }), "out-of-range", /a whole number from 0 on for group/],
    ["group's name", () => lanes.publisher({ group: "no such group" }), "invalid-argument", /no group "no such group"/],
    ["group of others", () => lanes.publisher({ group: 4_294_967_294 }), "permission-denied", /not in the group/],
  ])("%s", (_, call, code, message) => expectError(call, code, message));
});

describe("a payload", () => {
  const send = (data: unknown, options?: unknown) => () => lanes.publisher().send(wrong(data), wrong(options));
  test.each<Case>([
    ["text", send("hello"), "invalid-argument", /a typed array, Buffer, .* but received "hello"/],
    ["an array", send([1, 2]), "invalid-argument", /received an array/],
    ["nothing", send(undefined), "invalid-argument", /received undefined/],
    ["an object", send({}), "invalid-argument", /received an object of class Object/],
    [
      "of an unknown dtype",
      send(new Uint8Array(4), { dtype: "float31" }),
      "invalid-argument",
      /one of bytes, bool.*"float31"/,
    ],
    [
      "of half an element",
      send(new Uint8Array(5), { dtype: "int32" }),
      "invalid-argument",
      /5 bytes are no whole number of int32/,
    ],
    [
      "of another shape",
      send(new Uint8Array(5), { shape: [2, 3] }),
      "invalid-argument",
      /2x3 uint8 has 6 bytes, the payload has 5/,
    ],
    [
      "of a negative shape",
      send(new Uint8Array(5), { shape: [-5, -1] }),
      "out-of-range",
      /extent of the shape but received -5/,
    ],
    ["of 9 dimensions", send(new Uint8Array(1), { shape: Array(9).fill(1) }), "out-of-range", /at most 8 dimensions/],
    ["of a shape of text", send(new Uint8Array(1), { shape: ["1"] }), "invalid-argument", /whole number.*"1"/],
    ["with an unknown option", send(new Uint8Array(1), { Encoding: "x" }), "invalid-argument", /did you mean encoding/],
    ["with a long encoding", send(new Uint8Array(1), { encoding: "x".repeat(64) }), "out-of-range", /63 bytes/],
    [
      "with a number as encoding",
      send(new Uint8Array(1), { encoding: 5 }),
      "invalid-argument",
      /a string for encoding/,
    ],
    [
      "with a long user header",
      send(new Uint8Array(1), { userHeader: new Uint8Array(65) }),
      "out-of-range",
      /at most 64 bytes/,
    ],
    [
      "with text as user header",
      send(new Uint8Array(1), { userHeader: "x" }),
      "invalid-argument",
      /a Uint8Array for userHeader/,
    ],
  ])("%s", (_, call, code, message) => expectError(call, code, message));
});

describe("a loan", () => {
  const loan = (shape: unknown, dtype?: unknown) => () => lanes.publisher().loan(wrong(shape), wrong(dtype));
  test.each<Case>([
    ["of -1 bytes", loan(-1), "out-of-range", /received -1/],
    ["of 1.5 bytes", loan(1.5), "out-of-range", /whole number/],
    ["of NaN bytes", loan(NaN), "invalid-argument", /whole number/],
    ["of text", loan("12"), "invalid-argument", /a number or an array of numbers/],
    ["of 2^60 bytes", loan(2 ** 50), "out-of-range", /./],
    ["of too many elements", loan([2 ** 30, 2 ** 30], "float64"), "out-of-range", /./],
    ["of a negative extent", loan([3, -1], "int8"), "out-of-range", /received -1/],
    ["of 9 dimensions", loan(Array(9).fill(1), "int8"), "out-of-range", /at most 8 dimensions/],
    ["of an unknown dtype", loan([1], "int7"), "invalid-argument", /expected a dtype.*"int7"/],
    ["of no dtype's name", loan([1], 5), "invalid-argument", /expected a dtype.*number/],
  ])("%s", (_, call, code, message) => expectError(call, code, message));

  test("beyond the budget", async () => {
    const publisher = lanes.publisher({ memoryBudget: 1_000_000 });
    await expectError(() => publisher.loan(2_000_000), "budget-spent", /memory budget.*lane "lane"/);
    publisher.loan(900_000).giveUp();
    await expectError(
      () => {
        publisher.reserve(600_000, 2);
      },
      "budget-spent",
      /budget/,
    );
  });

  test("sent with what is for data", async () => {
    const publisher = lanes.publisher();
    const open = publisher.loan(1);
    await expectError(() => publisher.send(open, wrong({ shape: [1] })), "invalid-argument", /unknown option "shape"/);
    await expectError(
      () => open.send(wrong({ timeout: 1 })),
      "invalid-argument",
      /unknown option "timeout" for Loan\.send/,
    );
    open.giveUp();
  });
});

describe("a wait", () => {
  const calls: [string, (options: unknown) => unknown][] = [
    ["next", (options) => lanes.subscriber().next(wrong(options))],
    ["waitForPublishers", (options) => lanes.subscriber().waitForPublishers(1, wrong(options))],
    ["waitForSubscribers", (options) => lanes.publisher().waitForSubscribers(1, wrong(options))],
    ["flush", (options) => lanes.publisher().flush(wrong(options))],
    ["sendAsync", (options) => lanes.publisher().sendAsync(new Uint8Array(1), wrong(options))],
    ["wait", (options) => wait([lanes.subscriber()], wrong(options))],
  ];
  test.each(calls)("of %s with bad options", async (name, call) => {
    await expectError(() => call({ timeout: -1 }), "out-of-range", /not negative for timeout/);
    await expectError(() => call({ timeout: "1" }), "invalid-argument", /for timeout but received "1"/);
    await expectError(() => call({ signal: {} }), "invalid-argument", /an AbortSignal for signal/);
    await expectError(
      () => call({ timeot: 1 }),
      "invalid-argument",
      new RegExp(`unknown option "timeot" for .*${name}`),
    );
  });

  test("for a bad number of peers", async () => {
    await expectError(() => lanes.publisher().waitForSubscribers(-1), "out-of-range", /received -1/);
    await expectError(() => lanes.subscriber().waitForPublishers(wrong("2")), "invalid-argument", /received "2"/);
  });

  test("of a loop with bad options", async () => {
    const subscriber = lanes.subscriber();
    await expectError(
      () => subscriber.samples(wrong({ untilidle: true })),
      "invalid-argument",
      /did you mean untilIdle/,
    );
    await expectError(
      () => subscriber.samples({ untilIdle: wrong(1) }),
      "invalid-argument",
      /true or false for untilIdle/,
    );
  });

  test("for what are no ports", async () => {
    await expectError(() => wait(wrong(lanes.subscriber())), "invalid-argument", /an array of ports/);
    await expectError(() => wait(wrong([1])), "invalid-argument", /an array of ports/);
  });
});

describe("a closed port", () => {
  test("refuses everything but to be closed again", async () => {
    const [publisher, subscriber] = [lanes.publisher(), lanes.subscriber()];
    for (const port of [publisher, subscriber]) {
      port.close();
      port.close();
      port[Symbol.dispose]();
      expect([port.closed, port.name]).toEqual([true, "lane"]);
    }
    const uses: (() => unknown)[] = [
      () => publisher.loan(1),
      () => publisher.send(new Uint8Array(1)),
      () => publisher.trySend(new Uint8Array(1)),
      () => publisher.sendAsync(new Uint8Array(1)),
      () => {
        publisher.reserve(1);
      },
      () => publisher.waitForSubscribers(),
      () => publisher.flush(),
      () => publisher.stats(),
      () => publisher.fileno(),
      () => subscriber.take(),
      () => subscriber.next(),
      () => subscriber.waitForPublishers(),
      () => subscriber.stats(),
      () => subscriber.fileno(),
      () => wait([subscriber]),
    ];
    for (const use of uses) await expectError(use, "closed", /the (publisher|subscriber) of lane "lane" is closed/);
  });
});

describe("a lane directory", () => {
  let scratch = "";
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "ml-"));
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });
  const openIn = (directory: string) => () => new Subscriber("lane", { directory });

  test("that others may enter is refused", async () => {
    const directory = join(scratch, "open");
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    await expectError(openIn(directory), "foreign-directory", /open/);
  });

  test("that is a symbolic link is refused", async () => {
    const [real, link] = [join(scratch, "real"), join(scratch, "link")];
    mkdirSync(real, { mode: 0o700 });
    symlinkSync(real, link);
    await expectError(openIn(link), "foreign-directory", /link/);
  });

  test("that is a file is refused", async () => {
    const file = join(scratch, "file");
    writeFileSync(file, "");
    const error = await caughtMemlane(openIn(file));
    expect(["foreign-directory", "system"]).toContain(error.code);
  });

  test("with a lane file that makes no sense is refused, and left alone", async () => {
    const publisher = lanes.publisher();
    const [folder] = readdirSync(lanes.directory).filter((name) => name.startsWith("lane-"));
    const folderPath = join(lanes.directory, folder ?? "none");
    const [laneFile] = readdirSync(folderPath).filter((name) => name.startsWith("lane"));
    writeFileSync(join(folderPath, laneFile ?? "none"), "no lane file");
    await expectError(() => lanes.subscriber(), "corrupt", /lane/);
    publisher.close();
  });
});

describe("errors", () => {
  test("have the codes that the core has", () => {
    // Every code, once more, as a type: this does not compile if one is missing or too many.
    const codes: Record<ErrorCode, true> = {
      "invalid-name": true,
      "invalid-argument": true,
      "out-of-range": true,
      closed: true,
      forked: true,
      released: true,
      "already-sent": true,
      timeout: true,
      "queue-full": true,
      interrupted: true,
      "budget-spent": true,
      "out-of-memory": true,
      "descriptor-limit": true,
      "permission-denied": true,
      "foreign-directory": true,
      "version-mismatch": true,
      corrupt: true,
      "pattern-mismatch": true,
      "type-mismatch": true,
      "peer-frozen": true,
      deadlock: true,
      unsupported: true,
      system: true,
    };
    expect([...native.errorCodes].toSorted()).toEqual(Object.keys(codes).toSorted());
  });

  test("have a name, a code, a lane, and the caller on top of their stack", async () => {
    lanes.subscriber({ overflow: "fail", depth: 1 });
    const publisher = lanes.publisher();
    publisher.send(new Uint8Array(1));
    const error = await caughtMemlane(() => publisher.send(new Uint8Array(1)));
    expect([error.name, error.code, error.lane, error.systemError]).toEqual(["MemlaneError", "queue-full", "lane", 0]);
    expect(error.stack).toMatch(/^MemlaneError: the queue of process \d+/);
    expect(error.stack).not.toContain("make-error");
    expect(error.stack).toContain("errors.test.ts");
    expect(Object.keys(error).toSorted()).toEqual(["code", "lane", "systemError"]);
  });

  test("of arguments are what JavaScript has for them, and memlane's too", async () => {
    const error = await caught(() => lanes.subscriber({ depth: 0 }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toBeInstanceOf(MemlaneError);
    expect(error).toMatchObject({ code: "out-of-range", lane: "" });
    expect(new TypeError("mine")).not.toBeInstanceOf(MemlaneError);
    expect(undefined).not.toBeInstanceOf(MemlaneError);
    class Derived extends MemlaneError {}
    expect(error).not.toBeInstanceOf(Derived);
    expect(new Derived("closed", "x")).toBeInstanceOf(Derived);
  });

  test("leave nothing behind in the directory", async () => {
    for (let i = 0; i < 3; i += 1) await codeOf(() => lanes.subscriber({ depth: 65537 }));
    expect(readdirSync(lanes.directory)).toEqual([]);
  });
});
