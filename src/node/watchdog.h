/* The hang monitor: endless loops. A thread that computes for seconds without waiting and without system calls is looked at closely for a moment,
 * instruction by instruction; only a loop that is proven to be endless (monitor/loop.h) is a failure. Others are computations, and are looked at
 * again after twice the time. The failure's location is the loop; it is told again while the loop goes on. */
#ifndef NODE_WATCHDOG_H
#define NODE_WATCHDOG_H

struct supervisor;

/* Often: looks at how much time threads have used. */
void watchdog_tick(struct supervisor *s);

#endif
