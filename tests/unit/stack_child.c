#include "stack_child.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* struct user_regs_struct's members in the order of enum operand_register. */
static const size_t members[REG_COUNT] = {
	offsetof(struct user_regs_struct, rax), offsetof(struct user_regs_struct, rcx), offsetof(struct user_regs_struct, rdx),
	offsetof(struct user_regs_struct, rbx), offsetof(struct user_regs_struct, rsp), offsetof(struct user_regs_struct, rbp),
	offsetof(struct user_regs_struct, rsi), offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, r8),
	offsetof(struct user_regs_struct, r9), offsetof(struct user_regs_struct, r10), offsetof(struct user_regs_struct, r11),
	offsetof(struct user_regs_struct, r12), offsetof(struct user_regs_struct, r13), offsetof(struct user_regs_struct, r14),
	offsetof(struct user_regs_struct, r15),
};

static size_t read_memory(void *context, uint64_t address, void *out, size_t size)
{
	struct child *c = context;
	struct iovec to = {out, size}, from = {(void *)address, size};
	ssize_t n = process_vm_readv(c->raw.tid, &to, 1, &from, 1, 0);
	return n < 0 ? 0 : n;
}

static struct module *module_at(void *context, uint64_t address, uint64_t *bias)
{
	struct child *c = context;
	for (size_t i = 0; i < c->mapping_count; i++)
		if (address >= c->mappings[i].start && address < c->mappings[i].end) {
			*bias = c->mappings[i].bias;
			return c->mappings[i].module;
		}
	return NULL;
}

static void add_mapping(struct child *c, const char *line)
{
	unsigned long start, end, file_offset;
	char protection[5], path[256];
	struct module *m;
	if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %255s", &start, &end, protection, &file_offset, path) != 5 || protection[2] != 'x' ||
	    path[0] != '/')
		return;
	assert_int_equal(module_open(path, &m), 0);
	assert_true(c->mapping_count < sizeof c->mappings / sizeof *c->mappings);
	uint64_t bias = 0;
	for (size_t i = 0; i < m->segment_count; i++)
		if (file_offset <= m->segments[i].file_offset && m->segments[i].protection & 4 && m->segments[i].file_offset - file_offset < end - start)
			bias = start - (m->segments[i].offset - (m->segments[i].file_offset - file_offset));
	c->mappings[c->mapping_count++] = (struct child_mapping){start, end, m, bias};
}

static void read_mappings(struct child *c)
{
	char name[64], line[512];
	snprintf(name, sizeof name, "/proc/%d/maps", c->pid);
	FILE *f = fopen(name, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		add_mapping(c, line);
	fclose(f);
}

static void launch(const char *path, const char *argument)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	int null = open("/dev/null", O_WRONLY);
	dup2(null, STDERR_FILENO);
	execl(path, path, argument, NULL);
	_exit(127);
}

static bool is_fatal(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGABRT;
}

/* Follows the child and its threads to the fatal signal; returns the thread it came to. */
static pid_t run_to_failure(struct child *c)
{
	for (;;) {
		int status, signal;
		pid_t tid = waitpid(-1, &status, __WALL);
		assert_true(tid > 0 && WIFSTOPPED(status));
		signal = WSTOPSIG(status);
		if (is_fatal(signal))
			return tid;
		if (tid == c->pid && signal == SIGTRAP)
			ptrace(PTRACE_SETOPTIONS, tid, 0, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
		ptrace(PTRACE_CONT, tid, 0, signal == SIGTRAP || signal == SIGSTOP ? 0 : signal);
	}
}

static void read_failure(struct child *c, pid_t tid)
{
	struct user_regs_struct u;
	siginfo_t info;
	assert_int_equal(ptrace(PTRACE_GETREGS, tid, 0, &u), 0);
	assert_int_equal(ptrace(PTRACE_GETSIGINFO, tid, 0, &info), 0);
	c->raw = (struct raw_failure){.signal = info.si_signo, .code = info.si_code, .pid = c->pid, .tid = tid};
	if (info.si_code <= 0)
		c->raw.sender = info.si_pid;
	else
		c->raw.fault_address = (uint64_t)info.si_addr;
	for (int i = 0; i < REG_COUNT; i++)
		memcpy(&c->raw.registers.general[i], (char *)&u + members[i], 8);
	c->raw.registers.rip = u.rip;
	c->raw.registers.rflags = u.eflags;
}

void child_start(struct child *c, const char *path, const char *argument)
{
	*c = (struct child){0};
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (!c->pid)
		launch(path, argument);
	pid_t tid = run_to_failure(c);
	read_failure(c, tid);
	read_mappings(c);
	c->view = (struct stack_view){c, read_memory, module_at, NULL};
}

int child_go_on(struct child *c, const struct cfi_registers *r)
{
	struct user_regs_struct u;
	int status;
	assert_int_equal(ptrace(PTRACE_GETREGS, c->raw.tid, 0, &u), 0);
	for (int i = 0; i < REG_COUNT; i++)
		memcpy((char *)&u + members[i], &r->general[i], 8);
	u.rip = r->rip;
	u.eflags = r->rflags;
	assert_int_equal(ptrace(PTRACE_SETREGS, c->raw.tid, 0, &u), 0);
	assert_int_equal(ptrace(PTRACE_CONT, c->raw.tid, 0, 0), 0);
	do
		assert_true(waitpid(c->raw.tid == c->pid ? c->pid : -1, &status, __WALL) > 0);
	while (c->raw.tid != c->pid && WIFEXITED(status) && !WEXITSTATUS(status));
	return status;
}

void child_end(struct child *c)
{
	kill(c->pid, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	for (size_t i = 0; i < c->mapping_count; i++)
		module_free(c->mappings[i].module);
}

const char *child_name(const struct child *c, const struct frame *f)
{
	uint64_t bias, delta;
	struct module *m = f->at.module.hex[0] ? module_at((void *)c, f->address, &bias) : NULL;
	const char *name = m ? module_symbol_at(m, f->at.offset, &delta) : "-";
	return name ? name : "";
}
