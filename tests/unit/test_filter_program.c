/* The interpreter of system call filters, instruction by instruction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "inject/filters.h"

enum { PROGRAM_MAX = 8, KILL = (int)SECCOMP_RET_KILL_PROCESS };

static const struct seccomp_data call = {.nr = 41, .arch = 0xc000003e, .instruction_pointer = 0x1122334455667788, .args = {7, 0xaabbccdd00000003}};

#define STMT(...) BPF_STMT(__VA_ARGS__)
#define JUMP(...) BPF_JUMP(__VA_ARGS__)
#define LOAD(k) STMT(BPF_LD | BPF_W | BPF_ABS, k)
#define IMM(k) STMT(BPF_LD | BPF_IMM, k)
#define X_IMM(k) STMT(BPF_LDX | BPF_IMM, k)
#define ALU(op, k) STMT(BPF_ALU | op | BPF_K, k)
#define ALU_X(op) STMT(BPF_ALU | op | BPF_X, 0)
#define TEST(op, k) JUMP(BPF_JMP | op | BPF_K, k, 0, 1), RET(1), RET(2)
#define RET(k) STMT(BPF_RET | BPF_K, k)
#define RET_A STMT(BPF_RET | BPF_A, 0)

static const struct row {
	uint32_t answer;
	struct sock_filter program[PROGRAM_MAX];
} rows[] = {
	{0x7fff0000, {RET(0x7fff0000)}},
	{41, {LOAD(0), RET_A}},
	{0xc000003e, {LOAD(4), RET_A}},
	{0x55667788, {LOAD(8), RET_A}},
	{0x11223344, {LOAD(12), RET_A}},
	{0xaabbccdd, {LOAD(28), RET_A}},
	{KILL, {LOAD(64), RET_A}},
	{KILL, {LOAD(2), RET_A}},
	{64, {STMT(BPF_LD | BPF_W | BPF_LEN, 0), RET_A}},
	{12, {IMM(5), ALU(BPF_ADD, 7), RET_A}},
	{(uint32_t)-2, {IMM(5), ALU(BPF_SUB, 7), RET_A}},
	{35, {IMM(5), ALU(BPF_MUL, 7), RET_A}},
	{3, {IMM(21), X_IMM(7), ALU_X(BPF_DIV), RET_A}},
	{KILL, {IMM(21), X_IMM(0), ALU_X(BPF_DIV), RET_A}},
	{1, {IMM(22), ALU(BPF_MOD, 7), RET_A}},
	{0xf, {IMM(5), ALU(BPF_OR, 0xa), RET_A}},
	{4, {IMM(5), ALU(BPF_AND, 6), RET_A}},
	{3, {IMM(5), ALU(BPF_XOR, 6), RET_A}},
	{0x50, {IMM(5), ALU(BPF_LSH, 4), RET_A}},
	{5, {IMM(0x50), ALU(BPF_RSH, 4), RET_A}},
	{(uint32_t)-5, {IMM(5), ALU(BPF_NEG, 0), RET_A}},
	{9, {IMM(9), STMT(BPF_ST, 3), IMM(0), STMT(BPF_LD | BPF_MEM, 3), RET_A}},
	{9, {X_IMM(9), STMT(BPF_STX, 15), STMT(BPF_LD | BPF_MEM, 15), RET_A}},
	{9, {IMM(9), STMT(BPF_MISC | BPF_TAX, 0), IMM(0), STMT(BPF_MISC | BPF_TXA, 0), RET_A}},
	{1, {LOAD(0), TEST(BPF_JEQ, 41)}}, {2, {LOAD(0), TEST(BPF_JEQ, 40)}},
	{1, {LOAD(0), TEST(BPF_JGT, 40)}}, {2, {LOAD(0), TEST(BPF_JGT, 41)}},
	{1, {LOAD(0), TEST(BPF_JGE, 41)}}, {2, {LOAD(0), TEST(BPF_JGE, 42)}},
	{1, {LOAD(0), TEST(BPF_JSET, 8)}}, {2, {LOAD(0), TEST(BPF_JSET, 2)}},
	{1, {IMM(3), X_IMM(3), JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1), RET(1), RET(2)}},
	{2, {JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RET(1), RET(2)}},
	{KILL, {JUMP(BPF_JMP | BPF_JA, 0xffffffff, 0, 0), RET(1)}},
};

static void rows_are_answered(void **state)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint32_t answer = filter_answer(rows[i].program, PROGRAM_MAX, &call);
		if (answer != rows[i].answer)
			fail_msg("row %zu: %#x, not %#x", i, answer, rows[i].answer);
	}
}

static void an_end_without_a_return_kills(void **state)
{
	const struct sock_filter program[] = {IMM(1)};
	assert_int_equal(filter_answer(program, 1, &call), SECCOMP_RET_KILL_PROCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_answered), cmocka_unit_test(an_end_without_a_return_kills)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
