// What is published, as users get it: packed, installed from the tarballs alone into an empty folder, and used there.
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { leftIn } from "./support/lanes.js";

const sdk = join(import.meta.dirname, "..");
const core = join(sdk, "..", "core-native");
const root = join(sdk, "..", "..");
const requireOf = (folder: string) => createRequire(join(folder, "package.json"));

let consumer = "";
let lanes = "";
let tarballs: string[] = [];

const run = (command: string, args: string[], env: NodeJS.ProcessEnv = {}): string =>
  execFileSync(command, args, {
    cwd: consumer,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, MEMLANE_DIR: lanes, ...env },
  });

/** Runs a program that is written into the folder of the consumer. */
function runProgram(name: string, text: string, env: NodeJS.ProcessEnv = { PREBUILDS_ONLY: "1" }): string {
  writeFileSync(join(consumer, name), text);
  return run(process.execPath, [name], env).trim();
}

/** The first block of code on a page. */
function codeOf(page: string): string {
  const code = /```ts\n(.*?)```/s.exec(readFileSync(page, "utf8"))?.[1];
  if (code === undefined) throw new Error(`no code in ${page}`);
  return code;
}

const listOf = (tarball: string): string[] =>
  execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((path) => path.replace(/^package\//, ""));

beforeAll(() => {
  consumer = mkdtempSync(join(tmpdir(), "memlane-consumer-"));
  lanes = mkdtempSync(join(tmpdir(), "ml-"));
  const pnpm = join(root, "build", "tools", "node_modules", "pnpm", "bin", "pnpm.cjs");
  for (const folder of [core, sdk]) {
    // pnpm, for it replaces the workspace's own way to write a dependency by its version.
    execFileSync(process.execPath, [pnpm, "pack", "--pack-destination", consumer], { cwd: folder, stdio: "pipe" });
  }
  // Their dependencies, so that the installation asks no registry.
  for (const name of ["node-addon-api", "node-gyp-build"]) {
    const folder = dirname(requireOf(core).resolve(`${name}/package.json`));
    run("npm", ["pack", "--silent", folder]);
  }
  tarballs = readdirSync(consumer).map((name) => join(consumer, name));
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...tarballs]);
}, 120_000);

afterAll(() => {
  for (const folder of [consumer, lanes]) rmSync(folder, { recursive: true });
});

const installed = (...parts: string[]): string => join(consumer, "node_modules", ...parts);

describe("the packages", () => {
  test("hold what they should, and nothing else", () => {
    const [addon, typescript] = ["memlane-core-0", "memlane-0"].map((start) =>
      listOf(tarballs.find((path) => path.includes(start)) ?? start),
    );
    const others = addon?.filter((path) => !/^(include\/memlane\/.*\.(hpp|h)|native\/src\/.*\.(hpp|cpp))$/.test(path));
    expect(others?.toSorted()).toEqual([
      "LICENSE",
      "README.md",
      "build.cjs",
      "build.d.ts",
      "index.cjs",
      "index.d.ts",
      "native/binding.gyp",
      "native/exports.map",
      "package.json",
      `prebuilds/${process.platform}-${process.arch}/memlane-core.glibc.node`,
      "tools/node-headers.cjs",
    ]);
    expect(typescript?.toSorted()).toEqual([
      "LICENSE",
      "README.md",
      "bin/memlane.mjs",
      ...["cjs", "cjs.map", "d.cts", "d.mts", "mjs", "mjs.map"].map((end) => `dist/index.${end}`),
      "package.json",
    ]);
  });

  test("run nothing when they are installed", () => {
    for (const name of ["memlane", "@memlane/core"]) {
      const { scripts = {} } = JSON.parse(readFileSync(installed(name, "package.json"), "utf8")) as {
        scripts?: Record<string, string>;
      };
      expect(Object.keys(scripts).filter((script) => /install|prepare/.test(script))).toEqual([]);
      expect(existsSync(installed(name, "binding.gyp"))).toBe(false);
    }
  });
});

describe("from an empty folder", () => {
  test("the program of the package's page runs as an ES module", () => {
    expect(runProgram("page.mjs", codeOf(installed("memlane", "README.md")))).toBe("[ 1080, 1920, 3 ] 128");
  });

  test("and as CommonJS", () => {
    const text = codeOf(installed("memlane", "README.md"))
      .replace(/import (\{.*\}) from "memlane"/, 'const $1 = require("memlane")')
      .replace(/for await.*/s, (loop) => `(async () => {\n${loop}})();\n`);
    expect(text).toContain("require");
    expect(runProgram("page.cjs", text)).toBe("[ 1080, 1920, 3 ] 128");
  });

  test("nothing is left in the lane directory", () => {
    expect(leftIn(lanes)).toEqual([]);
  });

  test.each(["mts", "cts"])("the types serve a .%s, and refuse what is wrong", (kind) => {
    copyFileSync(join(import.meta.dirname, "types", "program.mts"), join(consumer, `program.${kind}`));
    const options = {
      compilerOptions: {
        module: "nodenext",
        target: "es2022",
        lib: ["es2022", "esnext.disposable"],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
        types: ["node"],
        typeRoots: [join(root, "node_modules", "@types")],
      },
      files: [`program.${kind}`],
    };
    writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify(options));
    const tsc = requireOf(root).resolve("typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", "."], { cwd: consumer, encoding: "utf8" });
    // Node's own types are not at one with every strict setting, which is not our concern.
    const errors = stdout.split("\n").filter((line) => line.includes("error TS") && !line.includes("/@types/node/"));
    expect(errors).toEqual([]);
    expect(status === 0 || stdout.includes("/@types/node/")).toBe(true);
  });

  test("the command says what it can", () => {
    const memlane = installed(".bin", "memlane");
    expect(run(memlane, ["--version"]).trim()).toMatch(/^\d+\.\d+\.\d+$/);
    expect(run(memlane, ["--help"])).toContain("memlane build");
    expect(spawnSync(memlane, ["dance"]).status).toBe(2);
  });
});

describe("where there is no prebuilt binary", () => {
  const version =
    'import("memlane").then((memlane) => console.log(memlane.version), (error) => console.log(error.message));\n';

  beforeAll(() => {
    renameSync(installed("@memlane", "core", "prebuilds"), installed("@memlane", "core", "elsewhere"));
  });

  test("the error names the one command that builds it", () => {
    const message = runProgram("missing.mjs", version);
    expect(message).toContain(`no prebuilt binary for ${process.platform}-${process.arch}`);
    expect(message).toContain("npx memlane build");
  });

  test("that command builds it", () => {
    // Without optimisation, which would take most of the time, and for its warnings nothing.
    run("npx", ["--offline", "memlane", "build"], { CXXFLAGS: "-O0", MAKEFLAGS: "-j2" });
    expect(runProgram("built.mjs", version, { PREBUILDS_ONLY: "" })).toMatch(/^\d+\.\d+\.\d+$/);
  }, 300_000);

  test("a binary that does not load is named with the reason", () => {
    const folder = installed("@memlane", "core", "prebuilds", `${process.platform}-${process.arch}`);
    renameSync(installed("@memlane", "core", "elsewhere"), installed("@memlane", "core", "prebuilds"));
    writeFileSync(join(folder, "memlane-core.glibc.node"), "no program");
    const message = runProgram("broken.mjs", version);
    expect(message).toMatch(/does not load: .*memlane-core\.glibc\.node/);
    expect(message).toContain("npx memlane build");
  });
});
