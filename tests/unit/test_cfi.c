/* Call frame rules and landing pads of real files, and of damaged ones. argv: the C++ target, stack_target. */
#include "engine/cfi.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *cxx_target, *c_target;

static struct module *open_module(const char *path)
{
	struct module *m;
	assert_int_equal(module_open(path, &m), 0);
	return m;
}

static struct range procedure(const struct module *m, const char *name)
{
	uint64_t offset;
	struct range r;
	assert_true(module_symbol(m, name, &offset));
	assert_true(module_range(m, offset, &r));
	assert_int_equal(r.start, offset);
	return r;
}

/* At an entry the return address is all there is on the stack. */
static void test_rule_at_entry(void **state)
{
	struct module *m = open_module(cxx_target);
	struct cfi_rule rule;
	assert_int_equal(cfi_rule(m, procedure(m, "catches").start, &rule), 0);
	assert_false(rule.is_expression || rule.is_signal_frame || rule.cfa_is_loaded);
	assert_int_equal(rule.cfa_register, REG_RSP);
	assert_int_equal(rule.cfa_offset, 8);
	assert_int_equal(rule.return_address.kind, CFI_AT_CFA);
	assert_int_equal(rule.return_address.offset, -8);
	assert_int_equal(rule.saved[REG_RSP].kind, CFI_CFA);
	static const uint8_t preserved[] = {REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15};
	for (size_t i = 0; i < sizeof preserved; i++)
		assert_int_equal(rule.saved[preserved[i]].kind, CFI_SAME);
	assert_int_equal(rule.saved[REG_RAX].kind, CFI_UNDEFINED);
	assert_int_equal(rule.saved[REG_R11].kind, CFI_UNDEFINED);
	assert_true(rule.valid.start == procedure(m, "catches").start && rule.valid.end > rule.valid.start);
	module_free(m);
}

/* Behind `push rbx` (the first instruction of inner, outer, ...: they keep values across calls) rbx lies under the return address. */
static void test_rule_after_push(void **state)
{
	struct module *m = open_module(c_target);
	struct cfi_rule rule;
	struct range r = procedure(m, "outer");
	bool saves_rbx = false;
	for (uint64_t at = r.start; at < r.end; at++) {
		assert_int_equal(cfi_rule(m, at, &rule), 0);
		if (rule.saved[REG_RBX].kind == CFI_AT_CFA) {
			assert_true(rule.saved[REG_RBX].offset <= -16);
			saves_rbx = true;
		}
	}
	assert_true(saves_rbx);
	module_free(m);
}

static void test_no_rule(void **state)
{
	struct module *m = open_module(cxx_target);
	struct cfi_rule rule;
	struct cfi_frame frame;
	struct cfi_registers r = {0};
	assert_int_equal(cfi_rule(m, 0x7fffffff0000, &rule), -ENOENT);
	assert_int_equal(cfi_step(m, 0, 0x7fffffff0000, &r, NULL, NULL, &frame), -ENOENT);
	module_free(m);
}

static size_t read_words(void *context, uint64_t address, void *out, size_t size)
{
	uint64_t *words = context;
	uint64_t index = (address - 0x1000) / 8;
	if (address < 0x1000 || address % 8 || size != 8 || index >= 64)
		return 0;
	memcpy(out, &words[index], 8);
	return 8;
}

static void test_step(void **state)
{
	struct module *m = open_module(cxx_target);
	uint64_t words[64] = {[4] = 0x1234};
	struct cfi_registers r = {.general = {[REG_RSP] = 0x1020, [REG_R12] = 12}};
	struct cfi_frame frame;
	uint64_t entry = procedure(m, "catches").start;
	assert_int_equal(cfi_step(m, 0, entry, &r, read_words, words, &frame), 0);
	assert_int_equal(frame.cfa, 0x1028);
	assert_int_equal(frame.caller.rip, 0x1234);
	assert_int_equal(frame.caller.general[REG_RSP], 0x1028);
	assert_int_equal(frame.caller.general[REG_R12], 12);
	r.general[REG_RSP] = 0x800;
	assert_int_equal(cfi_step(m, 0, entry, &r, read_words, words, &frame), -EFAULT);
	module_free(m);
}

/* The PLT's rule: cfa = rsp + 8 + (8 if rip is behind the stub's push). */
static void test_expression(void **state)
{
	struct module *m = open_module(cxx_target);
	struct cfi_rule rule = {0};
	struct cfi_frame frame;
	uint64_t words[64] = {[4] = 0x1111, [5] = 0x2222};
	struct cfi_registers r = {.general = {[REG_RSP] = 0x1020}};
	size_t i = 0;
	while (i < m->segment_count && !module_text(m, m->segments[i].offset))
		i++;
	assert_true(i < m->segment_count);
	uint64_t at = m->segments[i].offset, end = at + m->segments[i].file_size;
	while (at < end && (cfi_rule(m, at, &rule) || !rule.is_expression))
		at += 16;
	assert_true(at < end);
	assert_int_equal(module_range_index(m, at), SIZE_MAX); /* no procedure */
	assert_int_equal(rule.cfa_register, REG_NONE);
	r.rip = at + 16; /* behind the common entry */
	assert_int_equal(cfi_step(m, 0, r.rip, &r, read_words, words, &frame), 0);
	assert_int_equal(frame.cfa, 0x1028);
	r.rip += 11;
	assert_int_equal(cfi_step(m, 0, r.rip, &r, read_words, words, &frame), 0);
	assert_int_equal(frame.cfa, 0x1030);
	assert_int_equal(frame.caller.rip, 0x2222);
	module_free(m);
}

static unsigned pads_of(const struct module *m, const char *name)
{
	uint64_t pads[16];
	struct range r = procedure(m, name);
	int count = cfi_landing_pads(m, r.start, pads, 16);
	assert_true(count >= 0 && count <= 16);
	for (int i = 0; i < count; i++) {
		uint64_t delta;
		const char *holder = module_symbol_at(m, pads[i], &delta);
		assert_true(holder && !strncmp(holder, name, strlen(name))); /* in the procedure or its .cold part */
		assert_true(!i || pads[i] > pads[i - 1]);
	}
	return count;
}

static void test_landing_pads(void **state)
{
	struct module *m = open_module(cxx_target);
	uint64_t one[1] = {0};
	assert_true(pads_of(m, "catches") >= 1);
	assert_int_equal(pads_of(m, "no_pads"), 0);
	assert_int_equal(pads_of(m, "calls_noexcept"), 0);
	assert_int_equal(cfi_landing_pads(m, procedure(m, "catches").start + 1, one, 1), 0);
	assert_true(cfi_landing_pads(m, procedure(m, "catches").start, one, 0) >= 1);
	assert_int_equal(one[0], 0);
	module_free(m);
}

static uint64_t load_bias(pid_t pid)
{
	char name[64];
	unsigned long start = 0;
	snprintf(name, sizeof name, "/proc/%d/maps", pid);
	FILE *f = fopen(name, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lx-", &start), 1);
	fclose(f);
	return start;
}

/* The exception that the program throws must come to one of the pads: breakpoints on all. */
static void test_exception_lands(void **state)
{
	struct module *m = open_module(cxx_target);
	uint64_t pads[16];
	int status, count = cfi_landing_pads(m, procedure(m, "catches").start, pads, 16);
	pid_t pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execl(cxx_target, cxx_target, NULL);
		_exit(127);
	}
	assert_true(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	uint64_t bias = m->is_position_independent ? load_bias(pid) : 0;
	for (int i = 0; i < count; i++) {
		long word = ptrace(PTRACE_PEEKTEXT, pid, bias + pads[i], 0);
		assert_int_equal(ptrace(PTRACE_POKETEXT, pid, bias + pads[i], (word & ~0xffl) | 0xcc), 0);
	}
	struct user_regs_struct u;
	ptrace(PTRACE_CONT, pid, 0, 0);
	assert_true(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, 0, &u), 0);
	bool landed = false;
	for (int i = 0; i < count; i++)
		landed |= u.rip - 1 - bias == pads[i];
	assert_true(landed);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	module_free(m);
}

/* --- Damage. */
/* How often each answer came. */
struct answers {
	unsigned opened, rules, broken_rules, steps, broken_steps, pads, broken_pads;
};

static struct range section(struct module *m, const char *name)
{
	size_t names;
	Elf_Scn *s = NULL;
	GElf_Shdr header;
	elf_getshdrstrndx(m->elf, &names);
	while ((s = elf_nextscn(m->elf, s)))
		if (gelf_getshdr(s, &header) && !strcmp(elf_strptr(m->elf, names, header.sh_name), name))
			return (struct range){header.sh_offset, header.sh_offset + header.sh_size};
	fail_msg("no section %s", name);
	return (struct range){0};
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static size_t read_anything(void *context, uint64_t address, void *out, size_t size)
{
	memset(out, (int)address | 1, size);
	return address % 16 ? size : 0;
}

/* Asks everything of a damaged file. Any answer will do. */
static void exercise(const char *path, const struct range *ranges, size_t count, struct answers *a)
{
	struct module *m;
	if (module_open(path, &m))
		return;
	a->opened++;
	for (size_t i = 0; i < count; i++) {
		struct cfi_rule rule;
		struct cfi_frame frame;
		struct cfi_registers r = {.general = {[REG_RSP] = 0x7ff0001, [REG_RBP] = 0x7ff0101}};
		uint64_t pads[4];
		for (uint64_t at = ranges[i].start; at < ranges[i].end; at += 7) {
			if (cfi_rule(m, at, &rule))
				a->broken_rules++;
			else
				a->rules++;
			if (cfi_step(m, 0, at, &r, read_anything, NULL, &frame))
				a->broken_steps++;
			else
				a->steps++;
		}
		int found = cfi_landing_pads(m, ranges[i].start, pads, 4);
		a->broken_pads += found < 0;
		a->pads += found > 0;
	}
	module_free(m);
}

static void test_damaged(void **state)
{
	enum { ROUNDS = 3000, BYTES_MAX = 8, RANGES_MAX = 24 };
	struct module *m = open_module(cxx_target);
	const struct range sections[] = {section(m, ".eh_frame"), section(m, ".eh_frame_hdr"), section(m, ".gcc_except_table")};
	int fd = memfd_create("damaged", MFD_CLOEXEC);
	char path[64];
	struct answers a = {0};
	uint64_t seed = 0x2545f4914f6cdd1d;
	size_t count = m->range_count < RANGES_MAX ? m->range_count : RANGES_MAX;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	for (int round = 0; round < ROUNDS; round++) {
		assert_int_equal(pwrite(fd, m->file, m->size, 0), m->size);
		for (uint64_t n = next_random(&seed) % BYTES_MAX + 1; n; n--) {
			const struct range *r = &sections[next_random(&seed) % 3];
			uint8_t byte = next_random(&seed) >> 24;
			assert_int_equal(pwrite(fd, &byte, 1, r->start + next_random(&seed) % (r->end - r->start)), 1);
		}
		exercise(path, m->ranges, count, &a);
	}
	/* The damage reached what it was meant for, and was no more than damage. */
	assert_true(a.opened && a.rules && a.broken_rules && a.steps && a.broken_steps && a.pads && a.broken_pads);
	close(fd);
	module_free(m);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_at_entry), cmocka_unit_test(test_rule_after_push), cmocka_unit_test(test_no_rule),
		cmocka_unit_test(test_step), cmocka_unit_test(test_expression), cmocka_unit_test(test_landing_pads),
		cmocka_unit_test(test_exception_lands), cmocka_unit_test(test_damaged),
	};
	if (argc != 3)
		return 99;
	cxx_target = argv[1];
	c_target = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
