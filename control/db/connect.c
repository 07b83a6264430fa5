/* control/db/connect.c - opening, losing and reopening the connection; errors into codes. */
#include <stdio.h>
#include <time.h>

#include "control/db/private.h"

enum { WAIT_FIRST_MS = 100, WAIT_MOST_MS = 5000 };

struct db *db_new(const struct db_account *o)
{
	struct db *db = must_alloc(sizeof(*db));

	db->conninfo = must_copy(slice_str(o->conninfo));
	db->user = must_copy(slice_str(o->user));
	db->statement_timeout_ms = o->statement_timeout_ms;
	return db;
}

struct db *db_free(struct db *db)
{
	if (!db)
		return NULL;
	PQfinish(db->conn);
	free(db->conninfo);
	free(db->user);
	free(db);
	return NULL;
}

const char *db_error(const struct db *db)
{
	return db->error;
}

const char *db_constraint(const struct db *db)
{
	return db->constraint;
}

bool db_connected(const struct db *db)
{
	return db->conn && PQstatus(db->conn) == CONNECTION_OK;
}

/* SQLSTATE, or only its class, and what it means to us.  The longer rows stand first. */
static const struct {
	const char *state;
	int code;
} codes[] = {
	{ "23505", E_EXISTS },  /* unique_violation */
	{ "23503", E_UNKNOWN }, /* foreign_key_violation */
	{ "23", E_SYNTAX },     /* checks, NOT NULL */
	{ "22", E_SYNTAX },     /* data exceptions */
	{ "40", E_CONFLICT },   /* serialization_failure, deadlock_detected */
	{ "42501", E_DENIED },  /* insufficient_privilege, also a policy's WITH CHECK */
	{ "55P03", E_TIMEOUT }, /* lock_not_available */
	{ "57014", E_TIMEOUT }, /* query_canceled: statement_timeout */
	{ "53", E_FULL },       /* insufficient_resources */
};

static int code_of(const char *state)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (!strncmp(state, codes[i].state, strlen(codes[i].state)))
			return codes[i].code;
	return E_DB;
}

int db_fail(struct db *db, const PGresult *res)
{
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *name = res ? PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME) : NULL;
	const char *text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	if (!text)
		text = db->conn ? PQerrorMessage(db->conn) : "no answer in time";
	slice_copy(db->error, sizeof(db->error), slice_str(text));
	db->error[strcspn(db->error, "\n")] = '\0';
	slice_copy(db->constraint, sizeof(db->constraint), slice_str(name));
	slice_copy(db->sqlstate, sizeof(db->sqlstate), slice_str(state));
	return state ? code_of(state) : E_DB;
}

bool db_retryable(const struct db *db)
{
	return !strncmp(db->sqlstate, "40", 2);
}

static void notice_unheard(void *arg UNUSED, const PGresult *res UNUSED)
{
}

int db_connect(struct db *db)
{
	char options[128];

	PQfinish(db->conn);
	db->in_tx = db->begin_pending = db->patient = false;
	/* Set by the server for the session's life; no SET statements of our own, so that a pooler
	 * in transaction mode may stand between. */
	(void)snprintf(options, sizeof(options),
		       "-c statement_timeout=%lld -c lock_timeout=%lld -c timezone=UTC",
		       (long long)db->statement_timeout_ms, (long long)db->statement_timeout_ms);
	/* What stands before dbname is what the operator may say otherwise in the conninfo.  Over
	 * TCP a peer that went without a word is noticed in half a minute. */
	const char *keys[] = { "keepalives_idle",
			       "keepalives_interval",
			       "keepalives_count",
			       "tcp_user_timeout",
			       "dbname",
			       "user",
			       "application_name",
			       "options",
			       "connect_timeout",
			       "client_encoding",
			       NULL };
	const char *values[] = {
		"10",    "5",  "4",    "30000", db->conninfo, db->user, "postern-control",
		options, "10", "UTF8", NULL
	};
	db->conn = PQconnectdbParams(keys, values, 1);
	if (PQstatus(db->conn) != CONNECTION_OK) {
		db->sqlstate[0] = '\0';
		return db_fail(db, NULL);
	}
	(void)PQsetNoticeReceiver(db->conn, notice_unheard, NULL);
	db->wait_ms = 0;
	return 0;
}

/* Between transactions the server sends nothing except its last message: the first read takes that,
 * the second sees the end.  So a restart of the server costs nobody a request. */
static void notice_end(struct db *db)
{
	if (db->in_tx && !db->begin_pending)
		return;
	for (int i = 0; i < 2 && db_connected(db); i++)
		(void)PQconsumeInput(db->conn);
}

int db_ready(struct db *db)
{
	struct timespec pause;

	if (db->conn)
		notice_end(db);
	if (db_connected(db))
		return 0;
	if (db->in_tx && !db->begin_pending)
		return E_DB; /* the transaction went with the connection */
	if (db->wait_ms) {
		pause = (struct timespec){ db->wait_ms / 1000, db->wait_ms % 1000 * 1000000 };
		(void)nanosleep(&pause, NULL);
	}
	db->wait_ms = db->wait_ms ? MIN_OF(db->wait_ms * 2, WAIT_MOST_MS) : WAIT_FIRST_MS;
	bool pending = db->begin_pending;
	int r = db_connect(db);
	db->in_tx = db->begin_pending = pending;
	return r;
}
