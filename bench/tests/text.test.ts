// Figures as text, and text into pages.
import { describe, expect, test } from "@jest/globals";

import { short, size, table, times } from "../lib/markdown.mjs";
import { between } from "../lib/pages.mjs";
import { median, medianOfTrials } from "../lib/statistics.mjs";

test.each([
  [0, "0"],
  [0.1234, "0.123"],
  [9.876, "9.88"],
  [98.76, "98.8"],
  [987.6, "988"],
  [1_234_567, "1,234,567"],
])("%d is written as %s", (value, text) => {
  expect(short(value)).toBe(text);
});

test.each([
  [64, "64 B"],
  [1024, "1 KB"],
  [65_536, "64 KB"],
  [1_228_800, "1.23 MB"],
  [49_766_400, "49.8 MB"],
  [2_202_163_200, "2.2 GB"],
])("%d bytes are called %s", (bytes, text) => {
  expect(size(bytes)).toBe(text);
});

test("a ratio says so", () => {
  expect(times(3, 2)).toBe("1.5 ×");
});

test("a table aligns figures to the right", () => {
  expect(table(["a", "b"], [["x", "1"]])).toBe("| a | b |\n| --- | ---: |\n| x | 1 |");
});

test("the median is a value that was measured", () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2);
  expect(median([10, 9, 100])).toBe(10); // as numbers, not as text
});

test("the median of trials is taken for each figure", () => {
  const trials = [1, 30, 200].map((ns, n) => [{ how: "loan", ns, rounds: 7 - n }]);
  expect(medianOfTrials(trials)).toEqual([{ how: "loan", ns: 30, rounds: 6 }]);
});

describe("a page", () => {
  const page = "before\n<!-- x:begin -->\nold\n<!-- x:end -->\nafter\n";

  test("gets the text between its markers, and again without growing", () => {
    const once = between(page, "x", "new");
    expect(once).toBe("before\n<!-- x:begin -->\n\nnew\n\n<!-- x:end -->\nafter\n");
    expect(between(once ?? "", "x", "new")).toBe(once);
  });

  test.each(["no markers", "<!-- x:begin --> only", "<!-- x:end --> before <!-- x:begin -->"])(
    "is left alone: %s",
    (other) => {
      expect(between(other, "x", "new")).toBeUndefined();
    },
  );
});
