/* What of a procedure's bytes is taken for instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/procedure.h"
#include "learn_code.h"

static const struct {
	const char *hex, *what;
	size_t count;
} cases[] = {
	{"85c07402ffc0c3", "test; je; inc; ret", 4},
	{"85c07405e9f7ffffffc3", "jmp to the start", 4},
	{"85c07405e900000070c3", "jmp to where no code is", 3},
	{"85c07405e800000070c3", "call of what is nowhere", 3},
	{"85c00f8400000080ffc0c3", "je to where no code is", 1},
	{"85c074068b0500000070c3", "load from far away", 3},
	{"85c074068b0500100000c3", "load from behind", 4},
	{"85c074068b0500f0ffffc3", "load from before", 4},
	{"85c07406ff1500000070c3", "call through memory far away", 3},
};

static void counts_instructions(void **unused)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct procedure *p = code_procedure(cases[i].hex);
		if (p->insn_count != cases[i].count)
			fail_msg("%s: %zu instructions", cases[i].what, p->insn_count);
		code_free(p);
	}
}

/* jmp *table(,%rdi,8) in a program at a fixed address: three cases, and behind the table something else. */
static void finds_cases(void **unused)
{
	enum { TEXT = 0x1000, TABLE = 0x2000, SIZE = 0x1100 };
	static const uint8_t code[] = {0xff, 0x24, 0xfd, 0, 0x20, 0, 0, 0x90, 0xc3, 0xcc, 0x31, 0xc0, 0xc3, 0xcc, 0xb0, 1, 0xc3};
	static const struct { bool position_independent; size_t count; } rows[] = {{false, 6}, {true, 1}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct procedure *p;
		struct range range = {TEXT, TEXT + sizeof code};
		uint8_t *file = calloc(SIZE, 1);
		struct module m = {.file = file, .size = SIZE, .stack_flags = -1, .ranges = &range, .range_count = 1, .segment_count = 2,
				   .is_position_independent = rows[i].position_independent,
				   .segments = {{TEXT, sizeof code, sizeof code, 0, PROT_READ | PROT_EXEC}, {TABLE, 0x100, 24, 0x1000, PROT_READ}}};
		memcpy(file, code, sizeof code);
		memcpy(file + 0x1000, (uint64_t[]){TEXT + 8, TEXT + 10, TEXT + 14}, 24);
		assert_int_equal(procedure_decode(&m, TEXT, &p), 0);
		assert_int_equal(p->insn_count, rows[i].count);
		procedure_free(p);
		free(m.exits ? m.exits->targets : NULL);
		free(m.exits);
		free(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(counts_instructions), cmocka_unit_test(finds_cases)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
