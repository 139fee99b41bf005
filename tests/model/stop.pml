/* SPDX-License-Identifier: Apache-2.0
 *
 * stop() against dispatch() (runtime_core.cpp, runtime_stop.cpp): somebody hands two batches in, one
 * after the other, and waits for each; somebody else stops the runtime meanwhile; one worker runs what
 * is there and sleeps. Sequentially consistent: the store buffers are in sleep_wake.pml.
 *
 * Each batch is refused or ends, the worker leaves, and stop() returns, or there is an invalid end
 * state. Nothing is handed in after the runtime has been found at rest.
 *
 * mutants: REFUSES_LAST NO_LOOK_AT_THE_END NO_WAKE_AT_THE_END NO_LOOK_AT_BATCHES
 */
#define BATCHES 2

bool locked = false;  /* runtime_core::mutex_ */
bool refusing = false;
bool at_rest = false;
bool ending = false;
bool cancelled = false;
byte listed = 0;      /* batches_, the one that runs included */
byte version = 0;
byte ended = 0;
bool sleeping = false;
bool woken = false;
bool left = false;

inline lock() { d_step { !locked -> locked = true } }
inline unlock() { locked = false }
inline wake() {
  if
  :: d_step { sleeping -> sleeping = false; woken = true }
  :: else
  fi
}

active proctype dispatcher() {
  byte handed_in = 0;
  byte refused = 0;
  do
  :: handed_in + refused == BATCHES -> break
  :: else ->
    lock();
    if
    :: refusing -> refused++; unlock()
    :: else ->
      assert(!at_rest);
      listed++;
      version++;
      unlock();
      handed_in++;
      wake();
      ended == handed_in    /* batch::wait() */
    fi
  od
}

active proctype stopper() {
#ifndef REFUSES_LAST
  lock();
  refusing = true;
  unlock();
#endif
  /* cancel_everything(), and again until nothing is left */
  do
  :: lock();
     if
     :: listed == 0 -> at_rest = true; unlock(); break
     :: else -> cancelled = true; unlock(); (listed == 0)
     fi
  od;
#ifdef REFUSES_LAST
  lock();
  refusing = true;
  unlock();
#endif
  ending = true;
#ifndef NO_WAKE_AT_THE_END
  wake();
#endif
  left                      /* the thread is joined */
}

active proctype worker() {
  byte seen = 0;
  do
  :: ending -> break
  :: else ->
    if
    :: seen != version ->
      seen = version;
      do
      :: listed > 0 ->
        /* The items run, or are dropped if it was cancelled; either way the last one ends it. */
        lock();
        listed--;           /* forget() */
        unlock();
        ended++             /* the watchers are told */
      :: else -> break
      od
    :: else ->
      sleeping = true;
      if
#ifndef NO_LOOK_AT_BATCHES
      :: seen != version -> skip
#endif
#ifndef NO_LOOK_AT_THE_END
      :: ending -> skip
#endif
      :: else -> woken
      fi;
      d_step { sleeping = false; woken = false }
    fi
  od;
  left = true
}
