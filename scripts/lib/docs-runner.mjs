// Runs the code blocks of the README and the docs: the programs that people copy first must work.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";

import { codeBlocks } from "./code-blocks.mjs";
import { at, prefix, root, venv } from "./paths.mjs";
import { Counts } from "./reports.mjs";
import { CommandFailed, run } from "./run.mjs";
import { filesUnder } from "./stamp.mjs";

// Inside the examples' package, where `import "memlane"` finds the SDK.
const work = at("examples", "build", "docs");

const cmakePreamble = `cmake_minimum_required(VERSION 3.21)
project(app LANGUAGES CXX)
add_executable(app app.cpp)
`;

// How a block of each kind becomes a command, in a folder of its own.
const prepare = {
  async cpp({ folder, file, log }) {
    const program = join(folder, "program");
    const flags = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-pthread"];
    await run(process.env.CXX ?? "c++", [...flags, `-I${join(prefix, "include")}`, file, "-o", program], { log });
    return [program];
  },
  async py({ file, log }) {
    await run("mypy", ["--strict", file], { log });
    return [join(venv, "bin", "python"), file];
  },
  async ts({ folder, file, log }) {
    const config = { extends: at("tsconfig.base.json"), compilerOptions: { noUnusedLocals: false }, files: [file] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    await run("tsc", ["-p", folder], { log });
    const { transformFile } = await import("@swc/core");
    const parser = { syntax: "typescript", explicitResourceManagement: true };
    const { code } = await transformFile(file, { swcrc: false, jsc: { target: "es2022", parser } });
    const program = join(folder, "program.mjs");
    writeFileSync(program, code);
    return [process.execPath, program];
  },
  async cmake({ folder, text: block, log }) {
    writeFileSync(
      join(folder, "app.cpp"),
      "#include <memlane/memlane.hpp>\nint main() { return memlane::version.empty(); }\n",
    );
    writeFileSync(join(folder, "CMakeLists.txt"), cmakePreamble + block);
    const build = join(folder, "build");
    await run("cmake", ["-G", "Ninja", "-S", folder, "-B", build, `-DCMAKE_PREFIX_PATH=${prefix}`], { log });
    await run("cmake", ["--build", build], { log });
    return [join(build, "app")];
  },
  async sh({ file }) {
    return ["bash", "-euo", "pipefail", file];
  },
};

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

async function runGroup(name, blocks, { log, env }) {
  const commands = [];
  for (const [index, block] of blocks.entries()) {
    const folder = join(work, `${name}-${index}`.replace(/[^\w.-]+/g, "-"));
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `block.${block.kind === "ts" ? "mts" : block.kind}`);
    writeFileSync(file, block.text);
    commands.push(await prepare[block.kind]({ ...block, folder, file, log }));
  }
  // At the same time, since they talk to each other.
  const ends = commands.map(([command, ...args]) => run("timeout", ["60", command, ...args], { log, env }));
  const failed = (await Promise.allSettled(ends)).find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Runs every group of blocks of every page under `paths`; each group is one test. */
export const docs =
  (...paths) =>
  async (context) => {
    rmSync(work, { recursive: true, force: true });
    const counts = new Counts();
    const pages = paths.flatMap((path) => filesUnder(at(path))).filter((file) => extname(file) === ".md");
    for (const page of pages) {
      const groups = new Map();
      for (const block of codeBlocks(readFileSync(page, "utf8"))) {
        const place = `${relative(root, page)}:${block.line}`;
        if (block.group !== undefined) groups.set(block.group, [...(groups.get(block.group) ?? []), block]);
        else if (block.reason !== undefined) counts.skipped.push(`${place}: ${block.reason}`);
        else if (isKnown(block)) counts.passed += 1;
        else counts.failed.push(`${place}: nothing runs this block`);
      }
      for (const [group, blocks] of groups) {
        const name = `${relative(root, page)} ${group}`;
        try {
          await runGroup(name, blocks, context);
          counts.passed += 1;
        } catch (error) {
          if (!(error instanceof CommandFailed)) throw error;
          counts.failed.push(name);
        }
      }
    }
    return counts;
  };
