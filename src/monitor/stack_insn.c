#include "monitor/stack_insn.h"
#include "x86/decoder.h"
#include "monitor/stack.h"

bool stack_insn_decode(const struct module *m, uint64_t offset, struct stack_insn *out)
{
	size_t available;
	const uint8_t *bytes = module_text(m, offset) ? module_bytes(m, offset, &available) : NULL;
	out->offset = offset;
	return bytes && ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder(), bytes, available, &out->insn, out->operand));
}

uint8_t stack_insn_register(ZydisRegister r)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);
	if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
		return REG_NONE;
	return ZydisRegisterGetId(whole);
}

bool stack_insn_address(const struct stack_insn *i, const ZydisDecodedOperand *o, uint64_t bias, const struct cfi_registers *r, uint64_t *out)
{
	if (o->mem.segment == ZYDIS_REGISTER_FS || o->mem.segment == ZYDIS_REGISTER_GS)
		return false;
	uint64_t address = o->mem.disp.has_displacement ? o->mem.disp.value : 0;
	uint8_t base = stack_insn_register(o->mem.base), index = stack_insn_register(o->mem.index);
	if (o->mem.base == ZYDIS_REGISTER_RIP)
		address += bias + i->offset + i->insn.length;
	else if (base != REG_NONE)
		address += r->general[base];
	if (index != REG_NONE)
		address += r->general[index] * o->mem.scale;
	else if (o->mem.index != ZYDIS_REGISTER_NONE)
		return false;
	*out = i->insn.address_width == 32 ? (uint32_t)address : address;
	return true;
}

bool stack_insn_target(const struct stack_view *v, const struct stack_insn *i, uint64_t bias, const struct cfi_registers *r, uint64_t *out)
{
	const ZydisDecodedOperand *o = &i->operand[0];
	uint64_t address;
	switch (o->type) {
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		*out = bias + i->offset + i->insn.length + o->imm.value.s;
		return o->imm.is_relative;
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (stack_insn_register(o->reg.value) == REG_NONE)
			return false;
		*out = r->general[stack_insn_register(o->reg.value)];
		return true;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return stack_insn_address(i, o, bias, r, &address) && v->read(v->context, address, out, 8) == 8;
	default:
		return false;
	}
}
