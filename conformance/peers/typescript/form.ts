// The lines of the control channel: see ../PROTOCOL.md.

/** The fields of a step or of a reply. */
export type Form = URLSearchParams;

export function text(step: Form, name: string): string {
  const value = step.get(name);
  if (value === null) throw new Error(`the step lacks \`${name}\``);
  return value;
}

export function number(step: Form, name: string): number;
export function number<T>(step: Form, name: string, otherwise: T): number | T;
export function number(step: Form, name: string, otherwise?: unknown): unknown {
  const value = step.get(name);
  if (value === null && arguments.length > 2) return otherwise;
  return Number(text(step, name));
}

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
export const unhex = (digits: string) => new Uint8Array(Buffer.from(digits, "hex"));

/** Adds fields; one name may stand several times. */
export function append(reply: Form, all: readonly (readonly [string, string | number | bigint])[]): void {
  for (const [name, value] of all) reply.append(name, `${value}`);
}
