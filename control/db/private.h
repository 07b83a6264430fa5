/* control/db/private.h - what the files of control/db share; nobody else includes it. */
#pragma once
#include <libpq-fe.h>

#include "control/db/db.h"

enum { ERROR_TEXT_MAX = 512, NAME_MAX_PG = 64, SQLSTATE_LEN = 5 };

struct db {
	PGconn *conn;
	char *conninfo, *user;
	int64_t statement_timeout_ms;
	int64_t wait_ms; /* before the next attempt to connect; doubles */
	uint32_t org;
	int64_t until_ms;          /* when the answer has to be here; 0: whenever */
	int64_t deadline_ms;       /* db_time(); 0: none */
	int64_t told_ms;           /* statement_timeout of the open transaction; 0: the session's */
	bool in_tx, begin_pending; /* pending: BEGIN goes with the first query */
	bool patient;              /* this transaction's statements may take any time */
	char error[ERROR_TEXT_MAX];
	char constraint[NAME_MAX_PG];
	char sqlstate[SQLSTATE_LEN + 1];
};

/* Keeps the server's words and gives the code that belongs to them. */
int db_fail(struct db *db, const PGresult *res);
int db_ready(struct db *db) MUST_CHECK; /* connected, or E_DB */
/* wait.c: a statement begins; its next result, and its only one.  NULL also when the server hangs:
 * then there is no connection any more. */
bool db_out_of_time(const struct db *db);
int64_t db_statement_ms(const struct db *db); /* that a statement may take now; 0: any time */
void db_wait_begin(struct db *db);
PGresult *db_wait_result(struct db *db);
PGresult *db_wait_last(struct db *db);
struct db_result *db_result_wrap(PGresult *res); /* takes res */
