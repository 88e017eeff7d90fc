/* The options that say how a program is guarded: of run and attach. */
#ifndef CLI_GUARDING_H
#define CLI_GUARDING_H

#include <getopt.h>
#include <stdbool.h>

#include "node/options.h"

enum guard_option {
	GUARD_OPTION_STATE = 256, GUARD_OPTION_REDIRECT, GUARD_OPTION_STRICT, GUARD_OPTION_LEARN, GUARD_OPTION_NO_HEAP, GUARD_OPTION_CHECKS,
	GUARD_OPTION_DEBUG, GUARD_OPTION_ONLY_TRAPS, GUARD_OPTION_PROBE, GUARD_OPTION_PROVOKE, GUARD_OPTION_FLIP, GUARD_OPTION_PERF_MAP, GUARD_OPTION_JIT,
	GUARD_OPTION_END, /* codes of a command's own options begin here */
};

/* Rows of a getopt_long(3) table. */
#define GUARD_OPTION_ROWS \
	{"state", required_argument, NULL, GUARD_OPTION_STATE}, {"redirect", required_argument, NULL, GUARD_OPTION_REDIRECT}, \
	{"strict", optional_argument, NULL, GUARD_OPTION_STRICT}, {"jit", optional_argument, NULL, GUARD_OPTION_JIT}, {"learn", required_argument, NULL, GUARD_OPTION_LEARN}, \
	{"no-heap", no_argument, NULL, GUARD_OPTION_NO_HEAP}, {"checks", required_argument, NULL, GUARD_OPTION_CHECKS}, \
	{"debug", no_argument, NULL, GUARD_OPTION_DEBUG}, {"only-traps", no_argument, NULL, GUARD_OPTION_ONLY_TRAPS}, \
	{"probe", required_argument, NULL, GUARD_OPTION_PROBE}, {"flip", no_argument, NULL, GUARD_OPTION_FLIP}, \
	{"perf-map", no_argument, NULL, GUARD_OPTION_PERF_MAP}, {"provoke", required_argument, NULL, GUARD_OPTION_PROVOKE}

/* False: the code is none of these. A bad value ends the command. */
bool guard_option_set(int code, struct guard_options *o);
/* Where the state is, as an absolute path; the supervisor opens it, and tells of errors before the program starts. What other supervisors have found
 * out by now is written first. */
void guard_state_settle(struct guard_options *o);

#endif
