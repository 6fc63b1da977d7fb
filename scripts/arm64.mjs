// Why the core's tests for arm64 can be neither built nor run here, or undefined.
import { existsSync } from "node:fs";

import { at } from "./lib/paths.mjs";
import { answer } from "./lib/requirements.mjs";

const tools = { "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu", "qemu-aarch64": "qemu-user" };
// GoogleTest is compiled for arm64 as well.
const sources = [at("build", "tools", "googletest"), "/usr/src/googletest/googletest"];

export function arm64Obstacle() {
  const packages = Object.entries(tools)
    .filter(([tool]) => answer(tool, ["--version"]) === undefined)
    .map(([, name]) => name);
  if (!sources.some((folder) => existsSync(`${folder}/src/gtest-all.cc`))) packages.push("googletest");
  return packages.length === 0 ? undefined : `something is missing (Debian: apt-get install ${packages.join(" ")})`;
}
