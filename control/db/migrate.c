/* control/db/migrate.c - applying schema/sql. */
#include "base/hash.h"
#include "control/db/migrate.h"

enum { LOCK_KEY = 0x504f5354 }; /* "POST" */

static int64_t checksum(const struct migration *m)
{
	return (int64_t)hash_stable(slice_str(m->sql));
}

int migrate_bootstrap(struct db *db)
{
	assert(migrations_n && migrations[0].number == 0);
	return db_script(db, migrations[0].sql);
}

static int apply(struct db *db, void *arg)
{
	const struct migration *m = arg;
	int r = db_run(db, NULL, "SELECT set_config('lock_timeout', '10s', true)");

	if (r >= 0)
		r = db_script(db, m->sql);
	if (r >= 0)
		r = db_run(db, NULL,
			   "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)",
			   p_int(m->number), p_str(m->name), p_int(checksum(m)));
	return r < 0 ? r : 0;
}

static const struct migration *numbered(int64_t number)
{
	for (size_t i = 1; i < migrations_n; i++)
		if (migrations[i].number == number)
			return &migrations[i];
	return NULL;
}

enum { APPLIED_NUMBER, APPLIED_CHECKSUM };

/* Compares the table with our files; *ret_last is the last number applied. */
static int compare(struct db *db, int64_t *ret_last, const char **ret_at)
{
	OWNED(db_result) res = NULL;
	int n = db_run(db, &res, "SELECT number, checksum FROM migrations ORDER BY number");
	int64_t last = 0;

	if (n < 0)
		return n;
	for (unsigned i = 0; i < (unsigned)n; i++) {
		const struct migration *m = numbered(db_int(res, i, APPLIED_NUMBER));

		if (!m)
			return E_VERSION;
		*ret_at = m->name;
		if (checksum(m) != db_int(res, i, APPLIED_CHECKSUM))
			return E_CONFLICT;
		last = m->number;
	}
	*ret_last = last;
	return 0;
}

static int run_locked(struct db *db, const char **ret_at)
{
	int64_t last = 0;
	int applied = 0, r;

	r = db_script(
	    db, "CREATE TABLE IF NOT EXISTS migrations (number int PRIMARY KEY, name text NOT NULL,"
		" checksum bigint NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
		"GRANT SELECT ON migrations TO cp_api, cp_ingest");
	if (r >= 0)
		r = compare(db, &last, ret_at);
	for (size_t i = 1; i < migrations_n && r >= 0; i++) {
		if (migrations[i].number <= last)
			continue;
		*ret_at = migrations[i].name;
		r = db_tx(db, 0, apply, (void *)&migrations[i]);
		applied++;
	}
	return r < 0 ? r : applied;
}

int migrate_run(struct db *db, const char **ret_at)
{
	int r, u;

	*ret_at = "the connection";
	r = db_run(db, NULL, "SELECT pg_advisory_lock($1)", p_int(LOCK_KEY));
	if (r < 0)
		return r;
	r = run_locked(db, ret_at);
	u = db_run(db, NULL, "SELECT pg_advisory_unlock($1)", p_int(LOCK_KEY));
	return r < 0 ? r : u < 0 ? u : r;
}

int migrate_check(struct db *db)
{
	const char *at = NULL;
	int64_t last = 0;
	int r;

	r = db_run(db, NULL, "SELECT 1 WHERE to_regclass('public.migrations') IS NOT NULL");
	if (r == 0)
		return E_UNKNOWN;
	r = r < 0 ? r : compare(db, &last, &at);
	if (r < 0)
		return r;
	return last == migrations[migrations_n - 1].number ? 0 : E_UNKNOWN;
}
