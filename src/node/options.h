/* How a program is to be guarded: what `clearview run` was told. */
#ifndef NODE_OPTIONS_H
#define NODE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Monitors that watch every procedure: bits of guard_options.strict. */
enum strict_monitor {
	STRICT_SHADOW = 2,   /* returns go where their calls came from */
	STRICT_HEAP = 4,     /* no instruction writes to freed blocks or behind a block's end */
	STRICT_FIREWALL = 8, /* control goes to legitimate targets only */
	STRICT_ALL = STRICT_SHADOW | STRICT_HEAP | STRICT_FIREWALL,
};

struct guard_options {
	const char *state;     /* folder; NULL: the default */
	bool redirect_all;     /* every procedure: the engine's proof */
	bool lazy;             /* with redirect_all: when it is first executed */
	bool direct_calls;     /* with redirect_all: calls lead straight to copies, past the original entries, until a debugger comes: tracers.h */
	uint8_t strict;        /* enum strict_monitor; any of them implies both */
	const char *jit;       /* firewall: names of programs that may make code at run time, with commas; "": all; NULL: none */
	int learn_percent;     /* of CPU; 0: no learning */
	bool learn_full;       /* observe everything at once */
	bool no_heap;          /* leave the allocator alone */
	bool only_traps;       /* bug provoker: every springboard an int3 */
	bool flip;             /* bug provoker: redirect procedures and put them back all the time */
	uint16_t provoke;      /* bug provokers: node/provoke.h */
	int visits;            /* bug provoker: enum visits (engine/image.h) */
	bool perf_map;         /* tell profilers what the copies are */
	int checks;            /* presentations that checking patches watch; -1: the default */
	bool debug;            /* log everything */
	bool lasts;            /* the program isn't meant to end: it is started again (--restart) */
	const volatile int *told_to_end; /* with lasts: set, by the process that starts it again, once somebody wants it to end after all */
	bool stopped;          /* the program waits, stopped, before its first instruction */
	const char *terminal;  /* for progress; NULL: none */
};

#endif
