#include "x86/effects.h"
#include "x86/decoder.h"

#include <Zydis/Zydis.h>
#include <errno.h>

static uint32_t bit(uint8_t reg)
{
	return reg < REG_COUNT ? 1u << reg : 0;
}

/* xor eax, eax: the result does not depend on the register. */
static bool is_zeroing(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
	return (z->mnemonic == ZYDIS_MNEMONIC_XOR || z->mnemonic == ZYDIS_MNEMONIC_SUB) && o[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       o[1].type == ZYDIS_OPERAND_TYPE_REGISTER && o[0].reg.value == o[1].reg.value;
}

static void register_effects(const ZydisDecodedOperand *o, bool zeroing, struct effects *out)
{
	uint32_t r = bit(general(o->reg.value));
	bool wide = o->size >= 32; /* a 32-bit result clears the upper half */
	if ((o->actions & ZYDIS_OPERAND_ACTION_MASK_READ && !zeroing) || o->actions & ZYDIS_OPERAND_ACTION_CONDWRITE)
		out->reads |= r;
	if (!(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
		return;
	out->writes |= r;
	if (wide && !(o->actions & ZYDIS_OPERAND_ACTION_CONDWRITE))
		out->kills |= r;
}

/* A hidden operand of a string instruction is one; that of a push is the stack. */
static bool is_stack_slot(const ZydisDecodedOperand *o)
{
	return o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && o->mem.base == ZYDIS_REGISTER_RSP;
}

static bool is_address_register(ZydisRegister r)
{
	return r == ZYDIS_REGISTER_NONE || r == ZYDIS_REGISTER_RIP || ZydisRegisterGetClass(r) == ZYDIS_REGCLASS_GPR64;
}

static uint8_t address_register(ZydisRegister r)
{
	return r == ZYDIS_REGISTER_NONE || r == ZYDIS_REGISTER_RIP ? REG_NONE : (uint8_t)ZydisRegisterGetId(r);
}

static bool is_expressible(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
	bool flat = o->mem.segment != ZYDIS_REGISTER_FS && o->mem.segment != ZYDIS_REGISTER_GS;
	bool masked = z->avx.mask.mode > ZYDIS_MASK_MODE_DISABLED || o->actions & ZYDIS_OPERAND_ACTION_CONDWRITE;
	return flat && !masked && o->mem.type == ZYDIS_MEMOP_TYPE_MEM && is_address_register(o->mem.base) && is_address_register(o->mem.index) &&
	       o->size && o->size <= 8 * 64 && o->mem.disp.value == (int32_t)o->mem.disp.value;
}

static void write_effects(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o, struct effects *out)
{
	bool repeats = z->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
	if (is_stack_slot(o)) {
		out->writes_stack = true;
		return;
	}
	if (out->write || !is_expressible(z, o)) {
		out->write = WRITE_OPAQUE;
		return;
	}
	out->write = repeats ? WRITE_STRING : WRITE_PLAIN;
	out->size = o->size / 8;
	out->base = address_register(o->mem.base);
	out->index = address_register(o->mem.index);
	out->scale = o->mem.index == ZYDIS_REGISTER_NONE ? 1 : o->mem.scale;
	out->displacement = o->mem.base == ZYDIS_REGISTER_RIP ? 0 : (int32_t)o->mem.disp.value;
}

static void memory_effects(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o, struct effects *out)
{
	out->reads |= bit(general(o->mem.base)) | bit(general(o->mem.index));
	out->uses_gs |= o->mem.segment == ZYDIS_REGISTER_GS && o->mem.type != ZYDIS_MEMOP_TYPE_AGEN;
	if (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
		write_effects(z, o, out);
}

/* A shift by nothing and a repetition of nothing leave the flags alone. */
static bool surely_sets_flags(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
	if (z->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
		return false;
	if (z->meta.category != ZYDIS_CATEGORY_SHIFT && z->meta.category != ZYDIS_CATEGORY_ROTATE)
		return true;
	for (unsigned i = 0; i < z->operand_count; i++)
		if (o[i].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
			return o[i].imm.value.u & 31;
	return z->mnemonic == ZYDIS_MNEMONIC_SHLX || z->mnemonic == ZYDIS_MNEMONIC_SHRX;
}

static void flag_effects(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o, struct effects *out)
{
	const ZydisAccessedFlags *f = z->cpu_flags;
	if (!f)
		return;
	out->flags_read = f->tested & FLAG_BITS;
	if (surely_sets_flags(z, o))
		out->flags_killed = (f->modified | f->set_0 | f->set_1 | f->undefined) & FLAG_BITS;
}

static bool sets_gs(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
	return z->mnemonic == ZYDIS_MNEMONIC_WRGSBASE || z->mnemonic == ZYDIS_MNEMONIC_LGS ||
	       (o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->reg.value == ZYDIS_REGISTER_GS && o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE);
}

int effects_decode(const uint8_t *bytes, size_t available, struct effects *out)
{
	ZydisDecodedInstruction z;
	ZydisDecodedOperand o[ZYDIS_MAX_OPERAND_COUNT];
	*out = (struct effects){.base = REG_NONE, .index = REG_NONE};
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder(), bytes, available, &z, o)))
		return -EILSEQ;
	bool zeroing = z.operand_count >= 2 && is_zeroing(&z, o);
	for (unsigned i = 0; i < z.operand_count; i++) {
		out->uses_gs |= sets_gs(&z, &o[i]);
		if (o[i].type == ZYDIS_OPERAND_TYPE_REGISTER)
			register_effects(&o[i], zeroing, out);
		else if (o[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			memory_effects(&z, &o[i], out);
	}
	out->kills &= ~out->reads;
	flag_effects(&z, o, out);
	return 0;
}
