/* Where main is: programs of all kinds of start code, whose symbol table tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/static_facts.h"

static int count;
static char **programs;

static void finds_main(void **unused)
{
	for (int i = 0; i < count; i++) {
		struct module *m;
		uint64_t offset = 0;
		assert_int_equal(module_open(programs[i], &m), 0);
		assert_true(module_symbol(m, "main", &offset));
		print_message("%s\n", programs[i]);
		assert_int_equal(static_main(m), offset);
		module_free(m);
	}
	assert_true(count > 2);
}

static void none_in_a_library(void **unused)
{
	struct module *m;
	assert_int_equal(module_open("/lib64/ld-linux-x86-64.so.2", &m), 0);
	assert_int_equal(static_main(m), 0);
	module_free(m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(finds_main), cmocka_unit_test(none_in_a_library)};
	count = argc - 1;
	programs = argv + 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
