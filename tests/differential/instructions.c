/* Single random instructions whose operands are under control: memory operands lie in the data area (r15 points into its middle) or right above the
 * stack pointer; rsp, rbp, r14 (the fuel) and r15 are never written; control goes to the next instruction or faults. */
#include "instructions.h"

#include <Zydis/Zydis.h>
#include <string.h>

struct candidate {
	uint8_t bytes[15];
	unsigned length;
	uint8_t index; /* register to be made small before; 0xff: none */
};

static ZydisDecoder decoder;
static bool ready;

static const uint16_t excluded[] = {
	ZYDIS_MNEMONIC_RDTSC, ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_RDPMC, ZYDIS_MNEMONIC_RDPRU, ZYDIS_MNEMONIC_RDRAND, ZYDIS_MNEMONIC_RDSEED, ZYDIS_MNEMONIC_RDPID,
	ZYDIS_MNEMONIC_CPUID, ZYDIS_MNEMONIC_XGETBV, ZYDIS_MNEMONIC_CLZERO, ZYDIS_MNEMONIC_MONITORX, ZYDIS_MNEMONIC_MWAITX, ZYDIS_MNEMONIC_INT1,
	ZYDIS_MNEMONIC_FNSTENV, ZYDIS_MNEMONIC_FNSAVE, ZYDIS_MNEMONIC_FXSAVE, ZYDIS_MNEMONIC_FXSAVE64, ZYDIS_MNEMONIC_FXRSTOR, ZYDIS_MNEMONIC_FXRSTOR64,
	ZYDIS_MNEMONIC_WRFSBASE, ZYDIS_MNEMONIC_WRGSBASE, ZYDIS_MNEMONIC_VMCALL, ZYDIS_MNEMONIC_VMMCALL, ZYDIS_MNEMONIC_LFS, ZYDIS_MNEMONIC_LGS,
	ZYDIS_MNEMONIC_ENTER, ZYDIS_MNEMONIC_LEAVE, ZYDIS_MNEMONIC_SALC, ZYDIS_MNEMONIC_UMWAIT, ZYDIS_MNEMONIC_TPAUSE, ZYDIS_MNEMONIC_MWAIT,
};
static const uint16_t excluded_with_memory[] = {ZYDIS_MNEMONIC_BT, ZYDIS_MNEMONIC_BTC, ZYDIS_MNEMONIC_BTR, ZYDIS_MNEMONIC_BTS};
static const uint8_t excluded_categories[] = {
	ZYDIS_CATEGORY_CALL, ZYDIS_CATEGORY_RET, ZYDIS_CATEGORY_UNCOND_BR, ZYDIS_CATEGORY_COND_BR, ZYDIS_CATEGORY_SYSCALL, ZYDIS_CATEGORY_SYSRET,
	ZYDIS_CATEGORY_PUSH, ZYDIS_CATEGORY_POP, ZYDIS_CATEGORY_XSAVE, ZYDIS_CATEGORY_XSAVEOPT, ZYDIS_CATEGORY_INTERRUPT, ZYDIS_CATEGORY_SYSTEM,
	ZYDIS_CATEGORY_SEGOP,
};

static bool contains16(const uint16_t *list, size_t count, unsigned what)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == what)
			return true;
	return false;
}

static bool is_excluded(const ZydisDecodedInstruction *z)
{
	for (size_t i = 0; i < sizeof excluded_categories; i++)
		if (z->meta.category == excluded_categories[i])
			return true;
	return contains16(excluded, sizeof excluded / sizeof *excluded, z->mnemonic);
}

static bool is_kept(ZydisRegister r)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);
	return whole == ZYDIS_REGISTER_RSP || whole == ZYDIS_REGISTER_RBP || whole == ZYDIS_REGISTER_R14 || whole == ZYDIS_REGISTER_R15;
}

/* Registers that string and table instructions address with: set before. */
static bool is_implicit_base(ZydisRegister r)
{
	return r == ZYDIS_REGISTER_RSI || r == ZYDIS_REGISTER_RDI || r == ZYDIS_REGISTER_RBX;
}

static bool acceptable_operand(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o, const struct candidate *c)
{
	if (o->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return !(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE && is_kept(o->reg.value)) &&
		       ZydisRegisterGetClass(o->reg.value) != ZYDIS_REGCLASS_SEGMENT && ZydisRegisterGetClass(o->reg.value) != ZYDIS_REGCLASS_CONTROL &&
		       ZydisRegisterGetClass(o->reg.value) != ZYDIS_REGCLASS_DEBUG;
	if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
		return true;
	if (contains16(excluded_with_memory, sizeof excluded_with_memory / sizeof *excluded_with_memory, z->mnemonic))
		return false;
	if (o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
		return is_implicit_base(o->mem.base) && (o->mem.segment == ZYDIS_REGISTER_DS || o->mem.segment == ZYDIS_REGISTER_ES);
	if (o->mem.base == ZYDIS_REGISTER_RSP)
		return !(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) && o->mem.index == ZYDIS_REGISTER_NONE && o->mem.disp.value >= 0;
	bool vector_index = ZydisRegisterGetClass(o->mem.index) != ZYDIS_REGCLASS_GPR64 && o->mem.index != ZYDIS_REGISTER_NONE;
	bool segment = o->mem.segment == ZYDIS_REGISTER_FS || o->mem.segment == ZYDIS_REGISTER_GS;
	if (vector_index || (o->mem.index != ZYDIS_REGISTER_NONE && c->index == 0xff))
		return false;
	return segment ? o->mem.base == ZYDIS_REGISTER_NONE : o->mem.base == ZYDIS_REGISTER_R15 || o->mem.base == ZYDIS_REGISTER_RIP;
}

static void add(struct candidate *c, unsigned byte)
{
	c->bytes[c->length++] = byte;
}

/* ModRM and what it calls for; the high bits of r15 as base and of the index go into *b and *x, 1 for set. */
static void add_operand(struct candidate *c, unsigned *x, unsigned *b)
{
	unsigned reg = random_below(8), index = random_below(16);
	uint32_t distance = (int32_t)random_below(1536) - 768;
	c->index = 0xff;
	*x = 0;
	*b = 1;
	switch (random_below(6)) {
	case 0: /* disp32(%r15) */
		add(c, 0x80 | reg << 3 | 7);
		break;
	case 1: /* disp32(%r15,index) */
		if (index == 4 || index >= 14)
			index = 3;
		c->index = index;
		*x = index >> 3;
		add(c, 0x80 | reg << 3 | 4);
		add(c, random_below(3) << 6 | (index & 7) << 3 | 7);
		break;
	case 2: /* disp32(%rip): filled in later */
		*b = random_below(2);
		add(c, reg << 3 | 5);
		break;
	case 3: /* disp8(%rsp) */
		*b = 0;
		add(c, 0x40 | reg << 3 | 4);
		add(c, 0x24);
		add(c, 8 * random_below(6));
		return;
	default:
		*b = random_below(2);
		add(c, 0xc0 | reg << 3 | random_below(8));
		return;
	}
	memcpy(c->bytes + c->length, &distance, 4);
	c->length += 4;
}

static void legacy(struct candidate *c)
{
	static const uint8_t mandatory[] = {0, 0, 0, 0x66, 0xf2, 0xf3, 0x66}, odd[] = {0xf0, 0x2e, 0x3e, 0x26, 0xf2, 0xf3};
	unsigned x, b, prefix = mandatory[random_below(sizeof mandatory)];
	struct candidate operand = {0};
	add_operand(&operand, &x, &b);
	c->index = operand.index;
	if (prefix)
		add(c, prefix);
	if (chance(10))
		add(c, odd[random_below(sizeof odd)]);
	add(c, 0x40 | random_below(2) << 3 | random_below(2) << 2 | x << 1 | b);
	switch (random_below(5)) {
	case 0: case 1:
		break;
	case 2: case 3:
		add(c, 0x0f);
		break;
	default:
		add(c, 0x0f);
		add(c, chance(3) ? 0x3a : 0x38);
	}
	add(c, random_below(256));
	memcpy(c->bytes + c->length, operand.bytes, operand.length);
	c->length += operand.length;
}

static void vex(struct candidate *c)
{
	unsigned x, b;
	struct candidate operand = {0};
	add_operand(&operand, &x, &b);
	c->index = operand.index;
	add(c, 0xc4);
	add(c, (random_below(2) << 7 | !x << 6 | !b << 5) | (1 + random_below(3)));
	add(c, random_below(256));
	add(c, random_below(256));
	memcpy(c->bytes + c->length, operand.bytes, operand.length);
	c->length += operand.length;
}

static void evex(struct candidate *c)
{
	unsigned x, b;
	struct candidate operand = {0};
	add_operand(&operand, &x, &b);
	c->index = operand.index;
	add(c, 0x62);
	add(c, random_below(2) << 7 | !x << 6 | !b << 5 | random_below(2) << 4 | (1 + random_below(3)));
	add(c, random_below(256) | 4);
	add(c, random_below(256));
	add(c, random_below(256));
	memcpy(c->bytes + c->length, operand.bytes, operand.length);
	c->length += operand.length;
}

static bool try_one(struct candidate *c, ZydisDecodedInstruction *z, ZydisDecodedOperand *operands)
{
	*c = (struct candidate){.index = 0xff};
	switch (random_below(6)) {
	case 0: vex(c); break;
	case 1: evex(c); break;
	default: legacy(c);
	}
	while (c->length < 15)
		add(c, random_next());
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, c->bytes, 15, z, operands)) || is_excluded(z))
		return false;
	c->length = z->length;
	for (unsigned i = 0; i < z->operand_count; i++)
		if (!acceptable_operand(z, &operands[i], c))
			return false;
	return true;
}

/* lea near(%r15), register */
static void put_address(struct program *p, unsigned reg)
{
	int32_t distance = (int32_t)random_below(1024) - 512;
	put(p, (uint8_t[]){0x49 | (reg & 8) >> 1, 0x8d, 0x87 | (reg & 7) << 3}, 3, true);
	put(p, &distance, 4, false);
}

/* movzbl: flags stay. */
static void put_small(struct program *p, unsigned reg)
{
	put(p, (uint8_t[]){0x40 | (reg & 8) >> 1 | (reg & 8) >> 3, 0x0f, 0xb6, 0xc0 | (reg & 7) << 3 | (reg & 7)}, 4, true);
}

static void prepare(struct program *p, const struct candidate *c, const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	if (c->index != 0xff)
		put_small(p, c->index);
	for (unsigned i = 0; i < z->operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[i].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
			put_address(p, ZydisRegisterGetId(operands[i].mem.base));
	if (z->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
		put_small(p, 1);
}

void put_random_instruction(struct program *p)
{
	struct candidate c;
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	if (!ready)
		ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ready = true;
	while (!try_one(&c, &z, operands))
		;
	prepare(p, &c, &z, operands);
	if (z.attributes & ZYDIS_ATTRIB_IS_RELATIVE) {
		int32_t to = p->data + DATA_SIZE / 2 + 64 * random_below(8) - (here(p) + c.length);
		memcpy(c.bytes + z.raw.disp.offset, &to, 4);
	}
	put(p, c.bytes, c.length, true);
}
