/* What was found out about a module comes back from its file as it was; any other file is as good as none. */
#include "engine/analysis.h"
#include "engine/analysis_folder.h"
#include "engine/procedure.h"
#include "engine/syscall_sites.h"
#include "engine/targets.h"
#include "state_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static const char *const library = "/lib/x86_64-linux-gnu/libc.so.6";
static const int wanted[] = {SYS_execve, SYS_fork};

static struct module *open_module(int folder)
{
	struct module *m;
	assert_int_equal(module_open_known(library, folder, &m), 0);
	return m;
}

static struct procedure *procedure_of(struct module *m, const char *name)
{
	uint64_t offset;
	struct procedure *p;
	assert_true(module_exported(m, name, &offset));
	assert_int_equal(procedure_get(m, offset, &p), 0);
	return p;
}

/* Analyses the library and leaves the file; returns its name. */
static void fill(int folder, char name[256])
{
	size_t count;
	uint64_t offset;
	struct module *m = open_module(folder);
	assert_null(m->analysis);
	struct procedure *p = procedure_of(m, "execve");
	p->lasting = true;
	procedure_free(p);
	assert_false(module_exported(m, "no_such_procedure", &offset));
	module_syscall_sites(m, wanted, 2, &count);
	assert_false(module_is_target(m, 0));
	assert_true(count);
	assert_int_equal(analysis_save(m, folder), 0);
	module_free(m);
	DIR *d = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *e;
	unsigned files = 0;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			strcpy(name, e->d_name);
			files++;
		}
	closedir(d);
	assert_int_equal(files, 1);
}

static int folder_in(const struct state_folder *f)
{
	char path[128];
	snprintf(path, sizeof path, "%s/analyses", f->path);
	int folder = analysis_folder(path);
	assert_true(folder >= 0);
	return folder;
}

static bool loads(int folder)
{
	struct module *m = open_module(folder);
	bool loaded = m->analysis;
	assert_true(m->range_count > 1000); /* either way */
	module_free(m);
	return loaded;
}

static void test_comes_back(void **state)
{
	char name[256];
	int folder = folder_in(*state);
	fill(folder, name);
	struct module *fresh = open_module(-1), *known = open_module(folder);
	size_t fresh_sites, known_sites;
	assert_non_null(known->analysis);
	assert_int_equal(known->range_count, fresh->range_count);
	assert_memory_equal(known->ranges, fresh->ranges, fresh->range_count * sizeof *fresh->ranges);
	assert_int_equal(known->root_count, fresh->root_count);
	assert_memory_equal(known->roots, fresh->roots, fresh->root_count * sizeof *fresh->roots);
	const struct syscall_site *a = module_syscall_sites(fresh, wanted, 2, &fresh_sites), *b = module_syscall_sites(known, wanted, 2, &known_sites);
	assert_int_equal(fresh_sites, known_sites);
	assert_true(known->targets_known);
	assert_false(module_is_target(fresh, 0));
	assert_int_equal(fresh->target_count, known->target_count);
	assert_memory_equal(fresh->targets, known->targets, fresh->target_count * sizeof *fresh->targets);
	for (size_t i = 0; i < fresh_sites; i++)
		assert_true(a[i].offset == b[i].offset && a[i].number == b[i].number);
	struct procedure *p = procedure_of(fresh, "execve"), *q = procedure_of(known, "execve");
	assert_true(q->borrowed && q->entry == p->entry && q->insn_count == p->insn_count && q->block_count == p->block_count);
	for (size_t i = 0; i < p->insn_count; i++)
		assert_true(p->insns[i].address == q->insns[i].address && p->insns[i].target == q->insns[i].target && p->insns[i].flow == q->insns[i].flow);
	procedure_free(p);
	procedure_free(q);
	assert_false(known->learned);
	module_free(fresh);
	module_free(known);
	close(folder);
}

static void test_another_list_of_calls(void **state)
{
	char name[256];
	size_t fresh_sites, known_sites;
	int folder = folder_in(*state), other[] = {SYS_rt_sigaction};
	fill(folder, name);
	struct module *fresh = open_module(-1), *known = open_module(folder);
	module_syscall_sites(fresh, other, 1, &fresh_sites);
	module_syscall_sites(known, other, 1, &known_sites);
	assert_int_equal(known_sites, fresh_sites);
	assert_true(known->learned);
	module_free(fresh);
	module_free(known);
	close(folder);
}

/* No procedure, and no such call: arrays without elements, at the end of the file. */
static void test_nothing_found(void **state)
{
	static const char *const without_calls = "/lib/x86_64-linux-gnu/libm.so.6";
	size_t count;
	struct module *m;
	int folder = folder_in(*state);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(module_open_known(without_calls, folder, &m), 0);
		assert_int_equal(m->analysis != NULL, again);
		module_syscall_sites(m, wanted, 2, &count);
		assert_int_equal(count, 0);
		assert_int_equal(analysis_save(m, folder), 0);
		module_free(m);
	}
	close(folder);
}

static void test_damage(void **state)
{
	enum { STEP = 769 };
	char name[256];
	int folder = folder_in(*state);
	fill(folder, name);
	int fd = openat(folder, name, O_RDWR);
	off_t size = lseek(fd, 0, SEEK_END);
	for (off_t at = 0; at < size; at += at < 256 ? 8 : STEP) {
		uint8_t byte, wrong;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		wrong = byte ^ 0x40;
		assert_int_equal(pwrite(fd, &wrong, 1, at), 1);
		if (loads(folder))
			fail_msg("byte %ld is changed, and it is believed", (long)at);
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_true(loads(folder));
	for (off_t cut = 0; cut < size; cut += size / 7 + 1) {
		assert_int_equal(ftruncate(fd, cut), 0);
		assert_false(loads(folder));
	}
	close(fd);
	close(folder);
}

static void test_writable_by_others(void **state)
{
	char name[256], path[128];
	int folder = folder_in(*state);
	fill(folder, name);
	assert_int_equal(fchmodat(folder, name, 0666, 0), 0);
	assert_false(loads(folder));
	assert_int_equal(fchmodat(folder, name, 0600, 0), 0);
	assert_true(loads(folder));
	assert_int_equal(fchmod(folder, 0777), 0);
	snprintf(path, sizeof path, "%s/analyses", ((struct state_folder *)*state)->path);
	assert_int_equal(analysis_folder(path), -EPERM);
	close(folder);
}

static void test_oldest_go(void **state)
{
	enum { PUT = 450, FEWER = 400 };
	int folder = folder_in(*state);
	char name[32];
	for (int i = 0; i < PUT; i++) {
		snprintf(name, sizeof name, "file-%d", i);
		assert_int_equal(analysis_folder_put(folder, name, name, sizeof name, 1 << 20), 0);
		struct timespec times[2] = {{.tv_sec = i}, {.tv_sec = i}};
		assert_int_equal(utimensat(folder, name, times, 0), 0);
	}
	assert_int_equal(analysis_folder_put(folder, "newest", name, sizeof name, 1 << 20), 0);
	assert_int_equal(faccessat(folder, "newest", F_OK, 0), 0);
	snprintf(name, sizeof name, "file-%d", PUT - FEWER);
	assert_int_not_equal(faccessat(folder, name, F_OK, 0), 0);
	snprintf(name, sizeof name, "file-%d", PUT - FEWER + 1);
	assert_int_equal(faccessat(folder, name, F_OK, 0), 0);
	close(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_back, state_setup, state_teardown),
		cmocka_unit_test_setup_teardown(test_another_list_of_calls, state_setup, state_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_found, state_setup, state_teardown),
		cmocka_unit_test_setup_teardown(test_damage, state_setup, state_teardown),
		cmocka_unit_test_setup_teardown(test_writable_by_others, state_setup, state_teardown),
		cmocka_unit_test_setup_teardown(test_oldest_go, state_setup, state_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
