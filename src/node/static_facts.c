#include "node/static_facts.h"

#include <stdlib.h>
#include <string.h>

#include "node/procedures.h"
#include "x86/operands.h"

/* f6 and f7 with /6, /7: div, idiv. Prefixes before. */
static bool is_division(const uint8_t *bytes, unsigned length)
{
	unsigned i = 0;
	while (i + 1 < length && (bytes[i] == 0x66 || (bytes[i] & 0xf0) == 0x40))
		i++;
	return i + 1 < length && (bytes[i] == 0xf6 || bytes[i] == 0xf7) && (bytes[i + 1] & 0x30) == 0x30;
}

static enum repair_site site_by_flow(const struct insn *i)
{
	switch (i->flow) {
	case FLOW_CALL:
		return SITE_CALL;
	case FLOW_CALL_INDIRECT:
		return SITE_CALL_INDIRECT;
	case FLOW_JUMP_INDIRECT:
		return SITE_JUMP_INDIRECT;
	case FLOW_RETURN:
		return SITE_RETURN;
	case FLOW_STOP:
		return SITE_STOP;
	default:
		return SITE_OTHER;
	}
}

enum repair_site static_site(const struct module *m, uint64_t offset)
{
	size_t available;
	struct insn i;
	struct operands o;
	const uint8_t *bytes = module_bytes(m, offset, &available);
	if (!bytes || insn_decode(bytes, available, offset, &i))
		return SITE_OTHER;
	enum repair_site site = site_by_flow(&i);
	if (site != SITE_OTHER)
		return site;
	if (is_division(bytes, i.length))
		return SITE_DIVISION;
	if (operands_decode(bytes, available, offset, &o))
		return SITE_OTHER;
	return o.stores ? SITE_STORE : o.loads ? SITE_LOAD : SITE_OTHER;
}

bool static_call_returns(struct module *m, uint64_t offset)
{
	const struct procedure *p = procedures_get(m, offset);
	const struct insn *call = p ? procedure_insn(p, offset) : NULL;
	return !call || !insn_is_call(call) || procedure_insn(p, insn_end(call));
}

static bool is_branch_target(const struct procedure *p, uint64_t offset)
{
	for (size_t k = 0; k < p->insn_count; k++)
		if ((p->insns[k].flow == FLOW_BRANCH || p->insns[k].flow == FLOW_JUMP) && p->insns[k].target == offset)
			return true;
	for (size_t k = 0; k < p->landing_count; k++)
		if (p->insns[p->blocks[p->landings[k]].first].address == offset)
			return true;
	return false;
}

bool static_call_alone_leads_on(struct module *m, uint64_t offset)
{
	const struct procedure *p = procedures_get(m, offset);
	const struct insn *call = p ? procedure_insn(p, offset) : NULL;
	return call && insn_is_call(call) && procedure_insn(p, insn_end(call)) && !is_branch_target(p, insn_end(call));
}

bool static_procedure_returns(struct module *m, uint64_t offset)
{
	const struct procedure *p = procedures_get(m, offset);
	for (size_t k = 0; p && k < p->insn_count; k++)
		if (p->insns[k].flow == FLOW_RETURN)
			return true;
	return false;
}

/* An operand %fs:0x28, where every C library keeps the canary. */
static bool reads_canary(const struct procedure *p, const struct insn *i)
{
	static const uint8_t address[] = {0x25, 0x28, 0, 0, 0};
	const uint8_t *bytes = procedure_bytes(p, i);
	return bytes && i->length >= 8 && bytes[0] == 0x64 && !memcmp(bytes + i->length - sizeof address, address, sizeof address);
}

bool static_is_stack_check(struct module *m, uint64_t offset)
{
	enum { BEFORE = 3 }; /* mov %fs:0x28, reg; cmp reg, memory; jne: the longest form */
	const struct procedure *p = procedures_get(m, offset);
	for (size_t k = 0; p && k < p->insn_count; k++) {
		if (p->insns[k].flow != FLOW_BRANCH || p->insns[k].target != offset)
			continue;
		for (size_t n = 1; n <= BEFORE && n <= k; n++)
			if (reads_canary(p, &p->insns[k - n]))
				return true;
	}
	return false;
}

/* mov $imm, eax/rax; xor eax, eax; or $-1, eax/rax. */
static bool constant_in_rax(const uint8_t *b, unsigned length, int64_t *value)
{
	int32_t word;
	if (b[0] == 0xb8 && length == 5) {
		memcpy(&word, b + 1, 4);
		*value = word;
	} else if (b[0] == 0x48 && b[1] == 0xc7 && b[2] == 0xc0 && length == 7) {
		memcpy(&word, b + 3, 4);
		*value = word;
	} else if ((b[0] == 0x31 || b[0] == 0x33) && b[1] == 0xc0) {
		*value = 0;
	} else if ((b[0] == 0x83 && b[1] == 0xc8 && b[2] == 0xff) || (b[0] == 0x48 && b[1] == 0x83 && b[2] == 0xc8 && b[3] == 0xff)) {
		*value = -1;
	} else {
		return false;
	}
	return true;
}

/* From behind the instruction to a return, with rax untouched on the way; branches end the search. */
static bool reaches_return(const struct procedure *p, const struct insn *i)
{
	enum { STEPS = 40 };
	struct operands o;
	size_t available;
	for (int n = 0; n < STEPS; n++) {
		i = procedure_insn(p, i->flow == FLOW_JUMP ? i->target : insn_end(i));
		if (!i || insn_is_call(i) || i->flow == FLOW_BRANCH || i->flow == FLOW_SYSCALL)
			return false;
		if (i->flow == FLOW_RETURN)
			return true;
		const uint8_t *bytes = module_bytes(p->module, i->address, &available);
		if (!bytes || operands_decode(bytes, available, i->address, &o) || o.registers_written & 1u << REG_RAX)
			return false;
	}
	return false;
}

struct candidate {
	int64_t value;
	unsigned sites;
};

static int more_sites(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	return x->sites != y->sites ? (x->sites < y->sites ? 1 : -1) : x->value < y->value ? -1 : x->value > y->value;
}

size_t static_return_values(const struct procedure *p, int64_t *out, size_t max)
{
	struct candidate found[16];
	size_t count = 0;
	for (size_t k = 0; k < p->insn_count; k++) {
		int64_t value;
		size_t at = 0;
		if (!constant_in_rax(procedure_bytes(p, &p->insns[k]), p->insns[k].length, &value) || !reaches_return(p, &p->insns[k]))
			continue;
		while (at < count && found[at].value != value)
			at++;
		if (at == sizeof found / sizeof found[0])
			continue;
		if (at == count)
			found[count++] = (struct candidate){value, 0};
		found[at].sites++;
	}
	qsort(found, count, sizeof found[0], more_sites);
	for (size_t k = 0; k < count && k < max; k++)
		out[k] = found[k].value;
	return count < max ? count : max;
}
