// node-gyp gets Node's headers by download, which fails where there is no network. Most installations carry them.
"use strict";

const { existsSync } = require("node:fs");
const { dirname, join } = require("node:path");

/** The environment for node-gyp: with the headers beside this Node, if there are any and nobody says otherwise. */
function withNodeHeaders(env = process.env) {
  const prefix = dirname(dirname(process.execPath));
  if (env.npm_config_nodedir !== undefined || !existsSync(join(prefix, "include", "node", "node_api.h"))) return env;
  return { ...env, npm_config_nodedir: prefix };
}

module.exports = { withNodeHeaders };
