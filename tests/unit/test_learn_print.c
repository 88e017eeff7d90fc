/* Invariants as text, and evaluated. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "learn/evaluate.h"
#include "learn/print.h"

#define REGISTER(r, bytes) {.kind = OPERAND_REGISTER, .size = bytes, .reg = r, .base = REG_NONE, .index = REG_NONE}
#define MEMORY(b, d, bytes) {.kind = OPERAND_MEMORY, .size = bytes, .base = b, .index = REG_NONE, .scale = 1, .displacement = d}
#define AT(where, o, ...) {.at = {{"0123456789abcdef"}, where}, .operand = o, __VA_ARGS__}

static const struct operand rax = REGISTER(REG_RAX, 8), ecx = REGISTER(REG_RCX, 4), rdx = REGISTER(REG_RDX, 8), field = MEMORY(REG_RBX, 8, 8),
	rsp = REGISTER(REG_RSP, 8);

struct row {
	struct invariant i;
	const char *text;
};

static const struct row rows[] = {
	{{.kind = INVARIANT_ONE_OF, .a = AT(0x1234, rax), .count = 2, .value = {0, 1}}, "lib.so+0x1234: rax in {0, 1}"},
	{{.kind = INVARIANT_ONE_OF, .a = AT(0x1234, field), .count = 2, .relative = 2, .value = {0, 0x8840}}, "lib.so+0x1234: [rbx+8] in {0, lib.so+0x8840}"},
	{{.kind = INVARIANT_ONE_OF, .a = AT(0x1234, rax, .slot = SLOT_RETURN), .count = 1, .value = {-1}}, "lib.so+0x1234: has returned {-1}"},
	{{.kind = INVARIANT_LOWER_BOUND, .a = AT(0x10, ecx), .bound = 5}, "lib.so+0x10: 5 <= ecx"},
	{{.kind = INVARIANT_LOWER_BOUND, .a = AT(0x10, ecx), .bound = -0x7fffffff}, "lib.so+0x10: -0x7fffffff <= ecx"},
	{{.kind = INVARIANT_LESS_THAN, .a = AT(0x1234, field), .b = AT(0x1234, rdx)}, "lib.so+0x1234: [rbx+8] <= rdx"},
	{{.kind = INVARIANT_LESS_THAN, .a = AT(0x1220, field), .b = AT(0x1234, rdx)}, "lib.so+0x1234: [rbx+8] @0x1220 <= rdx"},
	{{.kind = INVARIANT_LESS_THAN, .a = AT(0x1234, field), .b = AT(0x1220, rdx), .a_is_later = 1}, "lib.so+0x1234: [rbx+8] <= rdx @0x1220"},
	{{.kind = INVARIANT_SP_OFFSET, .a = AT(0x1234, rsp, .slot = SLOT_STACK), .bound = 56}, "lib.so+0x1234: sp = entry - 56"},
};

static void prints_invariants(void **state)
{
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		char text[128], small[10];
		int length = print_invariant(&rows[n].i, "lib.so", text, sizeof text);
		assert_string_equal(text, rows[n].text);
		assert_int_equal(length, strlen(text));
		assert_int_equal(print_invariant(&rows[n].i, "lib.so", small, sizeof small), length);
		assert_memory_equal(small, text, sizeof small - 1);
		assert_int_equal(small[sizeof small - 1], 0);
	}
	char text[128];
	print_invariant(&rows[3].i, NULL, text, sizeof text);
	assert_string_equal(text, "0123456789ab+0x10: 5 <= ecx");
	assert_int_equal(print_invariant(&rows[3].i, "lib.so", NULL, 0), strlen(rows[3].text));
}

struct check {
	struct invariant i;
	int64_t a, b;
	uint64_t bias;
	bool holds;
};

static const struct check checks[] = {
	{{.kind = INVARIANT_ONE_OF, .count = 2, .value = {0, 3}}, 3, 0, 0x5000, true},
	{{.kind = INVARIANT_ONE_OF, .count = 2, .value = {0, 3}}, 1, 0, 0x5000, false},
	{{.kind = INVARIANT_ONE_OF, .count = 2, .relative = 2, .value = {0, 3}}, 0x5003, 0, 0x5000, true},
	{{.kind = INVARIANT_ONE_OF, .count = 2, .relative = 2, .value = {0, 3}}, 3, 0, 0x5000, false},
	{{.kind = INVARIANT_LOWER_BOUND, .bound = -2}, -2, 0, 0, true},
	{{.kind = INVARIANT_LOWER_BOUND, .bound = -2}, -3, 0, 0, false},
	{{.kind = INVARIANT_LESS_THAN}, -1, 1, 0, true},
	{{.kind = INVARIANT_LESS_THAN}, 1, 1, 0, true},
	{{.kind = INVARIANT_LESS_THAN}, 2, 1, 0, false},
	{{.kind = INVARIANT_SP_OFFSET, .bound = 56}, 0x7f00 - 56, 0x7f00, 0, true},
	{{.kind = INVARIANT_SP_OFFSET, .bound = 56}, 0x7f00 - 48, 0x7f00, 0, false},
};

static void evaluates_invariants(void **state)
{
	for (size_t n = 0; n < sizeof checks / sizeof *checks; n++)
		if (invariant_holds(&checks[n].i, checks[n].a, checks[n].b, checks[n].bias) != checks[n].holds)
			fail_msg("row %zu", n);
}

static uint8_t memory[16] = {1, 2, 3, 0xff, 5, 6, 7, 0x88};

static int read_test_memory(void *context, uint64_t address, void *out, size_t size)
{
	if (address < 0x1000 || address + size > 0x1000 + sizeof memory)
		return -EFAULT;
	memcpy(out, memory + address - 0x1000, size);
	return 0;
}

struct value {
	struct operand o;
	int64_t want;
	int status;
};

static const struct value values[] = {
	{REGISTER(REG_RAX, 8), (int64_t)0x8899aabbccddeeff, 0},
	{REGISTER(REG_RAX, 4), (int32_t)0xccddeeff, 0},
	{REGISTER(REG_RAX, 2), (int16_t)0xeeff, 0},
	{REGISTER(REG_RAX, 1), -1, 0},
	{{.kind = OPERAND_REGISTER, .size = 1, .reg = REG_RAX, .high_byte = 1, .base = REG_NONE, .index = REG_NONE}, (int8_t)0xee, 0},
	{MEMORY(REG_RBX, 0, 4), (int32_t)0xff030201, 0},
	{MEMORY(REG_RBX, 1, 1), 2, 0},
	{MEMORY(REG_RBX, 100, 4), 0, -EFAULT},
	{{.kind = OPERAND_MEMORY, .size = 1, .base = REG_RBX, .index = REG_RCX, .scale = 4, .displacement = -1}, (int8_t)0x88, 0},
	{{.kind = OPERAND_ADDRESS, .size = 8, .base = REG_RBX, .index = REG_RCX, .scale = 4, .displacement = -1}, 0x1007, 0},
	{{.kind = OPERAND_MEMORY, .size = 1, .base = REG_NONE, .index = REG_NONE, .module_relative = 1, .displacement = 0x104}, 5, 0},
	{{.kind = OPERAND_MEMORY, .size = 1, .base = REG_NONE, .index = REG_NONE, .segment = SEGMENT_FS, .displacement = 4}, 7, 0},
	{{.kind = OPERAND_REGISTER, .size = 3, .reg = REG_RAX}, 0, -EINVAL},
	{{.kind = OPERAND_NONE, .size = 8}, 0, -EINVAL},
};

static void evaluates_operands(void **state)
{
	struct machine m = {.bias = 0xf00, .fs_base = 0x1002, .read_memory = read_test_memory};
	m.registers[REG_RAX] = 0x8899aabbccddeeff;
	m.registers[REG_RBX] = 0x1000;
	m.registers[REG_RCX] = 2;
	for (size_t n = 0; n < sizeof values / sizeof *values; n++) {
		int64_t got = 0;
		int status = operand_evaluate(&values[n].o, &m, &got);
		if (status != values[n].status || (!status && got != values[n].want))
			fail_msg("row %zu: %d, %lx", n, status, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_invariants),
		cmocka_unit_test(evaluates_invariants),
		cmocka_unit_test(evaluates_operands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
