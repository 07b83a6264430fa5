/* control/db/patience.c - waits for the server's answers, but not for ever.  statement_timeout is
 * the server's: one that hangs (stopped, swapping, behind a network that is gone) does not keep it.
 * Such a connection is cut, and the call fails as when the server had closed it. */
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "control/db/private.h"

enum { GRACE_MS = 3000 }; /* for the way back of what statement_timeout ended */

/* false: it said nothing until then. */
static bool hears(PGconn *conn, int64_t until_ms)
{
	struct pollfd p = { .fd = PQsocket(conn), .events = POLLIN };
	int64_t left = until_ms - clock_mono_ms();

	if (left <= 0)
		return false;
	(void)poll(&p, 1, (int)MIN_OF(left, (int64_t)INT32_MAX));
	(void)PQconsumeInput(conn); /* a failure is PQstatus()'s */
	return true;
}

PGresult *patience_result(struct db *db)
{
	int64_t until = clock_mono_ms() + db->statement_timeout_ms + GRACE_MS;

	while (db->statement_timeout_ms && PQstatus(db->conn) == CONNECTION_OK &&
	       PQisBusy(db->conn))
		if (!hears(db->conn, until)) {
			(void)shutdown(PQsocket(db->conn), SHUT_RDWR);
			break;
		}
	return PQgetResult(db->conn);
}

PGresult *patience_answer(struct db *db)
{
	PGresult *res = patience_result(db), *next;

	while (res && PQresultStatus(res) != PGRES_PIPELINE_SYNC && (next = patience_result(db)))
		PQclear(next);
	return res;
}
