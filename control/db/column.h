/* control/db/column.h - a PostgreSQL array as text, built value by value.  Thousands of rows go to
 * the server with one parameter per column, for unnest().
 *
 * Owns:      between db_column_init() and db_column_free() the column has memory; db_column_clear()
 *            keeps it for the next batch.
 * Blocks:    db_columns_run() on the database.
 * Fails:     ends the process when memory is gone; callers bound the number of rows.
 * Limits:    COLUMNS_MAX parameters per statement.
 * Guarantee: db_column_text() takes any bytes: NUL and what is not UTF-8 become "?". */
#pragma once
#include "control/db/db.h"

enum { COLUMNS_MAX = 20 };
struct db_column {
	struct buf text;
	unsigned n;
};

void db_column_init(struct db_column *c);
void db_column_free(struct db_column *c);
void db_column_clear(struct db_column *c);
void db_column_int(struct db_column *c, int64_t v);
void db_column_u64(struct db_column *c, uint64_t v);
void db_column_text(struct db_column *c, struct slice s);
void db_column_bytes(struct db_column *c, struct slice s); /* bytea */
void db_column_null(struct db_column *c);
/* The array; valid until the next call on c. */
const char *db_column_array(struct db_column *c);

void db_columns_each(struct db_column *c, unsigned n, void (*f)(struct db_column *));
/* Runs a statement whose first n parameters are the arrays of c, followed by `more`.  Does nothing
 * when the arrays are empty. */
int db_columns_run(struct db *db, const char *sql, struct db_column *c, unsigned n,
		   const struct db_param *more, unsigned n_more) MUST_CHECK;
