// Who talks to whom: the columns of the matrix, computed from the list of languages.
import type { Language } from "./languages.js";
import { languages, shortNames } from "./languages.js";

/** One pairing or group: the language of each publisher and of each subscriber. */
export interface Column {
  readonly name: string;
  readonly publishers: readonly Language[];
  readonly subscribers: readonly Language[];
}

/** All languages, beginning with the n-th, so that each of them is the first of a group somewhere. */
const rotated = (n: number) => languages.map((_, i) => languages[(i + n) % languages.length] ?? languages[0]);

const title = (group: readonly Language[]) => (group.length === 1 ? group.map((one) => shortNames[one]).join() : "all");

function column(publishers: readonly Language[], subscribers: readonly Language[]): Column {
  return { name: `${title(publishers)}→${title(subscribers)}`, publishers, subscribers };
}

export const columns: readonly Column[] = [
  ...languages.flatMap((publisher) => languages.map((subscriber) => column([publisher], [subscriber]))),
  ...languages.map((publisher, i) => column([publisher], rotated(i))),
  ...languages.map((subscriber, i) => column(rotated(i), [subscriber])),
  column(rotated(0), rotated(1)),
];
