/* serve.h - connections: a loop that reads requests and writes replies. */
#ifndef GAZETTE_SERVE_H
#define GAZETTE_SERVE_H

/* Listen on a loopback port; 0 lets the system choose one, which is stored. Returns the socket or -1. */
int serve_listen(int *port);

/* Serve connections coming in on the socket until the process ends. Several processes and threads
 * may do so at the same time on the same socket. */
void serve_loop(int listener);

#endif
