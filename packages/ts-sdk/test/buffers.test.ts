// Where buffers are not what they seem: moved away, forbidden, or too large. Each in a process that is set up for it.
import { constants } from "node:buffer";
import { freemem } from "node:os";

import { describe, expect, test } from "@jest/globals";

import { codeOf, caughtMemlane } from "./support/caught.js";
import { useLanes } from "./support/lanes.js";
import { Program } from "./support/program.js";

const lanes = useLanes();

async function expectAllYes(program: Program): Promise<void> {
  const { code, signal, output, errors } = await program.end();
  expect({ code, signal, errors }).toEqual({ code: 0, signal: null, errors: "" });
  expect(output.length).toBeGreaterThan(3);
  expect(output.filter((line) => !line.endsWith(": yes"))).toEqual([]);
}

test("memory that was moved out of its buffer is not used again before it is collected", async () => {
  const builtIn = "transfer" in ArrayBuffer.prototype;
  const flags = ["--expose-gc", ...(builtIn ? [] : ["--harmony-rab-gsab-transfer"])];
  await expectAllYes(new Program("transfer.mjs", lanes.directory, [], { flags }));
});

test("where the host forbids buffers over foreign memory, everything is copied, and says so", async () => {
  await expectAllYes(new Program("no-external.mjs", lanes.directory, [], { env: { MEMLANE_NO_EXTERNAL: "1" } }));
});

test("the SDK may be loaded twice", async () => {
  await expectAllYes(new Program("reload.mjs", lanes.directory));
});

const gigabyte = 2 ** 30;

describe("a payload of more bytes than an ArrayBuffer holds", () => {
  const limit = constants.MAX_LENGTH;

  (limit < 2 ** 40 ? test : test.skip)("is refused, and the limit is named", async () => {
    const publisher = lanes.publisher();
    const error = await caughtMemlane(() => publisher.loan(limit + 1));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.code).toBe("out-of-range");
    expect(error.message).toContain(`ends at ${limit} bytes`);
    expect(await codeOf(() => publisher.loan([limit / 4 + 1], "float32"))).toBe("out-of-range");
    expect(publisher.stats().bytes).toBe(0);
  });
});

const large = 3 * gigabyte;

// Once in the lane and nowhere else: what a reader sees is the same memory.
(freemem() > large + 2 * gigabyte ? test : test.skip)(
  "3 GB go out as a loan and come in without a copy",
  () => {
    const subscriber = lanes.subscriber();
    const loan = lanes.publisher().loan(large);
    expect(loan.data).toHaveLength(large);
    for (const at of [0, 2 ** 31, large - 1]) loan.data[at] = 1 + (at % 251);
    loan.send();
    using sample = subscriber.take();
    expect([sample?.byteLength, sample?.shape, sample?.copied]).toEqual([large, [large], false]);
    for (const at of [0, 2 ** 31, large - 1]) expect(sample?.bytes[at]).toBe(1 + (at % 251));
  },
  150_000,
);
