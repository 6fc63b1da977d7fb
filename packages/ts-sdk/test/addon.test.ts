// The binary that is shipped: what it needs from its host, and what it offers.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import * as native from "@memlane/core";
import { expect, test } from "@jest/globals";

import { version } from "../src/index.js";

const core = join(import.meta.dirname, "..", "..", "core-native");
const binary = (createRequire(join(core, "package.json"))("node-gyp-build") as { path(folder: string): string }).path(
  core,
);
const run = (command: string, ...args: string[]): string[] =>
  execFileSync(command, [...args, binary], { encoding: "utf8" })
    .trim()
    .split("\n");

test("is a prebuilt one", () => {
  expect(binary).toContain(join("prebuilds", `${process.platform}-${process.arch}`, "memlane-core"));
});

test("needs nothing of libuv: Bun aborts where it is called, Deno lacks parts of it", () => {
  const needed = run("nm", "-D", "--undefined-only");
  expect(needed.some((line) => line.includes("napi_"))).toBe(true); // that nm was understood
  expect(needed.filter((line) => /\buv_/.test(line))).toEqual([]);
});

test("needs no Node-API of later than version 8", () => {
  const known = new Set(["napi_create_function", "napi_define_class"]);
  const needed = run("nm", "-D", "--undefined-only").flatMap(
    (line) => /\b(node_api_\w+|napi_\w+)/.exec(line)?.[1] ?? [],
  );
  for (const name of known) expect(needed).toContain(name);
  // Everything of a later version is called node_api_….
  expect(needed.filter((name) => name.startsWith("node_api_"))).toEqual([]);
});

test("offers nothing but the registration of a Node-API module", () => {
  const offered = run("nm", "-D", "--defined-only").map((line) => line.split(/\s+/).at(-1));
  expect(offered.toSorted()).toEqual(["napi_register_module_v1", "node_api_module_get_api_version_v1"]);
});

test("is never unloaded: it has handlers of fork and exit, and a thread", () => {
  expect(run("readelf", "-d").some((line) => line.includes("NODELETE"))).toBe(true);
});

test("has the version of its package", () => {
  const { version: packaged } = JSON.parse(readFileSync(join(core, "package.json"), "utf8")) as { version: string };
  expect([version, native.version]).toEqual([packaged, packaged]);
});

test("lets nobody make samples, loans, or ports without options", () => {
  const options = {
    joinTimeout: 0,
    label: "",
    directory: "",
    group: "",
    spin: -1,
    history: 0,
    memoryBudget: 0,
    maxHeld: 0,
    sendTimeout: 0,
    checksum: false,
  };
  const make = (name: unknown, given: unknown) => () => new native.Publisher(name as string, given as typeof options);
  for (const call of [
    make(5, options),
    make("lane", undefined),
    make("lane", {}),
    make("lane", { ...options, history: -1 }),
    make("lane", { ...options, checksum: 1 }),
  ]) {
    expect(call).toThrow(expect.objectContaining({ name: "TypeError" }));
  }
  const port = native.Subscriber.prototype;
  expect(() => port.take()).toThrow("Illegal invocation");
});
