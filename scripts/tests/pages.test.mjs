// What the pages say of codes, options and each other, held against what is there.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { test } from "node:test";

import { at, root } from "../lib/paths.mjs";
import { filesUnder } from "../lib/stamp.mjs";

const read = (path) => readFileSync(at(path), "utf8");
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, first]) => first);

const errors = read("docs/reference/errors.md");
const codes = all(read("packages/core-native/include/memlane/error.hpp"), /return "([a-z-]+)";/g).filter(
  (code) => code !== "unknown",
);

test("the page of errors has every code of the core, in its order: in its table and under a heading", () => {
  assert.ok(codes.length > 20);
  assert.deepEqual(all(errors, /^\| \[`([a-z-]+)`\]\(#[a-z-]+\)/gm), codes);
  assert.deepEqual(all(errors, /^## ([a-z-]+)$/gm), codes);
});

test("the page of errors gives each code the class that Python gives it", () => {
  const classes = [
    ...read("packages/py-shim/src/memlane/errors.py").matchAll(
      /^class (\w+)\(Error, (\w+)\):[^]*?code = "([a-z-]+)"/gm,
    ),
  ];
  const rows = [...errors.matchAll(/^\| \[`([a-z-]+)`\]\(#\1\) \| `(\w+)` \| `(\w+)`/gm)];
  assert.deepEqual(
    rows.map(([, code, name, builtin]) => [name, builtin, code]),
    codes.map((code) => classes.find(([, , , of]) => of === code)?.slice(1)),
  );
});

test("TypeScript has the same codes", () => {
  assert.deepEqual(all(read("packages/ts-sdk/src/error.ts"), /^ {2}\| "([a-z-]+)"/gm), codes);
});

test("the page of options has every option of the core", () => {
  const page = read("docs/reference/options.md");
  const structs = all(
    read("packages/core-native/include/memlane/options.hpp"),
    /^struct (?:PublisherOptions|SubscriberOptions|SendInfo) \{([^]*?)^\};/gm,
  );
  // Not those that the bindings alone set.
  const bodies = structs.map((body) => body.replace(/^ *\/\/\/ For bindings.*\n.*;$/gm, ""));
  const options = new Set(bodies.flatMap((body) => all(body, /^ {2}[\w:<>, ]+? (\w+)(?: = .*)?;/gm)));
  assert.ok(options.has("history") && options.has("overflow") && options.has("user_header"));
  for (const option of options) assert.match(page, new RegExp(`^\\| \`${option}\``, "m"), option);
});

// The headings of a page, as links name them.
const anchors = (page) =>
  all(readFileSync(page, "utf8"), /^#+ (.+)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs"]
  .flatMap((path) => filesUnder(at(path)))
  .filter((file) => extname(file) === ".md");

for (const page of pages) {
  test(`${relative(root, page)}: every link within the repository leads somewhere`, () => {
    const text = readFileSync(page, "utf8").replace(/^```[^]*?^```$/gm, "");
    for (const link of all(text, /\]\(([^)\s]+)\)/g).filter((link) => !/^[a-z]+:/.test(link))) {
      const [path, anchor] = link.split("#");
      const target = path === "" ? page : join(dirname(page), path);
      assert.ok(existsSync(target), `${link}: there is no such file`);
      if (anchor !== undefined) assert.ok(anchors(target).includes(anchor), `${link}: there is no such heading`);
    }
  });
}

test("every page of the docs is in the list of pages", () => {
  const index = read("docs/README.md");
  for (const page of pages.map((file) => relative(at("docs"), file)).filter((path) => !path.startsWith(".."))) {
    assert.ok(page === "README.md" || index.includes(`(${page})`), page);
  }
});
