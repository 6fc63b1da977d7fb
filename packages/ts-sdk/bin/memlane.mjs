#!/usr/bin/env node
// The `memlane` command. Imports nothing that loads the addon before it is needed: `memlane build` is what makes it.
import { createRequire } from "node:module";

const usage = `usage: memlane build     builds the native addon from source, where there is no prebuilt one
       memlane --version`;

const [command, ...rest] = process.argv.slice(2);
const require = createRequire(import.meta.url);

if (command === "build" && rest.length === 0) {
  process.exitCode = require("@memlane/core/build.cjs").build();
} else if (command === "--version" && rest.length === 0) {
  console.log(require("../package.json").version);
} else {
  const asked = command === "--help" || command === "-h";
  (asked ? console.log : console.error)(usage);
  process.exitCode = asked ? 0 : 2;
}
