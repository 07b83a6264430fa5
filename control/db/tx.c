/* control/db/tx.c - transactions of one organisation, and COPY into staging tables. */
#include <stdio.h>
#include <time.h>

#include "base/random.h"
#include "control/db/private.h"

enum { TRIES = 4 };

void db_begin(struct db *db, uint32_t org)
{
	assert(!db->in_tx);
	db->org = org;
	db->in_tx = db->begin_pending = true;
	db->patient = false;
	db->error[0] = db->constraint[0] = db->sqlstate[0] = '\0';
}

bool db_in_tx(const struct db *db)
{
	return db->in_tx;
}

int db_turn(struct db *db, uint32_t org)
{
	char text[16];
	int r;

	assert(db->in_tx);
	(void)snprintf(text, sizeof(text), "%u", (unsigned)org);
	r = db_run(db, NULL, "SELECT set_config('app.org', $1, true)", p_str(text));
	return r < 0 ? r : 0;
}

static int end(struct db *db, const char *sql)
{
	bool never_sent = db->begin_pending;
	PGresult *res;
	int r;

	db->in_tx = db->begin_pending = db->patient = false;
	if (never_sent)
		return 0;
	if (!db_connected(db))
		return E_DB;
	db_wait_begin(db);
	res = PQsendQuery(db->conn, sql) ? db_wait_last(db) : NULL;
	/* COMMIT of a failed transaction is answered ROLLBACK: that is no commit. */
	r = PQresultStatus(res) == PGRES_COMMAND_OK ? 0 : db_fail(db, res);
	if (r == 0 && !strcmp(sql, "COMMIT") && strcmp(PQcmdStatus(res), "COMMIT"))
		r = E_DB;
	PQclear(res);
	return r;
}

int db_commit(struct db *db)
{
	return end(db, "COMMIT");
}

void db_rollback(struct db *db)
{
	if (!db->in_tx)
		return;
	/* Within a COPY the connection answers nothing else; closing it is the rollback. */
	if (end(db, "ROLLBACK") < 0 || PQtransactionStatus(db->conn) != PQTRANS_IDLE) {
		PQfinish(db->conn);
		db->conn = NULL;
	}
}

void db_retry_pause(int attempt)
{
	long ms = (long)random_below(10U << attempt) + 1;
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&pause, NULL);
}

int db_tx(struct db *db, uint32_t org, db_work work, void *arg)
{
	int r = E_CONFLICT;

	for (int attempt = 0; attempt < TRIES; attempt++) {
		if (attempt)
			db_retry_pause(attempt);
		db_begin(db, org);
		r = work(db, arg);
		if (r >= 0) {
			int committed = db_commit(db);
			if (committed < 0)
				r = committed;
		} else {
			/* Keep what the failing statement said. */
			db_rollback(db);
		}
		if (r >= 0 || !db_retryable(db))
			return r;
	}
	return r;
}

int db_copy_begin(struct db *db, const char *sql)
{
	PGresult *res;
	int r = db->begin_pending ? db_query(db, NULL, "SELECT 1", NULL, 0) : db_ready(db);

	if (r < 0)
		return r;
	res = PQexec(db->conn, sql);
	r = PQresultStatus(res) == PGRES_COPY_IN ? 0 : db_fail(db, res);
	PQclear(res);
	return r;
}

int db_copy_put(struct db *db, struct slice bytes)
{
	if (bytes.n > INT32_MAX / 2)
		return E_LIMIT;
	return PQputCopyData(db->conn, bytes.p, (int)bytes.n) == 1 ? 0 : db_fail(db, NULL);
}

int db_copy_end(struct db *db)
{
	PGresult *res, *next;
	int r;

	if (PQputCopyEnd(db->conn, NULL) != 1)
		return db_fail(db, NULL);
	res = PQgetResult(db->conn);
	r = PQresultStatus(res) == PGRES_COMMAND_OK ? (int)strtol(PQcmdTuples(res), NULL, 10)
						    : db_fail(db, res);
	while ((next = PQgetResult(db->conn)))
		PQclear(next);
	PQclear(res);
	return r;
}

/* Letters after the backslash for what COPY's text format escapes. */
static char copy_letter(char c)
{
	switch (c) {
	case '\\':
		return '\\';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

int db_copy_escape(struct buf *out, struct slice value)
{
	size_t done = 0;
	int r = 0;

	if (memchr(value.p ? value.p : "", '\0', value.n))
		return E_SYNTAX;
	for (size_t i = 0; i < value.n && r >= 0; i++) {
		char letter = copy_letter(value.p[i]);

		if (!letter)
			continue;
		r = buf_append(out, slice_of(value.p + done, i - done));
		if (r >= 0)
			r = buf_append_byte(out, '\\');
		if (r >= 0)
			r = buf_append_byte(out, letter);
		done = i + 1;
	}
	return r < 0 ? r : buf_append(out, slice_skip(value, done));
}
