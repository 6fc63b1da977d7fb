import { MemlaneError } from "../../src/index.js";

/** The error that a call throws, or a promise is rejected with. Fails if there is none. */
export async function caught(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    // Not by instanceof: an abort's reason is made outside of jest's own world of globals.
    if (typeof error === "object" && error !== null && "message" in error) return error as Error;
    throw new Error("thrown, but no Error", { cause: error });
  }
  throw new Error("nothing was thrown");
}

/** The same for an error of memlane. */
export async function caughtMemlane(call: () => unknown): Promise<MemlaneError> {
  const error = await caught(call);
  if (error instanceof MemlaneError) return error;
  throw error;
}

/** The code of the error of memlane that a call throws. */
export async function codeOf(call: () => unknown): Promise<string> {
  return (await caughtMemlane(call)).code;
}
