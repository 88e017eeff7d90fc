/* Patches are data: a program point, a guard (when to act) and an action (what to do). The engine compiles them; none can do more than this
 * vocabulary. JSON outside (src/repair/patch_json.h), this struct inside. Paper section 2.5. */
#ifndef CLEARVIEW_PATCH_H
#define CLEARVIEW_PATCH_H

#include <clearview/invariant.h>

enum guard_kind {
	GUARD_ALWAYS,    /* whenever the point is reached */
	GUARD_INVARIANT, /* when the invariant is violated there */
	GUARD_FAULT,     /* when the instruction raises SIGSEGV, SIGBUS, SIGFPE or SIGILL, the call ends in an abort, or the loop is found to be endless;
			  * costs nothing until it does */
	GUARD_HEAP,      /* when the instruction's write, or the call's free, is outside an allocated heap block */
};

enum action_kind {
	ACTION_SET,        /* one-of, lower-bound: invariant.a := value */
	ACTION_SET_EQUAL,  /* less-than: the variable at the point := the other one */
	ACTION_SKIP,       /* skip the instruction; a call is skipped as one instruction; a load's destination becomes value */
	ACTION_RETURN,     /* return from the enclosing procedure, rax = value if has_value */
	ACTION_DISCARD,    /* discard an out-of-bounds write */
	ACTION_RESTORE,    /* return to where the enclosing procedure was called from when it was entered, with the registers and the callers' stack of
			    * that moment: what lies on the stack now is overwritten */
};

enum patch_state {
	PATCH_CANDIDATE, /* waits for its turn */
	PATCH_TRIED,     /* in force, under evaluation */
	PATCH_KEPT,      /* in force, the location's best */
	PATCH_DISCARDED, /* was in force and failed, or others do better */
	PATCH_DISABLED,  /* by the operator */
};

struct patch {
	uint64_t id;      /* the store's row; 0 when not stored */
	uint64_t failure; /* the failure location it repairs */
	struct point at;
	uint8_t guard;    /* enum guard_kind */
	uint8_t action;   /* enum action_kind */
	uint8_t has_value;
	uint8_t depth;    /* ACTION_RETURN: 1 = the procedure of the point, 2 = its caller, ... */
	int64_t value;
	struct invariant invariant; /* GUARD_INVARIANT; kind NONE otherwise */
	uint8_t state;    /* enum patch_state */
	uint8_t pinned;   /* by the operator: evaluation never takes it out */
	uint32_t successes, failures; /* paper section 2.6: score = (s - f) + b */
	uint64_t activations;         /* times the guard was true and the action ran */
};

#endif
