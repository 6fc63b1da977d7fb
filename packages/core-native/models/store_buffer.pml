/* Shared memory as processors have it, for models in Spin, which by itself is sequentially consistent. A store goes
 * into a buffer of its process and becomes visible to the others when it leaves it; nobody in our protocols reads what
 * it wrote itself, so a load looks at `memory` alone.
 *
 *   default   x86 (TSO): stores leave in the order in which they were made.
 *   -DWEAK    weaker (as arm64, POWER): stores to different words leave in any order, except that a release store
 *             leaves after all that were made before it.
 *
 * A fence (store_then_look_fence: sequentially consistent) waits until the buffer is empty. Loads happen in the order
 * of the program: in the code those that matter are acquires, or stand between one and a fence. What a compiler or a
 * processor may do with relaxed loads is explored by the transliteration in loom/.
 *
 * To be included after WORDS (of memory), PROCESSES (that store) and BUFFER (stores that may wait at once) are
 * defined. */

byte memory[WORDS];

typedef Store {
  byte word;
  byte value;
  bit release
}
typedef StoreBuffer {
  Store at[BUFFER];
  byte count
}
StoreBuffer buffers[PROCESSES];

#define PLAIN 0   /* std::memory_order_relaxed, or not atomic */
#define RELEASE 1 /* std::memory_order_release */

inline store(process, to_word, new_value, order) {
  d_step {
    buffers[process].count < BUFFER;
    buffers[process].at[buffers[process].count].word = to_word;
    buffers[process].at[buffers[process].count].value = new_value;
    buffers[process].at[buffers[process].count].release = order;
    buffers[process].count++
  }
}

#define FENCE(process) (buffers[process].count == 0)

/* Lets the stores of one process out. */
proctype drain(byte process) {
  byte i, j;
  bit may_leave;
end:
  do
  :: atomic {
       buffers[process].count > 0;
       i = 0;
#ifdef WEAK
       do
       :: i + 1 < buffers[process].count -> i++
       :: break
       od;
#endif
       d_step {
         may_leave = 1;
         for (j : 0 .. BUFFER - 1) {
           if
           :: j < i && (buffers[process].at[j].word == buffers[process].at[i].word || buffers[process].at[i].release) ->
             may_leave = 0
           :: else -> skip
           fi
         }
         if
         :: may_leave ->
           memory[buffers[process].at[i].word] = buffers[process].at[i].value;
           buffers[process].count--;
           for (j : 0 .. BUFFER - 2) {
             if
             :: j >= i ->
               buffers[process].at[j].word = buffers[process].at[j + 1].word;
               buffers[process].at[j].value = buffers[process].at[j + 1].value;
               buffers[process].at[j].release = buffers[process].at[j + 1].release
             :: else -> skip
             fi
           }
           buffers[process].at[BUFFER - 1].word = 0;
           buffers[process].at[BUFFER - 1].value = 0;
           buffers[process].at[BUFFER - 1].release = 0
         :: else -> skip
         fi;
         i = 0;
         j = 0;
         may_leave = 0
       }
     }
  od
}
