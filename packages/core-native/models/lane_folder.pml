/* A lane's folder: roster/lane_folder.hpp (LaneFolder, try_enter, ensure_lane_file, announced, leave,
 * remove_if_deserted, sweep), with platform/linux/files.hpp (place_file, remove_folder) below it and
 * endpoint/graveyard.hpp (remove_names_of, bury_if_dead) above. PORTS ports, each in a process of its own, enter a
 * lane, announce themselves, look who is there, and stay or leave. With -DDEATH the first of them may be killed
 * between any two system calls; survivors bury it, two at once. Each system call is one step. A folder that was
 * removed and made again is another one under the same name, and who holds the old one open goes on holding that.
 *
 * Checked for every interleaving:
 *   - of two ports that are in the lane, at least one has seen the other;
 *   - whoever stays is in the folder that a newcomer finds, and in the end the lane file is there, unless the one that
 *     was about to put it back was killed (then the next to join does);
 *   - when all have left or were buried, nothing is left: no folder, no file, no door.
 *
 *   spin -run -noclaim -safety lane_folder.pml
 *
 * Mutants, each of which must be found: LOOK_BEFORE_ANNOUNCE, KEEP_THE_FILE (a leaver that finds somebody in the
 * folder does not put the lane file back), LOOK_ONCE (who has put it back does not look whether the others have left
 * meanwhile), with -DPORTS=3 REMOVE_UNREAD (a leaver removes a lane file that it could not read before), and with
 * -DDEATH DOOR_FIRST (who buries removes the door before the other names, and is killed there). */

#ifndef PORTS
#define PORTS 2
#endif
#ifdef DEATH
#define DIGGERS 2
#else
#define DIGGERS 0
#endif
#define FOLDERS 4 /* that can be made in one run */
#define NO_FOLDER 255

/* What stands under the lane's name, and what is in each folder. Names that several may have are a bit for each. */
byte current = NO_FOLDER;
byte folders_made;
typedef Folder {
  bit removed;
  bit lane_file;
  byte announced; /* KIND-E-N */
  byte coming;    /* .KIND-E-N, or .lane-E-N: on the way into place */
  byte returning  /* .lane-E-leaving: a lane file on its way back */
}
Folder folders[FOLDERS];
#define HERE folders[folder]
#define BIT(who) (1 << (who))
#define IS_EMPTY(folder) \
  (!folders[folder].lane_file && !folders[folder].announced && !folders[folder].coming && !folders[folder].returning)

byte in_lane; /* announced, and has looked */
byte seen[PORTS];
bit door[PORTS], over[PORTS], dead[PORTS];
bit kill_the_first, file_was_lost;

/* platform::remove_folder: of whatever has the lane's name; true also if nothing has. */
inline remove_folder() {
  d_step {
    if
    :: current == NO_FOLDER -> ok = 1
    :: current != NO_FOLDER && IS_EMPTY(current) ->
      folders[current].removed = 1;
      current = NO_FOLDER;
      ok = 1
    :: else -> ok = 0
    fi
  }
}

inline remove_if_deserted() {
  do
  :: d_step { /* list_folder */
       only_the_file = HERE.lane_file && !HERE.announced && !HERE.coming && !HERE.returning;
       nothing = IS_EMPTY(folder)
     };
     if
     :: nothing ->
       remove_folder();
       break
     :: !nothing && !only_the_file -> break
     :: else -> skip
     fi;
     had_file = HERE.lane_file; /* read_file */
#ifndef REMOVE_UNREAD
     if
     :: !had_file -> goto next_round /* somebody else is about to remove the folder, or to put the file back */
     :: else -> skip
     fi;
#endif
     d_step { /* remove_file */
       took_file = HERE.lane_file;
       HERE.lane_file = 0
     };
     remove_folder();
     if
     :: ok || !had_file -> break
     :: else -> skip
     fi;
#ifdef KEEP_THE_FILE
     break;
#endif
     if /* place_file: open */
     :: atomic { HERE.removed -> break }
     :: atomic { !HERE.removed -> HERE.returning = HERE.returning | BIT(me) }
     fi;
     HERE.lane_file = 1; /* link: refuses to replace, so it is there whoever put it */
     took_file = 0;
     HERE.returning = HERE.returning & ~BIT(me); /* unlink */
#ifdef LOOK_ONCE
     break;
#endif
next_round:
     skip
  od;
  took_file = 0
}

/* ok: the lane file is there. Not: the folder is gone. */
inline ensure_lane_file() {
  ok = HERE.lane_file; /* read_file */
  if
  :: ok -> skip
  :: else ->
    if
    :: atomic { HERE.removed -> skip }
    :: atomic { !HERE.removed -> HERE.coming = HERE.coming | BIT(me) };
       HERE.lane_file = 1;
       HERE.coming = HERE.coming & ~BIT(me);
       ok = 1
    fi
  fi
}

inline live() {
  door[me] = 1;
#ifdef LOOK_BEFORE_ANNOUNCE
  seen[me] = (current == NO_FOLDER -> 0 : folders[current].announced);
#endif
  do /* try_enter */
  :: atomic { /* mkdirat */
       if
       :: current == NO_FOLDER ->
         assert(folders_made < FOLDERS);
         current = folders_made;
         folders_made++
       :: else -> skip
       fi
     };
     atomic { /* openat */
       if
       :: current == NO_FOLDER -> ok = 0
       :: else ->
         folder = current;
         ok = 1
       fi
     };
     if
     :: ok -> ensure_lane_file()
     :: else -> skip
     fi;
     if
     :: ok ->
       if /* place_file: open */
       :: atomic { HERE.removed -> ok = 0 }
       :: atomic { !HERE.removed -> HERE.coming = HERE.coming | BIT(me) };
          HERE.announced = HERE.announced | BIT(me); /* link */
          HERE.coming = HERE.coming & ~BIT(me);      /* unlink */
          ensure_lane_file()
       fi
     :: else -> skip
     fi;
     if
     :: ok -> break
     :: else -> skip
     fi
  od;
  atomic { /* announced */
#ifndef LOOK_BEFORE_ANNOUNCE
    seen[me] = HERE.announced;
#endif
    assert(folder == current);
    in_lane = in_lane | BIT(me);
    for (other : 0 .. PORTS - 1) {
      assert(other == me || !(in_lane & BIT(other)) || (seen[me] & BIT(other)) || (seen[other] & BIT(me)))
    };
    other = 0
  };
  if
  :: leaves ->
    atomic {
      in_lane = in_lane & ~BIT(me);
      HERE.announced = HERE.announced & ~BIT(me)
    };
    remove_if_deserted();
    door[me] = 0
  :: else ->
end_in_lane:
    false
  fi
}

proctype port(byte me; bit leaves) {
  byte folder, other;
  bit ok, only_the_file, nothing, had_file, took_file;
  { live() } unless {
    atomic {
      me == 0 && kill_the_first ->
      dead[0] = door[0];
      in_lane = in_lane & ~BIT(0);
      file_was_lost = file_was_lost || took_file
    }
  };
  over[me] = 1
}

#ifdef DEATH
proctype killer() {
  kill_the_first = 1
}

/* Processes that find that nobody answers at the first one's door. The second may be killed, too. */
proctype gravedigger(byte me) {
  byte folder;
  bit ok, only_the_file, nothing, had_file, took_file;
end:
  dead[0] && over[0] && door[0];
#ifdef DOOR_FIRST
  door[0] = 0;
  if
  :: me == PORTS -> goto buried /* killed */
  :: else -> skip
  fi;
#endif
  atomic { /* sweep: find_private_subfolder */
    if
    :: current == NO_FOLDER -> ok = 0
    :: else ->
      folder = current;
      ok = 1
    fi
  };
  if
  :: ok ->
    HERE.announced = HERE.announced & ~BIT(0);
    HERE.coming = HERE.coming & ~BIT(0);
    HERE.returning = HERE.returning & ~BIT(0);
    remove_if_deserted()
  :: else -> skip
  fi;
  door[0] = 0;
buried:
  skip
}
#endif

init {
  byte i, stay;
  bit leaves;
  atomic {
    for (i : 0 .. PORTS - 1) {
      if
      :: leaves = 1
      :: leaves = 0; stay = stay | BIT(i)
      fi;
      run port(i, leaves)
    }
#ifdef DEATH
    run killer();
    for (i : 0 .. DIGGERS - 1) {
      run gravedigger(PORTS + i)
    }
#endif
  };
  timeout;
  if
  :: kill_the_first -> stay = stay & ~BIT(0)
  :: else -> skip
  fi;
  if
  :: stay ->
    assert(current != NO_FOLDER && folders[current].announced == stay);
    assert(folders[current].lane_file || file_was_lost)
  :: else -> assert(current == NO_FOLDER)
  fi;
  for (i : 0 .. PORTS - 1) {
    assert(door[i] == ((stay >> i) & 1) && (over[i] || door[i]))
  }
}
