import { version as native } from "@memlane/core";

/** The version of the library, as of the C++ core that it carries. */
export const version: string = native;
