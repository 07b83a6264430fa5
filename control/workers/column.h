/* control/workers/column.h - a PostgreSQL array as text, built value by value: how thousands of
 * rows go to the server as one parameter a column, for unnest().
 *
 * Owns:   column_init/column_free hold the memory; column_clear keeps it for the next batch.
 * Blocks: never.  Fails: ends the process when memory is gone; callers bound the number of rows.
 * Guarantee: any bytes may go into column_text: what is no UTF-8 or is NUL becomes "?". */
#pragma once
#include "base/buf.h"

struct column {
	struct buf text;
	unsigned n;
};

void column_init(struct column *c);
void column_free(struct column *c);
void column_clear(struct column *c);
void column_int(struct column *c, int64_t v);
void column_u64(struct column *c, uint64_t v);
void column_text(struct column *c, struct slice s);
void column_bytes(struct column *c, struct slice s); /* bytea */
void column_null(struct column *c);
/* The array; valid until the next call on c. */
const char *column_array(struct column *c);
