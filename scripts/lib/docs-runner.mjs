// Runs the code blocks of the README and the docs: the programs that people copy first must work.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { extname, join, relative } from "node:path";

import { builders } from "./block-builders.mjs";
import { codeBlocks } from "./code-blocks.mjs";
import { at, root } from "./paths.mjs";
import { Counts } from "./reports.mjs";
import { CommandFailed, run } from "./run.mjs";
import { filesUnder } from "./stamp.mjs";

// Inside the examples' package, where `import "memlane"` finds the SDK.
const work = at("examples", "build", "docs");

// What the tests themselves run all the time, and what would bring in the published packages: here only the names are
// held against those that exist.
const known = [
  [/^npm run ([\w:-]+)( -- .*)?$/, (name) => name in json("package.json").scripts],
  [/^npm (test)( -- .*)?$/, () => true],
  [/^npm install (\S+)$/, (name) => name === json("packages/ts-sdk/package.json").name],
  [/^pip install (\S+)$/, (name) => name === /^name = "(.+)"/m.exec(text("packages/py-shim/pyproject.toml"))[1]],
];

const text = (path) => readFileSync(at(path), "utf8");
const json = (path) => JSON.parse(text(path));

/** Whether a shell block holds nothing but known commands, each with a name that exists. */
function isKnown({ kind, text: block }) {
  const lines = block
    .split("\n")
    .map((line) => line.replace(/\s+#.*/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  return (
    kind === "sh" &&
    lines.every((line) => known.some(([pattern, exists]) => pattern.test(line) && exists(pattern.exec(line)[1])))
  );
}

/** Runs the blocks of a group at the same time, since they talk to each other. */
async function runGroup(blocks, { log, env }) {
  const ends = blocks.map(({ command }) => run("timeout", ["60", ...command], { log, env }));
  const failed = (await Promise.allSettled(ends)).find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Gives each block its command. Returns the languages whose blocks cannot be built. */
async function build(blocks, log) {
  const unbuilt = [];
  for (const [kind, builder] of Object.entries(builders)) {
    const ofKind = blocks.filter((block) => block.kind === kind);
    if (ofKind.length === 0) continue;
    const folder = join(work, kind);
    mkdirSync(folder, { recursive: true });
    try {
      const commands = await builder(ofKind, { folder, log });
      ofKind.forEach((block, i) => (block.command = commands[i]));
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      unbuilt.push(kind);
    }
  }
  return unbuilt;
}

/** Runs every group of blocks of every page under `paths`; each group is one test. */
export const docs =
  (...paths) =>
  async (context) => {
    rmSync(work, { recursive: true, force: true });
    const counts = new Counts();
    const groups = new Map();
    for (const file of paths.flatMap((path) => filesUnder(at(path))).filter((file) => extname(file) === ".md")) {
      const page = relative(root, file);
      for (const block of codeBlocks(readFileSync(file, "utf8"))) {
        const place = `${page}:${block.line}`;
        const group = `${page} ${block.group}`;
        if (block.group !== undefined) groups.set(group, [...(groups.get(group) ?? []), { ...block, page }]);
        else if (block.reason !== undefined) counts.skipped.push(`${place}: ${block.reason}`);
        else if (isKnown(block)) counts.passed += 1;
        else counts.failed.push(`${place}: nothing runs this block`);
      }
    }
    for (const kind of await build([...groups.values()].flat(), context.log)) {
      counts.failed.push(`the ${kind} blocks of all pages cannot be built`);
    }
    for (const [name, blocks] of groups) {
      try {
        if (!blocks.every(({ command }) => command)) throw new CommandFailed("not built");
        await runGroup(blocks, context);
        counts.passed += 1;
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
        counts.failed.push(name);
      }
    }
    return counts;
  };
