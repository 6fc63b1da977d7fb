import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { withLaneDirectory } from "../lib/lane-directory.mjs";

test("a suite that leaves nothing gets its result back, and its directory goes", async () => {
  let where;
  const { result, left } = await withLaneDirectory((directory) => {
    where = directory;
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    mkdirSync(join(directory, "lanes")); // a fixed part may stay
    return "done";
  });
  assert.deepEqual({ result, left }, { result: "done", left: [] });
  assert.equal(existsSync(where), false);
});

test("a name left behind is found, however deep", async () => {
  const { left } = await withLaneDirectory((directory) => {
    mkdirSync(join(directory, "lanes", "abc"), { recursive: true });
    writeFileSync(join(directory, "lanes", "abc", "port"), "");
    writeFileSync(join(directory, "door"), "");
  });
  assert.deepEqual(left.sort(), [
    "left in the lane directory: door",
    "left in the lane directory: lanes/abc",
    "left in the lane directory: lanes/abc/port",
  ]);
});

test("a process left running is found and ended", { skip: process.platform !== "linux" }, async () => {
  let child;
  const { left } = await withLaneDirectory(async (directory) => {
    child = spawn("sleep", ["1000"], { env: { ...process.env, MEMLANE_DIR: directory }, stdio: "ignore" });
    await new Promise((resolve) => child.once("spawn", resolve));
  });
  assert.deepEqual(left, [`left running: sleep 1000 (process ${child.pid})`]);
  const signal = child.signalCode ?? (await new Promise((resolve) => child.once("exit", (_, name) => resolve(name))));
  assert.equal(signal, "SIGKILL");
});

test("the directory goes when the suite throws, too", async () => {
  let where;
  const failing = withLaneDirectory((directory) => {
    where = directory;
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  assert.equal(existsSync(where), false);
});
