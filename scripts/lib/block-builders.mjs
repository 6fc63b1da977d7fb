// How the code blocks of each language become commands: all blocks of a language at once, since every start of a compiler
// or a checker takes seconds. A builder takes [{ text, page, line }] and { folder, log }, and returns one command for each.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { oneCppProgram } from "./cpp-blocks.mjs";
import { at, prefix, venv } from "./paths.mjs";
import { run } from "./run.mjs";

const cmakePreamble = `cmake_minimum_required(VERSION 3.21)
project(app LANGUAGES CXX)
add_executable(app app.cpp)
`;
const cmakeApp = "#include <memlane/memlane.hpp>\nint main() { return memlane::version.empty(); }\n";

function written(folder, blocks, extension) {
  return blocks.map(({ text }, i) => {
    const file = join(folder, `block_${i}.${extension}`);
    writeFileSync(file, text);
    return file;
  });
}

export const builders = {
  async cpp(blocks, { folder, log }) {
    const source = join(folder, "blocks.cpp");
    const program = join(folder, "blocks");
    writeFileSync(source, oneCppProgram(blocks));
    const flags = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-pthread"];
    const paths = ["include", "include/memlane/compat"].map((path) => `-I${join(prefix, path)}`);
    await run(process.env.CXX ?? "c++", [...flags, ...paths, source, "-o", program], { log });
    return blocks.map((_, i) => [program, String(i)]);
  },

  async py(blocks, { folder, log }) {
    const files = written(folder, blocks, "py");
    await run("mypy", ["--strict", ...files], { log });
    return files.map((file) => [join(venv, "bin", "python"), "-W", "error", file]);
  },

  async ts(blocks, { folder, log }) {
    const files = written(folder, blocks, "mts");
    const config = { extends: at("tsconfig.base.json"), compilerOptions: { noUnusedLocals: false }, files };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    await run("tsc", ["-p", folder], { log });
    const { transformFile } = await import("@swc/core");
    const parser = { syntax: "typescript", explicitResourceManagement: true };
    return Promise.all(
      files.map(async (file) => {
        const { code } = await transformFile(file, { swcrc: false, jsc: { target: "es2022", parser } });
        const program = file.replace(/\.mts$/, ".mjs");
        writeFileSync(program, code);
        return [process.execPath, program];
      }),
    );
  },

  async cmake(blocks, { folder, log }) {
    const commands = [];
    for (const [i, { text }] of blocks.entries()) {
      const project = join(folder, String(i));
      const build = join(project, "build");
      mkdirSync(project);
      writeFileSync(join(project, "app.cpp"), cmakeApp);
      writeFileSync(join(project, "CMakeLists.txt"), cmakePreamble + text);
      await run("cmake", ["-G", "Ninja", "-S", project, "-B", build, `-DCMAKE_PREFIX_PATH=${prefix}`], { log });
      await run("cmake", ["--build", build], { log });
      commands.push([join(build, "app")]);
    }
    return commands;
  },

  async sh(blocks, { folder }) {
    return written(folder, blocks, "sh").map((file) => ["bash", "-euo", "pipefail", file]);
  },
};
