/* Waiting and waking: port/waiter.hpp, with SenderLink::ring_if_asleep and ReceiverLink::ring_if_asleep [SYNC sleep].
 *
 * A port has LINKS links, each with a peer that brings ITEMS things (samples for a receiving port, room or returns for
 * a sending one: the handshake is the same, so one model serves both directions), and one bell. THREADS threads wait
 * on the port, all for the same with -DSAME, else each for what one of the links brings: a take beside a wait for
 * peers, or a send beside a flush. With -DLOOP the first of them is an event loop (Waiter::watch, Waiter::rearm), with
 * -DLOOP_READS one that empties the bell itself. (That one has the port to itself here: it may take a ring away from a
 * thread that sleeps, for which Waiter::wait looks again now and then.)
 *
 * Checked for every interleaving, over the store buffers of store_buffer.pml: everything is taken in the end, that is,
 * nobody sleeps for ever (Spin reports the end state as invalid); nobody rings twice for one sleep of a peer; and
 * nobody goes to sleep and wakes up again and again for nothing (MOST_SLEEPS).
 *
 *   spin -DLINKS=2 -run -noclaim -safety sleep.pml
 *
 * Mutants, each of which must be found: NO_WAITER_FENCE, NO_BRINGER_FENCE, NO_SECOND_LOOK, RING_ONCE_FOR_EVER (the
 * number of the sleep is ignored), CLEAR_AFTER_ARM (the bell is cleared once the peers have been told),
 * FORGET_WHO_LOOKED_EARLY (beside a thread that spins, which has told no peer yet), LOOP_IS_NOT_RUNG,
 * SLEEP_ON_A_STALE_RING (one that is kept for the loop), SWALLOW_THE_LOOPS_RING (though it may be for something
 * else), KEEP_THE_LOOPS_RING (not to give it back), REARM_IN_SILENCE (though there is more than is taken). */

#ifndef LINKS
#define LINKS 1
#endif
#ifndef THREADS
#define THREADS 1
#endif
#ifndef ITEMS
#define ITEMS 2
#endif

#define TAIL(link) (link)            /* written by who brings: what there is */
#define ARMED(link) (LINKS + (link)) /* written by who waits: 0, or the number of the sleep */
#define MUTEX (2 * LINKS)            /* the port's; unlocking is a release store */
#define WORDS (2 * LINKS + 1)
#define PROCESSES (LINKS + THREADS)
#define BUFFER (LINKS + 2)
#include "store_buffer.pml"

#define NOTHING LINKS
#define CLOSED (LINKS + 1)
#ifndef MOST_SLEEPS
#define MOST_SLEEPS 20
#endif

chan bell = [2] of { bit }; /* a full pipe has rung */
#define RING \
  atomic { \
    if \
    :: nfull(bell) -> bell ! 1 \
    :: full(bell) -> skip \
    fi \
  }
#define CLEAR \
  atomic { \
    do \
    :: nempty(bell) -> bell ? _ \
    :: empty(bell) -> break \
    od \
  }

/* The Waiter's fields, and what the port took; all under the mutex. */
byte taken[LINKS];
byte sleep_number;
bit sleeper, armed, someone_looked_early, owes_a_ring, watched, closed;
bit behind[THREADS], told[THREADS];

#if THREADS == 1 || defined(SAME)
#define CARES(thread, link) 1
#else
#define CARES(thread, link) ((link) % THREADS == (thread))
#endif

inline lock() {
  atomic { memory[MUTEX] == 0 -> memory[MUTEX] = 1 }
}
inline unlock() { store(LINKS + me, MUTEX, 0, RELEASE) }

/* ready(): each link in turn. */
inline look() {
  found = (closed -> CLOSED : NOTHING);
  link = 0;
  do
  :: link < LINKS && CARES(me, link) && taken[link] < memory[TAIL(link)] ->
    found = link;
    break
  :: link < LINKS && !(CARES(me, link) && taken[link] < memory[TAIL(link)]) -> link++
  :: link == LINKS -> break
  od;
  link = 0
}

/* Armable::arm: into every half of ours. */
inline arm(number) {
  link = 0;
  do
  :: link < LINKS ->
    store(LINKS + me, ARMED(link), number, PLAIN);
    link++
  :: else -> break
  od;
  link = 0
}

inline tell_those_behind() {
  d_step {
    link = 0;
    do
    :: link < THREADS ->
#ifdef ONE_IS_TOLD
      if
      :: behind[link] && !told[link] ->
        told[link] = 1;
        break
      :: else -> skip
      fi;
#else
      if
      :: behind[link] -> told[link] = 1
      :: else -> skip
      fi;
#endif
      link++
    :: else -> break
    od;
    link = 0
  }
}

bit done[THREADS];

/* Takes what a look has found. Whoever takes the last thing that several threads wait for closes the port, so that the
 * others end too: Waiter::wake_all. */
inline take() {
  d_step {
    taken[found]++;
    done[me] = 1;
    for (link : 0 .. LINKS - 1) {
      if
      :: CARES(me, link) && taken[link] < ITEMS -> done[me] = 0
      :: else -> skip
      fi
    }
    link = 0;
    found = NOTHING
  };
#ifdef SAME
  if
  :: done[me] ->
    closed = 1;
    RING;
    tell_those_behind()
  :: else -> skip
  fi
#endif
}

/* Waiter::rearm, after a look that found nothing; found: there is something after all. */
inline rearm() {
  if
  :: armed -> skip /* a sleeper has told the peers, and rings when it wakes up */
  :: else ->
#ifndef LOOP_READS
    CLEAR;
#endif
    sleep_number++;
    assert(sleep_number < MOST_SLEEPS);
    arm(sleep_number);
#ifndef NO_WAITER_FENCE
    FENCE(LINKS + me);
#endif
#ifndef NO_SECOND_LOOK
    look();
#endif
#ifndef REARM_IN_SILENCE
    if
    :: found != NOTHING -> RING /* there may be more than the caller takes */
    :: else -> skip
    fi
#endif
  fi
}

/* A thread that calls take(), send(), flush() or wait_for_peers(), until it has had everything it waits for. */
proctype thread(byte me) {
  byte found, link;
  lock();
again:
  look();
  if
  :: found == CLOSED -> unlock(); goto finished
  :: found < LINKS ->
    take();
    unlock();
    if
    :: done[me] -> goto finished
    :: else -> lock(); goto again
    fi
  :: found == NOTHING -> skip
  fi;

  /* Waiter::wait */
  if
  :: sleeper ->
    /* wait_behind */
#ifndef FORGET_WHO_LOOKED_EARLY
    someone_looked_early = !armed;
#endif
    behind[me] = 1;
    unlock();
    told[me];
    lock();
    d_step {
      behind[me] = 0;
      told[me] = 0
    };
    goto again
  :: else -> sleeper = 1
  fi;

#if defined(LOOP) && !defined(SLEEP_ON_A_STALE_RING)
  /* Waiter::is_kept_awake: by a ring that the loop has not seen. */
#if defined(SAME) || defined(SWALLOW_THE_LOOPS_RING)
  if
  :: watched -> /* whatever it rings for, this thread looks for the same */
    CLEAR;
#ifndef KEEP_THE_LOOPS_RING
    owes_a_ring = 1
#endif
  :: else -> skip
  fi;
#else
  if
  :: watched && len(bell) > 0 ->
    unlock(); /* a nap, and another look */
    lock();
    goto awake
  :: else -> skip
  fi;
#endif
#endif

  /* Waiter::spin: others get at the mutex between two looks, which arm nothing. Adaptive, so perhaps not at all. */
  if
  :: unlock();
    lock();
    look();
    if
    :: found != NOTHING -> goto awake
    :: else -> skip
    fi
  :: skip
  fi;

  armed = 1;
  sleep_number++;
  assert(sleep_number < MOST_SLEEPS);
  arm(sleep_number);
#ifndef NO_WAITER_FENCE
  FENCE(LINKS + me);
#endif
  if
  :: someone_looked_early ->
    someone_looked_early = 0;
    tell_those_behind()
  :: else -> skip
  fi;
#ifdef CLEAR_AFTER_ARM
  CLEAR;
#endif
#ifndef NO_SECOND_LOOK
  look();
  if
  :: found != NOTHING -> goto awake
  :: else -> skip
  fi;
#endif
  unlock();
  nempty(bell); /* Bell::wait */
  lock();

awake: /* Waiter::wake_up */
  sleeper = 0;
  if
  :: armed ->
    armed = 0;
    CLEAR;
    arm(0);
    owes_a_ring = 1
  :: else -> skip
  fi;
#ifndef LOOP_IS_NOT_RUNG
  if
  :: owes_a_ring && watched -> RING /* it must look, and arm again */
  :: else -> skip
  fi;
#endif
  owes_a_ring = 0;
  tell_those_behind();
#if defined(LOOP) && defined(SAME)
  /* Its time may be over, or it may go with what it came for: the loop takes the rest. */
  if
  :: goto again
  :: skip
  fi;
  do /* ReceiverPort::take_or_rearm */
  :: look();
    if
    :: found < LINKS ->
      take();
      break
    :: found == CLOSED -> break
    :: found == NOTHING ->
      rearm();
      if
      :: found == NOTHING -> break
      :: else -> skip
      fi
    fi
  od;
  unlock();
  goto finished;
#else
  goto again;
#endif

finished:
  skip
}

/* An event loop that polls the bell, takes what there is when it rings, and leaves when it has had everything. */
proctype event_loop(byte me) {
  byte found, link;
  do
  :: nempty(bell) ->
#ifdef LOOP_READS
    CLEAR;
#endif
    lock();
look_again:
    look();
    if
    :: found == CLOSED -> unlock(); goto finished
    :: found < LINKS ->
      take();
      if
      :: done[me] -> unlock(); goto finished
      :: else -> goto look_again
      fi
    :: found == NOTHING -> skip
    fi;
    rearm();
    if
    :: found != NOTHING -> goto look_again
    :: else -> skip
    fi;
    unlock()
  od;
finished:
  skip
}

/* Which peer brings only when the threads that wait for the others have had everything (LINKS: none). A thread that
 * waits for it cannot be what wakes those behind it. */
byte late = LINKS;

/* A peer: ring/sender_ring.hpp push, or ring/receiver_ring.hpp take and give_back; then ring_if_asleep. */
proctype bringer(byte me) {
  byte brought, sleep, last_rung;
  late != me || done[(me + 1) % THREADS];
  do
  :: brought == ITEMS -> break
  :: else ->
    brought++;
    store(me, TAIL(me), brought, RELEASE);
#ifndef NO_BRINGER_FENCE
    FENCE(me);
#endif
    sleep = memory[ARMED(me)];
    if
    :: sleep != 0 && sleep != last_rung ->
#ifdef RING_ONCE_FOR_EVER
      if
      :: last_rung == 0 -> RING
      :: else -> skip
      fi;
#else
      RING;
#endif
      last_rung = sleep
    :: else -> skip
    fi;
    sleep = 0
  od
}

init {
  byte i;
  atomic {
#if THREADS > 1 && !defined(SAME)
    if
    :: late = 0
    :: late = 1
    :: skip
    fi;
#endif
    for (i : 0 .. PROCESSES - 1) {
      run drain(i)
    }
    for (i : 0 .. LINKS - 1) {
      run bringer(i)
    }
#ifdef LOOP
    watched = 1;
    bell ! 1; /* Waiter::watch: the first look is the loop's */
    run event_loop(0);
    for (i : 1 .. THREADS - 1) {
      run thread(i)
    }
#else
    for (i : 0 .. THREADS - 1) {
      run thread(i)
    }
#endif
  }
}
