// Many small C++ programs as one: most of what it takes to compile one of them is the headers.

const include = /^\s*#\s*include\b.*/;

/** Puts the `return 0;` in that `main` may leave out, and no other function. */
function withReturn(lines) {
  const end = lines.findLastIndex((line) => line === "}");
  return lines.map((line, i) => (i === end ? `return 0; ${line}` : line));
}

/**
 * One program that does what the block of that number does: `program 3`.
 *
 * A block is a whole program: `int main()` without arguments, its closing brace the last one that stands at the begin of a
 * line. What the compiler complains of is named by page and line.
 *
 * @param blocks { text, page, line }: `line` is that of the block's fence
 */
export function oneCppProgram(blocks) {
  const lines = blocks.map(({ text }) => text.trimEnd().split("\n"));
  const includes = [...new Set(lines.flat().filter((line) => include.test(line)))];
  const bodies = blocks.map(
    ({ page, line }, i) =>
      `namespace block_${i} {\n#line ${line + 1} "${page}"\n` +
      `${withReturn(lines[i].map((text) => (include.test(text) ? "" : text))).join("\n")}\n}  // namespace block_${i}\n`,
  );
  const choices = blocks.map((_, i) => `    case ${i}: return block_${i}::main();\n`);
  return `${includes.join("\n")}
#include <cstdlib>
${bodies.join("\n")}
int main(int, char** arguments) {
  switch (std::atoi(arguments[1])) {
${choices.join("")}  }
  return 2;
}
`;
}
