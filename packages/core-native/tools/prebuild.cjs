// Builds the addon for this platform into prebuilds/, as it is published.
"use strict";

const { spawnSync } = require("node:child_process");
const { join } = require("node:path");

const { withNodeHeaders } = require("./node-headers.cjs");

const root = join(__dirname, "..");
const args = ["--cwd", "native", "--out", ".", "--name", "memlane-core", "--napi", "--strip", "--tag-libc"];
// The oldest Node that is supported; without it prebuildify takes the newest that it knows.
const target = ["-t", "20.0.0"];
const { status, error } = spawnSync(process.execPath, [require.resolve("prebuildify/bin.js"), ...args, ...target], {
  cwd: root,
  env: withNodeHeaders({ JOBS: "max", ...process.env }),
  stdio: "inherit",
});
if (error) throw error;
process.exitCode = status ?? 1;
