/* The handshake between who waits and who brings (port/waiter.hpp): armed = n; fence; look again; sleep - and: publish;
 * fence; look at armed; ring once for each n. Stores go through a buffer as on x86 (see take_back.pml).
 *
 * Checked for every interleaving: all ITEMS arrive; nobody sleeps for ever (an invalid end state would be reported); and
 * whoever is rung for the same sleep twice would overrun the bell, which holds as many rings as there can be sleeps.
 *
 *   spin -run -noclaim -safety sleep.pml
 * With -DNO_WAITER_FENCE, -DNO_BRINGER_FENCE or -DNO_SECOND_LOOK (before -run) it must find an error. */

#ifndef ITEMS
#define ITEMS 3
#endif

byte tail;  /* written by who brings */
byte armed; /* written by who waits: 0, or the number of the sleep */
chan waiter_buffer = [3] of { byte };
chan bringer_buffer = [3] of { byte };
chan bell = [ITEMS + 1] of { bit };
#define FENCE(buffer) (len(buffer) == 0)

active proctype empty_waiter_buffer() {
  byte value;
end:
  do
  :: atomic { waiter_buffer ? value -> armed = value }
  od
}

active proctype empty_bringer_buffer() {
  byte value;
end:
  do
  :: atomic { bringer_buffer ? value -> tail = value }
  od
}

active proctype waiter() {
  byte taken, sleeps;
  do
  :: taken == ITEMS -> break
  :: taken < tail -> taken++
  :: else ->
    sleeps++;
    waiter_buffer ! sleeps;
#ifndef NO_WAITER_FENCE
    FENCE(waiter_buffer);
#endif
#ifndef NO_SECOND_LOOK
    if
    :: taken < tail -> skip /* look again: no sleep */
    :: else ->
#endif
      bell ? _ /* the sleep */
#ifndef NO_SECOND_LOOK
    fi
#endif
    ;
    /* Awake: clear the bell, and say so. */
    do
    :: nempty(bell) -> bell ? _
    :: empty(bell) -> break
    od;
    waiter_buffer ! 0
  od
}

active proctype bringer() {
  byte brought, sleep, last_rung;
  do
  :: brought == ITEMS -> break
  :: else ->
    brought++;
    bringer_buffer ! brought;
#ifndef NO_BRINGER_FENCE
    FENCE(bringer_buffer);
#endif
    sleep = armed;
    if
    :: sleep != 0 && sleep != last_rung ->
      last_rung = sleep;
      assert(nfull(bell));
      bell ! 1
    :: else -> skip
    fi
  od
}
