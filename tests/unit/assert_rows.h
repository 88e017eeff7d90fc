/* Are two invariants or patches equal? Field by field: structs have padding. */
#ifndef UNIT_ASSERT_ROWS_H
#define UNIT_ASSERT_ROWS_H

#include <clearview/patch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static inline void assert_variable_equal(const struct variable *a, const struct variable *b)
{
	assert_int_equal(point_compare(&a->at, &b->at), 0);
	assert_int_equal(a->slot, b->slot);
	assert_memory_equal(&a->operand, &b->operand, sizeof a->operand);
}

static inline void assert_invariant_equal(const struct invariant *a, const struct invariant *b)
{
	assert_true(a->id == b->id && a->kind == b->kind && a->procedure == b->procedure && a->samples == b->samples);
	assert_true(a->bound == b->bound && a->count == b->count && a->a_is_later == b->a_is_later && a->relative == b->relative);
	assert_memory_equal(a->value, b->value, sizeof a->value);
	assert_variable_equal(&a->a, &b->a);
	assert_variable_equal(&a->b, &b->b);
}

static inline void assert_patch_equal(const struct patch *a, const struct patch *b)
{
	assert_true(a->id == b->id && a->failure == b->failure && a->guard == b->guard && a->action == b->action);
	assert_true(a->has_value == b->has_value && a->value == b->value && a->depth == b->depth);
	assert_true(a->state == b->state && a->pinned == b->pinned);
	assert_true(a->successes == b->successes && a->failures == b->failures && a->activations == b->activations);
	assert_int_equal(point_compare(&a->at, &b->at), 0);
	assert_invariant_equal(&a->invariant, &b->invariant);
}

#endif
