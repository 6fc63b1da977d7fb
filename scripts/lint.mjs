// `npm run lint` checks form and types of all sources, `npm run format` puts right what a tool can put right.
import { extname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { at, root } from "./lib/paths.mjs";
import { commands } from "./lib/runners.mjs";
import { logFile, tail } from "./lib/run.mjs";
import { filesUnder } from "./lib/stamp.mjs";

const cxx = () =>
  ["packages", "conformance", "kill-matrix", "security", "examples", "bench"]
    .flatMap((folder) => filesUnder(at(folder)))
    .filter((file) => [".cc", ".cpp", ".h", ".hpp"].includes(extname(file)))
    .map((file) => relative(root, file));

/** The checks, each a command that fails where something is wrong. */
export const checks = () => ({
  "prettier (TypeScript, JSON, YAML)": ["prettier", "--check", "."],
  "eslint (TypeScript)": ["eslint", "--max-warnings=0", "."],
  "clang-format (C++)": ["clang-format", "--dry-run", "--Werror", ...cxx()],
  "ruff format (Python)": ["ruff", "format", "--check", "--diff"],
  "ruff check (Python)": ["ruff", "check"],
});

const fixes = () => ({
  eslint: ["eslint", "--fix", "."],
  prettier: ["prettier", "--write", "."],
  "clang-format": ["clang-format", "-i", ...cxx()],
  "ruff check": ["ruff", "check", "--fix"],
  "ruff format": ["ruff", "format"],
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { fix: { type: "boolean", default: false } } });
  const log = logFile("lint");
  const counts = await commands(values.fix ? fixes() : checks())({ log, env: {} });
  if (counts.failed.length > 0) console.log(tail(log, 200));
  for (const name of counts.failed) console.log(`failed: ${name}`);
  console.log(`${counts}`);
  process.exitCode = counts.failed.length === 0 ? 0 : 1;
}
