/* The learner's inference against the reference implementation: the same traces, equal invariants. And its states: however a trace is split over nodes
 * and in whatever order their states are merged, the result is what one node would have learned. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "learn/infer.h"
#include "learn_compare.h"
#include "learn_trace.h"

enum { MIN_SAMPLES = 2, ALL_PAIRS = 1 << 20 };

struct case_ {
	struct procedure *p;
	struct plan *plan;
	struct trace trace;
};

static void make_case(struct case_ *c, struct dice *d, size_t insns_max, size_t records)
{
	*c = (struct case_){.p = code_library_procedure(d, insns_max)};
	assert_int_equal(plan_new(c->p, ALL_PAIRS, &c->plan), 0);
	trace_make(&c->trace, d, c->p, c->plan, records);
}

static void release_case(struct case_ *c)
{
	trace_release(&c->trace);
	plan_free(c->plan);
	procedure_free(c->p);
}

/* Learns the records of the walkers in the mask. */
static void learn(const struct case_ *c, unsigned walkers, uint64_t node, struct state *out)
{
	struct infer *f = infer_new(c->plan, 64);
	*out = (struct state){0};
	for (size_t i = 0; i < c->trace.count; i++)
		if (walkers >> c->trace.walker[i] & 1)
			infer_record(f, c->trace.at[i].point, &trace_space, &c->trace.at[i].record);
	infer_add_to(f, node, out);
	infer_free(f);
}

static void agrees_with_the_reference(void **state)
{
	struct dice d = {11};
	size_t kinds[5] = {0}, down = 0;
	for (int i = 0; i < 40; i++) {
		struct case_ c;
		struct state s;
		struct invariant_set learned = {0}, reference = {0};
		make_case(&c, &d, 60, 100 + i * 20);
		learn(&c, ~0u, 1, &s);
		state_invariants(&s, MIN_SAMPLES, set_visit, &learned);
		reference_learn(c.p, c.plan, &trace_space, c.trace.at, c.trace.count, MIN_SAMPLES, set_add, &reference);
		if (!set_equal(&learned, &reference, true))
			fail_msg("case %d, procedure at 0x%lx", i, c.p->entry);
		for (size_t n = 0; n < learned.count; n++) {
			kinds[learned.at[n].kind]++;
			down += learned.at[n].a_is_later;
		}
		set_release(&learned);
		set_release(&reference);
		state_release(&s);
		release_case(&c);
	}
	for (unsigned k = INVARIANT_ONE_OF; k <= INVARIANT_SP_OFFSET; k++)
		assert_true(kinds[k] > 40);
	assert_true(down > 20);
}

/* --- Merging */

static void assert_same_state(const struct state *a, const struct state *b)
{
	void *x, *y;
	size_t m, n;
	state_encode(a, &x, &m);
	state_encode(b, &y, &n);
	assert_int_equal(m, n);
	assert_memory_equal(x, y, m);
	struct state back;
	assert_int_equal(state_decode(x, m, &back), 0); /* merging keeps what decoding insists on */
	state_release(&back);
	free(x);
	free(y);
}

static void copy_state(const struct state *from, struct state *to)
{
	*to = (struct state){.module = from->module, .procedure = from->procedure};
	state_join(to, from);
}

static void join_all(const struct state *parts, const int *order, int count, struct state *out)
{
	copy_state(&parts[order[0]], out);
	for (int i = 1; i < count; i++)
		state_join(out, &parts[order[i]]);
}

static void merges_in_any_order(void **state)
{
	static const int orders[][4] = {{0, 1, 2, 0}, {2, 1, 0, 2}, {1, 0, 2, 1}, {1, 2, 0, 0}};
	struct dice d = {12};
	for (int i = 0; i < 40; i++) {
		struct case_ c;
		struct state parts[3], first, other, right;
		make_case(&c, &d, 60, 300);
		for (int n = 0; n < 3; n++) {
			learn(&c, 3 << 2 * n, dice_below(&d, 2) ? 7 : 7 + n, &parts[n]);
			parts[n].phase = dice_below(&d, PHASE_COUNT);
			parts[n].visits = dice_below(&d, 3);
		}
		join_all(parts, orders[0], 3, &first);
		for (int o = 1; o < 4; o++) {
			join_all(parts, orders[o], 4, &other); /* one of them twice */
			assert_same_state(&first, &other);
			state_release(&other);
		}
		copy_state(&parts[1], &right); /* (0 + (1 + 2)) */
		state_join(&right, &parts[2]);
		copy_state(&parts[0], &other);
		state_join(&other, &right);
		assert_same_state(&first, &other);
		state_join(&other, &first);
		assert_same_state(&first, &other);
		for (int n = 0; n < 3; n++)
			state_release(&parts[n]);
		state_release(&first);
		state_release(&other);
		state_release(&right);
		release_case(&c);
	}
}

static void merged_is_what_one_would_have_learned(void **state)
{
	struct dice d = {13};
	for (int i = 0; i < 40; i++) {
		struct case_ c;
		struct state whole, merged, part;
		struct invariant_set at_once = {0}, in_parts = {0};
		make_case(&c, &d, 60, 400);
		learn(&c, ~0u, 1, &whole);
		learn(&c, 1, 1, &merged);
		for (int n = 1; n < TRACE_WALKERS; n++) {
			learn(&c, 1 << n, n < 3 ? 1 : n, &part);
			if (n < 3)
				state_add(&merged, &part); /* the same node's next epoch */
			else
				state_join(&merged, &part);
			state_release(&part);
		}
		state_invariants(&whole, MIN_SAMPLES, set_visit, &at_once);
		state_invariants(&merged, MIN_SAMPLES, set_visit, &in_parts);
		if (!set_equal(&at_once, &in_parts, true))
			fail_msg("case %d", i);
		set_release(&at_once);
		set_release(&in_parts);
		state_release(&whole);
		state_release(&merged);
		release_case(&c);
	}
}

static void keeps_what_was_dropped(void **state)
{
	struct one_of few = {0}, many = {0}, foreign = {0};
	struct sp_offset eight = {0}, nine = {0};
	struct less_than up = {0}, down = {0};
	one_of_observe(&few, VALUE_NUMBER, 1, 0);
	for (int i = 0; i <= ONE_OF_MAX; i++)
		one_of_observe(&many, VALUE_NUMBER, i, 0);
	one_of_observe(&foreign, VALUE_FOREIGN, 0x7f0000000000, 0);
	one_of_merge(&many, &few);
	one_of_merge(&few, &foreign);
	assert_true(many.dropped && few.dropped && !few.count);
	one_of_observe(&few, VALUE_NUMBER, 1, 0);
	assert_true(few.dropped);
	sp_offset_observe(&eight, 8);
	sp_offset_observe(&nine, 9);
	sp_offset_merge(&eight, &nine);
	sp_offset_merge(&eight, &nine);
	assert_true(eight.dropped && !eight.seen);
	less_than_observe(&up, 1, 2);
	less_than_observe(&down, 2, 1);
	less_than_merge(&up, &down);
	assert_int_equal(up.dropped, LESS_BOTH);
}

static void keeps_the_values_that_tell_of_failure(void **state)
{
	struct one_of o = {0};
	one_of_keep(&o, VALUE_RELATIVE, 0x500010, 0x500000);
	one_of_keep(&o, VALUE_FOREIGN, 0x7f0000000000, 0);
	for (int i = 0; i < ONE_OF_MAX; i++) /* the eighth number takes the pointer's place */
		one_of_keep(&o, VALUE_NUMBER, i < 4 ? i : 0x10000 + i, 0);
	assert_int_equal(o.count, ONE_OF_MAX);
	assert_int_equal(o.relative, 0);
	one_of_keep(&o, VALUE_NUMBER, 0xffffffff, 0);
	one_of_keep(&o, VALUE_NUMBER, -7, 0);
	one_of_keep(&o, VALUE_NUMBER, 0x20000, 0);
	static const int64_t want[ONE_OF_MAX] = {-7, 0, 1, 2, 3, 0x10004, 0x10005, 0xffffffff};
	assert_int_equal(o.count, ONE_OF_MAX);
	assert_memory_equal(o.value, want, sizeof want);
	assert_false(o.dropped);
}

/* --- Bytes */

static void survives_damaged_bytes(void **state)
{
	struct dice d = {14};
	struct case_ c;
	struct state s, back;
	void *bytes;
	size_t size;
	make_case(&c, &d, 60, 300);
	learn(&c, ~0u, 1, &s);
	state_encode(&s, &bytes, &size);
	assert_int_equal(state_decode(bytes, size, &back), 0);
	assert_same_state(&s, &back);
	state_release(&back);
	for (size_t n = 0; n < size; n += 1 + n / 16) /* cut short */
		assert_true(state_decode(bytes, n, &back) < 0);
	for (int i = 0; i < 2000; i++) {
		uint8_t *damaged = malloc(size);
		memcpy(damaged, bytes, size);
		for (unsigned n = 1 + dice_below(&d, 3); n; n--)
			damaged[dice_throw(&d) % size] ^= 1 << dice_below(&d, 8);
		if (!state_decode(damaged, size, &back)) { /* what is accepted can be merged */
			memcpy(back.module.hex, s.module.hex, sizeof s.module.hex);
			state_join(&back, &s);
			state_release(&back);
		}
		free(damaged);
	}
	free(bytes);
	state_release(&s);
	release_case(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_reference),
		cmocka_unit_test(merges_in_any_order),
		cmocka_unit_test(merged_is_what_one_would_have_learned),
		cmocka_unit_test(keeps_what_was_dropped),
		cmocka_unit_test(keeps_the_values_that_tell_of_failure),
		cmocka_unit_test(survives_damaged_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
