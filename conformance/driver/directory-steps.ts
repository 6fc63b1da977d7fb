// Steps on the lane directory itself, done by the driver: what an accident or another user may make of it.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import type { Step } from "./scenario.js";

const versionOffset = 8; // bytes, in the lane file: docs/layout.md

/** The lane file of the only lane in the directory. */
function laneFile(directory: string): string {
  const folders = readdirSync(directory).filter((name) => name.startsWith("lane-"));
  if (folders.length !== 1) throw new Error(`there is not one lane in the directory, but ${folders.length}`);
  return join(directory, ...folders, "lane");
}

function replace(file: string, content: Uint8Array): void {
  rmSync(file);
  writeFileSync(file, content, { mode: 0o600 });
}

const damages: Record<string, (content: Buffer) => Uint8Array> = {
  truncated: (content) => content.subarray(0, content.length - 100),
  "cut to nothing": () => Buffer.alloc(0),
  "of another version": (content) => {
    content.writeUInt32LE(content.readUInt32LE(versionOffset) + 1, versionOffset);
    return content;
  },
  "not ours": () => Buffer.from("this is somebody's diary, and has been here for years\n".repeat(20)),
};

export const directorySteps: Record<string, (step: Step, directory: string) => void> = {
  "make-folder": ({ path = "", mode, owner }, directory) => {
    mkdirSync(join(directory, path), { mode: 0o700 });
    if (mode !== undefined) chmodSync(join(directory, path), parseInt(mode, 8));
    if (owner !== undefined) chownSync(join(directory, path), owner, 0);
  },
  "make-file": ({ path = "" }, directory) => {
    writeFileSync(join(directory, path), "");
  },
  "make-link": ({ path = "", to = "" }, directory) => {
    symlinkSync(to, join(directory, path));
  },
  remove: ({ path = "" }, directory) => {
    rmSync(join(directory, path), { recursive: true });
  },
  "damage-lane-file": ({ how = "" }, directory) => {
    const file = laneFile(directory);
    const content = readFileSync(file);
    writeFileSync(`${directory}.kept`, content);
    const damage = damages[how];
    if (damage === undefined) throw new Error(`no such damage: ${how}`);
    replace(file, damage(content));
  },
  "restore-lane-file": (_, directory) => {
    replace(laneFile(directory), readFileSync(`${directory}.kept`));
    rmSync(`${directory}.kept`);
  },
};
