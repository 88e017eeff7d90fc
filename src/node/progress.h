/* A line on the user's terminal while the program waits for its supervisor for more than a second: large programs redirected or learned as a whole. */
#ifndef NODE_PROGRESS_H
#define NODE_PROGRESS_H

#include <stddef.h>

/* terminal: path, or NULL for none. Time counts from now. */
void progress_open(const char *terminal);
/* "clearview: WHAT NAME: DONE of TOTAL", not more often than it can be read. total 0: DONE alone. */
void progress(const char *what, const char *name, size_t done, size_t total);
/* The program runs: the terminal is its own. */
void progress_close(void);

#endif
