// Makes the TypeScript peer runnable: Node 20 does not strip types by itself. Types are checked by the lint suite.
import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { transformFile } from "@swc/core";

const sources = join(import.meta.dirname, "..", "peers", "typescript");
const built = join(import.meta.dirname, "..", "dist");

export default async function buildPeer() {
  mkdirSync(built, { recursive: true });
  for (const name of readdirSync(sources).filter((each) => each.endsWith(".ts"))) {
    const parser = { syntax: "typescript", explicitResourceManagement: true };
    const { code } = await transformFile(join(sources, name), { swcrc: false, jsc: { target: "es2022", parser } });
    // In one step: another run's peers may be about to read it.
    const file = join(built, name.replace(/\.ts$/, ".js"));
    writeFileSync(`${file}.${process.pid}`, code);
    renameSync(`${file}.${process.pid}`, file);
  }
}
