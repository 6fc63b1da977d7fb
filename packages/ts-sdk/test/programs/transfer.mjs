// Moves the memory of samples and loans out of their buffers, and looks what becomes of it. Run with --expose-gc, and on
// Node 20 with --harmony-rab-gsab-transfer.
import { Publisher, Subscriber } from "memlane";

const size = 100_000;
const publisher = new Publisher("transfer");
const subscriber = new Subscriber("transfer");

const check = (what, holds) => console.log(`${what}: ${holds ? "yes" : "NO"}`);
const isFilled = (bytes, value) => bytes.length === size && bytes.every((byte) => byte === value);
const collected = async (condition) => {
  const end = performance.now() + 10_000;
  while (!condition() && performance.now() < end) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
  return condition();
};
const send = (value) => {
  const loan = publisher.loan(size);
  loan.data.fill(value);
  loan.send();
};

// A sample whose memory somebody has moved away keeps it, until the garbage collector finds the other buffer.
const held = { moved: undefined };
{
  send(1);
  const sample = subscriber.take();
  held.moved = new Uint8Array(sample.data.buffer.transfer());
  check("the moved memory is read", isFilled(held.moved, 1));
  sample.release();
  check("a released sample is over", sample.released);
}
for (let i = 2; i < 6; i += 1) {
  send(i);
  const other = subscriber.take();
  check("its memory is not used again", isFilled(held.moved, 1) && isFilled(other.data, i));
  other.release();
}
check("it is still held", subscriber.stats().held === 1 && !(await publisher.flush({ timeout: 0 })));
held.moved = undefined;
check("it comes back with the last buffer", await collected(() => subscriber.stats().held === 0));

// A loan whose memory was moved away could be written to after it was sent.
{
  const loan = publisher.loan(size);
  held.moved = new Uint8Array(loan.data.buffer.transfer()).fill(9);
  try {
    loan.send();
  } catch (error) {
    check("such a loan is refused", error.code === "invalid-argument" && error instanceof TypeError);
  }
  loan.giveUp();
}
for (let i = 2; i < 6; i += 1) {
  send(i);
  held.moved.fill(10 + i);
  const sample = subscriber.take();
  check("its memory is lent to nobody", isFilled(sample.data, i) && isFilled(held.moved, 10 + i));
  sample.release();
}
held.moved = undefined;

// Whoever moves a copy has it for good.
{
  publisher.send(new Uint8Array(10).fill(3));
  const sample = subscriber.take();
  const own = new Uint8Array(sample.data.buffer.transfer());
  sample.release();
  check("a moved copy stays", own.length === 10 && own[9] === 3 && subscriber.stats().held === 0);
}
