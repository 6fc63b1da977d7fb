import { Subscriber } from "memlane";

using greetings = new Subscriber("examples/hello");
for await (const sample of greetings.samples({ untilIdle: true })) {
  console.log(new TextDecoder().decode(sample.bytes));
}
