/* control/db/db.h - the door to PostgreSQL: typed parameters, transactions of one organisation.
 * Owns:    db_new() gives the caller one connection, not yet open; db_free() closes it.  A result
 *          lives until db_result_free() (or the end of its OWNED scope).
 * Blocks:  every call, until the server answers or statement_timeout and five seconds pass; the
 *          connection to a server that hangs is closed then (E_DB).
 * Fails:   E_EXISTS (a unique key), E_UNKNOWN (a foreign key), E_SYNTAX (a check or a value out of
 *          range), E_TIMEOUT (statement or lock timeout), E_CONFLICT (serialization, deadlock: run
 *          it again, as db_tx() does), E_DENIED, E_FULL (server out of room or connections), E_DB.
 *          db_error() has the server's words, db_constraint() the name of what refused.
 * Threads: a connection belongs to one thread at a time.
 * Limits:  values only as parameters.  A result is text underneath and is held whole, so ask for a
 *          bounded number of rows. */
#pragma once
#include "base/buf.h"

struct db;
struct db_result;
struct db *db_free(struct db *db);
DEFINE_OWNED(db)
struct db_result *db_result_free(struct db_result *r);
DEFINE_OWNED(db_result)

struct db_account {
	const char *conninfo;         /* libpq's; without user and password */
	const char *user;             /* cp_api, cp_ingest, cp_owner */
	int64_t statement_timeout_ms; /* 0: none */
};
/* Copies its options; connects at the first use, and again after the connection broke, waiting
 * 100 ms to 5 s between attempts. */
struct db *db_new(const struct db_account *o);
int db_connect(struct db *db) MUST_CHECK; /* now, once; db_query() does it by itself */
bool db_connected(const struct db *db);
const char *db_error(const struct db *db);      /* of the last failure; "" before one */
const char *db_constraint(const struct db *db); /* of the last failure; "" when none was named */

struct db_param {
	enum { DB_NULL, DB_INT, DB_REAL, DB_TEXT, DB_BYTES } type;
	int64_t i;
	double d;
	struct slice s;
};
#define p_null() ((struct db_param){ .type = DB_NULL })
#define p_int(v) ((struct db_param){ .type = DB_INT, .i = (int64_t)(v) })
#define p_bool(v) p_int((v) ? 1 : 0) /* write $n::int::bool */
#define p_real(v) ((struct db_param){ .type = DB_REAL, .d = (v) })
#define p_text(v) ((struct db_param){ .type = DB_TEXT, .s = (v) }) /* no NUL inside: E_SYNTAX */
#define p_str(v) ((struct db_param){ .type = DB_TEXT, .s = slice_str(v) })
#define p_bytes(v) ((struct db_param){ .type = DB_BYTES, .s = (v) })
#define p_opt(v) ((v).p ? p_text(v) : p_null())

/* One statement.  Returns the number of rows that it gives (SELECT, RETURNING), else of those that
 * it touched.  ret may be NULL when the rows do not matter. */
int db_query(struct db *db, struct db_result **ret, const char *sql, const struct db_param *params,
	     unsigned n) MUST_CHECK;
#define db_run(db, ret, sql, ...)                                                                  \
	({                                                                                         \
		const struct db_param params_[] = { __VA_ARGS__ };                                 \
		db_query((db), (ret), (sql), params_, ARRAY_LEN(params_));                         \
	})
/* Within a transaction: its statements may take as long as they need. */
int db_wait_long(struct db *db) MUST_CHECK;
/* Several statements without parameters: migrations only. */
int db_script(struct db *db, const char *sql) MUST_CHECK;

unsigned db_rows(const struct db_result *r);
bool db_is_null(const struct db_result *r, unsigned row, unsigned col);
int64_t db_int(const struct db_result *r, unsigned row, unsigned col); /* 0 for NULL */
bool db_bool(const struct db_result *r, unsigned row, unsigned col);
struct slice db_text(const struct db_result *r, unsigned row, unsigned col); /* empty for NULL */
/* bytea, decoded in place: the slice is good as long as the result; read a cell only once. */
struct slice db_bytes(struct db_result *r, unsigned row, unsigned col);

/* BEGIN and the organisation (0: none, and every tenant's table looks empty) travel with the first
 * query in one round trip.  From begin to end every db_query() is part of the transaction. */
void db_begin(struct db *db, uint32_t org);
bool db_in_tx(const struct db *db);
/* The open transaction goes on for another organisation: what concerns two is written at once. */
int db_turn(struct db *db, uint32_t org) MUST_CHECK;
int db_commit(struct db *db) MUST_CHECK;
void db_rollback(struct db *db); /* harmless outside a transaction */

/* Runs work in a transaction: commits when it returns 0 or more, else rolls back.  Runs it again,
 * up to four times, after E_CONFLICT from the server, so work must bear being run again. */
typedef int (*db_work)(struct db *db, void *arg);
int db_tx(struct db *db, uint32_t org, db_work work, void *arg) MUST_CHECK;
bool db_retryable(const struct db *db); /* was the last failure a serialization or a deadlock? */
void db_retry_pause(int attempt);       /* before trying again: some ms, more with each attempt */

/* COPY ... FROM STDIN (text format): rows are appended with db_copy_put, in any pieces. */
int db_copy_begin(struct db *db, const char *sql) MUST_CHECK;
int db_copy_put(struct db *db, struct slice bytes) MUST_CHECK;
int db_copy_end(struct db *db) MUST_CHECK; /* rows copied; after a failure use db_rollback */
/* Appends one text value in COPY's escaping; the caller writes the tabs and newlines. */
int db_copy_escape(struct buf *out, struct slice value) MUST_CHECK;

/* Milliseconds as a parameter: from_ms($n).  As a column: to_ms(col). */
