/* Learning from a real execution: a child is stepped through procedures of this program, instruction by instruction, and every variable of every
 * instruction is recorded as the guest's probes would do it. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "learn/evaluate.h"
#include "learn/infer.h"
#include "learn/variables.h"
#include "learn_compare.h"
#include "reference_learn.h"
#include "x86/operands.h"

/* --- What is traced */

typedef int weigh(int);

__attribute__((noipa)) static int twice(int x)
{
	return 2 * x;
}

__attribute__((noipa)) static int thrice(int x)
{
	return 3 * x;
}

static int wanted[8] = {1, 1, 0, 1, 0, 0, 1, 1};

/* Loops, indexed memory, a global table, an indirect call. */
__attribute__((noipa)) static int weigh_sorted(int *values, int count, weigh *w)
{
	int sum = 0;
	for (int i = 0; i < count; i++)
		for (int k = i; k > 0 && values[k - 1] > values[k]; k--) {
			int t = values[k];
			values[k] = values[k - 1];
			values[k - 1] = t;
		}
	for (int i = 0; i < count; i++)
		if (wanted[i & 7])
			sum += w(values[i]);
	return sum;
}

/* Recursion: activations of one procedure nest. */
__attribute__((noipa)) static unsigned steps_of(unsigned n, unsigned depth)
{
	if (n <= 1 || depth > 40)
		return depth;
	unsigned odd = steps_of(n / 2, depth + 1);
	return n % 3 ? odd : odd + steps_of(n / 3, depth + 1);
}

static volatile int sink;

static void run(void)
{
	for (int round = 0; round < 4; round++) {
		int values[9];
		for (int i = 0; i < 9; i++)
			values[i] = (i * 7 + round * 5) % 11;
		sink = weigh_sorted(values, 3 + round * 2, round & 1 ? twice : thrice);
		sink = steps_of(10 + 17 * round, 0);
	}
}

/* --- Stepping */

struct traced {
	struct procedure *p;
	struct plan *plan;
	struct variables all;
	uint64_t bias;
	struct value_space space;
	VEC(uint64_t) frames;       /* live activations: canonical frame addresses */
	VEC(struct trace_record) trace;
	size_t left_out;
	pid_t pid;
};

static int read_child(void *context, uint64_t address, void *out, size_t size)
{
	struct traced *t = context;
	struct iovec to = {out, size}, from = {(void *)(uintptr_t)address, size};
	return process_vm_readv(t->pid, &to, 1, &from, 1, 0) == (ssize_t)size ? 0 : -1;
}

static struct machine machine_of(struct traced *t, const struct user_regs_struct *r)
{
	return (struct machine){
		.registers = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi, r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15},
		.fs_base = r->fs_base, .gs_base = r->gs_base, .bias = t->bias, .read_memory = read_child, .context = t,
	};
}

static uint64_t frame_at(struct traced *t, const struct user_regs_struct *r)
{
	while (t->frames.count && r->rsp >= t->frames.at[t->frames.count - 1])
		t->frames.count--;
	if (r->rip - t->bias == t->plan->entry_offset)
		vec_push(&t->frames, r->rsp + 8);
	return t->frames.count ? t->frames.at[t->frames.count - 1] : 0;
}

static void record_point(struct traced *t, uint32_t n, const struct user_regs_struct *r, uint64_t cfa)
{
	struct operand operands[PROBE_OPERANDS];
	struct machine m = machine_of(t, r);
	struct trace_record record = {.point = n, .record = {.cfa = cfa, .sp = r->rsp, .pid = t->pid}};
	unsigned count = plan_operands(t->plan, n, operands);
	for (unsigned i = 0; i < count; i++)
		if (operand_evaluate(&operands[i], &m, &record.record.value[i]))
			record.record.unreadable |= 1u << i;
	vec_push(&t->trace, record);
}

/* The newest value that a kept variable with that operand had in the activation. */
static bool is_represented(const struct traced *t, const struct operand *o, int64_t value, uint64_t cfa)
{
	for (size_t v = 0; v < t->plan->variable_count; v++) {
		const struct plan_variable *x = &t->plan->variables[v];
		if (x->value < 0 || !operand_equal(&x->operand, o))
			continue;
		for (size_t i = t->trace.count; i-- > 0;) {
			const struct trace_record *r = &t->trace.at[i];
			if (r->record.cfa == cfa && r->point == x->point) {
				if (r->record.value[x->value] == value)
					return true;
				break;
			}
			if (r->record.cfa == cfa && t->plan->points[r->point].is_entry && !t->plan->points[x->point].is_entry)
				break;
		}
	}
	return false;
}

static bool is_planned(const struct traced *t, uint64_t offset, uint8_t slot)
{
	for (size_t v = 0; v < t->plan->variable_count; v++)
		if (t->plan->variables[v].offset == offset && t->plan->variables[v].slot == slot)
			return true;
	return false;
}

static void check_left_out(struct traced *t, const struct user_regs_struct *r, uint64_t cfa)
{
	uint64_t offset = r->rip - t->bias;
	struct machine m = machine_of(t, r);
	int64_t value;
	for (size_t i = 0; i < t->all.count; i++) {
		const struct variable_use *u = &t->all.at[i];
		if (t->p->insns[u->insn].address != offset || u->slot >= SLOT_STACK || is_planned(t, offset, u->slot))
			continue;
		if (operand_evaluate(&u->operand, &m, &value))
			continue;
		t->left_out++;
		if (!is_represented(t, &u->operand, value, cfa))
			fail_msg("0x%lx slot %u was left out but had a value of its own", offset, u->slot);
	}
}

static void look(struct traced *t, const struct user_regs_struct *r)
{
	uint64_t offset = r->rip - t->bias;
	if (!procedure_insn(t->p, offset))
		return;
	uint64_t cfa = frame_at(t, r);
	for (uint32_t n = 0; n < t->plan->point_count; n++)
		if (t->plan->points[n].offset == offset)
			record_point(t, n, r, cfa);
	check_left_out(t, r, cfa);
}

static pid_t start_child(void)
{
	pid_t pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		run();
		_exit(0);
	}
	return pid;
}

/* Stops short of the child's end: exiting is none of our business. */
static void step_child(struct traced *t)
{
	int status;
	struct user_regs_struct r;
	t->pid = start_child();
	assert_true(t->pid > 0);
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	while (WIFSTOPPED(status) && !ptrace(PTRACE_GETREGS, t->pid, NULL, &r)) {
		look(t, &r);
		if (ptrace(PTRACE_SINGLESTEP, t->pid, NULL, NULL) || waitpid(t->pid, &status, 0) != t->pid)
			break;
	}
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void trace_procedure(struct traced *t, const void *function)
{
	static struct module *self;
	Dl_info info;
	*t = (struct traced){0};
	assert_true(dladdr(function, &info));
	assert_true(self || !module_open("/proc/self/exe", &self));
	t->bias = self->is_position_independent ? (uint64_t)info.dli_fbase : 0;
	t->space = (struct value_space){.bias = t->bias, .start = (uint64_t)info.dli_fbase};
	for (size_t i = 0; i < self->segment_count; i++)
		t->space.end = t->bias + self->segments[i].offset + self->segments[i].memory_size;
	assert_int_equal(procedure_decode(self, (uint64_t)function - t->bias, &t->p), 0);
	assert_int_equal(plan_new(t->p, 1 << 20, &t->plan), 0);
	assert_int_equal(variables_find_all(t->p, &t->all), 0);
	step_child(t);
}

static void traced_release(struct traced *t)
{
	vec_free(&t->frames);
	vec_free(&t->trace);
	variables_release(&t->all);
	plan_free(t->plan);
	procedure_free(t->p);
}

static void learn(const struct traced *t, struct invariant_set *out)
{
	struct state s = {0};
	struct infer *f = infer_new(t->plan, 64);
	for (size_t i = 0; i < t->trace.count; i++)
		infer_record(f, t->trace.at[i].point, &t->space, &t->trace.at[i].record);
	infer_add_to(f, 1, &s);
	state_invariants(&s, 2, set_visit, out);
	state_release(&s);
	infer_free(f);
}

/* Every invariant holds for every record, by evaluate.h, where it has one variable. */
static void assert_all_hold(const struct traced *t, const struct invariant_set *learned)
{
	for (size_t i = 0; i < learned->count; i++) {
		const struct invariant *inv = &learned->at[i];
		for (size_t n = 0; n < t->trace.count && inv->kind <= INVARIANT_LOWER_BOUND && inv->a.slot != SLOT_RETURN; n++)
			for (size_t v = 0; v < t->plan->variable_count; v++) {
				const struct plan_variable *x = &t->plan->variables[v];
				if (x->point == t->trace.at[n].point && x->offset == inv->a.at.offset && x->slot == inv->a.slot)
					assert_true(invariant_holds(inv, t->trace.at[n].record.value[x->value], 0, t->bias));
			}
	}
}

static void compare(const struct traced *t, struct invariant_set *learned)
{
	struct invariant_set reference = {0};
	learn(t, learned);
	reference_learn(t->p, t->plan, &t->space, t->trace.at, t->trace.count, 2, set_add, &reference);
	assert_true(set_equal(learned, &reference, true));
	assert_all_hold(t, learned);
	set_release(&reference);
}

static bool is_function(int64_t value, weigh *a, weigh *b)
{
	return (uintptr_t)value == (uintptr_t)a || (uintptr_t)value == (uintptr_t)b;
}

static void learns_loops_tables_and_callbacks(void **state)
{
	struct traced t;
	struct invariant_set learned = {0};
	trace_procedure(&t, (const void *)(uintptr_t)weigh_sorted);
	compare(&t, &learned);
	bool callback = false;
	for (size_t i = 0; i < learned.count; i++) {
		const struct invariant *inv = &learned.at[i];
		if (inv->kind == INVARIANT_ONE_OF && inv->count == 2 && inv->relative == 3)
			callback |= is_function(invariant_value(inv, 0, t.bias), twice, thrice) && is_function(invariant_value(inv, 1, t.bias), twice, thrice);
	}
	assert_true(callback);
	assert_true(set_count(&learned, INVARIANT_LOWER_BOUND) > 3);
	assert_true(set_count(&learned, INVARIANT_LESS_THAN) > 3);
	assert_true(set_count(&learned, INVARIANT_SP_OFFSET) >= 1);
	assert_true(t.trace.count > 200);
	set_release(&learned);
	traced_release(&t);
}

static void learns_recursion(void **state)
{
	struct traced t;
	struct invariant_set learned = {0};
	trace_procedure(&t, (const void *)(uintptr_t)steps_of);
	compare(&t, &learned);
	size_t stack_variables = 0;
	for (size_t v = 0; v < t.plan->variable_count; v++)
		stack_variables += t.plan->variables[v].slot == SLOT_STACK;
	assert_int_equal(set_count(&learned, INVARIANT_SP_OFFSET), stack_variables);
	assert_true(t.trace.count > 100);
	set_release(&learned);
	traced_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns_loops_tables_and_callbacks),
		cmocka_unit_test(learns_recursion),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
