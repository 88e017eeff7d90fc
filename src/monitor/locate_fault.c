/* Crashes: what did the instruction try? */
#include "monitor/locate_private.h"
#include "monitor/stack_cache.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
	NULL_REACH = 1 << 16,    /* bytes from a null pointer that count as an access through it */
	STACK_REACH = 1 << 16,   /* bytes from rsp to an access that counts as one to the stack */
	RECURRENCE_MIN = 6,      /* times a point is among the innermost frames before that is recursion */
};

static bool is_access(const ZydisDecodedOperand *o)
{
	return o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.type != ZYDIS_MEMOP_TYPE_AGEN && o->actions;
}

/* Pushes and calls write below the stack pointer that their operand names. */
static uint64_t access_address(const struct stack_insn *i, const ZydisDecodedOperand *o, uint64_t address)
{
	bool pushes = o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && o->mem.base == ZYDIS_REGISTER_RSP &&
		      o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	return pushes ? address - o->size / 8 : address;
}

/* The operand that was accessed at the fault address, or at an impossible one when the processor doesn't tell. */
static const ZydisDecodedOperand *faulting_operand(const struct stack_insn *i, uint64_t bias, const struct raw_failure *raw, uint64_t *address)
{
	for (unsigned n = 0; n < i->insn.operand_count; n++) {
		const ZydisDecodedOperand *o = &i->operand[n];
		if (!is_access(o) || !stack_insn_address(i, o, bias, &raw->registers, address))
			continue;
		*address = access_address(i, o, *address);
		bool hit = raw->code == SI_KERNEL ? !is_canonical(*address) : raw->fault_address - *address < o->size / 8u;
		if (hit)
			return o;
	}
	return NULL;
}

static const char *origin(const ZydisDecodedOperand *o, const struct cfi_registers *r, uint64_t address, char *text, size_t size)
{
	uint8_t base = stack_insn_register(o->mem.base);
	bool through_null = base != REG_NONE && !r->general[base];
	text[0] = 0;
	if (!is_canonical(address))
		snprintf(text, size, " (no valid address)");
	else if (through_null && !address)
		snprintf(text, size, " (null pointer)");
	else if (through_null && address < NULL_REACH)
		snprintf(text, size, " (null pointer + %#llx)", (unsigned long long)address);
	else if (through_null && -address < NULL_REACH)
		snprintf(text, size, " (null pointer - %#llx)", (unsigned long long)-address);
	return text;
}

static void describe_access(const struct stack_insn *i, uint64_t bias, const struct raw_failure *raw, struct failure *out)
{
	uint64_t address;
	char where[64];
	const char *denied = raw->signal == SIGSEGV && raw->code == SEGV_ACCERR ? ", which its protection forbids" : "";
	const ZydisDecodedOperand *o = faulting_operand(i, bias, raw, &address);
	if (!o) {
		snprintf(out->facts, sizeof out->facts, "access to address %#llx%s", (unsigned long long)raw->fault_address, denied);
		return;
	}
	const char *base = o->mem.base == ZYDIS_REGISTER_NONE ? NULL : ZydisRegisterGetString(o->mem.base);
	snprintf(out->facts, sizeof out->facts, "%s of %u byte%s at address %#llx%s%s%s%s",
		 o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE ? "write" : "read", o->size / 8, o->size == 8 ? "" : "s",
		 (unsigned long long)address, origin(o, &raw->registers, address, where, sizeof where), base ? " through " : "", base ? base : "", denied);
}

static bool operand_value(const struct stack_view *v, const struct stack_insn *i, uint64_t bias, const struct cfi_registers *r, uint64_t *value)
{
	const ZydisDecodedOperand *o = &i->operand[0];
	uint64_t address;
	*value = 0;
	if (o->type == ZYDIS_OPERAND_TYPE_MEMORY)
		return stack_insn_address(i, o, bias, r, &address) && v->read(v->context, address, value, o->size / 8) == o->size / 8;
	if (o->type != ZYDIS_OPERAND_TYPE_REGISTER || stack_insn_register(o->reg.value) == REG_NONE)
		return false;
	bool is_high = o->reg.value >= ZYDIS_REGISTER_AH && o->reg.value <= ZYDIS_REGISTER_BH;
	*value = r->general[stack_insn_register(o->reg.value)] >> (is_high ? 8 : 0);
	if (o->size < 64)
		*value &= (1ull << o->size) - 1;
	return true;
}

static void describe_division(const struct stack_view *v, const struct stack_insn *i, uint64_t bias, const struct raw_failure *raw, struct failure *out)
{
	uint64_t divisor;
	const ZydisDecodedOperand *o = &i->operand[0];
	const char *by = o->type == ZYDIS_OPERAND_TYPE_REGISTER ? ZydisRegisterGetString(o->reg.value) : "a memory operand";
	bool divides = i->insn.mnemonic == ZYDIS_MNEMONIC_DIV || i->insn.mnemonic == ZYDIS_MNEMONIC_IDIV;
	if (!divides || !operand_value(v, i, bias, &raw->registers, &divisor))
		snprintf(out->facts, sizeof out->facts, "arithmetic exception in %s", ZydisMnemonicGetString(i->insn.mnemonic));
	else if (!divisor)
		snprintf(out->facts, sizeof out->facts, "division by zero (%s)", by);
	else
		snprintf(out->facts, sizeof out->facts, "division overflow: the quotient by %#llx (%s) does not fit", (unsigned long long)divisor, by);
}

static void describe_illegal(const struct stack_insn *i, struct failure *out)
{
	bool own = i->insn.mnemonic == ZYDIS_MNEMONIC_UD2 || i->insn.mnemonic == ZYDIS_MNEMONIC_UD1 || i->insn.mnemonic == ZYDIS_MNEMONIC_INT3;
	snprintf(out->facts, sizeof out->facts, "%s: %s", ZydisMnemonicGetString(i->insn.mnemonic),
		 own ? "the program's own trap, at a state its compiler or author holds impossible" : "illegal instruction");
}

void locate_fault(const struct stack_view *v, const struct raw_failure *raw, struct failure *out)
{
	struct stack_code code = stack_code_at(v, raw->registers.rip);
	struct stack_insn i;
	out->monitor = MONITOR_CRASH;
	if (!code.module || !stack_insn_decode(code.module, code.offset, &i))
		snprintf(out->facts, sizeof out->facts, "%s", strsignal(raw->signal));
	else if (raw->signal == SIGSEGV || raw->signal == SIGBUS)
		describe_access(&i, code.bias, raw, out);
	else if (raw->signal == SIGFPE)
		describe_division(v, &i, code.bias, raw, out);
	else
		describe_illegal(&i, out);
}

static unsigned recurrences(const struct failure *f, unsigned frame)
{
	unsigned count = 0;
	for (unsigned i = 0; i < f->depth; i++)
		count += !point_compare(&f->stack[i].at, &f->stack[frame].at);
	return count;
}

/* Which of the cycle's points the stack ends in is chance, and the ends of the window cut the cycle, so that counts differ by one: of the most
 * frequent points take the lowest. */
static unsigned recurring_frame(const struct failure *f, unsigned *most)
{
	unsigned best = 0;
	*most = 0;
	for (unsigned i = 0; i < f->depth; i++)
		if (recurrences(f, i) > *most)
			*most = recurrences(f, best = i);
	for (unsigned i = 0; i < f->depth; i++)
		if (recurrences(f, i) + 1 >= *most && point_compare(&f->stack[i].at, &f->stack[best].at) < 0)
			best = i;
	return best;
}

/* What a recursion without end was called to do is lost, all of it: its outermost activation is the one to leave, so that end of the stack is kept. */
static void keep_outer_end(const struct stack_view *v, const struct raw_failure *raw, struct failure *out)
{
	static struct stack_cache cache;
	struct frame outer[STACK_DEPTH_MAX];
	struct stack_view through = stack_cache_view(&cache, v);
	const struct point recurring = out->stack[out->location_frame].at;
	unsigned depth = stack_walk_far(&through, &raw->registers, outer, STACK_DEPTH_MAX);
	for (unsigned i = depth; i-- > 0;) {
		if (point_compare(&outer[i].at, &recurring))
			continue;
		memcpy(out->stack, outer, depth * sizeof *outer);
		out->depth = depth;
		out->location_frame = i;
		return;
	}
}

bool locate_recursion(const struct stack_view *v, const struct raw_failure *raw, struct failure *out)
{
	uint64_t rsp = raw->registers.general[REG_RSP], word;
	unsigned count;
	if (raw->signal != SIGSEGV || raw->fault_address + STACK_REACH < rsp || raw->fault_address > rsp + STACK_REACH ||
	    v->read(v->context, raw->fault_address & ~7ull, &word, 8))
		return false;
	unsigned frame = recurring_frame(out, &count);
	if (count < RECURRENCE_MIN)
		return false;
	out->monitor = MONITOR_HANG;
	out->location_frame = frame;
	snprintf(out->facts, sizeof out->facts, "the stack is exhausted by recursion: the call occurs %u times in the innermost %u frames", count,
		 out->depth);
	keep_outer_end(v, raw, out);
	return true;
}
