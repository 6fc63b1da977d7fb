// `chat.js NAME COUNT`: one of COUNT people on one lane. Each says three things, and hears what everybody says.
import { Publisher, Subscriber } from "memlane";

const [name = "somebody", count = "1"] = process.argv.slice(2);
const people = Number(count);

using ear = new Subscriber("examples/chat");
using mouth = new Publisher("examples/chat", { label: name });
await mouth.waitForSubscribers(people);
await ear.waitForPublishers(people);

for (const text of ["Good morning.", "How are you?", "Goodbye."]) {
  mouth.send(new TextEncoder().encode(text));
}
let heard = 0;
for await (const sample of ear) {
  console.log(`${sample.sender.label}: ${new TextDecoder().decode(sample.bytes)}`);
  if (++heard === people * 3) break;
}
