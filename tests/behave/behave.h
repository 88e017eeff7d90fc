/* Shared by the behave programs: each shows one behaviour, prints what it sees in the same words on every run (no addresses, no
 * pids, no times) and ends with the line "ok". */
#ifndef BEHAVE_H
#define BEHAVE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) do { \
	if (!(condition)) { \
		printf("%s:%d: not true: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
		fflush(stdout); \
		exit(99); \
	} \
} while (0)

/* The success token. Written at once: what follows may kill the process. */
static inline int passed(void)
{
	puts("ok");
	fflush(stdout);
	return 0;
}

#endif
