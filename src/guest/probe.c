/* The interpreter of woven probes: what to read, what to compare and what to do are data in the table that only the supervisor can write. */
#include "guest/calls.h"
#include "guest/heap_check.h"
#include "guest/signals.h"

static int64_t extend(uint64_t value, unsigned size)
{
	return size == 8 ? (int64_t)value : size == 4 ? (int32_t)value : size == 2 ? (int16_t)value : (int8_t)value;
}

static uint64_t segment_base(unsigned segment)
{
	uint64_t base = 0;
	if (segment == SEGMENT_FS)
		SYS2(__NR_arch_prctl, 0x1003 /* ARCH_GET_FS */, &base);
	else if (segment == SEGMENT_GS)
		SYS2(__NR_arch_prctl, 0x1004 /* ARCH_GET_GS */, &base);
	return base;
}

static uint64_t address_of(const struct operand *o, const struct probe_frame *f)
{
	uint64_t a = o->displacement;
	if (o->base < REG_COUNT)
		a += f->r[o->base];
	if (o->index < REG_COUNT)
		a += f->r[o->index] * o->scale;
	return a;
}

static bool read_operand(const struct operand *o, const struct probe_frame *f, int64_t *value)
{
	uint64_t raw = 0;
	bool ok = true;
	if (o->kind == OPERAND_REGISTER && o->reg < REG_COUNT)
		raw = f->r[o->reg] >> (o->high_byte ? 8 : 0);
	else if (o->kind == OPERAND_ADDRESS)
		raw = address_of(o, f);
	else
		ok = read_word(address_of(o, f) + segment_base(o->segment), o->size, &raw);
	*value = extend(raw, o->kind == OPERAND_ADDRESS ? 8 : o->size);
	return ok;
}

/* Registers keep the upgrade rule of the hardware: 32-bit writes clear the upper half, smaller ones leave the rest. An address is set through its base
 * register; without one there is nothing to set. */
static void write_operand(const struct operand *o, struct probe_frame *f, int64_t value)
{
	uint64_t mask = o->size == 8 ? ~0ull : (1ull << (8 * o->size)) - 1;
	if (o->kind == OPERAND_REGISTER && o->reg < REG_COUNT && o->reg != REG_RSP) {
		uint64_t *r = &f->r[o->reg];
		if (o->size >= 4)
			*r = value & mask;
		else if (o->high_byte)
			*r = (*r & ~0xff00ull) | (value & 0xff) << 8;
		else
			*r = (*r & ~mask) | (value & mask);
	} else if (o->kind == OPERAND_ADDRESS && o->base < REG_COUNT && o->base != REG_RSP) {
		f->r[o->base] += value - address_of(o, f);
	} else if (o->kind == OPERAND_MEMORY) {
		write_word(address_of(o, f) + segment_base(o->segment), o->size, value);
	}
}

static uint64_t activation(const struct guest_probe *p, const struct probe_frame *f)
{
	return p->cfa_register < REG_COUNT ? f->r[p->cfa_register] + p->cfa_offset : 0;
}

static bool ring_room(uint64_t number)
{
	for (int i = 0; number - __atomic_load_n(&guest_shared.ring_tail, __ATOMIC_ACQUIRE) >= GUEST_RING; i++) {
		if (!guest_shared.ring_wait || i > 20000)
			return false;
		if (i % 1000 == 999 && !supervisor_lives())
			guest_shared.ring_wait = 0; /* nobody reads */
		__atomic_add_fetch(&guest_bell.rings, 1, __ATOMIC_SEQ_CST);
		if (guest_bell.sleeping)
			SYS3(__NR_futex, &guest_bell.rings, 1, 1);
		SYS0(__NR_sched_yield);
	}
	return true;
}

/* From now on it would only cost: the supervisor is woken to take it out. Where processors are scarce it comes sooner when it is waited for; for a moment, as
 * it may have gone. */
static void tell_exhausted(uint64_t beyond)
{
	enum { EVERY = 1024, TIMES = 64, MOMENT_NS = 1000000, FUTEX_WAIT_ = 0 };
	uint64_t timeout[2] = {0, MOMENT_NS};
	if (beyond % EVERY || beyond >= EVERY * TIMES || may_call_nothing())
		return;
	uint32_t relieved = __atomic_load_n(&guest_shared.relieved, __ATOMIC_ACQUIRE);
	if (!beyond)
		__atomic_add_fetch(&guest_shared.exhausted, 1, __ATOMIC_RELEASE);
	ring_bell();
	SYS4(__NR_futex, &guest_shared.relieved, FUTEX_WAIT_, relieved, timeout);
}

/* All executions up to the limit. Beyond it none, or whole activations, one in many, chosen at the entry. */
static bool is_sampled(const struct guest_probe *p, struct guest_tally *tally, const struct probe_frame *f)
{
	uint64_t runs = __atomic_fetch_add(&tally->runs, 1, __ATOMIC_RELAXED);
	if (!p->limit || runs < p->limit)
		return true;
	if (!p->thins) {
		tell_exhausted(runs - p->limit);
		return false;
	}
	if (p->earlier)
		return guest_shared.tally[p->earlier % PROBE_COUNT_MAX].last_cfa == activation(p, f);
	if (runs % PROBE_THIN) {
		tally->last_cfa = 0;
		return false;
	}
	tally->last_cfa = activation(p, f);
	return tally->last_cfa != 0;
}

static void observe(const struct guest_probe *p, struct guest_tally *tally, const struct probe_frame *f)
{
	if (!is_sampled(p, tally, f))
		return;
	uint64_t number = __atomic_load_n(&guest_shared.ring_head, __ATOMIC_RELAXED);
	do {
		if (!ring_room(number)) {
			__atomic_add_fetch(&guest_shared.records_dropped, 1, __ATOMIC_RELAXED);
			return;
		}
	} while (!__atomic_compare_exchange_n(&guest_shared.ring_head, &number, number + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	struct guest_record *record = &guest_shared.ring[number % GUEST_RING];
	record->probe = f->id;
	record->cfa = activation(p, f);
	record->sp = f->r[REG_RSP];
	record->unreadable = 0;
	record->pid = guest_process.pid ? guest_process.pid : (uint32_t)SYS0(__NR_getpid);
	for (unsigned i = 0; i < p->operand_count && i < PROBE_OPERANDS; i++)
		if (!read_operand(&p->operand[i], f, &record->value[i]))
			record->unreadable |= 1u << i;
	__atomic_store_n(&record->sequence, (uint32_t)(number / GUEST_RING + 1), __ATOMIC_RELEASE);
	if ((number & 1023) == 1023 && guest_bell.sleeping) {
		__atomic_add_fetch(&guest_bell.rings, 1, __ATOMIC_SEQ_CST);
		SYS3(__NR_futex, &guest_bell.rings, 1, 1);
	}
}

static bool is_one_of(const struct guest_probe *p, int64_t value)
{
	for (unsigned i = 0; i < p->value_count && i < 8; i++)
		if (p->value[i] == value)
			return true;
	return false;
}

/* The other variable of a less-than: an operand of this instruction, or what an earlier probe captured in this activation. */
static bool read_other(const struct guest_probe *p, const struct probe_frame *f, int64_t *value)
{
	if (!p->earlier)
		return read_operand(&p->operand[1], f, value);
	const struct guest_tally *captured = &guest_shared.tally[p->earlier % PROBE_COUNT_MAX];
	*value = captured->last_value;
	return captured->last_cfa == activation(p, f) && captured->runs;
}

/* 0: holds (or can't be told), 1: violated. */
static int violated(const struct guest_probe *p, const struct probe_frame *f)
{
	int64_t a, b;
	if (p->guard == PROBE_GUARD_TRUE)
		return 1;
	if (!read_operand(&p->operand[0], f, &a))
		return 0;
	switch (p->guard) {
	case PROBE_GUARD_NOT_ONE_OF:
		return !is_one_of(p, a);
	case PROBE_GUARD_BELOW:
		return a < p->bound;
	case PROBE_GUARD_NOT_LESS:
		return read_other(p, f, &b) && (p->value_count ? b > a : a > b); /* value_count: a is the larger one */
	case PROBE_GUARD_SP:
		return (int64_t)(activation(p, f) - 8 - p->bound) != a;
	default:
		return 0;
	}
}

static void check(const struct guest_probe *p, struct guest_tally *tally, const struct probe_frame *f)
{
	int bad = violated(p, f);
	__atomic_add_fetch(bad ? &tally->violated : &tally->satisfied, 1, __ATOMIC_RELAXED);
	tally->last[SYS0(__NR_gettid) % PROBE_THREADS] = 1 + bad;
}

static void capture(const struct guest_probe *p, struct guest_tally *tally, const struct probe_frame *f)
{
	int64_t value;
	if (!read_operand(&p->operand[0], f, &value))
		return;
	tally->last_cfa = activation(p, f);
	tally->last_value = value;
	tally->runs++;
}

static void repair(const struct guest_probe *p, struct guest_tally *tally, struct probe_frame *f)
{
	int64_t value = p->set_value;
	if (!violated(p, f))
		return;
	tally->last_tid = SYS0(__NR_gettid);
	tally->last_cfa = activation(p, f);
	if (p->action == PROBE_ACT_SET_B && !read_other(p, f, &value))
		return;
	if (p->action == PROBE_ACT_SET || p->action == PROBE_ACT_SET_B)
		write_operand(&p->operand[0], f, value);
	if (p->action == PROBE_ACT_RESTORE && !saved_restore(activation(p, f), p->bound, f))
		return;
	if (p->action == PROBE_ACT_RESUME || p->action == PROBE_ACT_RESTORE) {
		f->resume = p->resume;
		if (p->has_value)
			f->r[REG_RAX] = value;
	}
	__atomic_add_fetch(&tally->activations, 1, __ATOMIC_RELEASE);
}

static bool program_system_call(const struct guest_probe *p, struct probe_frame *f)
{
	bool done = false, sets_mask = false;
	int number = f->r[REG_RAX];
	if (may_call_nothing())
		return false;
	switch (number) {
	case __NR_rt_sigaction:
		done = program_sigaction(f);
		break;
	case __NR_rt_sigprocmask:
		done = program_sigprocmask(f, &sets_mask);
		break;
	case __NR_rt_sigpending:
		done = program_sigpending(f);
		break;
	case __NR_sigaltstack:
		done = program_sigaltstack(f);
		break;
	case __NR_set_robust_list:
		altstack_give();
		break;
	case __NR_rt_sigtimedwait:
		done = program_sigtimedwait(f);
		break;
	case __NR_signalfd:
	case __NR_signalfd4:
		program_signalfd(f);
		break;
	case __NR_read:
	case __NR_readv:
	case __NR_poll:
	case __NR_select:
	case __NR_epoll_wait:
	case __NR_rt_sigsuspend:
	case __NR_ppoll:
	case __NR_pselect6:
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
		if (p->bound >= 0) /* else nobody would see its end */
			program_wait(f, number);
		break;
	case __NR_rt_sigreturn:
		program_sigreturn(f);
		break;
	case __NR_clone:
	case __NR_clone3:
	case __NR_fork:
	case __NR_vfork:
		program_fork(f);
		break;
	case __NR_prctl:
	case __NR_seccomp:
		done = program_seccomp(f, number);
		break;
	case __NR_munmap:
		program_munmap(f);
		break;
	case __NR_mprotect:
	case __NR_pkey_mprotect:
		program_mprotect(f);
		done = firewall_refuses(f, number);
		break;
	case __NR_mmap:
	case __NR_personality:
		done = firewall_refuses(f, number);
		break;
	case __NR_ptrace:
		done = program_ptrace(f);
		break;
	case __NR_execve:
	case __NR_execveat:
		program_exec(f, p->bound >= 0);
		break;
	}
	if (done) {
		f->resume = p->resume;
		f->r[REG_RCX] = 0; /* system calls clobber it, and r11 */
	}
	return sets_mask;
}

/* Back to the text, if that doesn't lead here any more. In this order: the number may be taken for something else at any moment. Not without end: an instruction
 * of the text that faults for reasons of its own has its landing here. */
static void leave_copy(const struct guest_probe *p, struct guest_tally *tally, struct probe_frame *f)
{
	enum { OFTEN = 512 };
	uint64_t to = __atomic_load_n(&p->resume, __ATOMIC_ACQUIRE);
	if (tally->activations >= OFTEN)
		return;
	tally->activations++;
	if (__atomic_load_n(&p->leaves, __ATOMIC_ACQUIRE) && __atomic_load_n(&p->turn, __ATOMIC_ACQUIRE) == PROBE_ID_TURN(f->id))
		f->resume = to;
}

static __attribute__((noinline)) bool probe_here(struct probe_frame *f);

/* There may be no room to observe. The probe has its turn all the same: the supervisor, which looks now and then, shall not wait for more for ever. */
static __attribute__((noinline)) bool passes_by(const struct probe_frame *f)
{
	const struct guest_probe *p = &guest_tables.probe[f->id % PROBE_COUNT_MAX];
	struct guest_tally *tally = &guest_shared.tally[f->id % PROBE_COUNT_MAX];
	if (p->work != PROBE_OBSERVE || !__atomic_load_n(&p->enabled, __ATOMIC_ACQUIRE))
		return false;
	if (__atomic_fetch_add(&tally->runs, 1, __ATOMIC_RELAXED) == p->limit)
		__atomic_add_fetch(&guest_shared.exhausted, 1, __ATOMIC_RELEASE);
	return true;
}

/* Called by entry.S. True: set the signal mask in f->id on the way out. Needs little stack itself. */
__attribute__((used)) bool probe(struct probe_frame *f)
{
	return !stack_has_room(f->r[REG_RSP]) && passes_by(f) ? false : probe_here(f);
}

static bool probe_here(struct probe_frame *f)
{
	const struct guest_probe *p = &guest_tables.probe[f->id % PROBE_COUNT_MAX];
	struct guest_tally *tally = &guest_shared.tally[f->id % PROBE_COUNT_MAX];
	if (p->turn != PROBE_ID_TURN(f->id))
		return false;
	if (!__atomic_load_n(&p->enabled, __ATOMIC_ACQUIRE)) {
		leave_copy(p, tally, f);
		return false;
	}
	switch (p->work) {
	case PROBE_OBSERVE:
		observe(p, tally, f);
		break;
	case PROBE_CHECK:
		check(p, tally, f);
		break;
	case PROBE_COUNT:
		if ((int64_t)f->r[REG_RAX] > 0)
			__atomic_add_fetch(&tally->runs, 1, __ATOMIC_RELAXED);
		break;
	case PROBE_VISIT:
		__atomic_add_fetch(&tally->runs, 1, __ATOMIC_RELAXED);
		break;
	case PROBE_SAVE:
		saved_enter(activation(p, f), f);
		break;
	case PROBE_CAPTURE:
		capture(p, tally, f);
		break;
	case PROBE_REPAIR:
		repair(p, tally, f);
		break;
	case PROBE_SYSCALL:
		return program_system_call(p, f);
	case PROBE_CLONED:
		program_cloned(f, p->bound >= 0);
		break;
	case PROBE_MAPPED:
		if (f->r[REG_RAX] < 1ull << 47)
			check_forget(f->r[REG_RAX], f->r[REG_RSI]);
		break;
	case PROBE_EXECED:
		program_exec_failed(f);
		break;
	case PROBE_WAITED:
		program_waited();
		break;
	}
	return false;
}
