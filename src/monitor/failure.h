/* A failure: which monitor saw it, where, how the program had come there, and its state (paper section 2.3). */
#ifndef MONITOR_FAILURE_H
#define MONITOR_FAILURE_H

#include <clearview/operand.h>
#include <clearview/point.h>
#include <stdbool.h>
#include <sys/types.h>

enum monitor_kind {
	MONITOR_CRASH,   /* SIGSEGV, SIGBUS, SIGFPE, SIGILL the program does not handle */
	MONITOR_CONTROL, /* transfer to non-executable memory; location = the transferring instruction */
	MONITOR_ABORT,   /* abort(), failed assertion, stack protector, fortify, allocator consistency; location = first application frame's call */
	MONITOR_HEAP,    /* write outside a heap block, double or invalid free, use after free */
	MONITOR_HANG,    /* endless loop, unbounded recursion */
	MONITOR_SHADOW,  /* a return to elsewhere than where the call came from; location = the return */
	MONITOR_FIREWALL, /* a transfer to what is no legitimate target; location = the transferring instruction */
	MONITOR_COUNT,
};

extern const char *const monitor_names[MONITOR_COUNT]; /* "crash", "control", "abort", "heap", "hang", "shadow", "firewall" */

struct frame {
	struct point at;    /* the instruction: the failing one in frame 0, the call in the others; module "" = not in any module */
	uint64_t procedure; /* offset of the enclosing procedure's entry */
	uint64_t address;   /* in that process */
	uint64_t cfa;       /* canonical frame address: stack pointer before the call that entered the procedure, + 0; 0: unknown */
};

enum { STACK_DEPTH_MAX = 48 };

struct failure {
	uint64_t id;             /* the location's row in the store */
	uint8_t monitor;         /* enum monitor_kind */
	int signal;              /* 0: none */
	struct point at;         /* the location: groups occurrences together with the monitor */
	uint64_t fault_address;
	uint64_t registers[REG_COUNT];
	uint64_t rip, rflags;
	struct frame stack[STACK_DEPTH_MAX]; /* stack[0].at equals at, or lies deeper (in libc's abort, memcpy, ...). A recursion's: the outer end */
	unsigned depth;
	unsigned location_frame; /* the stack[] index of `at` */
	char facts[256];         /* one readable sentence */
	pid_t pid, tid;
	int64_t time_us;         /* CLOCK_REALTIME */
	char program[256];
};

#endif
