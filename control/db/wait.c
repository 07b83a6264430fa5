/* control/db/wait.c - waiting for the server, but not for ever: it may hang, or the network may
 * lose it, without an end of the connection.  The server ends a statement at statement_timeout by
 * itself; who gives no sign for GRACE_MS longer has its connection closed. */
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "control/db/private.h"

enum { GRACE_MS = 5000 };

void db_wait_begin(struct db *db)
{
	int64_t ms = db->patient ? 0 : db_statement_ms(db);

	db->until_ms = ms ? clock_mono_ms() + ms + GRACE_MS : 0;
}

void db_time(struct db *db, int64_t ms)
{
	db->deadline_ms = ms ? clock_mono_ms() + ms : 0;
}

bool db_out_of_time(const struct db *db)
{
	return db->deadline_ms && clock_mono_ms() >= db->deadline_ms;
}

int64_t db_statement_ms(const struct db *db)
{
	int64_t left = db->deadline_ms ? MAX_OF(db->deadline_ms - clock_mono_ms(), 1) : 0;
	int64_t most = db->statement_timeout_ms;

	return left && (!most || left < most) ? left : most;
}

static bool wait_readable(const struct db *db)
{
	struct pollfd p = { .fd = PQsocket(db->conn), .events = POLLIN };

	for (;;) {
		int64_t left = db->until_ms ? db->until_ms - clock_mono_ms() : -1;
		int n;

		if (db->until_ms && left <= 0)
			return false;
		n = poll(&p, 1, (int)left);
		if (n > 0 || (n < 0 && errno != EINTR))
			return true; /* an error is found by who reads */
	}
}

PGresult *db_wait_result(struct db *db)
{
	while (PQisBusy(db->conn)) {
		if (!wait_readable(db)) {
			PQfinish(db->conn);
			db->conn = NULL;
			return NULL;
		}
		if (!PQconsumeInput(db->conn))
			break;
	}
	return PQgetResult(db->conn);
}

PGresult *db_wait_last(struct db *db)
{
	PGresult *res = db_wait_result(db), *next;

	while (res && (next = db_wait_result(db)))
		PQclear(next);
	return res;
}

int db_wait_long(struct db *db)
{
	int r = db_run(db, NULL, "SELECT set_config('statement_timeout', '0', true)");

	if (r >= 0)
		db->patient = true;
	return r < 0 ? r : 0;
}
