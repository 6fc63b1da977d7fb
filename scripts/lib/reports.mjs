// Reading what test runners report: how many tests passed, failed and were skipped, and the names of those that did not pass.
import { readFileSync } from "node:fs";

export class Counts {
  passed = 0;
  failed = [];
  skipped = [];

  get total() {
    return this.passed + this.failed.length + this.skipped.length;
  }

  toString() {
    return `${this.passed} passed, ${this.failed.length} failed, ${this.skipped.length} skipped`;
  }

  add(other) {
    this.passed += other.passed;
    this.failed.push(...other.failed);
    this.skipped.push(...other.skipped);
  }
}

function attribute(tag, name) {
  const text = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

/** A report as pytest and CTest write it. */
export function readJUnit(file) {
  const counts = new Counts();
  // Text inside a case is escaped, so the first `</testcase>` ends it.
  for (const [, tag, , body = ""] of readFileSync(file, "utf8").matchAll(
    /<testcase\b((?:"[^"]*"|[^">])*?)(\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    // CTest gives both the same text, pytest a module and a function.
    const name = [...new Set([attribute(tag, "classname"), attribute(tag, "name")])].filter(Boolean).join(" ");
    if (/<(failure|error)\b/.test(body)) counts.failed.push(name);
    else if (/<skipped\b/.test(body) || attribute(tag, "status") === "disabled") counts.skipped.push(name);
    else counts.passed += 1;
  }
  return counts;
}

/** A report as `jest --json` writes it. */
export function readJest(file) {
  const counts = new Counts();
  for (const suite of JSON.parse(readFileSync(file, "utf8")).testResults) {
    // A file that cannot even be loaded has no tests that could fail.
    if (suite.assertionResults.length === 0 && suite.status === "failed") counts.failed.push(suite.name);
    for (const { fullName, status } of suite.assertionResults) {
      if (status === "passed") counts.passed += 1;
      else if (status === "failed") counts.failed.push(fullName);
      else counts.skipped.push(fullName);
    }
  }
  return counts;
}
