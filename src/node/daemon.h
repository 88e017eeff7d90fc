/* Becoming a supervisor on the side. */
#ifndef NODE_DAEMON_H
#define NODE_DAEMON_H

/* In a forked child: goes on as a process of its own session that holds nothing of the caller's open but `kept` (at another number, which it returns). */
int daemon_become(int kept);

#endif
