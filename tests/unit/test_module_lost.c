/* A module's file is cut short while it is mapped: nothing is made of what is gone, and nobody dies of it. */
#include "engine/module.h"
#include "engine/procedure.h"
#include "state_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const library = "/lib/x86_64-linux-gnu/libm.so.6";
enum { PAGE = 4096 };

static void copy_file(const char *to)
{
	char bytes[65536];
	ssize_t got;
	int in = open(library, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(in >= 0 && out >= 0);
	while ((got = read(in, bytes, sizeof bytes)) > 0)
		assert_int_equal(write(out, bytes, got), got);
	close(in);
	close(out);
}

static void test_cut_short(void **state)
{
	char path[160];
	struct module *m, *other;
	struct procedure *p;
	size_t available;
	snprintf(path, sizeof path, "%s/library", ((struct state_folder *)*state)->path);
	copy_file(path);
	assert_int_equal(module_open(path, &m), 0);
	assert_int_equal(module_open(library, &other), 0);
	uint64_t offset = m->ranges[m->range_count / 2].start;
	assert_int_equal(procedure_decode(m, offset, &p), 0);
	procedure_free(p);
	assert_int_equal(truncate(path, PAGE), 0);
	assert_int_equal(procedure_decode(m, offset, &p), -EIO);
	assert_true(m->is_lost);
	assert_null(module_bytes(m, offset, &available));
	assert_int_equal(procedure_decode(m, offset, &p), -EIO);
	assert_false(other->is_lost);
	assert_int_equal(procedure_decode(other, offset, &p), 0);
	procedure_free(p);
	module_free(m);
	module_free(other);
}

/* Other mappings are none of its business: how a process ends that reads one of its own. Not under cmocka, which has a handler. */
static int end_of_reader(void)
{
	struct module *m;
	int status = 0;
	pid_t child = fork();
	if (!child) {
		int fd = memfd_create("empty", MFD_CLOEXEC);
		const volatile char *bytes = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		_exit(module_open(library, &m) ? 1 : bytes[0]);
	}
	waitpid(child, &status, 0);
	return status;
}

static int reader_status;

static void test_others_die(void **state)
{
	assert_true(WIFSIGNALED(reader_status) && WTERMSIG(reader_status) == SIGBUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cut_short, state_setup, state_teardown),
		cmocka_unit_test(test_others_die),
	};
	reader_status = end_of_reader();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
