// Puts the tables where people read them: between markers that the pages carry.
//
//   <!-- bench:summary:begin --> ... <!-- bench:summary:end -->   (README.md)
//   <!-- bench:all:begin --> ... <!-- bench:all:end -->           (docs/benchmarks.md)
import { existsSync, readFileSync, writeFileSync } from "node:fs";

import { at } from "../../scripts/lib/paths.mjs";
import { report, summary } from "./report.mjs";

const places = [
  { page: "README.md", mark: "bench:summary", render: summary },
  { page: "docs/benchmarks.md", mark: "bench:all", render: report },
];

/** The page with `text` between the two markers of `mark`; undefined where it has none. */
export function between(page, mark, text) {
  const [begin, end] = [`<!-- ${mark}:begin -->`, `<!-- ${mark}:end -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) return undefined;
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

/** @returns the pages that were written */
export function writePages(results) {
  return places
    .filter(({ page }) => existsSync(at(page)))
    .filter(({ page, mark, render }) => {
      const text = between(readFileSync(at(page), "utf8"), mark, render(results));
      if (text !== undefined) writeFileSync(at(page), text);
      return text !== undefined;
    })
    .map(({ page }) => page);
}
