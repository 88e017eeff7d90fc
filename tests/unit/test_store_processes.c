/* Several processes on one state folder: none loses the other's rows, and one killed in the middle of a transaction leaves no trace of it. */
#include "state_folder.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

enum { WRITERS = 3, ROUNDS = 60 };

static int count_up(struct store *s, uint64_t id)
{
	struct location l;
	int error = store_begin(s);
	if (error)
		return error;
	error = store_location_get(s, id, &l);
	l.presentations++;
	if (!error)
		error = store_location_put(s, &l);
	if (error) {
		store_rollback(s);
		return error;
	}
	return store_commit(s);
}

static int writer(const struct state_folder *f, uint64_t location)
{
	struct store *s;
	if (store_open(f->path, &s))
		return 1;
	for (int n = 0; n < ROUNDS; n++)
		if (count_up(s, location))
			return 2;
	store_close(s);
	return 0;
}

static void side_by_side(void **state)
{
	struct state_folder *f = *state;
	struct store *s = state_open(f);
	struct location l = state_location("aa", 1);
	pid_t children[WRITERS];
	l.presentations = 0;
	assert_int_equal(store_location_put(s, &l), 0);
	store_close(s);
	for (int n = 0; n < WRITERS; n++)
		if (!(children[n] = fork()))
			_exit(writer(f, l.id));
	for (int n = 0; n < WRITERS; n++) {
		int status;
		assert_int_equal(waitpid(children[n], &status, 0), children[n]);
		assert_int_equal(status, 0);
	}
	s = state_open(f);
	assert_int_equal(store_location_get(s, l.id, &l), 0);
	assert_int_equal(l.presentations, WRITERS * ROUNDS);
	store_close(s);
}

static void all_open_a_new_folder_at_once(void **state)
{
	struct state_folder *f = *state;
	pid_t children[8];
	for (int n = 0; n < 8; n++)
		if (!(children[n] = fork())) {
			struct store *s;
			int failed = store_open(f->path, &s);
			if (failed)
				fprintf(stderr, "%s\n", store_error(NULL));
			_exit(failed ? 1 : 0);
		}
	for (int n = 0; n < 8; n++) {
		int status;
		assert_int_equal(waitpid(children[n], &status, 0), children[n]);
		assert_int_equal(status, 0);
	}
}

static int count_patch(void *context, const struct patch *p)
{
	++*(int *)context;
	return 0;
}

static _Noreturn void die_in_transaction(const struct state_folder *f, int out)
{
	struct store *s;
	if (store_open(f->path, &s) || store_begin(s))
		_exit(1);
	for (uint64_t n = 0; n < 20000; n++) { /* more than the page cache holds: some of it is in the file already */
		struct patch p = {.at = state_point("aa", n), .invariant = state_one_of("aa", n)};
		if (store_patch_put(s, &p))
			_exit(1);
	}
	if (write(out, "x", 1) == 1)
		pause();
	_exit(1);
}

static void killed_in_a_transaction(void **state)
{
	struct state_folder *f = *state;
	struct store *s = state_open(f);
	struct patch p = {.at = state_point("aa", 1)};
	int out[2], patches = 0;
	char byte;
	assert_int_equal(store_patch_put(s, &p), 0);
	assert_int_equal(pipe(out), 0);
	pid_t child = fork();
	if (!child)
		die_in_transaction(f, out[1]);
	close(out[1]);
	assert_int_equal(read(out[0], &byte, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(out[0]);
	p.id = 0;
	assert_int_equal(store_patch_put(s, &p), 0); /* at once: its lock died with it */
	store_close(s);
	s = state_open(f);
	assert_int_equal(store_check(s), 0);
	assert_int_equal(store_patches(s, 0, count_patch, &patches), 0);
	assert_int_equal(patches, 2);
	store_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, state_setup, state_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(side_by_side), TEST(all_open_a_new_folder_at_once), TEST(killed_in_a_transaction)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
