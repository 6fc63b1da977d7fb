import { Publisher } from "memlane";

using greetings = new Publisher("examples/hello");
await greetings.waitForSubscribers(1);
for (const text of ["Hello", "from", "TypeScript"]) {
  greetings.send(new TextEncoder().encode(text));
}
