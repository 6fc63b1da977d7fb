// Loads the addon: the prebuild for this platform, else what `npx memlane build` has built here.
"use strict";

const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

/** Whether the process runs on musl. node-gyp-build only knows Alpine, and there are others. */
function isMusl() {
  try {
    return readFileSync("/proc/self/maps", "latin1").includes("/ld-musl-");
  } catch {
    return false;
  }
}

function findPrebuild() {
  const saysNothing = process.env.LIBC === undefined;
  if (saysNothing && process.platform === "linux" && isMusl()) process.env.LIBC = "musl";
  try {
    return require("node-gyp-build").path(__dirname);
  } catch {
    return undefined; // there is none
  } finally {
    if (saysNothing) delete process.env.LIBC;
  }
}

function load() {
  const prebuild = findPrebuild();
  const built = join(__dirname, "native", "build", "Release", "memlane-core.node");
  const candidates = [prebuild, process.env.PREBUILDS_ONLY ? undefined : built];
  let cause;
  for (const file of candidates) {
    if (file === undefined || !existsSync(file)) continue;
    try {
      return require(file);
    } catch (error) {
      cause ??= error;
    }
  }
  const { platform, arch, versions } = process;
  const why =
    cause === undefined
      ? `memlane has no prebuilt binary for ${platform}-${arch} (Node ${versions.node})`
      : `memlane's binary for ${platform}-${arch} does not load: ${cause.message}`;
  throw new Error(`${why}\nBuild it here, with a C++20 compiler and Python 3: npx memlane build`, { cause });
}

const addon = load();

// One by one: Node finds the names that an ES module may import by reading this text.
exports.Publisher = addon.Publisher;
exports.Subscriber = addon.Subscriber;
exports.setErrorFactory = addon.setErrorFactory;
exports.errorCodes = addon.errorCodes;
exports.dtypes = addon.dtypes;
exports.POLL = addon.POLL;
exports.TRY_ONCE = addon.TRY_ONCE;
exports.version = addon.version;
