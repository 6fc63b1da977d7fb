import { createRequire } from "node:module";

import type * as native from "@memlane/core";

/**
 * The addon. By require and not by import: an ES module whose import of a CommonJS module fails ends a program of Node 20
 * even if it has caught the error, and this one fails where there is no binary for the platform.
 */
export const addon = createRequire(import.meta.url)("@memlane/core") as typeof native;
