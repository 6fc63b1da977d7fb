// Finding the code blocks of a page, and what the page says about running each.
//
// A comment on the line above a block, which readers do not see, says how it is tested:
//
//   <!-- run: GROUP -->      a whole program; all blocks of one GROUP of a page run at the same time, and must all end well
//   <!-- not run: REASON --> counted as skipped, with the reason
//
// A block of a language that could run, with neither, is an error: it would rot unseen. (A shell block of the project's
// own commands needs neither: docs-runner.mjs checks that they exist.)

const languages = new Map([
  ["cpp", "cpp"],
  ["c++", "cpp"],
  ["python", "py"],
  ["py", "py"],
  ["ts", "ts"],
  ["typescript", "ts"],
  ["cmake", "cmake"],
  ["sh", "sh"],
  ["bash", "sh"],
]);

/**
 * @returns one { line, kind, text, group, reason } for each block of a language that could run; `group` or `reason` is
 * undefined where the page does not say it.
 */
export function codeBlocks(page) {
  const blocks = [];
  const lines = page.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*([\w+-]*)/.exec(lines[i]);
    if (fence === null) continue;
    const [, indent, mark, language] = fence;
    const begin = i;
    const text = [];
    while (++i < lines.length && lines[i].trim() !== mark) text.push(lines[i].slice(indent.length));
    const kind = languages.get(language.toLowerCase());
    if (kind === undefined) continue;
    const above = lines[begin - 1] ?? "";
    blocks.push({
      line: begin + 1,
      kind,
      text: `${text.join("\n")}\n`,
      group: /<!-- run: (\S+) -->/.exec(above)?.[1],
      reason: /<!-- not run: (.+?) -->/.exec(above)?.[1],
    });
  }
  return blocks;
}
