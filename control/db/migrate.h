/* control/db/migrate.h - the numbered SQL of schema/sql, embedded in the program.
 *
 * Guarantee: a file that was changed after it was applied stops the program (E_CONFLICT), and so
 *            does a database that is newer than the program (E_VERSION).  Two programs at once do
 *            not migrate twice (advisory lock).
 * Blocks:    on the database. */
#pragma once
#include "control/db/db.h"

struct migration {
	unsigned number;
	const char *name, *sql;
};
extern const struct migration migrations[]; /* made at build time from schema/sql */
extern const size_t migrations_n;

/* As a superuser: roles and rights (number 0).  May be run again. */
int migrate_bootstrap(struct db *db) MUST_CHECK;
/* As cp_owner: what is missing.  Returns how many were applied; *ret_at names where it failed. */
int migrate_run(struct db *db, const char **ret_at) MUST_CHECK;
/* As any role: 0 when the database is exactly ours, E_UNKNOWN when it must be migrated first,
 * E_VERSION or E_CONFLICT as above. */
int migrate_check(struct db *db) MUST_CHECK;
