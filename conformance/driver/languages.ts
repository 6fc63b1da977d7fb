// The languages, and how to start a peer of each. Another language is another line in each table.
import { fileURLToPath } from "node:url";

export const languages = ["cpp", "python", "typescript"] as const;
export type Language = (typeof languages)[number];

/** As the matrix heads its columns. */
export const shortNames: Record<Language, string> = { cpp: "cpp", python: "py", typescript: "ts" };

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The command of a peer, as `npm run setup` and driver/build-peer.mjs leave it. */
export const commands: Record<Language, readonly [string, ...string[]]> = {
  cpp: [at("../build/release/conformance/conformance_peer")],
  python: [at("../.venv/bin/python"), at("peers/python/peer.py")],
  typescript: [process.execPath, at("dist/main.js")],
};
