/* Tables, and which version of them a file has. A file of an older version is brought up to date by the steps in between; one of a newer
 * version is left alone. */
#include "node/store_private.h"

#include <errno.h>
#include <stdio.h>

enum { SCHEMA_APPLICATION = 0x636c7677 /* "clvw" */, WAL_ATTEMPTS = 200, WAL_PAUSE_MS = 10 };

#define INVARIANT_DEFINITION \
	"kind INTEGER NOT NULL, procedure INTEGER NOT NULL," \
	"a_module INTEGER NOT NULL, a_offset INTEGER NOT NULL, a_slot INTEGER NOT NULL, a_operand BLOB NOT NULL," \
	"b_module INTEGER NOT NULL, b_offset INTEGER NOT NULL, b_slot INTEGER NOT NULL, b_operand BLOB NOT NULL," \
	"bound INTEGER NOT NULL, one_of BLOB NOT NULL, samples INTEGER NOT NULL," \
	"a_is_later INTEGER NOT NULL, relative INTEGER NOT NULL"

#define FAILURE_DEFINITION \
	"monitor INTEGER NOT NULL, module INTEGER NOT NULL, offset INTEGER NOT NULL, signal INTEGER NOT NULL," \
	"fault_address INTEGER NOT NULL, registers BLOB NOT NULL, stack BLOB NOT NULL, location_frame INTEGER NOT NULL," \
	"facts TEXT NOT NULL, pid INTEGER NOT NULL, tid INTEGER NOT NULL, time_us INTEGER NOT NULL, program TEXT NOT NULL"

/* steps[v] leads from version v to v + 1. Never change one that was released: add the next. */
static const char *const steps[] = {
	"CREATE TABLE module(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, path TEXT NOT NULL, seen_us INTEGER NOT NULL) STRICT;"

	"CREATE TABLE invariant(id INTEGER PRIMARY KEY AUTOINCREMENT, " INVARIANT_DEFINITION ") STRICT;"
	"CREATE UNIQUE INDEX invariant_identity ON invariant(a_module, procedure, a_offset, a_slot, kind, b_module, b_offset, b_slot);"
	"CREATE INDEX invariant_offset ON invariant(a_module, a_offset);"

	"CREATE TABLE procedure_state(id INTEGER PRIMARY KEY, module INTEGER NOT NULL, procedure INTEGER NOT NULL, state BLOB NOT NULL,"
	"  UNIQUE(module, procedure)) STRICT;"

	"CREATE TABLE location(id INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL, presentations INTEGER NOT NULL,"
	"  check_failures INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, patched_us INTEGER NOT NULL,"
	"  at_monitor INTEGER NOT NULL, at_module INTEGER NOT NULL, at_offset INTEGER NOT NULL, " FAILURE_DEFINITION ","
	"  UNIQUE(at_monitor, at_module, at_offset)) STRICT;"

	"CREATE TABLE occurrence(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  location INTEGER NOT NULL REFERENCES location(id) ON DELETE CASCADE, outcome TEXT NOT NULL, " FAILURE_DEFINITION ") STRICT;"
	"CREATE INDEX occurrence_location ON occurrence(location);"

	"CREATE TABLE correlation_check(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  location INTEGER NOT NULL REFERENCES location(id) ON DELETE CASCADE,"
	"  violated_before INTEGER NOT NULL, satisfied_before INTEGER NOT NULL, violated_elsewhere INTEGER NOT NULL,"
	"  satisfied_elsewhere INTEGER NOT NULL, correlation INTEGER NOT NULL, invariant INTEGER NOT NULL, " INVARIANT_DEFINITION ") STRICT;"
	"CREATE INDEX check_location ON correlation_check(location);"

	"CREATE TABLE patch(id INTEGER PRIMARY KEY AUTOINCREMENT, location INTEGER REFERENCES location(id) ON DELETE CASCADE,"
	"  module INTEGER NOT NULL, offset INTEGER NOT NULL, guard INTEGER NOT NULL, action INTEGER NOT NULL, has_value INTEGER NOT NULL,"
	"  depth INTEGER NOT NULL, value INTEGER NOT NULL, state INTEGER NOT NULL, pinned INTEGER NOT NULL, successes INTEGER NOT NULL,"
	"  failures INTEGER NOT NULL, activations INTEGER NOT NULL, invariant INTEGER NOT NULL, " INVARIANT_DEFINITION ") STRICT;"
	"CREATE INDEX patch_location ON patch(location);"

	"CREATE TABLE event(id INTEGER PRIMARY KEY AUTOINCREMENT, time_us INTEGER NOT NULL, kind TEXT NOT NULL, location INTEGER NOT NULL,"
	"  patch INTEGER NOT NULL, pid INTEGER NOT NULL, text TEXT NOT NULL) STRICT;"
	"CREATE INDEX event_kind ON event(kind, location);"
	"CREATE INDEX event_location ON event(location);"

	"CREATE TABLE guest(pid INTEGER PRIMARY KEY, supervisor INTEGER NOT NULL, pid_start INTEGER NOT NULL, supervisor_start INTEGER NOT NULL,"
	"  since_us INTEGER NOT NULL, redirected INTEGER NOT NULL, native_refused INTEGER NOT NULL, patches INTEGER NOT NULL,"
	"  program TEXT NOT NULL, detail TEXT NOT NULL) STRICT;",

	"CREATE TABLE heap_site(id INTEGER PRIMARY KEY, module INTEGER NOT NULL, offset INTEGER NOT NULL, size_class INTEGER NOT NULL,"
	"  UNIQUE(module, offset, size_class)) STRICT;",

	/* A pid means something only in its namespace. Rows of the former table are those of processes that live now, at most. */
	"DROP TABLE guest;"
	"CREATE TABLE guest(namespace INTEGER NOT NULL, pid INTEGER NOT NULL, supervisor INTEGER NOT NULL, pid_start INTEGER NOT NULL,"
	"  supervisor_start INTEGER NOT NULL, since_us INTEGER NOT NULL, redirected INTEGER NOT NULL, native_refused INTEGER NOT NULL,"
	"  patches INTEGER NOT NULL, program TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY(namespace, pid)) STRICT;",
};
enum { SCHEMA_VERSION = sizeof steps / sizeof *steps };

static int execute_script(struct store *s, const char *sql)
{
	int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	return code ? store_fail(s, code) : 0;
}

static int query(struct store *s, const char *sql, int64_t *out)
{
	sqlite3_stmt *st = store_prepare(s, sql);
	if (!st)
		return s->failed;
	int row = store_step(s, st);
	if (row == 1)
		*out = sqlite3_column_int64(st, 0);
	return store_finish(st, row < 0 ? row : 0);
}

/* An SQLite file of another program is as little ours as a text file. */
static int read_version(struct store *s, int64_t *version)
{
	int64_t application = 0, tables = 0;
	int error = query(s, "PRAGMA application_id", &application);
	if (!error)
		error = query(s, "PRAGMA user_version", version);
	if (!error && application != SCHEMA_APPLICATION)
		error = query(s, "SELECT count(*) FROM sqlite_schema", &tables);
	if (error)
		return error;
	if (application != SCHEMA_APPLICATION && (application || tables || *version))
		return store_fail_text(s, -EBADMSG, "%s is another program's SQLite file: choose another folder with --state", s->path);
	if (*version > SCHEMA_VERSION)
		return store_fail_text(s, -ESTALE, "%s is of version %lld and this ClearView knows up to %d: use the newer ClearView, or choose "
				       "another folder with --state", s->path, (long long)*version, SCHEMA_VERSION);
	return *version < 0 ? store_fail(s, SQLITE_NOTADB) : 0;
}

static int upgrade(struct store *s, int64_t version)
{
	char pragmas[96];
	int error = 0;
	for (int64_t v = version; !error && v < SCHEMA_VERSION; v++)
		error = execute_script(s, steps[v]);
	snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d", SCHEMA_APPLICATION, SCHEMA_VERSION);
	return error ? error : execute_script(s, pragmas);
}

static int upgrade_alone(struct store *s)
{
	int64_t version = 0;
	int error = store_begin(s);
	if (!error)
		error = read_version(s, &version); /* another process may have been first */
	if (!error)
		error = upgrade(s, version);
	if (!error)
		return store_commit(s);
	store_rollback(s);
	return error;
}

/* SQLite does not wait for others while it changes the journal mode. */
static int enter_wal(struct store *s)
{
	int error;
	for (int attempt = 0; attempt < WAL_ATTEMPTS; attempt++) {
		error = execute_script(s, "PRAGMA journal_mode = WAL");
		if (error != -EBUSY)
			break;
		sqlite3_sleep(WAL_PAUSE_MS);
	}
	return error;
}

/* In one view of the file: another process may be making it. */
static int read_version_alone(struct store *s, int64_t *version)
{
	int error = execute_script(s, "BEGIN");
	if (error)
		return error;
	error = read_version(s, version);
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return error;
}

int store_schema_open(struct store *s)
{
	int64_t version = 0;
	int error = execute_script(s, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 16777216");
	if (!error)
		error = read_version_alone(s, &version);
	if (error || version == SCHEMA_VERSION)
		return error;
	error = enter_wal(s);
	return error ? error : upgrade_alone(s);
}
