/* Every encoding, once each: all opcodes of all maps under all prefixes, with register and memory operands of every form. What a decoder thinks of them
 * doesn't matter; the processor's word is what is compared. Each is a case:
 *
 *	the instruction; jmp *leave; int3s; jmp *leave        (direct branches among the instructions go to the latter)
 */
#include "program.h"

#include <Zydis/Zydis.h>
#include <string.h>

enum { AREA = 32 }; /* from a case's start to its second way out */

struct attempt {
	uint8_t bytes[16];
	unsigned length;
	bool rip_relative;
	unsigned displacement; /* where, if rip_relative */
};

static ZydisDecoder decoder;
static unsigned keep_one_in, in_procedure;
static uint32_t opened, procedure_size;

/* What differs from run to run by its nature, waits, or asks the kernel or the hypervisor for something. */
static bool is_excluded(const struct attempt *a)
{
	static const uint16_t mnemonics[] = {
		ZYDIS_MNEMONIC_INT1, ZYDIS_MNEMONIC_BT, ZYDIS_MNEMONIC_BTC, ZYDIS_MNEMONIC_BTR, ZYDIS_MNEMONIC_BTS, /* bits far from the operand: where ClearView lies, too */
		ZYDIS_MNEMONIC_RDTSC, ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_RDPMC, ZYDIS_MNEMONIC_RDPRU, ZYDIS_MNEMONIC_RDRAND, ZYDIS_MNEMONIC_RDSEED,
		ZYDIS_MNEMONIC_SYSCALL, ZYDIS_MNEMONIC_SYSENTER, ZYDIS_MNEMONIC_VMCALL, ZYDIS_MNEMONIC_VMMCALL, ZYDIS_MNEMONIC_MWAITX, ZYDIS_MNEMONIC_UMWAIT,
		ZYDIS_MNEMONIC_TPAUSE, ZYDIS_MNEMONIC_MWAIT, ZYDIS_MNEMONIC_XGETBV,
	};
	ZydisDecodedInstruction z;
	const uint8_t *b = a->bytes;
	for (unsigned i = 0; i + 1 < a->length; i++) /* whatever the decoder says */
		if ((b[i] == 0x0f && (b[i + 1] == 0x05 || b[i + 1] == 0x34 || b[i + 1] == 0x01)) || (b[i] == 0xcd && b[i + 1] == 0x80))
			if (b[i] != 0x0f || b[i + 1] != 0x01 || (i + 2 < a->length && b[i + 2] >= 0xc0))
				return true;
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, b, a->length, &z)))
		return false;
	for (size_t i = 0; i < sizeof mnemonics / sizeof *mnemonics; i++)
		if (z.mnemonic == mnemonics[i])
			return true;
	return false;
}

/* Cases share procedures of some to many: their first are entries, the others places that nobody knew of. */
static void next_procedure(struct program *p)
{
	if (opened && in_procedure < procedure_size)
		return;
	if (opened)
		end_procedure(p);
	begin_procedure(p, !chance(8));
	in_procedure = 0;
	procedure_size = chance(2) ? 1 : 1 + random_below(100);
	opened = 1;
}

static void add(struct program *p, struct attempt *a)
{
	if (is_excluded(a) || (keep_one_in > 1 && !chance(keep_one_in)))
		return;
	next_procedure(p);
	in_procedure++;
	if (chance(16))
		put(p, "\x90\x90\x90", 1 + random_below(3), false);
	uint32_t start = p->used;
	begin_case(p);
	if (a->rip_relative) {
		int32_t to = p->data + DATA_SIZE / 2 + 64 * random_below(8) - (here(p) + a->length);
		memcpy(a->bytes + a->displacement, &to, 4);
	}
	put(p, a->bytes, a->length, true);
	put_leave(p);
	put_padding(p, 0xcc, start + AREA);
	put_leave(p);
}

static void append(struct attempt *a, const void *bytes, unsigned size)
{
	memcpy(a->bytes + a->length, bytes, size);
	a->length += size;
}

static void append_byte(struct attempt *a, unsigned byte)
{
	append(a, &(uint8_t){byte}, 1);
}

/* Immediate bytes: more than any instruction takes would be code behind it, so it is cut to the decoded length where it decodes. Direct branches reach the
 * second way out. */
static void finish(struct program *p, struct attempt a)
{
	ZydisDecodedInstruction z;
	unsigned before = a.length, room = 15 - before;
	static const uint8_t immediates[] = {3, 0, 0, 0, 0, 0, 0, 0};
	append(&a, immediates, room < 8 ? room : 8);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, a.bytes, a.length, &z))) {
		a.length = before;
		add(p, &a);
		return;
	}
	a.length = z.length;
	if (z.raw.imm[0].is_relative && z.raw.imm[0].size)
		a.bytes[z.raw.imm[0].offset] = AREA - z.length;
	else if (z.raw.imm[0].size >= 8)
		for (unsigned i = 0; i < z.raw.imm[0].size / 8u && !chance(3); i++)
			a.bytes[z.raw.imm[0].offset + i] = random_next();
	if (a.bytes[0] == 0xcd || (a.bytes[1] == 0xcd && a.length == 3))
		a.bytes[a.length - 1] &= 0x0f;
	if (z.mnemonic == ZYDIS_MNEMONIC_ENTER)
		memset(a.bytes + z.raw.imm[0].offset, 0, 2); /* what lies below the stack pointer has no defined content */
	a.rip_relative = z.attributes & ZYDIS_ATTRIB_IS_RELATIVE && z.raw.disp.size == 32;
	a.displacement = z.raw.disp.offset;
	add(p, &a);
}

/* The forms of ModRM: registers, then memory. rbx, rbp, rdi, r11, r13, r15 and mostly rax point into the data, rcx, r9 and r10 are small. `low`: bits of rm
 * and sib are those of the low eight registers unless the prefix says otherwise. */
enum form { REGISTERS, BASE, BASE_8, BASE_INDEX, BASE_INDEX_8, STACK_8, FRAME_8, RIP, ABSOLUTE, INDEX_ONLY, FORMS };

static void append_operand(struct attempt *a, unsigned reg, enum form form)
{
	static const struct { uint8_t mod, rm, sib, disp; } shape[] = {
		[REGISTERS] = {3, 0, 0, 0},     [BASE] = {0, 3, 0, 0},           [BASE_8] = {1, 3, 0, 1},      [BASE_INDEX] = {0, 4, 0x0b, 0},
		[BASE_INDEX_8] = {1, 4, 0x8b, 1}, [STACK_8] = {1, 4, 0x24, 1},     [FRAME_8] = {1, 5, 0, 1},     [RIP] = {0, 5, 0, 4},
		[ABSOLUTE] = {0, 4, 0x25, 4},   [INDEX_ONLY] = {0, 4, 0x4d, 4},
	};
	unsigned rm = form == REGISTERS ? random_below(8) : shape[form].rm;
	append_byte(a, shape[form].mod << 6 | (reg & 7) << 3 | rm);
	if (form != REGISTERS && rm == 4)
		append_byte(a, shape[form].sib);
	if (shape[form].disp == 1)
		append_byte(a, form == STACK_8 || chance(2) ? 0x40 : 0xc0); /* nothing below the stack pointer */
	if (shape[form].disp == 4)
		append(a, (uint8_t[]){0x40, 0, 0, 0}, 4);
}

static void all_forms(struct program *p, const struct attempt *a, bool registers_matter)
{
	for (unsigned reg = 0; reg < 8; reg++) {
		struct attempt with = *a;
		append_operand(&with, reg, REGISTERS);
		finish(p, with);
		with = *a;
		append_operand(&with, reg, registers_matter ? BASE + random_below(FORMS - BASE) : BASE_8);
		finish(p, with);
	}
	unsigned reg = random_below(8);
	for (enum form f = BASE; f < FORMS; f++) {
		struct attempt with = *a;
		append_operand(&with, reg, f);
		finish(p, with);
	}
}

static bool has_modrm(const struct attempt *a)
{
	ZydisDecodedInstruction z;
	uint8_t bytes[32] = {0};
	memcpy(bytes, a->bytes, a->length);
	bytes[a->length] = 0x43;
	if (ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, 15, &z)))
		return z.attributes & ZYDIS_ATTRIB_HAS_MODRM;
	bytes[a->length] = 0xc3;
	return !ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, 15, &z)) || z.attributes & ZYDIS_ATTRIB_HAS_MODRM;
}

/* Legacy maps: one byte, 0f, 0f38, 0f3a, and 3DNow! by its suffix. */
static void legacy(struct program *p)
{
	static const struct { const char *bytes; unsigned size; } maps[] = {{"", 0}, {"\x0f", 1}, {"\x0f\x38", 2}, {"\x0f\x3a", 2}}, prefixes[] = {
		{"", 0}, {"\x66", 1}, {"\xf2", 1}, {"\xf3", 1}, {"\x48", 1}, {"\xf0", 1}, {"\x67", 1}, {"\x64", 1}, {"\x65", 1}, {"\x2e", 1}, {"\x3e", 1}, {"\x41", 1},
		{"\x4d", 1}, {"\x66\x48", 2}, {"\xf3\x48", 2}, {"\xf2\x48", 2}, {"\x66\xf3", 2}, {"\x66\xf2", 2}, {"\xf0\x48", 2}, {"\xf2\xf0", 2}, {"\xf3\xf0", 2},
		{"\x67\x64", 2}, {"\x66\x67\x65\x4f", 4}, {"\x48\x66", 2}, {"\x66\x66\x66", 3}, {"\xf2\xf3", 2},
	};
	for (size_t m = 0; m < sizeof maps / sizeof *maps; m++)
		for (size_t x = 0; x < sizeof prefixes / sizeof *prefixes; x++)
			for (unsigned opcode = 0; opcode < 256; opcode++) {
				struct attempt a = {0};
				append(&a, prefixes[x].bytes, prefixes[x].size);
				append(&a, maps[m].bytes, maps[m].size);
				append_byte(&a, opcode);
				if (m == 1 && (opcode == 0x38 || opcode == 0x3a))
					continue;
				if (has_modrm(&a))
					all_forms(p, &a, x < 8);
				else
					for (unsigned n = 0; n < 4; n++)
						finish(p, a);
			}
}

static enum form some_memory(void)
{
	return BASE + random_below(FORMS - BASE);
}

static void reg_and_memory(struct program *p, const struct attempt *a)
{
	struct attempt with = *a;
	append_operand(&with, random_below(8), REGISTERS);
	finish(p, with);
	for (int i = 0; i < 2; i++) {
		with = *a;
		append_operand(&with, random_below(8), some_memory());
		finish(p, with);
	}
}

/* c4 RXB.mmmmm W.vvvv.L.pp */
static void vex(struct program *p)
{
	for (unsigned map = 0; map < 8; map++)
		for (unsigned opcode = 0; opcode < 256; opcode++)
			for (unsigned bits = 0; bits < 32; bits++) { /* W, L, pp, vvvv used or not */
				unsigned v = bits & 1 ? 15 : random_below(16), pp = bits >> 1 & 3, l = bits >> 3 & 1, w = bits >> 4;
				if ((map == 0 || map > 3) && !chance(8))
					continue;
				struct attempt a = {0};
				append_byte(&a, 0xc4);
				append_byte(&a, (chance(4) ? random_below(8) : 7) << 5 | map);
				append_byte(&a, w << 7 | v << 3 | l << 2 | pp);
				append_byte(&a, opcode);
				reg_and_memory(p, &a);
			}
	for (unsigned second = 0; second < 256; second += 1)
		for (unsigned n = 0; n < 8; n++) {
			struct attempt a = {0};
			append(&a, (uint8_t[]){0xc5, second, random_next()}, 3);
			reg_and_memory(p, &a);
		}
}

/* 62 RXBR'0mmm Wvvvv1pp zL'LbV'aaa */
static void evex(struct program *p)
{
	for (unsigned map = 1; map < 7; map++)
		for (unsigned opcode = 0; opcode < 256; opcode++)
			for (unsigned bits = 0; bits < 64; bits++) { /* W, pp, L'L, vvvv used or not */
				unsigned v = bits & 1 ? 15 : random_below(16), pp = bits >> 1 & 3, l = bits >> 3 & 3, w = bits >> 5;
				unsigned broadcast = chance(3), mask = chance(2) ? random_below(8) : 0, zero = mask && chance(2);
				if (map > 3 && !chance(8))
					continue;
				struct attempt a = {0};
				append_byte(&a, 0x62);
				append_byte(&a, (chance(4) ? random_below(16) : 15) << 4 | map);
				append_byte(&a, w << 7 | v << 3 | 4 | pp);
				append_byte(&a, zero << 7 | l << 5 | broadcast << 4 | (v == 15 || chance(2)) << 3 | mask);
				append_byte(&a, opcode);
				reg_and_memory(p, &a);
			}
}

void generate_encodings(struct program *p, unsigned one_in)
{
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	keep_one_in = one_in;
	p->depth = 64;
	legacy(p);
	vex(p);
	evex(p);
	if (opened)
		end_procedure(p);
}
