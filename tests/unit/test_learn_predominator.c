/* Predominance on random graphs and real procedures against its definition: a predominates b if b can't be reached once a is taken out. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "learn/predominator.h"
#include "learn_code.h"

enum { BLOCKS_MAX = 64 };

/* Blocks reached by known flow from the given start without passing `without`. */
static void reach(const struct procedure *p, uint32_t start, uint32_t without, bool *seen)
{
	if (start == without || seen[start])
		return;
	seen[start] = true;
	const struct block *b = &p->blocks[start];
	for (unsigned s = 0; s < b->successor_count; s++)
		reach(p, b->successor[s], without, seen);
	for (size_t l = 0; b->ends_indirect && l < p->landing_count; l++)
		reach(p, p->landings[l], without, seen);
}

/* Entries: the procedure's, and every block that it doesn't reach. */
static void reach_all(const struct procedure *p, uint32_t without, bool *seen)
{
	bool *known = calloc(p->block_count, 1);
	reach(p, p->entry_block, BLOCK_NONE, known);
	memset(seen, 0, p->block_count);
	for (uint32_t b = 0; b < p->block_count; b++)
		if (b == p->entry_block || !known[b])
			reach(p, b, without, seen);
	free(known);
}

static void compare(const struct procedure *p)
{
	struct predominators *d = predominators_new(p);
	bool *seen = calloc(p->block_count, 1);
	for (uint32_t a = 0; a < p->block_count; a++) {
		reach_all(p, a, seen);
		for (uint32_t b = 0; b < p->block_count; b++) {
			uint32_t last_of_a = p->blocks[a].first + p->blocks[a].count - 1;
			bool want = a == b ? p->blocks[a].count == 1 : !seen[b];
			if (predominates(d, last_of_a, p->blocks[b].first) != want)
				fail_msg("block %u to block %u of %zu: want %d", a, b, p->block_count, want);
		}
	}
	free(seen);
	predominators_free(d);
}

static void random_graph(struct dice *d, struct procedure *p, struct block *blocks, uint32_t *landings)
{
	*p = (struct procedure){.blocks = blocks, .landings = landings, .block_count = 1 + dice_below(d, BLOCKS_MAX)};
	memset(blocks, 0, BLOCKS_MAX * sizeof *blocks);
	p->entry_block = dice_below(d, 3) ? 0 : dice_below(d, p->block_count);
	p->landing_count = dice_below(d, 4);
	for (size_t l = 0; l < p->landing_count; l++)
		landings[l] = dice_below(d, p->block_count);
	for (size_t b = 0; b < p->block_count; b++) {
		blocks[b].first = p->insn_count;
		blocks[b].count = 1 + dice_below(d, 3);
		p->insn_count += blocks[b].count;
		blocks[b].successor_count = dice_below(d, 3);
		for (unsigned s = 0; s < 2; s++)
			blocks[b].successor[s] = dice_below(d, 2) ? (b + 1) % p->block_count : dice_below(d, p->block_count);
		blocks[b].ends_indirect = !dice_below(d, 8);
	}
}

static void agrees_on_random_graphs(void **state)
{
	struct dice d = {1};
	struct block blocks[BLOCKS_MAX];
	uint32_t landings[4];
	struct procedure p;
	for (int i = 0; i < 1000; i++) {
		random_graph(&d, &p, blocks, landings);
		compare(&p);
	}
}

static void agrees_on_library_procedures(void **state)
{
	struct dice d = {2};
	for (int i = 0; i < 60; i++) {
		struct procedure *p = code_library_procedure(&d, 800);
		compare(p);
		procedure_free(p);
	}
}

static void orders_instructions_within_a_block(void **state)
{
	struct procedure *p = code_procedure("4889c84889d0c3"); /* mov rax, rcx; mov rax, rdx; ret */
	struct predominators *d = predominators_new(p);
	assert_true(predominates(d, 0, 2));
	assert_true(predominates(d, 1, 1));
	assert_false(predominates(d, 2, 1));
	assert_int_equal(predominators_block(d, 1), 0);
	assert_int_equal(predominators_parent(d, 0), BLOCK_NONE);
	assert_false(predominates(d, 0, 77));
	predominators_free(d);
	code_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_on_random_graphs),
		cmocka_unit_test(agrees_on_library_procedures),
		cmocka_unit_test(orders_instructions_within_a_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
