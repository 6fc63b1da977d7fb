// Run with MEMLANE_NO_EXTERNAL=1: where the host forbids buffers over foreign memory, the same program does the same.
import { Publisher, Subscriber } from "memlane";

const check = (what, holds) => console.log(`${what}: ${holds ? "yes" : "NO"}`);
const publisher = new Publisher("copies");
const subscriber = new Subscriber("copies", { depth: 1 });

const loan = publisher.loan([100, 1000], "float32");
const { data } = loan;
data.fill(2.5);
check("a loan is written", loan.bytes.buffer === data.buffer && loan.send() === 1);
check("and detached", data.length === 0);

const second = publisher.loan(10);
second.data.fill(7);
check("a send that has no room leaves it", publisher.trySend(second) === undefined && second.data[9] === 7);

const sample = subscriber.take();
check("a sample is read", sample.data.length === 100_000 && sample.data.every((value) => value === 2.5));
check("and says that it is a copy", sample.copied);
const view = sample.data;
view[0] = 1;
sample.release();
check("and detached", view.length === 0 && subscriber.stats().held === 0);

check("the loan goes out later", (await publisher.sendAsync(second)) === 1);
const last = subscriber.take();
check("as it was written", last.data.length === 10 && last.data.every((value) => value === 7));
last.release();

const given = publisher.loan(10);
const kept = given.data;
given.giveUp();
check("a loan that is given up is detached", kept.length === 0);
