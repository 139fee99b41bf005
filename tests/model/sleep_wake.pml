/* SPDX-License-Identifier: Apache-2.0
 *
 * Sleeping and waking (detail/idle_set.hpp) with the store buffer of the one who pushes: its item is
 * seen by nobody else until its processor writes it back, or until a sleeper's barrier makes every
 * processor do so. That is what membarrier does, and what Relacy has no name for.
 *
 * A lost wake is an invalid end state: all items are pushed, and a worker sleeps beside one of them.
 *
 * mutants: NO_BARRIER NO_SECOND_LOOK NO_WAKE SAYS_SO_AFTER_THE_BARRIER
 */
#define WORKERS 2
#define ITEMS 2

byte queue = 0;     /* in memory */
byte buffered = 0;  /* pushed, and still in the buffer of the pusher's processor */
byte done = 0;
byte hungry = 0;
bool sleeping[WORKERS];
bool woken[WORKERS];

inline write_back() { atomic { queue = queue + buffered; buffered = 0 } }

inline wake_one() {
#ifdef NO_WAKE
  skip
#else
  if
  :: atomic { sleeping[0] -> sleeping[0] = false; woken[0] = true }
  :: atomic { sleeping[1] -> sleeping[1] = false; woken[1] = true }
  :: else
  fi
#endif
}

active proctype processor() {
end:
  do
  :: atomic { buffered > 0 -> queue = queue + buffered; buffered = 0 }
  od
}

active proctype pusher() {
  byte pushed = 0;
  do
  :: pushed == ITEMS -> break
  :: else ->
    buffered++;                                   /* s1 */
    pushed++;
    if :: hungry > 0 -> wake_one() :: else fi     /* s2 */
  od
}

active [WORKERS] proctype worker() {
  byte me = _pid - 2;
  do
  :: atomic { queue > 0 -> queue--; done++ }
  :: done == ITEMS -> break
  :: else ->
#ifndef SAYS_SO_AFTER_THE_BARRIER
    sleeping[me] = true;                          /* p1 */
    hungry++;
#endif
#ifndef NO_BARRIER
    write_back();                                 /* p2 */
#endif
#ifdef SAYS_SO_AFTER_THE_BARRIER
    sleeping[me] = true;
    hungry++;
#endif
    if
#ifndef NO_SECOND_LOOK
    :: queue > 0 || done == ITEMS -> skip         /* p3 */
#endif
    :: else -> woken[me]                          /* p4 */
    fi;
    atomic { sleeping[me] = false; woken[me] = false };
    hungry--
  od;
  /* The end is told to whoever sleeps, as stop() does. */
  atomic { sleeping[0] = false; woken[0] = true; sleeping[1] = false; woken[1] = true }
}
