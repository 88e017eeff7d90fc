/* What of a procedure's bytes is taken for instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(counts_instructions)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
