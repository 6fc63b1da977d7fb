/* The two rings of a link, without take-back: ring/sender_ring.hpp (has_room, push, collect_returns),
 * ring/receiver_ring.hpp (look, take, give_back), port/sender_link.hpp (push, accept, receiver_is_closing,
 * take_all_back), port/receiver_link.hpp (give_back_as) and the closing of port/receiver_port.hpp. [SYNC descriptor],
 * [SYNC room], [SYNC return], [SYNC returns-room]
 *
 * SENDS samples go through a ring of CAPACITY places, of which DEPTH may wait, in PAYLOADS pieces of memory that are
 * used again. The receiver holds up to HOLDS of them and gives them back in any order, through a ring of RETURNS
 * places or, where that is full, as messages. At any moment it may close: then it says so, gives back what it holds,
 * and leaves.
 *
 * Checked for every interleaving, over the store buffers of store_buffer.pml:
 *   - the sender never writes into a payload that the receiver may read, nor the receiver over a return that was not
 *     read;
 *   - what is taken is whole, in order, and nothing is left out;
 *   - a return is for what is out, once; neither side calls an honest other side corrupt;
 *   - in the end every payload is back.
 *
 *   spin -run -noclaim -safety ring.pml
 *
 * Mutants, each of which must be found: PUSH_INTO_FULL (with -DPAYLOADS=3), RETURN_INTO_FULL, REUSE_WHEN_TAKEN (a
 * payload is used again when its descriptor was taken), CLOSE_TAKES_ALL (closing gives back what is still held), and
 * with -DWEAK, where the order of stores is at stake: PLAIN_TAIL, PLAIN_RETURNS (relaxed instead of release). */

#ifndef SENDS
#define SENDS 4
#endif
#define CAPACITY 2
#define DEPTH 1
#ifndef PAYLOADS
#define PAYLOADS 2
#endif
#ifndef RETURNS
#define RETURNS 1
#endif
#ifndef HOLDS
#define HOLDS 1
#endif

#define TAIL 0
#define RETURNS_HEAD 1
#define HEAD 2
#define RETURNS_TAIL 3
#define PAYLOAD(slot) (4 + (slot))
#define SEQUENCE(position) (4 + PAYLOADS + 2 * ((position) % CAPACITY))
#define SLOT(position) (SEQUENCE(position) + 1)
#define RETURNED(n) (4 + PAYLOADS + 2 * CAPACITY + 2 * ((n) % RETURNS))
#define TICKET(n) (RETURNED(n) + 1)
#define WORDS (4 + PAYLOADS + 2 * CAPACITY + 2 * RETURNS)
#define SENDER 0
#define RECEIVER 1
#define PROCESSES 2
#define BUFFER 6
#include "store_buffer.pml"

#ifdef PLAIN_TAIL
#define TAIL_ORDER PLAIN
#else
#define TAIL_ORDER RELEASE
#endif
#ifdef PLAIN_RETURNS
#define RETURNS_ORDER PLAIN
#else
#define RETURNS_ORDER RELEASE
#endif

/* The connection. A system call of the one comes after its stores, one of the other before its loads: the kernel's
 * locks see to that. */
mtype = { RETURN, CLOSING, LEAVE };
chan messages = [SENDS + 2] of { mtype, byte, byte };

/* Ghost state. */
bit may_read[PAYLOADS];
bit unread_return[RETURNS];
byte taken;
bit closed, sender_done, link_over;

proctype sender() {
  byte tail, head, collected, seen, position, slot, i;
  byte out[PAYLOADS]; /* position + 1 of what lies in that payload and is out; 0: it is free */
  mtype message;
  bit closing;

  /* SenderLink::accept */
  #define ACCEPT(at, ticket) \
    head = memory[HEAD]; \
    assert(head <= tail && at < head); \
    assert(out[ticket] == at + 1); \
    out[ticket] = 0

  #define COLLECT \
    seen = memory[RETURNS_TAIL]; \
    assert(seen - collected <= RETURNS); \
    if \
    :: seen == collected -> skip \
    :: else -> \
      do \
      :: collected < seen -> \
        position = memory[RETURNED(collected)]; \
        slot = memory[TICKET(collected)]; \
        unread_return[collected % RETURNS] = 0; \
        collected++; \
        ACCEPT(position, slot) \
      :: else -> break \
      od; \
      store(SENDER, RETURNS_HEAD, collected, RELEASE) \
    fi; \
    seen = 0; \
    position = 0; \
    slot = 0

  do
  :: nempty(messages) ->
    messages ? message, position, slot;
    if
    :: message == RETURN -> ACCEPT(position, slot)
    :: message == CLOSING ->
      closing = 1;
      COLLECT;
      head = memory[HEAD];
      d_step {
        for (i : 0 .. PAYLOADS - 1) {
          if
#ifdef CLOSE_TAKES_ALL
          :: out[i] -> assert(!may_read[i]); out[i] = 0
#else
          :: out[i] > head -> assert(!may_read[i]); out[i] = 0
#endif
          :: else -> skip
          fi
        }
        i = 0
      }
    :: message == LEAVE ->
      atomic {
        for (i : 0 .. PAYLOADS - 1) {
          assert(!may_read[i]);
          out[i] = 0
        };
        i = 0
      };
      break
    fi;
    message = 0;
    position = 0;
    slot = 0
  :: tail < SENDS && !closing -> /* SegmentPool::try_allocate, has_room, push */
    COLLECT;
    head = memory[HEAD];
    assert(head <= tail);
#ifdef REUSE_WHEN_TAKEN
    for (i : 0 .. PAYLOADS - 1) {
      if
      :: out[i] && out[i] <= head -> out[i] = 0
      :: else -> skip
      fi
    };
    i = 0;
#endif
    d_step {
      do
      :: slot < PAYLOADS && out[slot] -> slot++
      :: else -> break
      od;
      skip
    };
    if
    :: slot == PAYLOADS -> slot = 0
#ifndef PUSH_INTO_FULL
    :: slot < PAYLOADS && tail - head >= DEPTH -> slot = 0
#endif
    :: else ->
      d_step {
        assert(!may_read[slot]);
        may_read[slot] = !closed;
        out[slot] = tail + 1
      };
      store(SENDER, PAYLOAD(slot), tail + 1, PLAIN);
      store(SENDER, SEQUENCE(tail), tail + 1, PLAIN);
      store(SENDER, SLOT(tail), slot, PLAIN);
      tail++;
      store(SENDER, TAIL, tail, TAIL_ORDER);
      slot = 0
    fi
  :: tail == SENDS && !closing && !sender_done ->
    FENCE(SENDER);
    sender_done = 1
  od;
  for (i : 0 .. PAYLOADS - 1) {
    assert(!out[i])
  }
}

/* In the ghost state a payload may be read from when it was pushed until it is given back: not only while it is held,
 * so that a sender which takes it too early is found at once. */
proctype receiver() {
  byte head, tail, returned, collected, sequence, slot, i, held;
  byte holds[HOLDS]; /* position + 1 */
  byte held_slot[HOLDS];

  /* give_back_as */
  #define GIVE_BACK(at, ticket) \
    may_read[ticket] = 0; \
    if \
    :: returned - collected == RETURNS -> \
      collected = memory[RETURNS_HEAD]; \
      assert(collected <= returned) \
    :: else -> skip \
    fi; \
    if \
    :: FULL -> \
      FENCE(RECEIVER); \
      messages ! RETURN, at, ticket \
    :: else -> \
      d_step { \
        assert(!unread_return[returned % RETURNS]); \
        unread_return[returned % RETURNS] = 1 \
      }; \
      store(RECEIVER, RETURNED(returned), at, PLAIN); \
      store(RECEIVER, TICKET(returned), ticket, PLAIN); \
      returned++; \
      store(RECEIVER, RETURNS_TAIL, returned, RETURNS_ORDER) \
    fi
#ifdef RETURN_INTO_FULL
#define FULL (0)
#else
#define FULL (returned - collected == RETURNS)
#endif

  do
  :: held < HOLDS && !closed && taken < SENDS -> /* look, take */
    tail = memory[TAIL];
    if
    :: tail == head -> skip
    :: else ->
      assert(tail - head <= CAPACITY);
      sequence = memory[SEQUENCE(head)];
      slot = memory[SLOT(head)];
      assert(sequence == head + 1);
      head++;
      store(RECEIVER, HEAD, head, RELEASE);
      assert(memory[PAYLOAD(slot)] == sequence);
      d_step {
        taken = head;
        i = 0;
        do
        :: holds[i] -> i++
        :: else -> break
        od;
        holds[i] = head;
        held_slot[i] = slot;
        held++;
        i = 0;
        slot = 0;
        sequence = 0
      }
    fi
  :: held > 0 -> /* release, of any */
    i = 0;
    do
    :: i < HOLDS - 1 -> i++
    :: break
    od;
    if
    :: holds[i] ->
      assert(memory[PAYLOAD(held_slot[i])] == holds[i]);
      GIVE_BACK(holds[i] - 1, held_slot[i]);
      held--;
      holds[i] = 0;
      held_slot[i] = 0
    :: else -> skip
    fi;
    i = 0
  :: !closed ->
    d_step { /* what was not taken is the sender's again */
      closed = 1;
      for (i : 0 .. PAYLOADS - 1) {
        may_read[i] = 0
      };
      for (i : 0 .. HOLDS - 1) {
        if
        :: holds[i] -> may_read[held_slot[i]] = 1
        :: else -> skip
        fi
      }
      i = 0
    };
    FENCE(RECEIVER);
    if
    :: held > 0 -> messages ! CLOSING, 0, 0
    :: else -> skip
    fi
  :: closed && held == 0 ->
    FENCE(RECEIVER);
    messages ! LEAVE, 0, 0;
    break
  od
}

init {
  atomic {
    run drain(SENDER);
    run drain(RECEIVER);
    run sender();
    run receiver()
  }
}
