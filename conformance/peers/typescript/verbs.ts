// What a peer can do, by the names of the steps. Each part of it has its own.
import type { Form } from "./form.js";

export type Verb = (step: Form, reply: Form) => void | Promise<void>;
export type Verbs = Readonly<Record<string, Verb>>;

/** What a step calls by a name. */
export function named<T>(all: Map<string, T>, name: string): T {
  const found = all.get(name);
  if (found === undefined) throw new Error(`there is nothing named ${name}`);
  return found;
}
