/* The handle: opening, errors, cached statements, transactions. */
#include "node/store_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10000, LITTLE_ROOM = 1 << 16 /* bytes */ };

#define STATE_FILE "state.db"

static char open_error[2 * PATH_MAX];

static const struct {
	int code;  /* SQLite's primary result code */
	int error; /* errno */
	const char *text;
} reasons[] = {
	{SQLITE_ERROR, ESTALE, "lacks a table or column of its version: move it away, or choose another folder with --state"},
	{SQLITE_NOTADB, EBADMSG, "is not a ClearView state file: move it away, or choose another folder with --state"},
	{SQLITE_CORRUPT, EBADMSG, "is damaged: move it away to start afresh (`sqlite3 FILE .recover` saves what can still be read)"},
	{SQLITE_FULL, ENOSPC, "cannot grow: make room on the disk (or raise the file size limit), then try again"},
	{SQLITE_BUSY, EBUSY, "is kept locked by another process: try again when that is done"},
	{SQLITE_LOCKED, EBUSY, "is kept locked: try again"},
	{SQLITE_PROTOCOL, EBUSY, "is kept locked by another process: try again when that is done"},
	{SQLITE_READONLY, EROFS, "cannot be written: make it writable, or choose another folder with --state"},
	{SQLITE_CANTOPEN, EACCES, "cannot be opened: check who owns it, or choose another folder with --state"},
	{SQLITE_PERM, EACCES, "cannot be opened: check who owns it, or choose another folder with --state"},
	{SQLITE_NOMEM, ENOMEM, "needs more memory than there is"},
	{SQLITE_CONSTRAINT, EINVAL, "refuses a row that contradicts the others"},
	{SQLITE_TOOBIG, E2BIG, "cannot hold a value that large"},
};

/* SQLite reports some kinds of a full disk as an I/O error, and may have lost errno by then. */
static bool is_out_of_room(struct store *s, int code)
{
	struct statvfs disk;
	struct rlimit limit;
	if (code != SQLITE_IOERR_WRITE && code != SQLITE_IOERR_SHMSIZE && code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_TRUNCATE)
		return false;
	int system = s->db ? sqlite3_system_errno(s->db) : 0;
	if (system == ENOSPC || system == EDQUOT || system == EFBIG)
		return true;
	if (!statvfs(s->directory, &disk) && disk.f_bavail * disk.f_frsize < LITTLE_ROOM)
		return true;
	return !getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY;
}

static int errno_of(struct store *s, int code, const char **text)
{
	if (is_out_of_room(s, code))
		code = SQLITE_FULL;
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].code == (code & 0xff)) {
			*text = reasons[i].text;
			return reasons[i].error;
		}
	*text = "cannot be read or written: check the disk";
	return EIO;
}

/* What lies in the journal stays there, too: a tool for recovery gets everything as it was. */
static void store_found_damaged(struct store *s)
{
	s->damaged = true;
	if (s->db)
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

int store_fail(struct store *s, int code)
{
	const char *text;
	int error = errno_of(s, code, &text);
	snprintf(s->error, sizeof s->error, "%s %s (%s)", s->path, text, s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code));
	if (s->depth && s->db && sqlite3_get_autocommit(s->db))
		s->aborted = -error;
	if (error == EBADMSG)
		store_found_damaged(s);
	return s->failed = -error;
}

int store_fail_text(struct store *s, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(s->error, sizeof s->error, format, args);
	va_end(args);
	return s->failed = error;
}

const char *store_error(const struct store *s)
{
	return s ? s->error : open_error;
}

const char *store_directory(const struct store *s)
{
	return s->directory;
}

/* --- Where the state lies. */

int store_folder_path(const char *directory, char *out, size_t size)
{
	const char *own = getenv("CLEARVIEW_STATE"), *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int length;
	if (directory && *directory)
		length = snprintf(out, size, "%s", directory);
	else if (own && *own)
		length = snprintf(out, size, "%s", own);
	else if (xdg && *xdg == '/') /* the XDG rules: relative ones are to be ignored */
		length = snprintf(out, size, "%s/clearview", xdg);
	else if (home && *home)
		length = snprintf(out, size, "%s/.local/state/clearview", home);
	else
		return -ENOENT;
	return (size_t)length < size ? 0 : -ENAMETOOLONG;
}

static int make_folders(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		int failed = mkdir(path, 0700) && errno != EEXIST ? errno : 0;
		*slash = '/';
		if (failed)
			return -failed;
	}
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int find_folder(struct store *s, const char *directory, bool make)
{
	int error = store_folder_path(directory, s->directory, sizeof s->directory);
	if (error)
		return store_fail_text(s, error, error == -ENOENT ? "no place for the state: set HOME, or choose a folder with --state"
								  : "the state folder's name is too long: choose another with --state");
	if (make)
		error = make_folders(s->directory);
	struct stat folder;
	if (!error && stat(s->directory, &folder))
		error = -errno;
	if (!error && !S_ISDIR(folder.st_mode))
		error = -ENOTDIR;
	if (!error && access(s->directory, R_OK | W_OK | X_OK))
		error = -errno;
	if (error)
		return store_fail_text(s, error, "cannot use the state folder %s (%s): correct that, or choose another with --state", s->directory,
				       strerror(-error));
	snprintf(s->path, sizeof s->path, "%s/" STATE_FILE, s->directory);
	return 0;
}

/* --- Opening. */

static int open_file(struct store *s)
{
	struct stat file;
	if (!stat(s->path, &file) && !S_ISREG(file.st_mode))
		return store_fail_text(s, -EBADMSG, "%s is not a file: move it away, or choose another folder with --state", s->path);
	mode_t mask = umask(0077);
	int code = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	umask(mask);
	if (code)
		return store_fail(s, code);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
	return store_schema_open(s);
}

static int open_store(const char *directory, bool make, struct store **out)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	int error = find_folder(s, directory, make);
	if (!error && !make && access(s->path, F_OK))
		error = store_fail_text(s, -ENOENT, "there is no state in %s yet: guard a program with `clearview run -- COMMAND`, or choose another "
					"folder with --state", s->directory);
	if (!error)
		error = open_file(s);
	if (error) {
		memcpy(open_error, s->error, sizeof open_error);
		store_close(s);
		return error;
	}
	*out = s;
	return 0;
}

int store_open(const char *directory, struct store **out)
{
	return open_store(directory, true, out);
}

int store_open_existing(const char *directory, struct store **out)
{
	char path[PATH_MAX];
	if (!store_folder_path(directory, path, sizeof path) && access(path, F_OK) && errno == ENOENT) {
		snprintf(open_error, sizeof open_error, "there is no state in %s yet: guard a program with `clearview run -- COMMAND`, or choose "
			 "another folder with --state", path);
		return -ENOENT;
	}
	return open_store(directory, false, out);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STATEMENT_CACHE_SIZE; i++)
		sqlite3_finalize(s->cache[i].statement);
	sqlite3_close(s->db);
	vec_free(&s->modules);
	free(s);
}

/* --- Transactions. */

int store_begin(struct store *s)
{
	int error = s->aborted;
	if (!error)
		error = store_execute_text(s, s->depth ? "SAVEPOINT nested" : "BEGIN IMMEDIATE");
	if (!error)
		s->depth++;
	return error;
}

/* Ends a level. Rows that went away may have been modules: forget what is known of them. */
static void leave(struct store *s, bool undone)
{
	if (undone)
		s->modules.count = 0;
	if (--s->depth == 0)
		s->aborted = 0;
}

void store_rollback(struct store *s)
{
	if (!s->depth)
		return;
	int aborted = s->aborted;
	s->aborted = 0;
	if (!sqlite3_get_autocommit(s->db)) {
		if (s->depth == 1)
			store_execute_text(s, "ROLLBACK");
		else if (!store_execute_text(s, "ROLLBACK TO nested"))
			store_execute_text(s, "RELEASE nested");
	}
	s->aborted = aborted;
	leave(s, true);
}

int store_commit(struct store *s)
{
	if (!s->depth)
		return store_fail_text(s, -EINVAL, "a commit without a begin");
	int error = s->aborted ? s->aborted : s->damaged ? -EBADMSG : 0;
	if (!error)
		error = store_execute_text(s, s->depth == 1 ? "COMMIT" : "RELEASE nested");
	if (error)
		store_rollback(s);
	else
		leave(s, false);
	return error;
}

uint64_t store_version(struct store *s)
{
	sqlite3_stmt *st = store_prepare(s, "PRAGMA data_version");
	uint64_t version = 0;
	if (st && store_step(s, st) == 1)
		version = sqlite3_column_int64(st, 0);
	if (st)
		store_finish(st, 0);
	return version;
}

int store_check(struct store *s)
{
	sqlite3_stmt *st = store_prepare(s, "PRAGMA integrity_check(1)");
	if (!st)
		return s->failed;
	int row = store_step(s, st), error = row < 0 ? row : 0;
	const char *text = row == 1 ? (const char *)sqlite3_column_text(st, 0) : "";
	if (!error && strcmp(text, "ok")) {
		store_found_damaged(s);
		error = store_fail_text(s, -EBADMSG, "%s is damaged: move it away to start afresh (`sqlite3 FILE .recover` saves what can still be "
					"read) (%s)", s->path, text);
	}
	return store_finish(st, error);
}
