/* How a program is to be guarded: what `clearview run` was told. */
#ifndef NODE_OPTIONS_H
#define NODE_OPTIONS_H

#include <stdbool.h>

struct guard_options {
	const char *state;     /* folder; NULL: the default */
	bool redirect_all;     /* every procedure: the engine's proof */
	int learn_percent;     /* of CPU; 0: no learning */
	bool learn_full;       /* observe everything at once */
	bool no_heap;          /* leave the allocator alone */
	bool only_traps;       /* bug provoker: every springboard an int3 */
	int checks;            /* presentations that checking patches watch; -1: the default */
	bool debug;            /* log everything */
	const char *terminal;  /* for progress; NULL: none */
};

#endif
