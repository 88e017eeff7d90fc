#include "repair/candidates.h"

#include "repair/correlate.h"
#include "repair/return_values.h"

#include <signal.h>

/* --- Repairs that make an invariant hold. */

enum value_source { VALUE_NONE, VALUE_EACH, VALUE_BOUND };

struct invariant_rule {
	uint8_t invariant;     /* enum invariant_kind; NONE: any */
	bool call_target_only; /* the variable is what an indirect call goes to */
	uint8_t action;
	uint8_t values;
};

/* Paper section 2.5.1 to 2.5.3. The last row needs a way to return, which the engine has from .eh_frame or the stack-pointer offset. */
static const struct invariant_rule invariant_rules[] = {
	{INVARIANT_ONE_OF,      false, ACTION_SET,       VALUE_EACH},
	{INVARIANT_ONE_OF,      true,  ACTION_SKIP,      VALUE_NONE},
	{INVARIANT_LOWER_BOUND, false, ACTION_SET,       VALUE_BOUND},
	{INVARIANT_LESS_THAN,   false, ACTION_SET_EQUAL, VALUE_NONE},
	{INVARIANT_NONE,        false, ACTION_RETURN,    VALUE_NONE},
};

static bool is_call_target(struct repair *r, const struct invariant *i)
{
	/* Zydis' first operand of a call is its target. */
	return i->a.slot == 0 && r->host.site(r->host.context, &i->a.at) == SITE_CALL_INDIRECT;
}

static struct patch patch_of(const struct location *l, const struct point *at, uint8_t guard, uint8_t action)
{
	struct patch p = {.failure = l->id, .at = *at, .guard = guard, .action = action, .state = PATCH_CANDIDATE};
	return p;
}

static void push_value(patch_list *out, struct patch p, int64_t value)
{
	p.has_value = 1;
	p.value = value;
	vec_push(out, p);
}

static int apply_invariant_rule(struct repair *r, const struct invariant_rule *rule, const struct location *l, const struct invariant *i, patch_list *out)
{
	struct patch p = patch_of(l, invariant_point(i), GUARD_INVARIANT, rule->action);
	int64_t value;
	size_t known = 0;
	p.invariant = *i;
	if (rule->action == ACTION_RETURN) {
		int err = return_values(r, &p.at.module, i->procedure, &value, 1, &known);
		if (err)
			return err;
		p.depth = 1;
	}
	if (rule->values == VALUE_EACH) {
		for (uint32_t n = 0; n < i->count && n < ONE_OF_MAX; n++)
			push_value(out, p, i->value[n]);
	} else if (rule->values == VALUE_BOUND) {
		push_value(out, p, i->bound);
	} else if (known) {
		push_value(out, p, value);
	} else {
		vec_push(out, p);
	}
	return 0;
}

int candidates_of_invariant(struct repair *r, const struct location *l, const struct invariant *i, patch_list *out)
{
	for (size_t n = 0; n < sizeof invariant_rules / sizeof *invariant_rules; n++) {
		const struct invariant_rule *rule = &invariant_rules[n];
		if (rule->invariant != INVARIANT_NONE && rule->invariant != i->kind)
			continue;
		if (rule->call_target_only && !is_call_target(r, i))
			continue;
		int err = apply_invariant_rule(r, rule, l, i, out);
		if (err)
			return err;
	}
	return 0;
}

/* --- Repairs that need no invariant. */

#define SITE(x) (1u << (x))

enum {
	ANY = ~0u >> 1,
	STORES = SITE(SITE_STORE),
	CALLS = SITE(SITE_CALL) | SITE(SITE_CALL_INDIRECT) | SITE(SITE_STACK_CHECK),
	STACK_CHECKS = SITE(SITE_STACK_CHECK),
	INDIRECT_CALLS = SITE(SITE_CALL_INDIRECT),
	RETURNS = SITE(SITE_RETURN),
	LEAVING = SITE(SITE_RETURN) | SITE(SITE_JUMP_INDIRECT) | SITE(SITE_STOP), /* nothing behind them to go on at */
};

enum signal_class { SIGNALS_ANY, SIGNALS_DIVISION, SIGNALS_OTHER };

struct generic_rule {
	uint8_t monitor;
	uint8_t signals;
	uint32_t sites;
	uint8_t guard, action, depth;
};

/* Rows of one monitor are tried from top to bottom; a row that says the same as an earlier one is dropped.
 *
 * A fault guard costs nothing and does nothing until the instruction faults, so a wrong guess can only make a failing run fail otherwise.
 * The order comes from cases tried by hand. A division's result hardly matters to what a stream filter does next: skip. A write through a bad
 * pointer is not missed where it would have landed: skip it, that is, discard it. A read through a null pointer is mostly followed by
 * another one behind it (two of three), so that skipping it only moves the fault: return from the procedure. Where the caller can't go on
 * either, its caller may; each level loses more of the work, so the nearest goes first.
 *
 * An abort deep in a library is the end of a call that the program makes all the time, mostly with success (free, memcpy, printf): its guard is the
 * abort itself, and the call alone is cut short where the program can go on behind it. Behind a call to abort there is no code, so it can't be skipped. A return instruction about to go to a bad address can only be mended by its
 * caller's return. A smashed stack leads nowhere: only what was saved at the procedure's entry does. A hang's "fault" is
 * the watchdog's finding, an abort's the signal: nothing is woven for them, the engine's verdict carries them out. */
static const struct generic_rule generic_rules[] = {
	{MONITOR_CRASH,   SIGNALS_DIVISION, ANY & ~LEAVING, GUARD_FAULT,  ACTION_SKIP,    0},
	{MONITOR_CRASH,   SIGNALS_ANY,      STORES,         GUARD_FAULT,  ACTION_SKIP,    0},
	{MONITOR_CRASH,   SIGNALS_ANY,      ANY & ~RETURNS, GUARD_FAULT,  ACTION_RETURN,  1},
	{MONITOR_CRASH,   SIGNALS_OTHER,    ANY & ~LEAVING, GUARD_FAULT,  ACTION_SKIP,    0},
	{MONITOR_CRASH,   SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  2},
	{MONITOR_CRASH,   SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  3},
	{MONITOR_CONTROL, SIGNALS_ANY,      RETURNS,        GUARD_FAULT,  ACTION_RESTORE, 0},
	{MONITOR_CONTROL, SIGNALS_ANY,      INDIRECT_CALLS, GUARD_FAULT,  ACTION_SKIP,    0},
	{MONITOR_CONTROL, SIGNALS_ANY,      ANY & ~RETURNS, GUARD_FAULT,  ACTION_RETURN,  1},
	{MONITOR_CONTROL, SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  2},
	{MONITOR_CONTROL, SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  3},
	{MONITOR_ABORT,   SIGNALS_ANY,      STACK_CHECKS,   GUARD_ALWAYS, ACTION_RESTORE, 0},
	{MONITOR_ABORT,   SIGNALS_ANY,      CALLS,          GUARD_FAULT,  ACTION_SKIP,    0},
	{MONITOR_ABORT,   SIGNALS_ANY,      ANY,            GUARD_ALWAYS, ACTION_RETURN,  1},
	{MONITOR_ABORT,   SIGNALS_ANY,      ANY,            GUARD_ALWAYS, ACTION_RETURN,  2},
	{MONITOR_ABORT,   SIGNALS_ANY,      ANY,            GUARD_ALWAYS, ACTION_RETURN,  3},
	{MONITOR_ABORT,   SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  1}, /* where nothing can be woven */
	{MONITOR_ABORT,   SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  2},
	{MONITOR_ABORT,   SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  3},
	{MONITOR_HEAP,    SIGNALS_ANY,      ANY & ~CALLS & ~SITE(SITE_LOAD), GUARD_HEAP, ACTION_DISCARD, 0},
	{MONITOR_HEAP,    SIGNALS_ANY,      CALLS,          GUARD_HEAP,   ACTION_SKIP,    0},
	{MONITOR_HEAP,    SIGNALS_ANY,      ANY,            GUARD_HEAP,   ACTION_RETURN,  1},
	{MONITOR_HEAP,    SIGNALS_ANY,      SITE(SITE_LOAD), GUARD_HEAP,  ACTION_SKIP,    0},
	{MONITOR_HEAP,    SIGNALS_ANY,      ANY,            GUARD_HEAP,   ACTION_RETURN,  2},
	{MONITOR_SHADOW,  SIGNALS_ANY,      RETURNS,        GUARD_FAULT,  ACTION_RESTORE, 0},
	{MONITOR_SHADOW,  SIGNALS_ANY,      RETURNS,        GUARD_FAULT,  ACTION_RETURN,  2},
	{MONITOR_SHADOW,  SIGNALS_ANY,      RETURNS,        GUARD_FAULT,  ACTION_RETURN,  3},
	{MONITOR_FIREWALL, SIGNALS_ANY,     RETURNS,        GUARD_FAULT,  ACTION_RESTORE, 0},
	{MONITOR_FIREWALL, SIGNALS_ANY,     INDIRECT_CALLS, GUARD_FAULT,  ACTION_SKIP,    0},
	{MONITOR_FIREWALL, SIGNALS_ANY,     ANY & ~RETURNS, GUARD_FAULT,  ACTION_RETURN,  1},
	{MONITOR_FIREWALL, SIGNALS_ANY,     ANY,            GUARD_FAULT,  ACTION_RETURN,  2},
	{MONITOR_FIREWALL, SIGNALS_ANY,     ANY,            GUARD_FAULT,  ACTION_RETURN,  3},
	{MONITOR_HANG,    SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  1},
	{MONITOR_HANG,    SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  2},
	{MONITOR_HANG,    SIGNALS_ANY,      ANY,            GUARD_FAULT,  ACTION_RETURN,  3},
};

static bool signal_matches(const struct generic_rule *rule, int signal)
{
	if (rule->signals == SIGNALS_ANY)
		return true;
	return (rule->signals == SIGNALS_DIVISION) == (signal == SIGFPE);
}

/* What the C library's start code, two procedures of another module, was called by the program's entry to call. */
static bool is_where_main_is(const struct failure *f, unsigned frame)
{
	const struct frame *s = f->stack + frame;
	return f->depth < STACK_DEPTH_MAX && frame + 4 == f->depth && !strcmp(s[1].at.module.hex, s[2].at.module.hex) &&
	       !strcmp(s[0].at.module.hex, s[3].at.module.hex) && strcmp(s[0].at.module.hex, s[1].at.module.hex);
}

/* The frame of main; the stack's depth if it isn't known. */
static unsigned frame_of_main(const struct repair *r, const struct failure *f)
{
	for (unsigned k = 0; k < f->depth && r->host.is_main; k++)
		if (r->host.is_main(r->host.context, &f->stack[k].at.module, f->stack[k].procedure))
			return k;
	return f->depth >= 4 && is_where_main_is(f, f->depth - 4) ? f->depth - 4 : f->depth;
}

/* Where the stack could not be followed, the nearest return may still work. To return from main is to end, as one failing does anyway; it may be the
 * kinder end after a fault, but not where the program itself has decided to abort. Below main there is nothing to return from. */
static bool can_return(struct repair *r, const struct failure *f, unsigned frame, unsigned depth)
{
	unsigned main_frame = frame_of_main(r, f);
	if (frame >= main_frame)
		return frame == main_frame && f->monitor != MONITOR_ABORT;
	if (frame + 1 >= f->depth || !f->stack[frame + 1].at.module.hex[0])
		return depth == 1;
	return r->host.call_returns(r->host.context, &f->stack[frame + 1].at);
}

/* One patch a value. The deeper the return, the fewer values are worth a presentation. */
static int push_returns(struct repair *r, const struct location *l, struct patch p, patch_list *out)
{
	const struct failure *f = &l->last;
	unsigned depth = p.action == ACTION_RETURN ? p.depth : 1;
	unsigned frame = f->location_frame + depth - 1;
	int64_t values[ONE_OF_MAX];
	size_t max = r->settings.return_values, count;
	if (depth > r->settings.return_depth || frame >= f->depth)
		return 0;
	if (p.action == ACTION_RETURN && !can_return(r, f, frame, depth))
		return 0;
	max = max >= depth ? max - depth + 1 : 1;
	if (max > ONE_OF_MAX)
		max = ONE_OF_MAX;
	int err = return_values(r, &f->stack[frame].at.module, f->stack[frame].procedure, values, max, &count);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		push_value(out, p, values[i]);
	if (!count)
		vec_push(out, p);
	return 0;
}

bool candidates_can_cut_call(struct repair *r, const struct failure *f)
{
	unsigned at = f->location_frame;
	return at && r->host.call_can_be_cut && r->host.call_can_be_cut(r->host.context, &f->stack[at].at, &f->stack[at - 1].at);
}

/* The guard of a return is the abort itself, unless the call never does anything else. */
static bool is_possible_at_abort(struct repair *r, const struct location *l, struct patch *p)
{
	if (p->action == ACTION_SKIP)
		return candidates_can_cut_call(r, &l->last);
	if (p->guard == GUARD_FAULT && !l->last.location_frame)
		return false;
	if (p->action == ACTION_RETURN && l->last.location_frame && r->host.call_returns(r->host.context, &l->at))
		p->guard = GUARD_FAULT;
	return true;
}

int candidates_generic(struct repair *r, const struct location *l, patch_list *out)
{
	uint32_t site = SITE(r->host.site(r->host.context, &l->at));
	/* Damage found by its canary, when the block was freed: who did it is somewhere else, and will be caught there. */
	if (l->monitor == MONITOR_HEAP && !l->last.signal && site & (CALLS))
		return 0;
	for (size_t n = 0; n < sizeof generic_rules / sizeof *generic_rules; n++) {
		const struct generic_rule *rule = &generic_rules[n];
		if (rule->monitor != l->monitor || !(rule->sites & site) || !signal_matches(rule, l->last.signal))
			continue;
		struct patch p = patch_of(l, &l->at, rule->guard, rule->action);
		p.depth = rule->depth;
		if (l->monitor == MONITOR_ABORT && !is_possible_at_abort(r, l, &p))
			continue;
		if (rule->action != ACTION_RETURN && rule->action != ACTION_RESTORE) {
			vec_push(out, p);
			continue;
		}
		int err = push_returns(r, l, p, out);
		if (err)
			return err;
	}
	return 0;
}

/* --- Into the store. */

static bool does_the_same(const struct patch *a, const struct patch *b)
{
	if (point_compare(&a->at, &b->at) || a->guard != b->guard || a->action != b->action || a->depth != b->depth)
		return false;
	if (a->has_value != b->has_value || (a->has_value && a->value != b->value))
		return false;
	return a->guard != GUARD_INVARIANT || invariant_same(&a->invariant, &b->invariant);
}

static bool holds(const patch_list *list, size_t count, const struct patch *p)
{
	for (size_t i = 0; i < count; i++)
		if (does_the_same(&list->at[i], p))
			return true;
	return false;
}

int candidates_store(struct repair *r, uint64_t location, patch_list *list, unsigned *added)
{
	patch_list stored = {0};
	unsigned count = 0;
	int err = load_patches(r->store, location, &stored);
	for (size_t i = 0; !err && i < list->count; i++) {
		struct patch *p = &list->at[i];
		if (holds(&stored, stored.count, p))
			continue;
		err = store_patch_put(r->store, p);
		vec_push(&stored, *p);
		count++;
	}
	vec_free(&stored);
	if (added)
		*added = count;
	return err;
}
