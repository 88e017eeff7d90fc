/* What the store's files share: the handle, cached statements, and the encoding of the structs that several tables hold.
 * Rows are read in two steps, first all ids, then one row at a time: no statement is open while a visitor runs, so visitors may do anything. */
#ifndef NODE_STORE_PRIVATE_H
#define NODE_STORE_PRIVATE_H

#include "base/vec.h"
#include "node/store.h"

#include <limits.h>
#include <sqlite3.h>

enum { STATEMENT_CACHE_SIZE = 128 }; /* more than there are statements in the store's files */

struct store_module {
	uint64_t id;
	struct module_key key;
};

struct store {
	sqlite3 *db;
	char directory[PATH_MAX];
	char path[PATH_MAX + 16];
	char error[2 * PATH_MAX];
	int failed;     /* -errno of the last failure */
	unsigned depth; /* of nested transactions */
	bool damaged;   /* found out: from now on nothing is written */
	int aborted;    /* -errno: SQLite rolled the open transaction back by itself */
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} cache[STATEMENT_CACHE_SIZE];
	VEC(struct store_module) modules; /* known rows of the module table */
};

/* Sets the reason and returns the -errno for an SQLite result code. */
int store_fail(struct store *s, int code);
int store_fail_text(struct store *s, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
int store_schema_open(struct store *s);

/* A cached statement, ready for binding; NULL: s->failed and store_error() say why. `sql` must be a literal. */
sqlite3_stmt *store_prepare(struct store *s, const char *sql);
/* 1: a row, 0: no more, -errno. */
int store_step(struct store *s, sqlite3_stmt *st);
/* Resets the statement and passes `result` on. */
int store_finish(sqlite3_stmt *st, int result);
/* Steps a writing statement to its end and resets it. */
int store_execute(struct store *s, sqlite3_stmt *st);
/* The same for an INSERT or UPDATE ... RETURNING id; `error`: from binding, passed on. -ENOENT: the row to update is not there (any more). */
int store_execute_put(struct store *s, sqlite3_stmt *st, int error, uint64_t *id);
int store_execute_text(struct store *s, const char *sql);

typedef VEC(uint64_t) store_ids;
/* Runs a bound statement and collects its first column. */
int store_collect(struct store *s, sqlite3_stmt *st, store_ids *out);

/* Bind and read columns one after the other. */
struct binder {
	sqlite3_stmt *st;
	int next;
};
void bind_int(struct binder *b, int64_t value);
void bind_id(struct binder *b, uint64_t id); /* 0 becomes NULL */
void bind_text(struct binder *b, const char *text);
void bind_blob(struct binder *b, const void *data, size_t size); /* must live until the statement is reset */

struct reader {
	struct store *store;
	sqlite3_stmt *st;
	int next;
	int error; /* -EBADMSG: something stored makes no sense */
};
int64_t read_int(struct reader *r);
uint64_t read_bounded(struct reader *r, uint64_t limit); /* values >= limit make no sense */
void read_text(struct reader *r, char *out, size_t size);
size_t read_blob(struct reader *r, void *out, size_t unit, size_t max); /* returns the count of units */
void read_module(struct reader *r, struct module_key *key);
void reader_reject(struct reader *r); /* the column read last makes no sense */

/* Modules are stored as row numbers. Id 0 stands for the empty key. */
int store_module_id(struct store *s, const struct module_key *key, uint64_t *id);        /* adds it where missing */
int store_module_find(struct store *s, const struct module_key *key, uint64_t *id);      /* -ENOENT */
int store_module_key(struct store *s, uint64_t id, struct module_key *key);              /* -EBADMSG */

/* Columns of an invariant, in the tables invariant, check and patch. */
#define INVARIANT_COLUMNS "kind, procedure, a_module, a_offset, a_slot, a_operand, b_module, b_offset, b_slot, b_operand, bound, one_of, samples, a_is_later, relative"
#define INVARIANT_PARAMETERS "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
int bind_invariant(struct store *s, struct binder *b, const struct invariant *i);
void read_invariant(struct reader *r, struct invariant *i);

/* Columns of a failure, in the tables location and occurrence. */
#define FAILURE_COLUMNS "monitor, module, offset, signal, fault_address, registers, stack, location_frame, facts, pid, tid, time_us, program"
#define FAILURE_PARAMETERS "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
struct failure_columns { /* holds what is bound until the statement is reset */
	uint64_t registers[REG_COUNT + 2];
	uint64_t stack[STACK_DEPTH_MAX][5];
};
int bind_failure(struct store *s, struct binder *b, const struct failure *f, struct failure_columns *columns);
void read_failure(struct reader *r, struct failure *f);

#endif
