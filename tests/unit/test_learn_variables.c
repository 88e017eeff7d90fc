/* Redundant variables: rows of code with what must be kept, and random walks through the C library on which every variable that was left out must have
 * the value of one that was kept. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/plan.h"
#include "learn/predominator.h"
#include "learn/print.h"
#include "learn/variables.h"
#include "learn_code.h"
#include "x86/operands.h"

struct row {
	const char *what, *hex, *kept; /* offset from the entry: operand */
};

static const struct row rows[] = {
	{"re-read register", "4889f8" "4889fa" "c3", /* mov rax, rdi; mov rdx, rdi; ret */ "0:rdi 0:sp 6:return value"},
	{"register written in between", "4889f8" "48ffc7" "4889fa" "c3", /* mov rax, rdi; inc rdi; mov rdx, rdi; ret */
		"0:rdi 0:sp 6:rdi 9:return value"},
	{"smaller part of it", "4889f8" "89fa" "c3", /* mov rax, rdi; mov edx, edi; ret */ "0:rdi 0:sp 3:edi 5:return value"},
	{"re-read memory", "8b07" "8b17" "c3", /* mov eax, [rdi]; mov edx, [rdi]; ret */ "0:dword [rdi] 0:sp 4:return value"},
	{"store elsewhere may alias", "8b07" "8906" "8b17" "c3", /* mov eax, [rdi]; mov [rsi], eax; mov edx, [rdi]; ret */
		"0:dword [rdi] 0:sp 2:eax 4:dword [rdi] 6:return value"},
	{"store beside it does not", "8b07" "894704" "8b17" "c3", /* mov eax, [rdi]; mov [rdi+4], eax; mov edx, [rdi]; ret */
		"0:dword [rdi] 0:sp 2:eax 7:return value"},
	{"call changes memory, keeps rbx", "8b03" "e800000000" "8b03" "c3", /* mov eax, [rbx]; call next; mov eax, [rbx]; ret */
		"0:dword [rbx] 0:sp 7:dword [rbx] 9:return value"},
	{"call keeps rbx", "89d8" "e800000000" "89d8" "c3", /* mov eax, ebx; call next; mov eax, ebx; ret */ "0:ebx 0:sp 9:return value"},
	{"call changes rdi", "89f8" "e800000000" "89f8" "c3", /* mov eax, edi; call next; mov eax, edi; ret */ "0:edi 0:sp 7:edi 9:return value"},
	/* test edi, edi; je +2; mov eax, esi; mov edx, esi; ret: the second is not read before on every path */
	{"read on one path only", "85ff" "7402" "89f0" "89f2" "c3", "0:edi 0:sp 4:esi 6:esi 8:return value"},
	/* mov eax, esi; test edi, edi; je +2; mov esi, edi; mov edx, esi; ret */
	{"written on one path", "89f0" "85ff" "7402" "89fe" "89f2" "c3", "0:esi 0:sp 2:edi 8:esi 10:return value"},
	/* mov eax, esi; dec ecx; mov edx, esi; jne back to dec: read in the loop, unchanged */
	{"unchanged in a loop", "89f0" "ffc9" "89f2" "75fa" "c3", "0:esi 0:sp 2:ecx 8:return value"},
	/* mov eax, esi; mov edx, esi; inc esi; jne back to mov edx: changed at the loop's end */
	{"changed in a loop", "89f0" "89f2" "ffc6" "75fa" "c3", "0:esi 0:sp 2:esi 8:return value"},
	{"one instruction reads it twice", "4839ff" "c3", /* cmp rdi, rdi; ret */ "0:rdi 0:sp 3:return value"},
	{"entry behind endbr64", "f30f1efa" "89f8" "c3", /* endbr64; mov eax, edi; ret */ "4:edi 4:sp 6:return value"},
	/* push rbx; test edi, edi; je +2; xor eax, eax; pop rbx; ret: saves are no variables, sp is new behind the push */
	{"stack pointer at block starts", "53" "85ff" "7402" "31c0" "5b" "c3", "0:sp 1:edi 5:sp 7:sp 8:return value"},
	{"unchanged stack pointer", "85ff" "7402" "31c0" "c3", "0:edi 0:sp 6:return value"},
	{"indexed access", "8b04b7" "c3", /* mov eax, [rdi+rsi*4]; ret */ "0:dword [rdi+rsi*4] 0:&[rdi+rsi*4] 0:sp 3:return value"},
};

static void describe(const struct procedure *p, const struct variables *v, char *out)
{
	*out = 0;
	for (size_t i = 0; i < v->count; i++) {
		struct variable x = {.slot = v->at[i].slot, .operand = v->at[i].operand};
		out += sprintf(out, "%s%d:", i ? " " : "", (int)(p->insns[v->at[i].insn].address - p->entry));
		out += print_variable(&x, out, 80);
	}
}

static void keeps_one_of_equal_variables(void **state)
{
	int failures = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[1024];
		struct variables v;
		struct procedure *p = code_procedure(rows[i].hex);
		assert_int_equal(variables_find(p, &v), 0);
		describe(p, &v, text);
		if (strcmp(text, rows[i].kept)) {
			print_error("%s: %s, want %s\n", rows[i].what, text, rows[i].kept);
			failures++;
		}
		variables_release(&v);
		code_free(p);
	}
	assert_int_equal(failures, 0);
}

/* --- Random walks with symbolic values: a register has a version, memory a log of stores. */

struct stored {
	struct operand operand; /* OPERAND_NONE: anywhere */
	uint64_t base, index;   /* versions */
};

enum { STEPS_MAX = 400 };

struct machine_state {
	uint64_t version[REG_COUNT], next;
	struct stored log[STEPS_MAX];
	size_t stored;
};

static uint64_t version_of(const struct machine_state *m, uint8_t reg)
{
	return reg < REG_COUNT ? m->version[reg] : 0;
}

static bool apart(const struct machine_state *m, const struct stored *s, const struct operand *o)
{
	const struct operand *w = &s->operand;
	bool same_place = w->kind == OPERAND_MEMORY && w->base == o->base && w->index == o->index && w->segment == o->segment
		&& w->module_relative == o->module_relative && (o->index == REG_NONE || w->scale == o->scale)
		&& s->base == version_of(m, o->base) && s->index == version_of(m, o->index);
	return same_place && (w->displacement + w->size <= o->displacement || o->displacement + o->size <= w->displacement);
}

/* Equal tokens: certainly equal values. */
static uint64_t token(const struct machine_state *m, const struct operand *o)
{
	if (o->kind == OPERAND_REGISTER)
		return version_of(m, o->reg);
	uint64_t address = version_of(m, o->base) * 1000003 + version_of(m, o->index);
	size_t last = m->stored;
	while (o->kind == OPERAND_MEMORY && last && apart(m, &m->log[last - 1], o))
		last--;
	return address * 1000003 + (o->kind == OPERAND_MEMORY ? last : 0);
}

static void execute(struct machine_state *m, const struct procedure *p, const struct insn *i)
{
	struct operands o;
	if (operands_decode(procedure_bytes(p, i), i->length, i->address, &o))
		return;
	if (o.stores)
		m->log[m->stored++] = (struct stored){o.store, version_of(m, o.store.base), version_of(m, o.store.index)};
	for (unsigned r = 0; r < REG_COUNT; r++)
		if (o.registers_written >> r & 1)
			m->version[r] = ++m->next;
}

struct walk {
	const struct procedure *p;
	struct variables all, kept;
	uint64_t *newest;  /* by kept variable: token; 0: none */
	struct machine_state m;
	size_t left_out;
};

static bool is_kept(const struct walk *w, const struct variable_use *u, size_t *number)
{
	for (size_t k = 0; k < w->kept.count; k++)
		if (w->kept.at[k].insn == u->insn && w->kept.at[k].slot == u->slot) {
			*number = k;
			return true;
		}
	return false;
}

static bool is_represented(const struct walk *w, const struct variable_use *u)
{
	for (size_t k = 0; k < w->kept.count; k++)
		if (w->newest[k] == token(&w->m, &u->operand) && operand_equal(&w->kept.at[k].operand, &u->operand))
			return true;
	return false;
}

static void read_all(struct walk *w, uint32_t insn)
{
	for (size_t i = 0; i < w->all.count; i++) {
		const struct variable_use *u = &w->all.at[i];
		size_t k;
		if (u->insn != insn)
			continue;
		if (is_kept(w, u, &k)) {
			w->newest[k] = token(&w->m, &u->operand);
		} else {
			w->left_out++;
			if (!is_represented(w, u))
				fail_msg("offset 0x%lx slot %u was left out, but is not what was read before", w->p->insns[insn].address, u->slot);
		}
	}
}

static uint32_t next_block(struct dice *d, const struct procedure *p, const struct block *b)
{
	size_t ways = b->successor_count + (b->ends_indirect ? p->landing_count : 0);
	size_t way = ways ? dice_throw(d) % ways : 0;
	if (!ways)
		return BLOCK_NONE;
	return way < b->successor_count ? b->successor[way] : p->landings[way - b->successor_count];
}

static void walk_once(struct walk *w, struct dice *d)
{
	size_t steps = 0;
	memset(&w->m, 0, sizeof w->m);
	memset(w->newest, 0, w->kept.count * sizeof *w->newest);
	for (unsigned r = 0; r < REG_COUNT; r++)
		w->m.version[r] = ++w->m.next;
	for (uint32_t b = w->p->entry_block; b != BLOCK_NONE; b = next_block(d, w->p, &w->p->blocks[b]))
		for (uint32_t i = 0; i < w->p->blocks[b].count; i++) {
			if (steps++ == STEPS_MAX)
				return;
			read_all(w, w->p->blocks[b].first + i);
			execute(&w->m, w->p, &w->p->insns[w->p->blocks[b].first + i]);
		}
}

static void leaves_out_only_what_is_known(void **state)
{
	struct dice d = {3};
	size_t left_out = 0, kept = 0;
	for (int i = 0; i < 60; i++) {
		struct walk w = {.p = code_library_procedure(&d, 300)};
		assert_int_equal(variables_find_all(w.p, &w.all), 0);
		assert_int_equal(variables_find(w.p, &w.kept), 0);
		w.newest = calloc(w.kept.count + 1, sizeof *w.newest);
		for (int k = 0; k < 10; k++)
			walk_once(&w, &d);
		left_out += w.left_out;
		kept += w.kept.count;
		free(w.newest);
		variables_release(&w.all);
		variables_release(&w.kept);
		procedure_free((struct procedure *)w.p);
	}
	assert_true(left_out > 1000);
	assert_true(kept > 1000);
}

/* --- Plans */

static void splits_points_and_orders_pairs(void **state)
{
	struct dice d = {4};
	for (int i = 0; i < 40; i++) {
		struct procedure *p = code_library_procedure(&d, 600);
		struct predominators *tree = predominators_new(p);
		struct plan *plan;
		size_t entries = 0;
		assert_int_equal(plan_new(p, 5000, &plan), 0);
		for (size_t n = 0; n < plan->point_count; n++) {
			assert_true(plan->points[n].operand_count <= PROBE_OPERANDS);
			assert_true(!n || plan->points[n - 1].offset <= plan->points[n].offset);
			entries += plan->points[n].is_entry;
		}
		assert_int_equal(entries, 1);
		assert_true(plan->pair_count <= 5000);
		for (size_t n = 0; n < plan->pair_count; n++) {
			const struct plan_variable *a = &plan->variables[plan->pairs[n].earlier], *b = &plan->variables[plan->pairs[n].later];
			uint32_t x = procedure_insn(p, a->offset) - p->insns, y = procedure_insn(p, b->offset) - p->insns;
			assert_true(predominates(tree, x, y) && (x != y || a->slot < b->slot));
		}
		predominators_free(tree);
		plan_free(plan);
		procedure_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_one_of_equal_variables),
		cmocka_unit_test(leaves_out_only_what_is_known),
		cmocka_unit_test(splits_points_and_orders_pairs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
