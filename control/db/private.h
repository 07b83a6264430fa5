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
	bool in_tx, begin_pending; /* pending: BEGIN goes with the first query */
	char error[ERROR_TEXT_MAX];
	char constraint[NAME_MAX_PG];
	char sqlstate[SQLSTATE_LEN + 1];
};

/* Keeps the server's words and gives the code that belongs to them. */
int db_fail(struct db *db, const PGresult *res);
int db_ready(struct db *db) MUST_CHECK;          /* connected, or E_DB */
struct db_result *db_result_wrap(PGresult *res); /* takes res */
/* patience.c: as PQgetResult(), but a server that does not answer in time is given up. */
PGresult *patience_result(struct db *db);
/* Of one statement, which may be pipelined; the first bad result is kept. */
PGresult *patience_answer(struct db *db);
