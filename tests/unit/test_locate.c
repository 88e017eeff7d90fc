/* Signals of known failures become the right failures. argv: stack_target with and without unwind tables, the C++ target, stack_target linked
 * statically, the same stripped. */
#include "stack_child.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *targets[5];

static const struct {
	int target;
	const char *name;
	enum monitor_kind monitor;
	const char *location; /* procedure of the location */
	const char *facts;    /* what they contain */
} cases[] = {
	{0, "null_write", MONITOR_CRASH, "inner", "write of 8 bytes at address 0 (null pointer) through r"},
	{0, "call_data", MONITOR_CONTROL, "calls", "a call went to 0x"},
	{0, "jump_data", MONITOR_CONTROL, "jumps", "an indirect jump went to 0x"},
	{0, "call_noncanonical", MONITOR_CONTROL, "calls", "a call went to 0x4141414141414141, which is no address"},
	{0, "smash_noncanonical", MONITOR_CONTROL, "overflow", "a return went to 0x4141414141414141, which is no address"},
	{0, "smash_data", MONITOR_CONTROL, "overflow", "a return went to 0x"},
	{0, "assertion", MONITOR_ABORT, "asserts", "assertion failed: "},
	{0, "assertion", MONITOR_ABORT, "asserts", ": asserts: Assertion `x == 12' failed."},
	{0, "plain_abort", MONITOR_ABORT, "aborts", "abort called"},
	{0, "double_free", MONITOR_ABORT, "frees", "free(): double free detected in tcache 2"},
	{0, "smash_protected", MONITOR_ABORT, "protected", "stack smashing detected"},
	{0, "division", MONITOR_CRASH, "divides", "division by zero (e"},
	{0, "division_overflow", MONITOR_CRASH, "divides", "division overflow: the quotient by 0xffffffff"},
	{0, "trap", MONITOR_CRASH, "traps", "ud2: the program's own trap"},
	{0, "library_copy", MONITOR_CRASH, NULL, "write of 4 bytes at address 0x40 through r"},
	{0, "in_handler", MONITOR_CRASH, "handler", "read of 8 bytes at address 0x8"},
	{0, "recursion", MONITOR_HANG, "recurses", "the stack is exhausted by recursion"},
	{1, "null_write", MONITOR_CRASH, "inner", "write of 8 bytes at address 0"},
	{0, "before_null", MONITOR_CRASH, "before_box", "read of 4 bytes at address 0xfffffffffffffffc (null pointer - 0x4)"},
	{1, "jump_data", MONITOR_CONTROL, "jumps", "an indirect jump went to 0x"},
	{1, "smash_data", MONITOR_CONTROL, "overflow", "a return went to 0x"},
	{1, "assertion", MONITOR_ABORT, "asserts", "Assertion `x == 12' failed."},
	{1, "recursion", MONITOR_HANG, "recurses", "the stack is exhausted by recursion"},
	{3, "assertion", MONITOR_ABORT, "asserts", "Assertion `x == 12' failed."},
	{3, "double_free", MONITOR_ABORT, "frees", "double free"},
	{3, "smash_data", MONITOR_CONTROL, "overflow", "a return went to 0x"},
	{2, "uncaught", MONITOR_ABORT, "throws", "uncaught C++ exception"},
	{2, "noexcept", MONITOR_ABORT, "throws", "uncaught C++ exception"},
	{2, "virtual", MONITOR_CONTROL, "call_virtual", "a call went to 0x4242424242424242"},
};

/* "f" or "f.cold" */
static bool is_part_of(const char *name, const char *procedure)
{
	size_t length = strlen(procedure);
	return !strncmp(name, procedure, length) && (!name[length] || !strcmp(name + length, ".cold"));
}

static bool check(size_t n)
{
	struct child c;
	struct failure f;
	child_start(&c, targets[cases[n].target], cases[n].name);
	int status = locate_failure(&c.view, &c.raw, &f);
	const char *name = status ? "" : child_name(&c, &f.stack[f.location_frame]);
	bool good = !status && f.monitor == cases[n].monitor && (!cases[n].location || is_part_of(name, cases[n].location)) &&
		    strstr(f.facts, cases[n].facts) && !point_compare(&f.at, &f.stack[f.location_frame].at) && f.signal == c.raw.signal;
	if (!good) {
		print_message("%s %s: status %d, %s in %s, \"%s\"\n", targets[cases[n].target], cases[n].name, status, monitor_names[f.monitor], name, f.facts);
		for (unsigned i = 0; i < f.depth; i++)
			print_message("  #%u %#lx %s\n", i, f.stack[i].address, child_name(&c, &f.stack[i]));
	}
	child_end(&c);
	return good;
}

static void test_cases(void **state)
{
	unsigned failed = 0;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		failed += !check(i);
	assert_int_equal(failed, 0);
}

/* The library's routine is the location; the application that called it is on the stack. */
static void test_library_routine(void **state)
{
	struct child c;
	struct failure f;
	child_start(&c, targets[0], "library_copy");
	assert_int_equal(locate_failure(&c.view, &c.raw, &f), 0);
	assert_int_equal(f.location_frame, 0);
	assert_string_not_equal(child_name(&c, &f.stack[0]), "copies");
	assert_string_equal(child_name(&c, &f.stack[1]), "copies");
	child_end(&c);
}

/* The same failure in two processes, at other addresses, is the same location. */
static void test_location_is_stable(void **state)
{
	static const char *const names[] = {"null_write", "smash_data", "double_free", "recursion"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct child c[2];
		struct failure f[2];
		for (int k = 0; k < 2; k++) {
			child_start(&c[k], targets[0], names[i]);
			assert_int_equal(locate_failure(&c[k].view, &c[k].raw, &f[k]), 0);
			child_end(&c[k]);
		}
		assert_int_equal(point_compare(&f[0].at, &f[1].at), 0);
	}
}

/* Without any symbol, procedures that report are known by not returning. */
static void test_static_stripped(void **state)
{
	struct child c;
	struct failure f;
	struct module *twin;
	uint64_t delta;
	child_start(&c, targets[4], "assertion");
	assert_int_equal(locate_failure(&c.view, &c.raw, &f), 0);
	assert_int_equal(module_open(targets[3], &twin), 0);
	assert_int_equal(f.monitor, MONITOR_ABORT);
	assert_string_equal(module_symbol_at(twin, f.at.offset, &delta), "asserts");
	module_free(twin);
	child_end(&c);
}

static void test_signal_from_outside(void **state)
{
	struct child c;
	struct failure f;
	child_start(&c, targets[0], "plain_abort");
	c.raw.sender = getpid();
	assert_int_equal(locate_failure(&c.view, &c.raw, &f), -ECANCELED);
	child_end(&c);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), cmocka_unit_test(test_library_routine), cmocka_unit_test(test_location_is_stable),
		cmocka_unit_test(test_static_stripped), cmocka_unit_test(test_signal_from_outside),
	};
	if (argc != 6)
		return 99;
	for (int i = 0; i < 5; i++)
		targets[i] = argv[i + 1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
