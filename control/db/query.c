/* control/db/query.c - one statement with its parameters, and reading what came back. */
#include <math.h>
#include <stdio.h>

#include "control/db/private.h"

enum { PARAMS_MAX = 64, NUMBER_MAX = 32, TOLD_STEP_MS = 1000 };

/* The wire form of parameters: numbers as text, bytea as it is. */
struct packed_params {
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX], formats[PARAMS_MAX];
	char numbers[PARAMS_MAX][NUMBER_MAX];
	char *copies[PARAMS_MAX];
	unsigned n;
};

static void packed_free(struct packed_params *k)
{
	for (unsigned i = 0; i < k->n; i++)
		free(k->copies[i]);
}

static int pack_text(struct packed_params *k, unsigned i, struct slice s)
{
	if (memchr(s.p ? s.p : "", '\0', s.n))
		return E_SYNTAX; /* PostgreSQL's text cannot hold NUL */
	k->copies[i] = malloc(s.n + 1);
	if (!k->copies[i])
		return -ENOMEM;
	slice_copy(k->copies[i], s.n + 1, s);
	k->values[i] = k->copies[i];
	return 0;
}

static int pack_one(struct packed_params *k, unsigned i, const struct db_param *p)
{
	k->formats[i] = 0;
	k->lengths[i] = 0;
	k->copies[i] = NULL;
	k->values[i] = NULL;
	switch (p->type) {
	case DB_NULL:
		return 0;
	case DB_INT:
		(void)snprintf(k->numbers[i], NUMBER_MAX, "%lld", (long long)p->i);
		k->values[i] = k->numbers[i];
		return 0;
	case DB_REAL:
		if (!isfinite(p->d))
			return E_SYNTAX;
		(void)snprintf(k->numbers[i], NUMBER_MAX, "%.17g", p->d);
		k->values[i] = k->numbers[i];
		return 0;
	case DB_TEXT:
		return pack_text(k, i, p->s);
	case DB_BYTES:
		if (p->s.n > INT32_MAX / 2)
			return E_LIMIT;
		k->values[i] = p->s.p ? p->s.p : "";
		k->lengths[i] = (int)p->s.n;
		k->formats[i] = 1;
		return 0;
	}
	return E_SYNTAX;
}

static int pack(struct packed_params *k, const struct db_param *params, unsigned n)
{
	int r;

	k->n = 0;
	if (n > PARAMS_MAX)
		return E_LIMIT;
	for (unsigned i = 0; i < n; i++) {
		r = pack_one(k, i, &params[i]);
		k->n = i + 1;
		if (r < 0)
			return r;
	}
	return 0;
}

static bool succeeded(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

static const char set_org[] = "SELECT set_config('app.org', $1, true)";
static const char set_time[] = "SELECT set_config('statement_timeout', $1, true)";
static const char set_both[] =
    "SELECT set_config('app.org', $1, true), set_config('statement_timeout', $2, true)";

static int send_begin(struct db *db)
{
	char org[16] = "", ms[24] = "";
	const char *values[] = { org, ms };
	const char *sql = db->deadline_ms ? set_both : set_org;

	if (db->org)
		(void)snprintf(org, sizeof(org), "%u", db->org);
	db->told_ms = db->deadline_ms ? db_statement_ms(db) : 0;
	(void)snprintf(ms, sizeof(ms), "%lld", (long long)db->told_ms);
	if (!PQenterPipelineMode(db->conn) ||
	    !PQsendQueryParams(db->conn, "BEGIN", 0, NULL, NULL, NULL, NULL, 0) ||
	    !PQsendQueryParams(db->conn, sql, db->deadline_ms ? 2 : 1, NULL, values, NULL, NULL, 0))
		return E_DB;
	return 0;
}

/* Takes the answers of one pipelined statement; the first bad one is kept in *ret. */
static PGresult *take_one(struct db *db)
{
	PGresult *res = db_wait_result(db), *next;

	while (res && PQresultStatus(res) != PGRES_PIPELINE_SYNC && (next = db_wait_result(db)))
		PQclear(next);
	return res;
}

/* BEGIN, the organisation and the first statement in one round trip. */
static PGresult *first_query(struct db *db, const char *sql, const struct packed_params *k)
{
	PGresult *res[3] = { 0 }, *keep;
	unsigned i, bad = 2;

	if (send_begin(db) < 0 ||
	    !PQsendQueryParams(db->conn, sql, (int)k->n, NULL, k->values, k->lengths, k->formats,
			       0) ||
	    !PQpipelineSync(db->conn))
		return NULL;
	for (i = 0; i < ARRAY_LEN(res); i++)
		res[i] = take_one(db);
	PQclear(db_wait_result(db)); /* the sync */
	(void)PQexitPipelineMode(db->conn);
	for (i = 0; i < ARRAY_LEN(res); i++)
		if (!succeeded(res[i])) {
			bad = i;
			break;
		}
	keep = res[bad];
	for (i = 0; i < ARRAY_LEN(res); i++)
		if (i != bad)
			PQclear(res[i]);
	return keep;
}

/* A transaction that has taken long already: its next statement has less time than the first. */
static void tell_time(struct db *db)
{
	int64_t left = db_statement_ms(db);
	char ms[24];
	const char *values[] = { ms };

	if (!db->in_tx || !db->told_ms || db->patient || db->told_ms - left < TOLD_STEP_MS)
		return;
	db->told_ms = left;
	(void)snprintf(ms, sizeof(ms), "%lld", (long long)left);
	db_wait_begin(db);
	if (PQsendQueryParams(db->conn, set_time, 1, NULL, values, NULL, NULL, 0))
		PQclear(db_wait_last(db));
}

static PGresult *execute(struct db *db, const char *sql, const struct packed_params *k)
{
	bool first = db->begin_pending;

	if (!first)
		tell_time(db);
	if (!db->conn)
		return NULL;

	db->begin_pending = false;
	db_wait_begin(db);
	if (first)
		return first_query(db, sql, k);
	if (!PQsendQueryParams(db->conn, sql, (int)k->n, NULL, k->values, k->lengths, k->formats,
			       0))
		return NULL;
	return db_wait_last(db);
}

static int count_of(const PGresult *res)
{
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		return PQntuples(res);
	return (int)strtol(PQcmdTuples((PGresult *)res), NULL, 10);
}

static int out_of_time(struct db *db)
{
	slice_copy(db->error, sizeof(db->error), SLICE("the request's time is over"));
	db->constraint[0] = db->sqlstate[0] = '\0';
	return E_TIMEOUT;
}

int db_query(struct db *db, struct db_result **ret, const char *sql, const struct db_param *params,
	     unsigned n)
{
	struct packed_params k;
	PGresult *res;
	int r = db_out_of_time(db) ? out_of_time(db) : db_ready(db);

	if (r < 0)
		return r;
	r = pack(&k, params, n);
	if (r < 0) {
		packed_free(&k);
		return r;
	}
	res = execute(db, sql, &k);
	packed_free(&k);
	if (!succeeded(res)) {
		r = db_fail(db, res);
		PQclear(res);
		return r;
	}
	r = count_of(res);
	if (ret)
		*ret = db_result_wrap(res);
	else
		PQclear(res);
	return r;
}

int db_script(struct db *db, const char *sql)
{
	int r = db_ready(db);
	PGresult *res;

	if (r < 0)
		return r;
	res = PQexec(db->conn, sql);
	r = succeeded(res) ? 0 : db_fail(db, res);
	PQclear(res);
	return r;
}
