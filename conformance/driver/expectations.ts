// Holding a reply against what the scenario expects. Each function throws an error that says what is different.
import type { Form } from "../peers/typescript/form.js";
import type { Ledger, Sent } from "./ledger.js";
import type { Expectation } from "./scenario.js";

export function same(what: string, found: unknown, wanted: unknown): void {
  if (String(found) !== String(wanted)) {
    throw new Error(`${what} is ${String(found) || "empty"} in place of ${String(wanted) || "nothing"}`);
  }
}

/** Who may be named by an error's message. */
export interface Named {
  readonly label: string;
  readonly pid: number;
}

/** Checks that the reply is the error that is expected, or none. Returns true if it was an error. */
export function checkError(reply: Form, expect: Expectation, named: readonly Named[]): boolean {
  const [code, message] = [reply.get("error"), reply.get("message") ?? ""];
  if (expect.error === undefined) {
    if (code !== null) throw new Error(`failed with ${code}: ${message}`);
    return false;
  }
  if (code === null) throw new Error(`succeeded (${reply.toString()}) in place of failing with ${expect.error}`);
  if (code !== expect.error) throw new Error(`failed with ${code} in place of ${expect.error}: ${message}`);
  if (message.length < 10) throw new Error(`the message says nothing: ${message}`);
  for (const part of expect.message ?? []) {
    if (!message.includes(part)) throw new Error(`the message does not say "${part}": ${message}`);
  }
  if (named.length > 0 && !named.some(({ label, pid }) => message.includes(label) && message.includes(`${pid}`))) {
    throw new Error(`the message names none of ${JSON.stringify(named)}: ${message}`);
  }
  return true;
}

function checkSample(line: Form, sent: Sent, pid: number, byElement: boolean): void {
  const what = (field: string) => `${field} of sample ${sent.sequence} of ${line.get("sender") ?? ""}`;
  const equal = (field: string, wanted: unknown) => {
    same(what(field), line.get(field), wanted);
  };
  equal("bytes", sent.bytes);
  equal("crc", sent.crc());
  if (!sent.dtypes.includes(line.get("dtype") ?? "")) equal("dtype", sent.dtypes[0]);
  same(what("shape"), line.getAll("shape"), sent.shape);
  equal("encoding", sent.encoding);
  equal("header", sent.header);
  equal("pid", pid);
  if (byElement) equal("elements", "");
  // Both are the machine's monotonic clock, whatever the language and the process.
  if (!(Number(line.get("sent-time")) <= Number(line.get("received-time")))) {
    throw new Error(`${what("time")}: sent at ${line.get("sent-time")}, received at ${line.get("received-time")}`);
  }
}

/**
 * Checks the samples of a reply: from each sender those that are wanted, in order, each as it was sent, and no other.
 * `byElement`: and that the peer itself has looked at every element, and found it right.
 */
export function checkSamples(
  reply: Form,
  wanted: ReadonlyMap<string, readonly Sent[]>,
  ledger: Ledger,
  byElement = false,
): void {
  const lines = reply.getAll("sample").map((line) => new URLSearchParams(line));
  const sender = (line: Form) => line.get("sender") ?? "";
  const got = new Map<string, Form[]>();
  for (const line of lines) got.set(sender(line), [...(got.get(sender(line)) ?? []), line]);
  const list = (samples: Iterable<[string, readonly (string | number | null)[]]>) =>
    [...samples]
      .map(([from, sequences]) => `${from} [${sequences.join(" ")}]`)
      .sort()
      .join(", ");
  same(
    "the list of samples taken",
    list([...got].map(([from, each]) => [from, each.map((line) => line.get("sequence"))])),
    list([...wanted].map(([from, each]) => [from, each.map(({ sequence }) => sequence)])),
  );
  for (const [from, sent] of wanted) {
    sent.forEach((each, i) => {
      checkSample(got.get(from)?.[i] ?? new URLSearchParams(), each, ledger.pid(from), byElement);
    });
  }
}

/** The same for a reply that tells of runs of samples. */
export function checkRuns(reply: Form, wanted: ReadonlyMap<string, readonly Sent[]>): void {
  const runs = reply.getAll("run").map((line) => new URLSearchParams(line));
  same("the number of senders", runs.length, wanted.size);
  for (const [sender, samples] of wanted) {
    const run = runs.find((each) => each.get("sender") === sender);
    if (run === undefined) throw new Error(`nothing was taken from ${sender}`);
    const equal = (field: string, value: unknown) => {
      same(`${field} of the samples of ${sender}`, run.get(field), value);
    };
    equal("count", samples.length);
    equal("first", samples[0]?.sequence);
    equal("last", samples.at(-1)?.sequence);
    equal("gapless", true);
    equal(
      "crc",
      samples.reduce((sum, sent) => sent.crc(sum), 0),
    );
  }
}
