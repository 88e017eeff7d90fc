/* What an instruction reads and writes, for slicing. Whatever isn't known exactly counts as read and as not overwritten: proofs fail rather than lie. */
#include "monitor/loop_private.h"

#include <string.h>

enum { STATUS_FLAGS = ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_AF | ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_OF };

static const ZydisMnemonic not_its_own[] = {
	ZYDIS_MNEMONIC_SYSCALL, ZYDIS_MNEMONIC_INT, ZYDIS_MNEMONIC_INT3, ZYDIS_MNEMONIC_RDTSC, ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_RDRAND,
	ZYDIS_MNEMONIC_RDSEED, ZYDIS_MNEMONIC_CPUID, ZYDIS_MNEMONIC_XGETBV, ZYDIS_MNEMONIC_XBEGIN, ZYDIS_MNEMONIC_XTEST, ZYDIS_MNEMONIC_RDPMC,
	ZYDIS_MNEMONIC_RDPID, ZYDIS_MNEMONIC_UD2, ZYDIS_MNEMONIC_HLT, ZYDIS_MNEMONIC_XSAVE, ZYDIS_MNEMONIC_XSAVEC, ZYDIS_MNEMONIC_FXSAVE,
	ZYDIS_MNEMONIC_XRSTOR, ZYDIS_MNEMONIC_FXRSTOR,
};

static const ZydisDecoder *decoder(void)
{
	static ZydisDecoder it;
	static bool ready;
	if (!ready)
		ZydisDecoderInit(&it, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ready = true;
	return &it;
}

static bool is_its_own(ZydisMnemonic m)
{
	for (size_t i = 0; i < sizeof not_its_own / sizeof *not_its_own; i++)
		if (not_its_own[i] == m)
			return false;
	return true;
}

static uint64_t place_of(ZydisRegister r)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);
	switch (ZydisRegisterGetClass(whole)) {
	case ZYDIS_REGCLASS_GPR64:
		return PLACE(ZydisRegisterGetId(whole));
	case ZYDIS_REGCLASS_ZMM:
		return PLACE(PLACE_VECTOR + ZydisRegisterGetId(whole));
	case ZYDIS_REGCLASS_IP:
	case ZYDIS_REGCLASS_FLAGS: /* by cpu_flags */
	case ZYDIS_REGCLASS_SEGMENT:
	case ZYDIS_REGCLASS_INVALID:
		return 0;
	default:
		return PLACE(PLACE_OTHER);
	}
}

/* Smaller writes leave the rest of the register. */
static bool is_whole(const ZydisDecodedOperand *o)
{
	bool is_general = place_of(o->reg.value) < PLACE(PLACE_FLAGS);
	return o->size >= (is_general ? 32 : 128) && place_of(o->reg.value) != PLACE(PLACE_OTHER);
}

static void of_register(const ZydisDecodedOperand *o, bool clears, struct loop_step *s)
{
	uint64_t place = place_of(o->reg.value);
	if (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ && !clears)
		s->reads |= place;
	if (!(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
		return;
	s->writes |= place;
	if (o->actions & ZYDIS_OPERAND_ACTION_CONDWRITE || !is_whole(o))
		s->reads |= place;
	else
		s->kills |= place;
}

static bool add_access(const ZydisDecodedOperand *o, uint64_t address, struct loop_step *s)
{
	unsigned n = 0;
	while (n < ACCESSES_MAX && s->access[n].size)
		n++;
	if (n == ACCESSES_MAX || !o->size || o->size / 8 > ACCESS_BYTES)
		return false;
	s->access[n].address = address;
	s->access[n].size = o->size / 8;
	s->access[n].is_load = o->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
	s->access[n].is_store = o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	s->access[n].may_not = o->actions & (ZYDIS_OPERAND_ACTION_CONDWRITE | ZYDIS_OPERAND_ACTION_CONDREAD);
	return true;
}

static uint64_t value_of(const struct cfi_registers *r, ZydisRegister reg)
{
	uint64_t place = place_of(reg);
	return place && place < PLACE(PLACE_FLAGS) ? r->general[__builtin_ctzll(place)] : 0;
}

static bool of_memory(const ZydisDecodedInstruction *i, const ZydisDecodedOperand *o, const struct cfi_registers *r, const uint64_t segments[2],
		      struct loop_step *s)
{
	uint64_t address = o->mem.disp.has_displacement ? o->mem.disp.value : 0;
	uint64_t registers = place_of(o->mem.base) | place_of(o->mem.index);
	if (registers >= PLACE(PLACE_FLAGS))
		return false; /* gathers */
	address += o->mem.base == ZYDIS_REGISTER_RIP ? r->rip + i->length : value_of(r, o->mem.base);
	address += value_of(r, o->mem.index) * o->mem.scale;
	if (o->mem.type == ZYDIS_MEMOP_TYPE_AGEN) {
		s->reads |= registers;
		return true;
	}
	if (i->address_width != 64 || o->mem.type != ZYDIS_MEMOP_TYPE_MEM)
		return false;
	if (o->mem.segment == ZYDIS_REGISTER_FS || o->mem.segment == ZYDIS_REGISTER_GS)
		address += segments[o->mem.segment == ZYDIS_REGISTER_GS];
	/* push and call write below the stack pointer that their operand names. */
	if (o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && o->mem.base == ZYDIS_REGISTER_RSP && o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
		address -= o->size / 8;
	s->addresses |= registers;
	return add_access(o, address, s);
}

static void of_flags(const ZydisDecodedInstruction *i, struct loop_step *s)
{
	if (!i->cpu_flags)
		return;
	uint32_t written = i->cpu_flags->modified | i->cpu_flags->set_0 | i->cpu_flags->set_1 | i->cpu_flags->undefined;
	if (i->cpu_flags->tested & (STATUS_FLAGS | ZYDIS_CPUFLAG_DF))
		s->reads |= PLACE(PLACE_FLAGS);
	if (!(written & STATUS_FLAGS))
		return;
	s->writes |= PLACE(PLACE_FLAGS);
	if ((written & STATUS_FLAGS) == STATUS_FLAGS)
		s->kills |= PLACE(PLACE_FLAGS);
	else
		s->reads |= PLACE(PLACE_FLAGS);
}

/* xor %eax, %eax and the like read nothing. */
static bool is_clearing(const ZydisDecodedInstruction *i, const ZydisDecodedOperand *o)
{
	static const ZydisMnemonic clearing[] = {ZYDIS_MNEMONIC_XOR, ZYDIS_MNEMONIC_SUB, ZYDIS_MNEMONIC_PXOR, ZYDIS_MNEMONIC_XORPS, ZYDIS_MNEMONIC_XORPD};
	bool same = i->operand_count_visible == 2 && o[0].type == ZYDIS_OPERAND_TYPE_REGISTER && o[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    o[0].reg.value == o[1].reg.value && o[0].size >= 32;
	for (size_t n = 0; same && n < sizeof clearing / sizeof *clearing; n++)
		if (clearing[n] == i->mnemonic)
			return true;
	return false;
}

static bool decides(const ZydisDecodedInstruction *i, const ZydisDecodedOperand *o)
{
	bool is_branch = i->meta.category == ZYDIS_CATEGORY_COND_BR || i->meta.category == ZYDIS_CATEGORY_RET;
	bool may_be_indirect = i->meta.category == ZYDIS_CATEGORY_UNCOND_BR || i->meta.category == ZYDIS_CATEGORY_CALL;
	bool repeats = i->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
	return is_branch || repeats || (may_be_indirect && o[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE);
}

bool loop_effects(const struct cfi_registers *r, const uint64_t segments[2], const uint8_t *bytes, size_t available, struct loop_step *s)
{
	ZydisDecodedInstruction i;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	memset(s, 0, sizeof *s);
	s->r = *r;
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder(), bytes, available, &i, operand)) || !is_its_own(i.mnemonic))
		return false;
	if (i.mnemonic == ZYDIS_MNEMONIC_NOP || i.mnemonic == ZYDIS_MNEMONIC_PREFETCHT0 || i.meta.category == ZYDIS_CATEGORY_WIDENOP)
		return true;
	bool clears = is_clearing(&i, operand);
	for (unsigned n = 0; n < i.operand_count; n++) {
		if (operand[n].type == ZYDIS_OPERAND_TYPE_REGISTER)
			of_register(&operand[n], clears, s);
		else if (operand[n].type == ZYDIS_OPERAND_TYPE_MEMORY && !of_memory(&i, &operand[n], r, segments, s))
			return false;
	}
	of_flags(&i, s);
	s->decides = decides(&i, operand);
	return true;
}
