/* Joining, leaving and dying of one publisher and one subscriber in two processes: port/port_base.hpp (join, meet,
 * await_settled), port/sender_port.hpp and port/receiver_port.hpp (call, handle, end_link, on_peer_gone),
 * endpoint/contacts.hpp (reach, admit) and endpoint/reception.hpp (let_newcomers_in, on_hello, lose, drain).
 * Each process has the thread of its program and its service thread. Both may begin at the same moment, so that each
 * connects to the other; at every step either may be killed, or the publisher may close, right after it has sent one
 * sample. What one mutex or one message covers is one step here.
 *
 * Checked for every interleaving:
 *   - no constructor waits for ever, whoever died when;
 *   - a sample whose send began after the subscriber's constructor had returned goes to it;
 *   - a sample that went down the link arrives, though the publisher was killed or has closed at once;
 *   - no process receives what can only be a second half for one link.
 *
 *   spin -run -noclaim -safety join.pml
 *
 * Mutants, each of which must be found: LOOK_BEFORE_ANNOUNCE, IGNORE_INVITATIONS, RETURN_WHEN_OFFERED (the
 * subscriber's constructor does not wait for the answer), KEEP_ONE_CONNECTION (whoever has two closes the other's),
 * BURY_UNHEARD (what a dead peer sent on its other connection is forgotten), FORGET_THE_DOOR (the same, for one that
 * has not been let in or has not said hello yet), GO_ON_WAITING (a death settles nothing). */

#define PUB 0
#define SUB 1
#define OTHER(process) (1 - (process))

/* Connection c was made by process c, to the other's door; INBOX(c, p) is what process p has not received from it. */
#define INBOX(connection, process) inbox[2 * (connection) + (process)]
#define CLOSED(connection, process) closed_by[2 * (connection) + (process)]
mtype = { HELLO, INVITE, HALF, GONE, LEAVE };
chan inbox[4] = [5] of { mtype };
bit closed_by[4];
bit made[2], let_in[2], introduced[2];

/* The lane directory. */
bit door[2], announced[2];

/* A process: whether it knows the other (Contacts::peers_), on which connection it sends to it, whether it lives. */
bit knows_peer[2], dead[2], port_closed[2];
byte sends_on[2];
bit given_up[2]; /* Connection::mark_gone, of both */

/* The ports. */
#define NONE 0
#define OFFERED 1
#define UP 2
byte subscriber_link;
bit publisher_link;
bit settled[2], constructed[2];
bit pushed, taken; /* the one sample, in the ring, which outlives its sender */

/* Connection::send. */
inline send(me, message, was_sent) {
  if
  :: !given_up[me] && !CLOSED(sends_on[me], OTHER(me)) && !CLOSED(sends_on[me], me) ->
    INBOX(sends_on[me], OTHER(me)) ! message;
    was_sent = 1
  :: else -> was_sent = 0
  fi
}

/* ReceiverPort::call, SenderPort::call */
inline call(me, ok) {
  if
  :: me == SUB ->
    send(SUB, HALF, ok);
    if
    :: ok -> subscriber_link = OFFERED
    :: else -> skip
    fi
  :: me == PUB -> send(PUB, INVITE, ok)
  fi
}

/* end_link: what is in the ring of a link that is up is still read to its end. */
inline end_link(me) {
  if
  :: me == SUB && subscriber_link == OFFERED -> subscriber_link = NONE
  :: me == PUB -> publisher_link = 0
  :: else -> skip
  fi;
  settled[me] = 1
}

/* on_message, of the one port of the process. */
inline handle(me, message, ok) {
  if
  :: message == INVITE && port_closed[me] -> send(me, GONE, ok)
  :: message == INVITE && !port_closed[me] ->
#ifndef IGNORE_INVITATIONS
    if
    :: subscriber_link == NONE -> call(SUB, ok)
    :: else -> skip /* we called at the same moment */
    fi
#endif
    skip
  :: message == HALF && me == PUB && port_closed[PUB] -> send(PUB, GONE, ok)
  :: message == HALF && me == PUB && !port_closed[PUB] ->
    assert(!publisher_link); /* a second half for one link */
    send(PUB, HALF, ok);
    publisher_link = ok;
    settled[PUB] = 1
  :: message == HALF && me == SUB ->
    if
    :: subscriber_link == OFFERED ->
      subscriber_link = UP;
      settled[SUB] = 1
    :: else -> assert(subscriber_link != UP) /* the last words of a link that is over */
    fi
  :: message == GONE || message == LEAVE -> end_link(me)
  fi
}

/* on_hello: the first connection of a peer is the one that we send on. */
inline hear_hello(me) {
  INBOX(OTHER(me), me) ? HELLO;
  introduced[OTHER(me)] = 1;
  if
  :: knows_peer[me] ->
#ifdef KEEP_ONE_CONNECTION
    CLOSED(OTHER(me), me) = 1;
#endif
    skip
  :: else ->
    knows_peer[me] = 1;
    sends_on[me] = OTHER(me);
    given_up[me] = 0
  fi
}

#define IS_MINE(me, connection) (connection == me -> made[me] : let_in[connection])
#define NEWCOMER(me) (made[OTHER(me)] && !let_in[OTHER(me)] && door[me])
#define HUNG_UP(me, connection) \
  (IS_MINE(me, connection) && !CLOSED(connection, me) && CLOSED(connection, OTHER(me)) && empty(INBOX(connection, me)))

proctype service(byte me) {
  mtype message;
  bit ok, was_known;
  byte connection, other_connection;
end:
  do
  :: atomic { dead[me] || (port_closed[me] && !door[me]) -> break }

  /* let_newcomers_in */
  :: atomic { !dead[me] && NEWCOMER(me) -> let_in[OTHER(me)] = 1 }

  /* receive_all, dispatch */
  :: atomic {
       !dead[me] && made[me] && !CLOSED(me, me) && nempty(INBOX(me, me));
       INBOX(me, me) ? message;
       handle(me, message, ok);
       ok = 0;
       message = 0
     }
  :: atomic {
       !dead[me] && let_in[OTHER(me)] && !CLOSED(OTHER(me), me) && nempty(INBOX(OTHER(me), me));
       if
       :: !introduced[OTHER(me)] -> hear_hello(me)
       :: else ->
         INBOX(OTHER(me), me) ? message;
         handle(me, message, ok)
       fi;
       ok = 0;
       message = 0
     }

  /* lose */
  :: atomic {
       !dead[me] && (HUNG_UP(me, me) || HUNG_UP(me, OTHER(me)));
       if
       :: HUNG_UP(me, me) -> connection = me
       :: HUNG_UP(me, OTHER(me)) -> connection = OTHER(me)
       fi;
       other_connection = OTHER(connection);
       CLOSED(connection, me) = 1;
       was_known = knows_peer[me] && (connection == me || introduced[connection]);
#ifndef FORGET_THE_DOOR
       /* Its other connection may be one that nobody has looked at yet. */
       if
       :: was_known && NEWCOMER(me) -> let_in[OTHER(me)] = 1
       :: else -> skip
       fi;
       if
       :: was_known && let_in[OTHER(me)] && !introduced[OTHER(me)] && len(INBOX(OTHER(me), me)) > 0 -> hear_hello(me)
       :: else -> skip
       fi;
#endif
       if
       :: was_known ->
         knows_peer[me] = 0;
         given_up[me] = 1
       :: else -> skip
       fi
     };
     if
     :: was_known ->
       /* drain: whoever is in the table by then can send nothing. */
#ifndef BURY_UNHEARD
       do
       :: atomic {
            IS_MINE(me, other_connection) && !CLOSED(other_connection, me) &&
                (other_connection == me || introduced[other_connection]) && len(INBOX(other_connection, me)) > 0 ->
            INBOX(other_connection, me) ? message;
            handle(me, message, ok);
            ok = 0;
            message = 0
          }
       :: else -> break
       od;
#endif
       atomic {
         if
         :: IS_MINE(me, other_connection) && (other_connection == me || introduced[other_connection]) ->
           CLOSED(other_connection, me) = 1
         :: else -> skip
         fi;
         /* on_peer_gone */
#ifndef GO_ON_WAITING
         end_link(me)
#endif
       }
     :: else -> skip
     fi;
     was_known = 0;
     connection = 0;
     other_connection = 0
  od
}

proctype program(byte me) {
  bit saw, ok, answered, may_expect;
  door[me] = 1; /* platform::open_door */
#ifdef LOOK_BEFORE_ANNOUNCE
  saw = announced[OTHER(me)];
#endif
  if
  :: dead[me] -> goto over
  :: else -> announced[me] = 1 /* LaneFolder */
  fi;
#ifndef LOOK_BEFORE_ANNOUNCE
  saw = announced[OTHER(me)]; /* LaneFolder::announced */
#endif
  if
  :: saw ->
    atomic { /* join: unless it was quicker than we */
      if
      :: me == PUB && publisher_link -> settled[PUB] = 1
      :: me == SUB && subscriber_link == UP -> settled[SUB] = 1
      :: else -> settled[me] = 0
      fi
    };
    atomic { /* meet: Endpoint::reach */
      if
      :: dead[me] -> goto over
      :: !dead[me] && knows_peer[me] -> answered = 1
      :: !dead[me] && !knows_peer[me] && door[OTHER(me)] ->
        assert(!made[me]);
        made[me] = 1;
        knows_peer[me] = 1;
        sends_on[me] = me;
        given_up[me] = 0;
        INBOX(me, OTHER(me)) ! HELLO;
        answered = 1
      :: !dead[me] && !knows_peer[me] && !door[OTHER(me)] -> settled[me] = 1 /* nobody */
      fi
    };
    atomic { /* meet: knows, call */
      if
      :: dead[me] -> goto over
      :: !dead[me] && answered && !(me == SUB && subscriber_link != NONE) && !(me == PUB && publisher_link) ->
        call(me, ok);
        if
        :: !ok -> settled[me] = 1
        :: else -> skip
        fi
      :: else -> skip
      fi
    };
#ifdef RETURN_WHEN_OFFERED
    if
    :: me == SUB -> skip
    :: else -> settled[me] || dead[me]
    fi
#else
    settled[me] || dead[me] /* await_settled */
#endif
  :: else -> skip
  fi;
  constructed[me] = 1;

  if
  :: me == PUB ->
    may_expect = constructed[SUB] && !dead[SUB];
    atomic { /* SenderPort::send */
      if
      :: dead[PUB] -> goto over
      :: else ->
        assert(!may_expect || publisher_link || dead[SUB]);
        pushed = publisher_link
      fi
    };
    if
    :: atomic { /* SenderPort::close */
         !dead[PUB] ->
         port_closed[PUB] = 1;
         announced[PUB] = 0;
         if
         :: publisher_link -> send(PUB, LEAVE, ok)
         :: else -> skip
         fi;
         publisher_link = 0
       };
       atomic { /* Endpoint::stop */
         if
         :: dead[PUB] -> skip
         :: else ->
           door[PUB] = 0;
           CLOSED(PUB, PUB) = made[PUB];
           CLOSED(SUB, PUB) = made[SUB]
         fi
       }
    :: skip
    fi
  :: else -> skip
  fi;
over:
  skip
}

/* The subscriber's program takes what there is. */
proctype taker() {
end:
  do
  :: atomic { !dead[SUB] && subscriber_link == UP && pushed && !taken -> taken = 1 }
  od
}

/* SIGKILL, of one or none, at any moment: the kernel closes everything. */
proctype killer() {
  byte victim;
  if
  :: victim = PUB
  :: victim = SUB
  :: goto over
  fi;
  atomic {
    dead[victim] = 1;
    door[victim] = 0;
    CLOSED(PUB, victim) = made[PUB];
    CLOSED(SUB, victim) = made[SUB]
  };
over:
  skip
}

init {
  byte i;
  atomic {
    for (i : PUB .. SUB) {
      run program(i);
      run service(i)
    }
    run taker();
    run killer()
  };
  timeout;
  assert(dead[PUB] || constructed[PUB]);
  assert(dead[SUB] || constructed[SUB]);
  assert(!pushed || taken || dead[SUB])
}
