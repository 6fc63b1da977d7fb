import assert from "node:assert/strict";
import { test } from "node:test";

import { codeBlocks } from "../lib/code-blocks.mjs";

const page = `
<!-- run: frames -->
\`\`\`cpp
int main() {}
\`\`\`

<!-- not run: needs a camera -->
\`\`\`python
import camera
\`\`\`

\`\`\`ts
forgotten();
\`\`\`

\`\`\`text
$ anything
\`\`\`

1. indented:

   <!-- run: frames -->
   \`\`\`sh
   if true; then
     echo yes
   fi
   \`\`\`
`;

test("a block knows its language, its place, and what the page says about running it", () => {
  const blocks = codeBlocks(page).map(({ kind, line, group, reason }) => ({ kind, line, group, reason }));
  assert.deepEqual(blocks, [
    { kind: "cpp", line: 3, group: "frames", reason: undefined },
    { kind: "py", line: 8, group: undefined, reason: "needs a camera" },
    { kind: "ts", line: 12, group: undefined, reason: undefined },
    { kind: "sh", line: 23, group: "frames", reason: undefined },
  ]);
});

test("an indented block loses the indentation of its fence only", () => {
  assert.equal(codeBlocks(page).at(-1).text, "if true; then\n  echo yes\nfi\n");
});
