// What the figures were measured on.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";

import { at, venv } from "../../scripts/lib/paths.mjs";

const firstLine = (command, ...args) => execFileSync(command, args, { encoding: "utf8" }).split("\n", 1)[0];

export const cores = () => cpus().length;

export function machine() {
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    processor: `${cpus()[0].model.trim()}, ${cores()} cores`,
    memory: `${memory} GiB`,
    system: `${type()} ${release()}`,
    compiler: firstLine(process.env.CXX ?? "c++", "--version"),
    python: firstLine(join(venv, "bin", "python"), "--version"),
    node: `Node.js ${process.versions.node}`,
    memlane: JSON.parse(readFileSync(at("package.json"), "utf8")).version,
  };
}
