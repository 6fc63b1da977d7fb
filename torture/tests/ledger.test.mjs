// The ledger finds what is lost, comes twice, comes late or is not declared, and accepts what may be.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { BroadcastLedger } from "../lib/broadcast-ledger.mjs";

const lane = { name: "lane" };
let complaints;
let ledger;

beforeEach(() => {
  complaints = [];
  ledger = new BroadcastLedger((kind) => complaints.push(kind));
});

const port = (id, role, options = {}) => ({
  id,
  role,
  lane,
  options: { history: 0, depth: 8, overflow: "block", "join-timeout": 30_000, ...options },
});

function open(...args) {
  const made = port(...args);
  ledger.opening(made);
  ledger.opened(made);
  return made;
}

function send(sender, count) {
  ledger.sending(sender, count);
  ledger.sent(sender, { sequence: sender.acknowledged + count, bytes: count, refused: "" });
}

const receive = (receiver, first, last) => ledger.received(receiver, [{ id: 1, first, last }], last - first + 1);

const stats = (given) => ({ waiting: 0, peers: 1, broken: 0, dropped: 0, sent: 0, received: 0, ...given });

/** Everything is at rest, and every port says so. */
function check(sender, receiver, dropped = [0, 0]) {
  const of = (each, i, names) => [
    each.id,
    stats({ [names[0]]: each.acknowledged || each.taken, [names[1]]: each.bytes, dropped: dropped[i] }),
  ];
  const all = new Map([of(sender, 0, ["sent", "sentBytes"]), of(receiver, 1, ["received", "receivedBytes"])]);
  const awaited = ledger.awaited(all);
  ledger.check(all);
  return awaited;
}

test("all that was sent has arrived", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver")];
  send(sender, 5);
  receive(receiver, 1, 5);
  assert.deepEqual(check(sender, receiver), []);
  assert.deepEqual(complaints, []);
});

test("what was sent before both were open need not arrive, and may", () => {
  const sender = open(1, "sender");
  send(sender, 3);
  const receiver = port(2, "receiver");
  ledger.opening(receiver);
  send(sender, 3); // 4 to 6: the link comes up somewhere here
  ledger.opened(receiver);
  send(sender, 3);
  receive(receiver, 5, 9);
  assert.deepEqual(check(sender, receiver), []);
  assert.deepEqual(complaints, []);
});

test("what was sent long before must not arrive", () => {
  const sender = open(1, "sender");
  send(sender, 3);
  const receiver = open(2, "receiver");
  send(sender, 3);
  receive(receiver, 3, 6);
  assert.deepEqual(complaints, ["order"]);
});

test("what was sent after both were open must arrive, from the first on", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver")];
  send(sender, 5);
  receive(receiver, 2, 5);
  assert.deepEqual(complaints, ["lost"]);
});

test("to the last", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver")];
  send(sender, 5);
  receive(receiver, 1, 4);
  assert.match(check(sender, receiver)[0], /sample 5 has not arrived, the last is 4/);
});

test("even if nothing did", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver", { overflow: "fail" })];
  send(sender, 1);
  assert.match(check(sender, receiver)[0], /sample 1 has not arrived, the last is none/);
});

test("a gap is a loss", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver")];
  send(sender, 5);
  receive(receiver, 1, 2);
  receive(receiver, 4, 5);
  assert.deepEqual(complaints, ["lost"]);
});

test("once, and in order", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver")];
  send(sender, 5);
  receive(receiver, 1, 3);
  receive(receiver, 3, 3);
  receive(receiver, 2, 2);
  assert.deepEqual(complaints, ["twice", "order"]);
});

test("nothing that was not sent", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver")];
  send(sender, 1);
  receive(receiver, 1, 2);
  assert.deepEqual(complaints, ["order"]);
});

test("of the history, as much as was asked for", () => {
  const sender = open(1, "sender", { history: 3 });
  send(sender, 10);
  const receiver = open(2, "receiver");
  receive(receiver, 8, 10);
  assert.deepEqual(check(sender, receiver), []);
  assert.deepEqual(complaints, []);
});

test("no less", () => {
  const sender = open(1, "sender", { history: 3 });
  send(sender, 10);
  receive(open(2, "receiver"), 9, 10);
  assert.deepEqual(complaints, ["lost"]);
});

test("not more than the depth", () => {
  const sender = open(1, "sender", { history: 3 });
  send(sender, 10);
  receive(open(2, "receiver", { depth: 2 }), 8, 10);
  assert.deepEqual(complaints, ["order"]);
});

for (const overflow of ["drop-oldest", "drop-newest"]) {
  test(`${overflow}: a gap that both declare`, () => {
    const [sender, receiver] = [open(1, "sender"), open(2, "receiver", { overflow })];
    send(sender, 9);
    receive(receiver, 1, 2);
    receive(receiver, 5, 6);
    assert.deepEqual(check(sender, receiver, [5, 5]), []);
    assert.deepEqual(complaints, []);
  });

  test(`${overflow}: declared by one only`, () => {
    const [sender, receiver] = [open(1, "sender"), open(2, "receiver", { overflow })];
    send(sender, 4);
    receive(receiver, 1, 2);
    receive(receiver, 4, 4);
    check(sender, receiver, [1, 0]);
    assert.deepEqual(complaints, ["lost"]);
  });

  test(`${overflow}: declared, though it arrived`, () => {
    const [sender, receiver] = [open(1, "sender"), open(2, "receiver", { overflow })];
    send(sender, 4);
    receive(receiver, 1, 4);
    check(sender, receiver, [1, 1]);
    assert.deepEqual(complaints, ["undeclared", "undeclared"]);
  });
}

test("what a port says of itself is what it did", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver")];
  send(sender, 4);
  receive(receiver, 1, 4);
  ledger.check(
    new Map([
      [1, stats({ sent: 5, sentBytes: 4 })],
      [2, stats({ received: 4, receivedBytes: 3 })],
    ]),
  );
  assert.deepEqual(complaints, ["lost", "lost"]);
});

test("nothing is owed to who did not wait, until something has come", () => {
  const sender = open(1, "sender");
  const receiver = open(2, "receiver", { "join-timeout": 20 });
  send(sender, 4);
  assert.deepEqual(check(sender, receiver), []);
  receive(receiver, 3, 3);
  assert.match(check(sender, receiver)[0], /sample 4 has not arrived/);
  assert.deepEqual(complaints, []);
});

test("of one that was killed, what it had said it sent must arrive, and what it was sending may", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver")];
  send(sender, 4);
  ledger.sending(sender, 10);
  ledger.leaving(sender);
  ledger.gone(sender);
  receive(receiver, 1, 3);
  const all = new Map([[2, stats({ peers: 0, received: 3, receivedBytes: 3 })]]);
  assert.match(ledger.awaited(all)[0], /sample 4 has not arrived/);
  receive(receiver, 4, 9);
  all.set(2, stats({ peers: 0, received: 9, receivedBytes: 9 }));
  assert.deepEqual(ledger.awaited(all), []);
  ledger.check(all);
  assert.deepEqual(complaints, []);
});

test("who is still seen after its death is waited for", () => {
  const [sender, receiver] = [open(1, "sender"), open(2, "receiver")];
  ledger.leaving(sender);
  ledger.gone(sender);
  assert.deepEqual(ledger.awaited(new Map([[receiver.id, stats({})]])), ["port 2 sees 1 peers in place of 0"]);
});

test("a port that is gone can have sent nothing to one that came later", () => {
  const sender = open(1, "sender");
  ledger.leaving(sender);
  ledger.gone(sender);
  receive(open(2, "receiver"), 1, 1);
  assert.deepEqual(complaints, ["order"]);
});
