import { addon } from "./addon.js";

/** The version of the library, as of the C++ core that it carries. */
export const version: string = addon.version;
