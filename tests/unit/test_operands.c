/* One line an instruction: its bytes, the variables it reads (slot:operand, space-separated), what it writes, and where it goes. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "learn/print.h"
#include "x86/operands.h"
#include "x86/registers.h"

struct row {
	const char *assembly, *bytes, *reads, *writes, *store; /* store: "": none, "?": unknown, else the operand */
	uint8_t target;
};

static const struct row rows[] = {
	{"mov eax, ecx", "89c8", "1:ecx", "rax", "", SLOT_NONE},
	{"mov rax, [rbx+8]", "488b4308", "1:[rbx+8]", "rax", "", SLOT_NONE},
	{"mov eax, [rdi+rsi*4]", "8b04b7", "1:dword [rdi+rsi*4] 9:&[rdi+rsi*4]", "rax", "", SLOT_NONE},
	{"mov [rdi+rsi*4], edx", "8914b7", "1:edx 8:&[rdi+rsi*4]", "", "dword [rdi+rsi*4]", SLOT_NONE},
	{"add dword [rbp-0x14], 1", "8345ec01", "0:dword [rbp-0x14]", "", "dword [rbp-0x14]", SLOT_NONE},
	{"mov rax, [rip+0x100]", "488b0500010000", "1:[rel 0x1107]", "rax", "", SLOT_NONE},
	{"cmp byte [rip-7], 0", "803df9ffffff00", "0:byte [rel 0x1000]", "", "", SLOT_NONE},
	{"xor eax, eax", "31c0", "", "rax", "", SLOT_NONE},
	{"xor eax, ecx", "31c8", "0:eax 1:ecx", "rax", "", SLOT_NONE},
	{"sbb edx, edx", "19d2", "", "rdx", "", SLOT_NONE},
	{"movzx eax, ah", "0fb6c4", "1:ah", "rax", "", SLOT_NONE},
	{"mov bh, cl", "88cf", "1:cl", "rbx", "", SLOT_NONE},
	{"movsx rax, word [rcx]", "480fbf01", "1:word [rcx]", "rax", "", SLOT_NONE},
	{"lea rax, [rdi+rsi*8+0x10]", "488d44f710", "9:&[rdi+rsi*8+0x10]", "rax", "", SLOT_NONE},
	{"lea rax, [rdi+0x10]", "488d4710", "", "rax", "", SLOT_NONE},
	{"push rbp", "55", "0:rbp", "rsp", "?", SLOT_NONE},
	{"push qword [rax+8]", "ff7008", "0:[rax+8]", "rsp", "?", SLOT_NONE},
	{"pop rbx", "5b", "", "rbx rsp", "", SLOT_NONE},
	{"call +0", "e800000000", "", "rax rcx rdx rsi rdi r8 r9 r10 r11", "?", SLOT_NONE},
	{"call rax", "ffd0", "0:rax", "rax rcx rdx rsi rdi r8 r9 r10 r11", "?", 0},
	{"call [rax+0x18]", "ff5018", "0:[rax+0x18]", "rax rcx rdx rsi rdi r8 r9 r10 r11", "?", 0},
	{"jmp [rax*8+0x2000]", "ff24c500200000", "0:[rax*8+0x2000] 8:&[rax*8+0x2000]", "", "", 0},
	{"jmp rdx", "ffe2", "0:rdx", "", "", 0},
	{"jmp +0", "eb00", "", "", "", SLOT_NONE},
	{"ret", "c3", "", "rsp", "", SLOT_NONE},
	{"div ecx", "f7f1", "0:ecx 1:eax 2:edx", "rax rdx", "", SLOT_NONE},
	{"shl eax, cl", "d3e0", "0:eax 1:cl", "rax", "", SLOT_NONE},
	{"xchg [rdi], rax", "488707", "0:[rdi] 1:rax", "rax", "[rdi]", SLOT_NONE},
	{"cmpxchg [rdi], ecx", "0fb10f", "0:dword [rdi] 1:ecx 2:eax", "rax", "dword [rdi]", SLOT_NONE},
	{"cmovs eax, edx", "0f48c2", "1:edx", "rax", "", SLOT_NONE},
	{"sete al", "0f94c0", "", "rax", "", SLOT_NONE},
	{"rep movsb", "f3a4", "2:rcx", "rcx rsi rdi", "?", SLOT_NONE},
	{"mov rax, fs:[0x28]", "64488b042528000000", "", "rax", "", SLOT_NONE},
	{"mov rax, fs:[0x10]", "64488b042510000000", "1:fs:[0x10]", "rax", "", SLOT_NONE},
	{"mov rax, fs:[rcx+rdx]", "64488b0411", "1:fs:[rcx+rdx]", "rax", "", SLOT_NONE},
	{"nop [rax+rax]", "0f1f440000", "", "", "", SLOT_NONE},
	{"prefetcht0 [rax+rcx]", "0f180c08", "", "", "", SLOT_NONE},
	{"endbr64", "f30f1efa", "", "", "", SLOT_NONE},
	{"movups xmm0, [rax]", "0f1000", "", "", "", SLOT_NONE},
	{"movups [rax], xmm0", "0f1100", "", "", "?", SLOT_NONE},
	{"movsd xmm0, [rax]", "f20f1000", "", "", "", SLOT_NONE},
	{"cvtsi2sd xmm0, dword [rax]", "f20f2a00", "1:dword [rax]", "", "", SLOT_NONE},
	{"movd xmm0, ecx", "660f6ec1", "1:ecx", "", "", SLOT_NONE},
	{"fld qword [rax]", "dd00", "", "", "", SLOT_NONE},
	{"mov eax, [ecx+edx]", "678b0411", "", "rax", "", SLOT_NONE},
	{"mov eax, fs", "8ce0", "", "rax", "", SLOT_NONE},
	{"syscall", "0f05", "", "rax rcx r11", "?", SLOT_NONE},
	{"cpuid", "0fa2", "0:eax 2:ecx", "rax rcx rdx rbx", "", SLOT_NONE},
	{"imul eax, [rbx+r12*4-4], 3", "426b44a3fc03", "1:dword [rbx+r12*4-4] 9:&[rbx+r12*4-4]", "rax", "", SLOT_NONE},
	{"cmp r8b, 5", "4180f805", "0:r8b", "", "", SLOT_NONE},
	{"bswap ecx", "0fc9", "0:ecx", "rcx", "", SLOT_NONE},
};

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	for (; hex[0] && hex[1]; hex += 2)
		sscanf(hex, "%2hhx", &out[n++]);
	return n;
}

static void describe_reads(const struct operands *o, char *out)
{
	*out = 0;
	for (unsigned i = 0; i < o->read_count; i++) {
		out += sprintf(out, "%s%u:", i ? " " : "", o->read[i].slot);
		out += print_operand(&o->read[i].operand, out, 80);
	}
}

static void describe_writes(uint32_t mask, char *out)
{
	*out = 0;
	for (unsigned r = 0; r < REG_COUNT; r++)
		if (mask >> r & 1)
			out += sprintf(out, "%s ", register_name(r, 8, 0));
}

/* The names in `names`, as a mask. */
static uint32_t mask_of(const char *names)
{
	uint32_t mask = 0;
	char one[8];
	for (int n; sscanf(names, "%7s%n", one, &n) == 1; names += n)
		for (unsigned r = 0; r < REG_COUNT; r++)
			mask |= strcmp(one, register_name(r, 8, 0)) ? 0 : REGISTER_BIT(r);
	return mask;
}

static int check_row(const struct row *row)
{
	uint8_t bytes[16];
	struct operands o;
	char reads[512], writes[128], store[80] = "";
	size_t length = unhex(row->bytes, bytes);
	if (operands_decode(bytes, length, 0x1000, &o)) {
		print_error("%s: not decoded\n", row->assembly);
		return 1;
	}
	describe_reads(&o, reads);
	describe_writes(o.registers_written, writes);
	if (o.stores)
		print_operand(&o.store, store, sizeof store);
	if (!strcmp(reads, row->reads) && o.registers_written == mask_of(row->writes) && !strcmp(store, row->store) && o.target_slot == row->target)
		return 0;
	print_error("%s: reads '%s' (want '%s') writes '%s' (want '%s') store '%s' (want '%s') target %u (want %u)\n", row->assembly, reads,
		row->reads, writes, row->writes, store, row->store, o.target_slot, row->target);
	return 1;
}

static void decodes_rows(void **state)
{
	int failures = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		failures += check_row(&rows[i]);
	assert_int_equal(failures, 0);
}

static void refuses_garbage(void **state)
{
	struct operands o;
	assert_true(operands_decode((const uint8_t *)"\x06", 1, 0, &o) < 0);
	assert_true(operands_decode((const uint8_t *)"\x48\x8b", 2, 0, &o) < 0);
}

static struct operands decode(const char *hex)
{
	uint8_t bytes[16];
	struct operands o;
	assert_int_equal(operands_decode(bytes, unhex(hex, bytes), 0x1000, &o), 0);
	return o;
}

struct change {
	const char *reader, *writer;
	bool changed;
};

/* reader's first operand, and whether the writer may change it */
static const struct change changes[] = {
	{"4889c8" /* mov rax, rcx */, "31c9" /* xor ecx, ecx */, true},
	{"4889c8" /* mov rax, rcx */, "b101" /* mov cl, 1 */, true},
	{"4889c8" /* mov rax, rcx */, "31d2" /* xor edx, edx */, false},
	{"4889c8" /* mov rax, rcx */, "ffd3" /* call rbx */, true},
	{"4889d8" /* mov rax, rbx */, "ffd3" /* call rbx */, false},
	{"8b45ec" /* mov eax, [rbp-0x14] */, "8955e8" /* mov [rbp-0x18], edx */, false},
	{"8b45ec" /* mov eax, [rbp-0x14] */, "488955e8" /* mov [rbp-0x18], rdx */, true},
	{"8b45ec" /* mov eax, [rbp-0x14] */, "8917" /* mov [rdi], edx */, true},
	{"8b45ec" /* mov eax, [rbp-0x14] */, "0f1107" /* movups [rdi], xmm0 */, true},
	{"8b45ec" /* mov eax, [rbp-0x14] */, "50" /* push rax */, true},
	{"8b45ec" /* mov eax, [rbp-0x14] */, "8b07" /* mov eax, [rdi] */, false},
	{"8b45ec" /* mov eax, [rbp-0x14] */, "5d" /* pop rbp */, true},
	{"8b45ec" /* mov eax, [rbp-0x14] */, "0f05" /* syscall */, true},
};

static void knows_what_changes_a_value(void **state)
{
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct operands reader = decode(changes[i].reader), writer = decode(changes[i].writer);
		if (operand_changed_by(&reader.read[0].operand, &writer) != changes[i].changed)
			fail_msg("row %zu: %s after %s", i, changes[i].reader, changes[i].writer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_rows),
		cmocka_unit_test(refuses_garbage),
		cmocka_unit_test(knows_what_changes_a_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
