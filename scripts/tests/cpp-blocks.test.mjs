import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { oneCppProgram } from "../lib/cpp-blocks.mjs";

const blocks = [
  {
    page: "a.md",
    line: 3,
    text: '#include <cstdio>\n\nint twice(int n) {\n  return 2 * n;\n}\n\nint main() {\n  std::puts(twice(1) == 2 ? "two" : "");\n}\n',
  },
  { page: "b.md", line: 7, text: "#include <cstdio>\nint main() {\n  return 3;\n}\n" },
];

const folder = mkdtempSync(join(tmpdir(), "cpp-blocks-"));
test.after(() => rmSync(folder, { recursive: true }));

/** Compiles, and returns the program; throws with what the compiler says. */
function compiled(text) {
  const source = join(folder, "blocks.cpp");
  writeFileSync(source, text);
  execFileSync("c++", ["-std=c++20", "-Wall", "-Wextra", "-Werror", source, "-o", join(folder, "blocks")], {
    stdio: "pipe",
  });
  return join(folder, "blocks");
}

test("each block is run by its number, with its own functions and its own exit code", () => {
  const program = compiled(oneCppProgram(blocks));
  const outcomes = ["0", "1"].map((number) => {
    const { status, stdout } = spawnSync(program, [number], { encoding: "utf8" });
    return { status, stdout };
  });
  assert.deepEqual(outcomes, [
    { status: 0, stdout: "two\n" },
    { status: 3, stdout: "" },
  ]);
});

test("a mistake is named by the page and the line that it stands in", () => {
  const wrong = { page: "docs/c.md", line: 11, text: "int main() {\n  int unused = 1;\n}\n" };
  assert.throws(() => compiled(oneCppProgram([...blocks, wrong])), /docs\/c\.md:13:.*unused/);
});
