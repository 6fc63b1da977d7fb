/* drop-oldest: the sender takes a descriptor back that the receiver may be taking. ring/sender_ring.hpp: has_room,
 * push, take_back, collect_returns; port/sender_link.hpp: drop_oldest, accept; ring/receiver_ring.hpp: look, take,
 * give_back. [SYNC take-back], [SYNC descriptor], [SYNC return]
 *
 * Checked for every interleaving of SAMPLES pushes into a ring of CAPACITY places, of which DEPTH may wait, over the
 * store buffers of store_buffer.pml:
 *   - the sender never reuses a payload that the receiver reads;
 *   - a copy that was torn by an overwrite is never used, and what is used is what stood at that position;
 *   - the receiver takes in order, and each sample is taken once or dropped once;
 *   - neither side calls an honest other side corrupt;
 *   - in the end every ticket is back with the sender: nothing leaks.
 *
 *   spin -run -noclaim -safety take_back.pml
 *
 * Mutants, each of which must be found: NO_SENDER_FENCE, NO_RECEIVER_FENCE, NO_SKIP_YIELD, ONLY_DOUBTED_YIELDS,
 * FORGET_THE_DOUBT (what is in doubt is counted as the sender's), and with -DWEAK, where the order of stores is at
 * stake: PLAIN_TAIL, PLAIN_FLOOR, PLAIN_RETURNS (relaxed instead of release). ONLY_DOUBTED_YIELDS is worth a word: a
 * receiver that is between its store to `head` and its look at `floor` also yields when the sender, who has seen that
 * `head`, takes back the sample behind it. The sender never doubted the one that is yielded. */

#ifndef SAMPLES
#define SAMPLES 4
#endif
#ifndef CAPACITY
#define CAPACITY 2
#define DEPTH 1
#endif
#define RETURNS 16 /* more than can ever be pushed here: the ring of returns is not what is modelled */

/* Shared memory, and the words of it. A descriptor is two words, so that a copy can be torn. */
#define TAIL 0
#define FLOOR 1
#define HEAD 2
#define RETURNS_TAIL 3
#define DESCRIPTOR(position, half) (4 + 2 * ((position) % CAPACITY) + (half))
#define RETURN(n) (4 + 2 * CAPACITY + (n))
#define WORDS (4 + 2 * CAPACITY + RETURNS)
#define YIELDED 100 /* added to the position in a return */

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
#ifdef PLAIN_FLOOR
#define FLOOR_ORDER PLAIN
#else
#define FLOOR_ORDER RELEASE
#endif
#ifdef PLAIN_RETURNS
#define RETURNS_ORDER PLAIN
#else
#define RETURNS_ORDER RELEASE
#endif

/* Ghost state: what is true, whoever knows it. */
bit reading[SAMPLES]; /* the receiver reads this payload */
bit retired[SAMPLES]; /* the sender may reuse it */
bit taken[SAMPLES];
bit dropped[SAMPLES];
bit sender_done, receiver_done;

proctype sender() {
  byte tail, floor, head, collected, position, entry, tail_seen;
  bit lent[SAMPLES];    /* its ticket is out */
  bit doubted[SAMPLES]; /* for a mutant only */
  byte outstanding;

#ifdef ONLY_DOUBTED_YIELDS
#define MAY_BE_OUT(p) doubted[p]
#else
#define MAY_BE_OUT(p) lent[p]
#endif

#define RETIRE(p) \
  assert(!reading[p]); assert(lent[p]); lent[p] = 0; retired[p] = 1; outstanding--

#define COLLECT \
  tail_seen = memory[RETURNS_TAIL]; \
  do \
  :: collected < tail_seen -> \
    entry = memory[RETURN(collected)]; \
    collected++; \
    if \
    :: entry >= YIELDED -> \
      entry = entry - YIELDED; \
      if \
      :: MAY_BE_OUT(entry) -> d_step { RETIRE(entry); assert(!taken[entry]); dropped[entry] = 1 } \
      :: else -> skip /* it was taken back without a doubt */ \
      fi \
    :: else -> d_step { RETIRE(entry) } \
    fi \
  :: else -> break \
  od

  do
  :: tail < SAMPLES ->
    COLLECT;
    head = memory[HEAD];
    if
    :: (tail - (head > floor -> head : floor)) < DEPTH -> skip
    :: else ->
      position = (head > floor -> head : floor);
      floor = position + 1;
      store(SENDER, FLOOR, floor, FLOOR_ORDER);
#ifndef NO_SENDER_FENCE
      FENCE(SENDER);
#endif
      head = memory[HEAD];
      if
#ifdef FORGET_THE_DOUBT
      :: head > position -> d_step { RETIRE(position); dropped[position] = 1 }
#else
      :: head > position -> doubted[position] = 1 /* a return tells */
#endif
      :: else -> d_step { RETIRE(position); assert(!taken[position]); dropped[position] = 1 }
      fi
    fi;
    outstanding++;
    lent[tail] = 1;
    store(SENDER, DESCRIPTOR(tail, 0), tail, PLAIN);
    store(SENDER, DESCRIPTOR(tail, 1), tail, PLAIN);
    tail++;
    store(SENDER, TAIL, tail, TAIL_ORDER)
  :: else -> break
  od;
  FENCE(SENDER);
  sender_done = 1;
  receiver_done;
  FENCE(RECEIVER);
  COLLECT;
  assert(outstanding == 0);
  d_step {
    position = 0;
    do
    :: position < SAMPLES -> assert(taken[position] + dropped[position] == 1); position++
    :: else -> break
    od
  }
}

proctype receiver() {
  byte head, tail, floor, returned, first_half, second_half;
  byte last = 255;
  bit sender_was_done;

#define GIVE_BACK(value) \
  store(RECEIVER, RETURN(returned), value, PLAIN); \
  returned++; \
  store(RECEIVER, RETURNS_TAIL, returned, RETURNS_ORDER)

#define LOAD_FLOOR \
  floor = memory[FLOOR]; \
  if \
  :: floor > tail -> tail = memory[TAIL]; assert(floor <= tail) \
  :: else -> skip \
  fi

  do
  :: sender_was_done = sender_done;
    if
    :: head == tail -> tail = memory[TAIL]
    :: else -> skip
    fi;
    if
    :: head == tail && sender_was_done -> break
    :: head == tail -> skip
    :: else ->
      LOAD_FLOOR;
      if
      :: floor > head ->
        head = floor;
        store(RECEIVER, HEAD, head, RELEASE);
#ifndef NO_SKIP_YIELD
        GIVE_BACK(floor - 1 + YIELDED)
#endif
      :: else ->
        if
        :: tail - head > CAPACITY ->
          LOAD_FLOOR;
          assert(floor > head) /* else the sender would be called corrupt */
        :: else ->
          first_half = memory[DESCRIPTOR(head, 0)];
          second_half = memory[DESCRIPTOR(head, 1)];
          head++;
          store(RECEIVER, HEAD, head, RELEASE);
#ifndef NO_RECEIVER_FENCE
          FENCE(RECEIVER);
#endif
          LOAD_FLOOR;
          if
          :: floor > head - 1 -> GIVE_BACK(head - 1 + YIELDED)
          :: else ->
            d_step {
              assert(first_half == second_half && first_half == head - 1);
              assert(last == 255 || last < first_half);
              last = first_half;
              assert(!retired[first_half] && !taken[first_half]);
              taken[first_half] = 1;
              reading[first_half] = 1
            };
            reading[first_half] = 0;
            GIVE_BACK(first_half)
          fi
        fi
      fi
    fi
  od;
  FENCE(RECEIVER);
  receiver_done = 1
}

init {
  atomic {
    run drain(SENDER);
    run drain(RECEIVER);
    run sender();
    run receiver()
  }
}
