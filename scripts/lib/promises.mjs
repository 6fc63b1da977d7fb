// The promises that a page makes in its tables, `| promise | test |`, and the tests of the suites, so that one can be held
// against the other. A suite's name stands before the first of its tests, and holds for those that follow: core `A.b`, `A.c`.
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

import { at } from "./paths.mjs";

const files = (folder, ending) =>
  readdirSync(at(folder), { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => ({ name: basename(name), text: readFileSync(join(at(folder), name), "utf8") }));

const pytests = (folder) =>
  files(folder, ".py").flatMap(({ name, text }) =>
    [...text.matchAll(/^def (test_\w+)\(/gm)].map(([, test]) => `${name.replace(".py", "")}.${test}`),
  );

const googleTests = (folder) =>
  files(folder, "_test.cpp").flatMap(({ text }) =>
    [...text.matchAll(/^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)/gm)].map(([, suite, name]) => `${suite}.${name}`),
  );

const nodeTests = (folder) =>
  files(folder, ".test.mjs").flatMap(({ text }) =>
    [...text.matchAll(/^(?:test|describe)\("([^"]+)"/gm)].map(([, name]) => name),
  );

/** The names of each suite's tests. */
export const suites = {
  security: pytests("security"),
  hostile: pytests("packages/core-native/hostile"),
  models: pytests("packages/core-native/models"),
  "kill-matrix": pytests("kill-matrix"),
  core: googleTests("packages/core-native/tests"),
  "nth-call": googleTests("packages/core-native/nth_call"),
  limits: googleTests("packages/core-native/limits"),
  torture: nodeTests("torture/tests"),
  conformance: files("conformance/scenarios", ".json")
    .map(({ text }) => JSON.parse(text))
    .filter(Array.isArray)
    .flatMap((scenarios) => scenarios.map(({ name }) => name)),
};

const reference = new RegExp(`(?:(?<![\\w-])(${Object.keys(suites).join("|")}) )?\`([^\`]+)\``, "g");

function named(cell) {
  let suite;
  return [...cell.matchAll(reference)].map(([, of, name]) => {
    suite = of ?? suite;
    return { suite, name };
  });
}

/** The page's sections: each with its title, its text, and its promises with their tests. */
export function sections(page) {
  return readFileSync(at(page), "utf8")
    .split(/^## /m)
    .slice(1)
    .map((text) => ({
      title: text.split("\n", 1)[0],
      text,
      promises: [...text.matchAll(/^\| (?!promise |---)(.+) \| (.+) \|$/gm)].map(([, promise, cell]) => ({
        promise,
        tests: named(cell),
      })),
    }));
}
