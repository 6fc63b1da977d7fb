// Stamps: what a step was made from. A step whose inputs have not changed since, and whose outputs are still there, is
// done already. Inputs are compared by content, so that a fresh checkout or a touched file rebuilds nothing.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { at, root } from "./paths.mjs";

// What commands make, in any folder.
const made = new Set([".git", ".turbo", ".venv", "__pycache__", "build", "dist", "node_modules", "prebuilds"]);

/** All files under `path` (a file or a folder; what does not exist has none), in a fixed order. */
export function filesUnder(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !made.has(entry.name) && (entry.isFile() || entry.isDirectory()))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesUnder(join(path, entry.name)));
}

function digest(inputs, facts) {
  // The root is an input: build trees hold absolute paths, and a moved clone must be built anew.
  const hash = createHash("sha256").update(JSON.stringify([root, facts]));
  for (const file of inputs.flatMap((input) => filesUnder(at(input)))) {
    hash.update(`\0${file}\0`).update(readFileSync(file));
  }
  return hash.digest("hex");
}

/**
 * Opens the stamp of the step `name`.
 * @param inputs files and folders of the repository that the step reads
 * @param facts  anything else that decides its result, such as a compiler's version
 * @param outputs what must exist for the step to count as done
 */
export function openStamp(name, { inputs, facts = [], outputs = [] }) {
  const file = at("build", "stamps", name.replace(/\W+/g, "-"));
  const wanted = digest(inputs, facts);
  return {
    fresh: existsSync(file) && readFileSync(file, "utf8") === wanted && outputs.every((path) => existsSync(at(path))),
    write() {
      mkdirSync(at("build", "stamps"), { recursive: true });
      writeFileSync(file, wanted);
    },
  };
}
