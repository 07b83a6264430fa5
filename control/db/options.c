/* control/db/options.c - the option rows of the database. */
#include "control/db/options.h"

#define AT(member) offsetof(struct db_options, member)
#define SEC(n) ((int64_t)(n)*1000)
#define MIN(n) SEC((n)*60)

/* clang-format off */
static const struct option rows[] = {
	{"database.conninfo", T_STR, AT(conninfo), 0, 0, "dbname=postern", false,
	 "libpq connection string without a user: host=, port=, dbname=, sslmode=, passfile="},
	{"database.bootstrap_user", T_STR, AT(bootstrap_user), 0, 63, "postgres", false,
	 "Superuser that --bootstrap connects as to create the roles"},
	{"database.owner_user", T_STR, AT(owner_user), 0, 63, "cp_owner", false,
	 "Role that owns the tables and runs --migrate"},
	{"database.api_user", T_STR, AT(api_user), 0, 63, "cp_api", false,
	 "Role that answers requests, under row-level security"},
	{"database.ingest_user", T_STR, AT(ingest_user), 0, 63, "cp_ingest", false,
	 "Role that the background workers use"},
	{"database.statement_timeout", T_DURATION, AT(statement_timeout), SEC(1), MIN(60), "20s", false,
	 "Longest time that one statement of a request may run"},
};
/* clang-format on */

const struct option_set db_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct db_options),
};
