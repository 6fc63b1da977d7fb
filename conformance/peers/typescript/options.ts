// What the fields of a step mean to the library.
import type { DType, Overflow, PublisherOptions, SubscriberOptions } from "memlane";

import { number, text } from "./form.js";
import type { Form } from "./form.js";

export function lane(step: Form): string | bigint {
  const key = step.get("key");
  return key === null ? text(step, "lane") : BigInt(key);
}

export const dtype = (step: Form) => (step.get("dtype") ?? undefined) as DType | undefined;
export const shape = (step: Form) => step.getAll("shape").map(Number);

/** Without the fields that are undefined: an option that is not given is not there. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof given<T>
  >;
}

export function publisherOptions(step: Form): PublisherOptions {
  return given({
    history: number(step, "history", undefined),
    memoryBudget: number(step, "budget", undefined),
    maxHeld: number(step, "max-held", undefined),
    sendTimeout: number(step, "send-timeout", undefined),
    checksum: step.get("checksum") === "true",
    joinTimeout: number(step, "join-timeout", undefined),
    label: step.get("label") ?? undefined,
    directory: text(step, "directory"),
    group: step.get("group") ?? undefined,
    spin: number(step, "spin", undefined),
  });
}

export function subscriberOptions(step: Form): SubscriberOptions {
  return given({
    depth: number(step, "depth", undefined),
    overflow: (step.get("overflow") ?? undefined) as Overflow | undefined,
    joinTimeout: number(step, "join-timeout", undefined),
    label: step.get("label") ?? undefined,
    directory: text(step, "directory"),
    group: step.get("group") ?? undefined,
    spin: number(step, "spin", undefined),
  });
}
