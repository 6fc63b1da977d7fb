// What compiles against the package, and what must not. The same text is compiled as an ES module and as CommonJS.
import {
  dtypes,
  Loan,
  MemlaneError,
  Publisher,
  Subscriber,
  wait,
  type DType,
  type ErrorCode,
  type Overflow,
  type Port,
  type PublisherStats,
  type Sample,
} from "memlane";

declare function same<T>(): <U>(value: [T] extends [U] ? ([U] extends [T] ? U : never) : never) => void;

export async function main(): Promise<void> {
  using publisher = new Publisher("camera/front", {
    history: 1,
    memoryBudget: 1e9,
    maxHeld: 8,
    sendTimeout: Infinity,
    checksum: true,
    label: "x",
  });
  using subscriber = new Subscriber(12331n, { depth: 4, overflow: "drop-oldest" });

  // A loan knows its array by the name of its type.
  same<Uint8Array<ArrayBuffer>>()(publisher.loan(10).data);
  same<Float32Array<ArrayBuffer>>()(publisher.loan([2, 3], "float32").data);
  same<BigInt64Array<ArrayBuffer>>()(publisher.loan(5, "int64").data);
  same<Uint16Array<ArrayBuffer>>()(publisher.loan([5], "bfloat16").data);
  const shape: readonly number[] = publisher.loan([1] as const, "uint8").shape;

  same<number>()(publisher.send(new Float64Array(3), { shape, encoding: "raw", userHeader: new Uint8Array(1) }));
  same<number | undefined>()(publisher.trySend(Buffer.from("x")));
  same<Promise<number>>()(publisher.sendAsync(new ArrayBuffer(1), { timeout: 5, signal: AbortSignal.timeout(5) }));
  same<number>()(publisher.send(publisher.loan(1), { encoding: "raw" }));
  same<number>()(publisher.loan(1).send());
  same<PublisherStats>()(publisher.stats());
  const waited: boolean = (await publisher.waitForSubscribers(1, { timeout: 1 })) && (await publisher.flush());

  const taken: Sample | undefined = subscriber.take() ?? (await subscriber.next({ timeout: waited ? 1 : 0 }));
  if (taken !== undefined) {
    using sample = taken;
    same<bigint>()(sample.sequence);
    same<number>()(sample.sentTime);
    same<DType>()(sample.dtype);
    same<Float32Array<ArrayBuffer>>()(sample.as("float32"));
    same<Uint8Array<ArrayBuffer>>()(sample.bytes);
    same<Sample>()(sample.keep());
  }
  for await (const sample of subscriber) console.log(sample.data.length, sample.sender.pid);
  for await (const sample of subscriber.samples({ untilIdle: true })) sample.release();

  const ready: (Publisher | Subscriber)[] = await wait([publisher, subscriber], { timeout: 1 });
  const ports: Port[] = ready;
  const names: readonly DType[] = dtypes;
  console.log(ports, names, Loan);

  try {
    publisher.send(new Uint8Array(1));
  } catch (error) {
    if (error instanceof MemlaneError) same<ErrorCode>()(error.code);
  }

  // @ts-expect-error -- an option that is misspelt
  new Subscriber("a", { dept: 1 });
  // @ts-expect-error -- a policy that there is not
  const overflow: Overflow = "drop";
  // @ts-expect-error -- a type that there is not
  publisher.loan(1, "float31");
  // @ts-expect-error -- an array of numbers is no payload
  publisher.send([1, 2, 3]);
  // @ts-expect-error -- a loan has its shape already
  publisher.send(publisher.loan(1), { shape: [1] });
  // @ts-expect-error -- a sample cannot be changed
  if (taken) taken.sequence = 1n;
  // @ts-expect-error -- perhaps there is none
  subscriber.take().release();
  // @ts-expect-error -- codes are a closed list
  const code: ErrorCode = "no-such-code";
  console.log(code, overflow);
}
