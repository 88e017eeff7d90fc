/* The kernel's interpreter of system call filters: classic BPF on struct seccomp_data. */
#include <string.h>

#include "inject/filters.h"

struct machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
	const struct seccomp_data *call;
};

static bool load(struct machine *m, const struct sock_filter *i, uint32_t *to)
{
	switch (BPF_MODE(i->code)) {
	case BPF_IMM:
		*to = i->k;
		return true;
	case BPF_MEM:
		*to = m->memory[i->k % BPF_MEMWORDS];
		return i->k < BPF_MEMWORDS;
	case BPF_LEN:
		*to = sizeof *m->call;
		return true;
	case BPF_ABS:
		if (i->k > sizeof *m->call - sizeof *to || i->k % sizeof *to)
			return false;
		memcpy(to, (const char *)m->call + i->k, sizeof *to);
		return true;
	}
	return false;
}

static bool compute(struct machine *m, const struct sock_filter *i)
{
	uint32_t by = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
	switch (BPF_OP(i->code)) {
	case BPF_ADD: m->a += by; return true;
	case BPF_SUB: m->a -= by; return true;
	case BPF_MUL: m->a *= by; return true;
	case BPF_DIV: m->a = by ? m->a / by : 0; return by;
	case BPF_MOD: m->a = by ? m->a % by : 0; return by;
	case BPF_OR: m->a |= by; return true;
	case BPF_AND: m->a &= by; return true;
	case BPF_XOR: m->a ^= by; return true;
	case BPF_LSH: m->a <<= by & 31; return true;
	case BPF_RSH: m->a >>= by & 31; return true;
	case BPF_NEG: m->a = -m->a; return true;
	}
	return false;
}

/* How many instructions to skip. */
static unsigned skip(const struct machine *m, const struct sock_filter *i)
{
	uint32_t with = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
	bool is_so = false;
	switch (BPF_OP(i->code)) {
	case BPF_JA: return i->k;
	case BPF_JEQ: is_so = m->a == with; break;
	case BPF_JGT: is_so = m->a > with; break;
	case BPF_JGE: is_so = m->a >= with; break;
	case BPF_JSET: is_so = m->a & with; break;
	}
	return is_so ? i->jt : i->jf;
}

uint32_t filter_answer(const struct sock_filter *program, unsigned count, const struct seccomp_data *call)
{
	struct machine m = {.call = call};
	bool valid = true;
	for (uint64_t at = 0; at < count && valid; at++) {
		const struct sock_filter *i = &program[at];
		switch (BPF_CLASS(i->code)) {
		case BPF_LD: valid = load(&m, i, &m.a); break;
		case BPF_LDX: valid = load(&m, i, &m.x); break;
		case BPF_ST: m.memory[i->k % BPF_MEMWORDS] = m.a; break;
		case BPF_STX: m.memory[i->k % BPF_MEMWORDS] = m.x; break;
		case BPF_ALU: valid = compute(&m, i); break;
		case BPF_JMP: at += skip(&m, i); break;
		case BPF_RET: return BPF_RVAL(i->code) == BPF_A ? m.a : i->k;
		case BPF_MISC: *(BPF_MISCOP(i->code) == BPF_TAX ? &m.x : &m.a) = BPF_MISCOP(i->code) == BPF_TAX ? m.a : m.x; break;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}
