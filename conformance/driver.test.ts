// The suite's own machinery: what would let a broken language pass must not pass here.
import { mkdtempSync, rmSync } from "node:fs";

import { afterEach, describe, expect, test } from "@jest/globals";

import { columns } from "./driver/columns.js";
import { checkError, checkRuns, checkSamples } from "./driver/expectations.js";
import { languages } from "./driver/languages.js";
import { Ledger } from "./driver/ledger.js";
import { RemotePeer } from "./driver/remote-peer.js";
import { Report } from "./driver/report.js";
import { loadScenarios, writtenOut } from "./driver/scenario.js";
import { expectedSum, fill, sumUp, write } from "./peers/typescript/payload.js";

const label = "publisher-1/main";

/** A ledger with three samples of `bytes` each, and the lines of a subscriber that took them as they were sent. */
function threeSent(): { ledger: Ledger; lines: URLSearchParams[] } {
  const ledger = new Ledger();
  ledger.open(label, 42);
  ledger.plan(label, new URLSearchParams({ do: "send", bytes: "100", count: "3", seed: "7" }));
  const lines = [1, 2, 3].map((sequence, i) => {
    const line = new URLSearchParams({ sender: label, pid: "42", sequence: `${sequence}`, bytes: "100" });
    line.append("crc", `${expectedSum(100, 7 + i, 0)}`);
    for (const [name, value] of [
      ["dtype", "bytes"],
      ["shape", "100"],
      ["encoding", ""],
      ["header", ""],
      ["sent-time", "1.5"],
      ["received-time", "2"],
    ] as const) {
      line.append(name, value);
    }
    return line;
  });
  return { ledger, lines };
}

function check({ ledger, lines }: ReturnType<typeof threeSent>, byElement = false): void {
  const reply = new URLSearchParams(lines.map((line): [string, string] => ["sample", line.toString()]));
  checkSamples(reply, new Map([[label, ledger.sent(label, "all")]]), ledger, byElement);
}

describe("what a subscriber took is held against what was sent", () => {
  test("as it was sent, it passes", () => {
    check(threeSent());
  });

  test.each(["bytes", "crc", "dtype", "shape", "encoding", "header", "pid", "sequence", "sender"])(
    "a wrong %s does not",
    (field) => {
      const sent = threeSent();
      sent.lines[1]?.set(field, "9");
      expect(() => {
        check(sent);
      }).toThrow("in place of");
    },
  );

  test("nor does a sample that was received before it was sent", () => {
    const sent = threeSent();
    sent.lines[1]?.set("sent-time", "3");
    expect(() => {
      check(sent);
    }).toThrow("received at");
  });

  test("nor does an element that differs, or that nobody has looked at", () => {
    const sent = threeSent();
    expect(() => {
      check(sent, true);
    }).toThrow("elements of sample 1");
    for (const line of sent.lines) line.set("elements", "");
    check(sent, true);
    sent.lines[1]?.set("elements", "element 1 differs");
    expect(() => {
      check(sent, true);
    }).toThrow("element 1 differs");
  });

  test.each([
    ["lost", (lines: URLSearchParams[]) => lines.slice(0, 2)],
    ["taken twice", (lines: URLSearchParams[]) => [...lines, ...lines.slice(2)]],
    ["taken out of order", (lines: URLSearchParams[]) => lines.toReversed()],
  ])("nor does one that was %s", (_, change) => {
    const { ledger, lines } = threeSent();
    expect(() => {
      check({ ledger, lines: change(lines) });
    }).toThrow("the list of samples taken");
  });

  test("runs of samples are checked as strictly", () => {
    const { ledger } = threeSent();
    const sent = ledger.sent(label, "all");
    const run = { sender: label, count: "3", first: "1", last: "3", gapless: "true" };
    const crc = sent.reduce((sum, each) => each.crc(sum), 0);
    const runs = (changed: object) =>
      new URLSearchParams({ run: new URLSearchParams({ ...run, crc: `${crc}`, ...changed }).toString() });
    checkRuns(runs({}), new Map([[label, sent]]));
    for (const changed of [{ count: "2" }, { first: "2" }, { last: "4" }, { gapless: "false" }, { crc: "1" }]) {
      expect(() => {
        checkRuns(runs(changed), new Map([[label, sent]]));
      }).toThrow("in place of");
    }
  });
});

describe("errors", () => {
  const failed = new URLSearchParams({ error: "timeout", message: "the queue of process 42 (camera) is full" });

  test("the one that is expected passes", () => {
    expect(checkError(failed, { error: "timeout" }, [{ label: "camera", pid: 42 }])).toBe(true);
  });

  test("another, none, and one that nobody expects do not", () => {
    expect(() => checkError(failed, { error: "closed" }, [])).toThrow("in place of closed");
    expect(() => checkError(new URLSearchParams(), { error: "timeout" }, [])).toThrow("in place of failing");
    expect(() => checkError(failed, {}, [])).toThrow("failed with timeout");
  });

  test("nor does a message that does not say what it should", () => {
    expect(() => checkError(failed, { error: "timeout", message: ["lane"] }, [])).toThrow('does not say "lane"');
    expect(() => checkError(failed, { error: "timeout" }, [{ label: "camera", pid: 43 }])).toThrow("names none of");
  });
});

describe("the matrix", () => {
  test("has every ordered pair once, and the mixed groups", () => {
    const pairs = columns.filter(({ publishers, subscribers }) => publishers.length * subscribers.length === 1);
    expect(new Set(pairs.map(({ publishers, subscribers }) => `${publishers[0]} ${subscribers[0]}`)).size).toBe(
      languages.length ** 2,
    );
    expect(pairs).toHaveLength(languages.length ** 2);
    const groups = columns.map(({ publishers, subscribers }) => `${publishers.length} to ${subscribers.length}`);
    const count = (group: string) => groups.filter((each) => each === group).length;
    expect(count("1 to 3")).toBe(3);
    expect(count("3 to 1")).toBe(3);
    expect(count("3 to 3")).toBe(1);
    expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
  });

  test("shows a hole", () => {
    const scenarios = loadScenarios().slice(0, 2);
    const report = new Report(scenarios, columns);
    for (const scenario of scenarios) {
      for (const column of columns.slice(1)) report.enter(scenario, column, { state: "ok", seconds: 0 });
    }
    expect(report.holes).toEqual(scenarios.map(({ name }) => `${name}, ${columns[0]?.name}`));
    expect(report.toString()).toContain("HOLE");
  });
});

describe("scenarios", () => {
  test("loops are written out", () => {
    const step = { on: "publishers", do: "send", as: "$x $index", range: "$x", first: "$x[0]" };
    expect(writtenOut([{ for: "x", in: [[1, 2], "b"], steps: [step] }])).toEqual([
      { ...step, as: "[1,2] 1", range: [1, 2], first: "1" },
      { ...step, as: "b 2", range: "b", first: "b[0]" },
    ]);
  });

  test("a take that expects nothing in particular is refused", () => {
    expect(() => writtenOut([{ on: "subscribers", do: "take" }])).toThrow("must say what it expects");
  });
});

describe("payloads", () => {
  test("their sum can be known without making them", () => {
    for (const [size, stride] of [
      [0, 0],
      [1, 0],
      [3_000_001, 0],
      [3_000_001, 65536],
    ] as const) {
      const bytes = new Uint8Array(size);
      write(bytes, 5, stride);
      expect(sumUp(bytes, stride)).toBe(expectedSum(size, 5, stride));
    }
  });

  test("they depend on the seed and on the place", () => {
    const [a, b, c] = [new Uint8Array(64), new Uint8Array(64), new Uint8Array(64)];
    fill(a, 1);
    fill(b, 2);
    fill(c, 1, 1);
    expect(a).not.toEqual(b);
    expect(a.subarray(1)).toEqual(c.subarray(0, 63));
  });
});

describe.each(languages)("the %s peer", (language) => {
  const directory = mkdtempSync("/tmp/mlc-");
  const peer = new RemotePeer(language);
  const call = (fields: Record<string, string>, deadline = 20_000) => peer.call(new URLSearchParams(fields), deadline);

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test("is killed when it is stuck, and reported with its last lines", async () => {
    expect((await call({ do: "hello" })).get("language")).toBe(language);
    await call({ do: "open-subscriber", lane: "x", directory });
    await expect(call({ do: "take" }, 300)).rejects.toThrow(/has not answered for 300 ms[^]*> do=take/);
    expect(await peer.ended(10_000)).toBe("SIGKILL");
    await expect(call({ do: "hello" })).rejects.toThrow("has ended");
  });
});
