// The places that the commands share.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const at = (...parts) => join(root, ...parts);

export const logs = at("build", "logs");
export const tools = at("build", "tools");
export const venv = at(".venv");
export const prefix = at("build", "prefix");
