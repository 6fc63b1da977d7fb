// Builds the addon from source, for platforms without a prebuild: what `npx memlane build` runs.
"use strict";

const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { dirname, join } = require("node:path");

const { withNodeHeaders } = require("./tools/node-headers.cjs");

/** npm brings node-gyp along, and says where while it runs something; else a pinned one is fetched. */
function nodeGyp() {
  const beside = join(dirname(dirname(process.execPath)), "lib", "node_modules", "npm", "node_modules", "node-gyp");
  const scripts = [process.env.npm_config_node_gyp, join(beside, "bin", "node-gyp.js")];
  const script = scripts.find((file) => file !== undefined && existsSync(file));
  if (script !== undefined) return [process.execPath, script];
  return [process.platform === "win32" ? "npx.cmd" : "npx", "--yes", "node-gyp@12.4.0"];
}

/** Returns the exit code; what the compiler says goes to the terminal. */
function build() {
  const [command, ...args] = nodeGyp();
  const { status, error } = spawnSync(command, [...args, "rebuild", "--directory", join(__dirname, "native")], {
    env: withNodeHeaders(),
    stdio: "inherit",
  });
  if (error) throw error;
  return status ?? 1;
}

module.exports = { build };
