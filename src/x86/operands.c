#include "x86/operands.h"
#include "x86/decoder.h"
#include "x86/registers.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <string.h>

/* Categories whose memory operands are hints: nothing is read. */
static bool is_hint(const ZydisDecodedInstruction *z)
{
	static const ZydisInstructionCategory hints[] = {
		ZYDIS_CATEGORY_NOP, ZYDIS_CATEGORY_WIDENOP, ZYDIS_CATEGORY_PREFETCH, ZYDIS_CATEGORY_PREFETCHWT1,
		ZYDIS_CATEGORY_CLFLUSHOPT, ZYDIS_CATEGORY_CLWB, ZYDIS_CATEGORY_CLDEMOTE,
	};
	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
		if (z->meta.category == hints[i])
			return true;
	return false;
}

/* xor eax, eax and its like: the result does not depend on the register. */
static bool is_zeroing(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
	static const ZydisMnemonic idioms[] = {ZYDIS_MNEMONIC_XOR, ZYDIS_MNEMONIC_SUB, ZYDIS_MNEMONIC_SBB};
	if (z->operand_count < 2 || o[0].type != ZYDIS_OPERAND_TYPE_REGISTER || o[1].type != ZYDIS_OPERAND_TYPE_REGISTER
	    || o[0].reg.value != o[1].reg.value)
		return false;
	for (size_t i = 0; i < sizeof idioms / sizeof *idioms; i++)
		if (z->mnemonic == idioms[i])
			return true;
	return false;
}

static uint32_t bit(uint8_t reg)
{
	return reg < REG_COUNT ? REGISTER_BIT(reg) : 0;
}

static bool is_value_size(unsigned bits)
{
	return bits == 8 || bits == 16 || bits == 32 || bits == 64;
}

static bool register_operand(const ZydisDecodedOperand *z, struct operand *out)
{
	uint8_t reg = general(z->reg.value);
	if (reg == REG_NONE || !is_value_size(z->size))
		return false;
	*out = (struct operand){.kind = OPERAND_REGISTER, .size = z->size / 8, .reg = reg, .base = REG_NONE, .index = REG_NONE};
	out->high_byte = z->reg.value >= ZYDIS_REGISTER_AH && z->reg.value <= ZYDIS_REGISTER_BH;
	return true;
}

static bool is_address_register(ZydisRegister r)
{
	return r == ZYDIS_REGISTER_NONE || r == ZYDIS_REGISTER_RIP || ZydisRegisterGetClass(r) == ZYDIS_REGCLASS_GPR64;
}

static uint8_t address_register(ZydisRegister r)
{
	return r == ZYDIS_REGISTER_NONE || r == ZYDIS_REGISTER_RIP ? REG_NONE : (uint8_t)ZydisRegisterGetId(r);
}

static enum operand_segment segment_of(ZydisRegister r)
{
	return r == ZYDIS_REGISTER_FS ? SEGMENT_FS : r == ZYDIS_REGISTER_GS ? SEGMENT_GS : SEGMENT_NONE;
}

/* The address of a memory operand, kind and size still unset. */
static bool address_operand(const ZydisDecodedOperand *z, uint64_t next, struct operand *out)
{
	const ZydisDecodedOperandMem *m = &z->mem;
	if (!is_address_register(m->base) || !is_address_register(m->index))
		return false;
	*out = (struct operand){
		.reg = REG_NONE,
		.base = address_register(m->base),
		.index = address_register(m->index),
		.scale = m->index == ZYDIS_REGISTER_NONE ? 1 : m->scale,
		.segment = segment_of(m->segment),
		.displacement = m->disp.has_displacement ? m->disp.value : 0,
	};
	if (m->base == ZYDIS_REGISTER_RIP) {
		out->module_relative = 1;
		out->displacement += next;
	}
	return true;
}

static bool is_canary(const struct operand *o)
{
	return o->segment == SEGMENT_FS && o->base == REG_NONE && o->index == REG_NONE && o->displacement == 0x28;
}

static bool is_integer(const ZydisDecodedOperand *z)
{
	return z->element_type == ZYDIS_ELEMENT_TYPE_INT || z->element_type == ZYDIS_ELEMENT_TYPE_UINT;
}

static void add(struct operands *out, uint8_t slot, const struct operand *o)
{
	if (out->read_count < OPERANDS_MAX)
		out->read[out->read_count++] = (struct operand_read){slot, *o};
}

static void read_register(const ZydisDecodedOperand *z, uint8_t slot, struct operands *out)
{
	struct operand o;
	if (!register_operand(z, &o))
		return;
	out->registers_read |= bit(o.reg);
	bool is_stack_pointer_of_push = o.reg == REG_RSP && z->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
	if (slot < SLOT_ADDRESS && !is_stack_pointer_of_push)
		add(out, slot, &o);
}

/* A hidden memory operand is a stack slot or a string: not one value at an address the instruction names. */
static void read_memory(const ZydisDecodedOperand *z, uint8_t slot, uint64_t next, struct operands *out)
{
	struct operand o;
	bool computes_only = z->mem.type == ZYDIS_MEMOP_TYPE_AGEN;
	out->loads |= !computes_only;
	if (slot >= SLOT_ADDRESS || z->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN || !address_operand(z, next, &o))
		return;
	if (computes_only || !is_integer(z) || !is_value_size(z->size) || z->mem.type != ZYDIS_MEMOP_TYPE_MEM || is_canary(&o))
		return;
	o.kind = OPERAND_MEMORY;
	o.size = z->size / 8;
	add(out, slot, &o);
}

static void read_address(const ZydisDecodedOperand *z, uint8_t slot, uint64_t next, struct operands *out)
{
	struct operand o;
	bool is_access = z->mem.type == ZYDIS_MEMOP_TYPE_MEM || z->mem.type == ZYDIS_MEMOP_TYPE_AGEN;
	if (slot >= SLOT_ADDRESS || !is_access || z->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN || !address_operand(z, next, &o))
		return;
	if (o.index == REG_NONE || o.segment)
		return;
	o.kind = OPERAND_ADDRESS;
	o.size = 8;
	add(out, SLOT_ADDRESS + slot, &o);
}

static void write_memory(const ZydisDecodedOperand *z, uint64_t next, struct operands *out)
{
	bool is_second = out->stores;
	out->stores = true;
	out->store = (struct operand){.kind = OPERAND_NONE};
	if (is_second || z->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN || !is_value_size(z->size) || z->mem.type != ZYDIS_MEMOP_TYPE_MEM
	    || !address_operand(z, next, &out->store))
		return;
	out->store.kind = OPERAND_MEMORY;
	out->store.size = z->size / 8;
}

static void access_operand(const ZydisDecodedOperand *z, uint8_t slot, uint64_t next, bool ignores_value, struct operands *out)
{
	bool reads = z->actions & ZYDIS_OPERAND_ACTION_MASK_READ, writes = z->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	if (z->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		if (reads && !ignores_value)
			read_register(z, slot, out);
		if (writes)
			out->registers_written |= bit(general(z->reg.value));
		if (z->actions & ZYDIS_OPERAND_ACTION_CONDWRITE)
			out->registers_read |= bit(general(z->reg.value));
	} else if (z->type == ZYDIS_OPERAND_TYPE_MEMORY) {
		out->registers_read |= bit(general(z->mem.base)) | bit(general(z->mem.index));
		if (reads || z->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
			read_memory(z, slot, next, out);
		if (writes)
			write_memory(z, next, out);
	}
}

/* Calls and system calls change what the instruction's own operands don't show. */
static void add_callee(const ZydisDecodedInstruction *z, struct operands *out)
{
	out->is_call = z->meta.category == ZYDIS_CATEGORY_CALL;
	out->is_return = z->meta.category == ZYDIS_CATEGORY_RET;
	bool is_kernel = z->meta.category == ZYDIS_CATEGORY_SYSCALL || z->meta.category == ZYDIS_CATEGORY_INTERRUPT;
	if (out->is_call)
		out->registers_written = REGISTERS_ALL & ~REGISTERS_PRESERVED;
	if (is_kernel)
		out->registers_written |= REGISTER_BIT(REG_RAX) | REGISTER_BIT(REG_RCX) | REGISTER_BIT(REG_R11);
	if (out->is_call || is_kernel) {
		out->stores = true;
		out->store = (struct operand){.kind = OPERAND_NONE};
	}
}

static uint8_t find_target(const ZydisDecodedInstruction *z, const struct operands *o)
{
	bool transfers = z->meta.category == ZYDIS_CATEGORY_CALL || z->meta.category == ZYDIS_CATEGORY_UNCOND_BR;
	return transfers && operands_find(o, 0) ? 0 : SLOT_NONE;
}

int operands_decode(const uint8_t *bytes, size_t available, uint64_t address, struct operands *out)
{
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	memset(out, 0, sizeof *out);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder(), bytes, available, &z, operand)))
		return -EILSEQ;
	uint64_t next = address + z.length;
	bool hint = is_hint(&z), zeroing = is_zeroing(&z, operand);
	for (unsigned i = 0; i < z.operand_count && !hint; i++)
		access_operand(&operand[i], i, next, zeroing, out);
	for (unsigned i = 0; i < z.operand_count && !hint; i++)
		if (operand[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			read_address(&operand[i], i, next, out);
	out->saves_register = z.meta.category == ZYDIS_CATEGORY_PUSH && operand[0].type == ZYDIS_OPERAND_TYPE_REGISTER;
	add_callee(&z, out);
	out->target_slot = find_target(&z, out);
	return 0;
}

static bool same_address(const struct operand *a, const struct operand *b)
{
	return a->base == b->base && a->index == b->index && (a->index == REG_NONE || a->scale == b->scale) && a->segment == b->segment
		&& a->module_relative == b->module_relative;
}

bool operand_equal(const struct operand *a, const struct operand *b)
{
	if (a->kind != b->kind || a->size != b->size)
		return false;
	if (a->kind == OPERAND_REGISTER)
		return a->reg == b->reg && a->high_byte == b->high_byte;
	return same_address(a, b) && a->displacement == b->displacement;
}

uint32_t operand_registers(const struct operand *o)
{
	return o->kind == OPERAND_REGISTER ? bit(o->reg) : bit(o->base) | bit(o->index);
}

static bool disjoint(const struct operand *a, const struct operand *b)
{
	return b->kind == OPERAND_MEMORY && same_address(a, b)
		&& (a->displacement + a->size <= b->displacement || b->displacement + b->size <= a->displacement);
}

bool operand_changed_by(const struct operand *o, const struct operands *by)
{
	if (operand_registers(o) & by->registers_written)
		return true;
	return o->kind == OPERAND_MEMORY && by->stores && !disjoint(o, &by->store);
}

const struct operand_read *operands_find(const struct operands *o, uint8_t slot)
{
	for (unsigned i = 0; i < o->read_count; i++)
		if (o->read[i].slot == slot)
			return &o->read[i];
	return NULL;
}
