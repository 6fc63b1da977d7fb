// The one version number stands in the root's package.json. Files that must carry a copy are listed here.
// `npm run release:version` checks that all agree; `npm run release:version -- 0.2.0` writes a new one into each.
import { readFileSync, writeFileSync } from "node:fs";

import { at } from "./lib/paths.mjs";

const json = /("version": ")([^"]+)(")/;
const toml = /^(version = ")([^"]+)(")/m;

// The first is the one; the others are its copies.
const places = [
  ["package.json", json],
  ["packages/core-native/package.json", json],
  ["packages/ts-sdk/package.json", json],
  ["packages/py-shim/pyproject.toml", toml],
  ["packages/core-native/include/memlane/version.hpp", /( version = ")([^"]+)(")/],
];

const wanted = process.argv[2];
if (wanted !== undefined && !/^\d+\.\d+\.\d+$/.test(wanted)) {
  throw new Error(`a version is three numbers, such as 0.2.0, and not ${wanted}`);
}

const found = places.map(([file, pattern]) => {
  const text = readFileSync(at(file), "utf8");
  if (!pattern.test(text)) throw new Error(`${file} has no version`);
  if (wanted !== undefined) writeFileSync(at(file), text.replace(pattern, `$1${wanted}$3`));
  return [file, wanted ?? pattern.exec(text)[2]];
});

const [, version] = found[0];
const different = found.filter(([, other]) => other !== version);
for (const [file, other] of different) console.error(`${file} says ${other}, package.json says ${version}`);
console.log(version);
process.exitCode = different.length === 0 ? 0 : 1;
