/* Files that are damaged, foreign, newer or out of room: a reason that says what to do, the right errno, and the file left as it was. */
#include "state_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void fill(const struct state_folder *f, uint64_t rows)
{
	struct store *s = state_open(f);
	assert_int_equal(store_begin(s), 0);
	for (uint64_t n = 0; n < rows; n++) {
		struct invariant i = state_one_of("aa", n);
		assert_int_equal(store_invariant_put(s, &i), 0);
	}
	assert_int_equal(store_commit(s), 0);
	store_close(s);
}

static size_t read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, out, size);
	close(fd);
	assert_true(length >= 0);
	return length;
}

static void write_at(const char *path, off_t offset, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(pwrite(fd, data, size, offset), (ssize_t)size);
	close(fd);
}

/* Opening fails with `error` and a reason that holds `words`, and changes nothing. */
static void assert_refused(const struct state_folder *f, int error, const char *words)
{
	static char before[1 << 20], after[1 << 20];
	struct store *s;
	size_t size = read_file(f->file, before, sizeof before);
	assert_int_equal(store_open(f->path, &s), error);
	assert_non_null(strstr(store_error(NULL), words));
	assert_non_null(strstr(store_error(NULL), f->path));
	assert_null(strchr(store_error(NULL), '\n'));
	assert_int_equal(read_file(f->file, after, sizeof after), size);
	assert_memory_equal(before, after, size);
}

static void text_is_no_state(void **state)
{
	struct state_folder *f = *state;
	write_at(f->file, 0, "not a database\n", 15);
	assert_refused(f, -EBADMSG, "move it away");
}

static void corrupt_header(void **state)
{
	struct state_folder *f = *state;
	fill(f, 100);
	write_at(f->file, 0, "garbage!garbage!garbage!", 24);
	assert_refused(f, -EBADMSG, "move it away");
}

static void execute(const struct state_folder *f, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void newer_version(void **state)
{
	struct state_folder *f = *state;
	fill(f, 1);
	execute(f, "PRAGMA user_version = 1000");
	assert_refused(f, -ESTALE, "newer");
}

static void another_programs_file(void **state)
{
	struct state_folder *f = *state;
	execute(f, "CREATE TABLE bookmarks(url)");
	assert_refused(f, -EBADMSG, "another program");
}

static void a_folder_in_its_place(void **state)
{
	struct state_folder *f = *state;
	struct store *s;
	assert_int_equal(mkdir(f->file, 0700), 0);
	assert_int_equal(store_open(f->path, &s), -EBADMSG);
}

static int ignore(void *context, const struct invariant *i)
{
	return 0;
}

/* Every page behind the schema is overwritten: reading and checking say so, and writing does not "repair" it. */
static void corrupt_pages(void **state)
{
	struct state_folder *f = *state;
	struct store *s;
	char page[4096];
	struct stat st;
	static char before[1 << 21], after[1 << 21];
	fill(f, 2000);
	memset(page, 0xa5, sizeof page);
	assert_int_equal(stat(f->file, &st), 0);
	for (off_t offset = 4096 * 64; offset < st.st_size; offset += 4096)
		write_at(f->file, offset, page, sizeof page);
	size_t size = read_file(f->file, before, sizeof before);
	s = state_open(f); /* opening is quick: it does not read every page */
	assert_int_equal(store_check(s), -EBADMSG);
	assert_int_equal(store_invariants(s, NULL, NULL, ignore, NULL), -EBADMSG);
	assert_non_null(strstr(store_error(s), "damaged"));
	struct patch p = {.at = state_point("aa", 1)};
	assert_int_equal(store_begin(s), -EBADMSG);
	assert_int_equal(store_patch_put(s, &p), -EBADMSG);
	assert_non_null(strstr(store_error(s), "damaged"));
	store_close(s);
	assert_int_equal(read_file(f->file, after, sizeof after), size);
	assert_memory_equal(before, after, size);
}

/* A row that SQLite can read, with a value that no version ever wrote. */
static void senseless_row(void **state)
{
	struct state_folder *f = *state;
	fill(f, 1);
	execute(f, "UPDATE invariant SET kind = 77");
	struct store *s = state_open(f);
	assert_int_equal(store_invariants(s, NULL, NULL, ignore, NULL), -EBADMSG);
	assert_non_null(strstr(store_error(s), "kind"));
	store_close(s);
}

static void missing_column(void **state)
{
	struct state_folder *f = *state;
	fill(f, 1);
	execute(f, "ALTER TABLE event DROP COLUMN text");
	struct store *s = state_open(f);
	assert_int_equal(store_event_add(s, &(struct event){.kind = "failure"}), -ESTALE);
	assert_non_null(strstr(store_error(s), "move it away"));
	store_close(s);
}

static void truncated_file(void **state)
{
	struct state_folder *f = *state;
	struct store *s;
	fill(f, 2000);
	assert_int_equal(truncate(f->file, 4096 * 3 + 100), 0);
	int error = store_open(f->path, &s);
	if (!error) {
		error = store_check(s);
		store_close(s);
	}
	assert_int_equal(error, -EBADMSG);
}

/* Not as root, whom permissions don't stop. */
static void unreadable_folder(void **state)
{
	struct state_folder *f = *state;
	struct store *s;
	assert_int_equal(chmod(f->path, 0), 0);
	int status;
	pid_t child = fork();
	if (!child) {
		if (!getuid() && setresuid(65534, 65534, 65534))
			_exit(3);
		int error = store_open(f->path, &s);
		_exit(error == -EACCES && strstr(store_error(NULL), "--state") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	chmod(f->path, 0700);
	assert_int_equal(status, 0);
}

static void nothing_is_made_for_looking(void **state)
{
	struct state_folder *f = *state;
	struct store *s;
	char path[96];
	snprintf(path, sizeof path, "%s/sub", f->path);
	assert_int_equal(store_open_existing(path, &s), -ENOENT);
	assert_non_null(strstr(store_error(NULL), "clearview run"));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(store_open_existing(f->path, &s), -ENOENT);
	assert_int_equal(access(f->file, F_OK), -1);
}

/* A file size limit stands for a full disk: the transaction that hits it is undone as a whole, what was there before is still there, and
 * with room again it goes on. */
static int put_fifty(struct store *s, uint64_t first)
{
	int error = store_begin(s);
	if (error)
		return error;
	for (uint64_t n = 0; !error && n < 50; n++)
		error = store_patch_put(s, &(struct patch){.at = state_point("aa", first + n)});
	if (!error)
		return store_commit(s);
	/* SQLite may have rolled back by itself: then no later write of this transaction may slip through on its own */
	(void)!store_patch_put(s, &(struct patch){.at = state_point("aa", first)});
	store_rollback(s);
	return error;
}

static int write_until_full(const struct state_folder *f)
{
	struct store *s;
	int error = 0;
	if (store_open(f->path, &s))
		return 2;
	for (uint64_t n = 0; !error && n < 100000; n += 50)
		error = put_fifty(s, n);
	if (error != -ENOSPC || !strstr(store_error(s), "make room"))
		return 3;
	if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}))
		return 4;
	error = store_patch_put(s, &(struct patch){.at = state_point("aa", 1)});
	store_close(s);
	return error ? 5 : 0;
}

static int count_patch(void *context, const struct patch *p)
{
	++*(uint64_t *)context;
	return 0;
}

static void full_disk(void **state)
{
	struct state_folder *f = *state;
	struct store *s = state_open(f);
	store_close(s);
	int status;
	pid_t child = fork();
	if (!child) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 20, RLIM_INFINITY});
		_exit(write_until_full(f));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	uint64_t patches = 0;
	s = state_open(f);
	assert_int_equal(store_check(s), 0);
	assert_int_equal(store_patches(s, 0, count_patch, &patches), 0);
	assert_true(patches > 50);
	assert_int_equal(patches % 50, 1); /* whole transactions, and the one row after there was room again */
	store_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, state_setup, state_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_is_no_state), TEST(corrupt_header), TEST(newer_version), TEST(another_programs_file), TEST(a_folder_in_its_place),
		TEST(corrupt_pages), TEST(senseless_row), TEST(missing_column), TEST(truncated_file), TEST(unreadable_folder), TEST(nothing_is_made_for_looking),
		TEST(full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
