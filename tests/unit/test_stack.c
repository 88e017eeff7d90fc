/* Call stacks and unwound registers of programs whose truth is known from their symbols. argv: stack_target with and without unwind
 * tables, and linked statically (no .eh_frame_hdr). */
#include "stack_child.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *targets[3];

/* The innermost frames' names, separated by blanks; "..." skips any number of frames. */
static const struct {
	const char *name, *frames;
} stacks[] = {
	{"null_write", "inner middle outer null_write main"},
	{"call_data", "- calls call_data main"},
	{"jump_data", "- jumps calls_jumper jump_data main"},
	{"call_noncanonical", "calls call_noncanonical main"},
	{"smash_noncanonical", "overflow ... main"},
	{"smash_data", "- overflow ... main"},
	{"division", "divides division main"},
	{"trap", "traps trap main"},
	{"library_copy", "... copies library_copy main"},
	{"assertion", "... asserts assertion main"},
	{"in_handler", "handler ... interrupted_loop in_handler main"},
	{"in_thread", "inner middle outer thread_start"},
	{"in_realigned", "inner middle outer realigned in_realigned main"},
};

static bool matches(const struct child *c, const struct frame *f, unsigned depth, const char *expected)
{
	char names[256], *rest, *name;
	unsigned i = 0;
	bool skips = false;
	snprintf(names, sizeof names, "%s", expected);
	for (name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		if (!strcmp(name, "...")) {
			skips = true;
			continue;
		}
		while (skips && i < depth && strcmp(child_name(c, &f[i]), name))
			i++;
		if (i == depth || strcmp(child_name(c, &f[i++]), name))
			return false;
		skips = false;
	}
	return true;
}

static void print_stack(const struct child *c, const struct frame *f, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		print_message("  #%u %#lx %s+%#lx cfa %#lx\n", i, f[i].address, child_name(c, &f[i]), f[i].at.offset - f[i].procedure, f[i].cfa);
}

static void check_stacks(const char *target)
{
	unsigned failed = 0;
	for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
		struct child c;
		struct frame frames[STACK_DEPTH_MAX];
		child_start(&c, target, stacks[i].name);
		unsigned depth = stack_walk(&c.view, &c.raw.registers, frames, STACK_DEPTH_MAX);
		if (!matches(&c, frames, depth, stacks[i].frames)) {
			print_message("%s %s: expected %s\n", target, stacks[i].name, stacks[i].frames);
			print_stack(&c, frames, depth);
			failed++;
		}
		child_end(&c);
	}
	assert_int_equal(failed, 0);
}

static void test_walk(void **state)
{
	check_stacks(targets[0]);
}

static void test_walk_without_tables(void **state)
{
	check_stacks(targets[1]);
}

static void test_walk_static(void **state)
{
	check_stacks(targets[2]);
}

/* Makes the failed procedure, and `count` - 1 callers, return: the program checks its registers and goes on. */
static void check_return(const char *target, const char *name, unsigned count)
{
	struct child c;
	struct cfi_registers r;
	child_start(&c, target, name);
	assert_int_equal(stack_unwind_to(&c.view, &c.raw.registers, count, &r), 0);
	r.general[REG_RAX] = 0;
	int status = child_go_on(&c, &r);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 42)
		fail_msg("%s %s: status %#x after the return from %u procedures", target, name, status, count);
	child_end(&c);
}

static void test_return(void **state)
{
	for (int i = 0; i < 2; i++) {
		for (unsigned count = 1; count <= 3; count++)
			check_return(targets[i], "null_write", count);
		for (unsigned count = 1; count <= 4; count++)
			check_return(targets[i], "in_thread", count < 4 ? count : 3);
		check_return(targets[i], "call_data", 1);
		check_return(targets[i], "jump_data", 1);
		check_return(targets[i], "jump_data", 2);
	}
	for (unsigned count = 1; count <= 4; count++)
		check_return(targets[0], "in_realigned", count);
}

/* A smashed return address must not be taken for a caller. */
static void test_no_return_through_smashed(void **state)
{
	struct child c;
	struct cfi_registers r;
	child_start(&c, targets[0], "smash_noncanonical");
	assert_int_equal(stack_unwind_to(&c.view, &c.raw.registers, 1, &r), -ENODATA);
	child_end(&c);
}

static void test_cfa(void **state)
{
	struct child c;
	struct frame f[8];
	child_start(&c, targets[0], "null_write");
	assert_true(stack_walk(&c.view, &c.raw.registers, f, 8) >= 4);
	for (int i = 0; i < 3; i++) {
		uint64_t return_address, call;
		assert_int_equal(c.view.read(c.view.context, f[i].cfa - 8, &return_address, 8), 8);
		uint64_t bias;
		struct module *m = c.view.module_at(c.view.context, f[i + 1].address, &bias);
		assert_true(locate_is_call(m, return_address - bias, &call));
		assert_int_equal(call, f[i + 1].at.offset);
		assert_true(f[i].cfa < f[i + 1].cfa);
	}
	child_end(&c);
}

static bool has_remain(const struct child *c, const struct frame *f, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(child_name(c, &f[i]), name))
			return true;
	return false;
}

static void test_remains(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct child c;
		struct frame f[64];
		child_start(&c, targets[i], "smash_data");
		unsigned count = stack_remains(&c.view, c.raw.registers.general[REG_RSP], f, 64);
		assert_true(has_remain(&c, f, count, "overflow"));
		assert_int_equal(stack_transfer(&c.view, &c.raw.registers, f), TRANSFER_RETURN);
		assert_string_equal(child_name(&c, f), "overflow");
		child_end(&c);
	}
}

/* Every call of a range, and nothing in between, is a call. */
static void test_is_call(void **state)
{
	struct module *m;
	uint64_t offset, call;
	size_t available;
	assert_int_equal(module_open(targets[0], &m), 0);
	assert_true(module_symbol(m, "outer", &offset));
	struct range range;
	assert_true(module_range(m, offset, &range));
	unsigned calls = 0;
	for (uint64_t at = range.start; at < range.end; at++)
		calls += locate_is_call(m, at, &call);
	assert_int_equal(calls, 1);
	assert_false(locate_is_call(m, range.start - 1000000, &call));
	const uint8_t *bytes = module_bytes(m, call, &available);
	assert_int_equal(bytes[0], 0xe8);
	module_free(m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk), cmocka_unit_test(test_walk_without_tables), cmocka_unit_test(test_walk_static), cmocka_unit_test(test_return),
		cmocka_unit_test(test_no_return_through_smashed), cmocka_unit_test(test_cfa), cmocka_unit_test(test_remains),
		cmocka_unit_test(test_is_call),
	};
	if (argc != 4)
		return 99;
	targets[0] = argv[1];
	targets[1] = argv[2];
	targets[2] = argv[3];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
