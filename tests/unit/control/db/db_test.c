/* control/db: the database door against a PostgreSQL of its own (tests/lib/pg.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>
#include <signal.h>
#include <unistd.h>

#include "control/db/db.h"
#include "control/db/migrate.h"

static char dir[] = "/tmp/postern-db.XXXXXX";
static char conninfo[256];

/* Runs one function of pg.sh; the source tree is where this file was compiled from. */
static int pg(const char *what)
{
	const char *here = __FILE__;
	char command[1024];

	while (access(here, R_OK) < 0 && !strncmp(here, "../", 3))
		here += 3;
	(void)snprintf(command, sizeof(command),
		       "bash -c '. $(dirname %s)/../../../lib/pg.sh; PG_DIR=%s; %s' >/dev/null",
		       here, dir, what);
	return system(command);
}

static int start_cluster(void **state)
{
	char what[128];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(what, sizeof(what), "pg_start %s", dir);
	(void)snprintf(conninfo, sizeof(conninfo), "host=%s/socket dbname=postern", dir);
	return pg(what);
}

static int stop_cluster(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "pg_stop; rm -rf %s", dir);
	return pg(command);
}

static struct db *as(const char *user)
{
	return db_new(&(struct db_account){
	    .conninfo = conninfo, .user = user, .statement_timeout_ms = 2000 });
}

static void values_come_back_as_they_were_given(void **state)
{
	OWNED(db) db = as("postgres");
	OWNED(db_result) res = NULL;
	static const char bytes[] = "\0\x01\\x\xff'";

	(void)state;
	assert_int_equal(
	    db_run(db, &res,
		   "SELECT $1::bigint, $2::text, $3::bytea, $4::float8, $5::int::bool, $6::text",
		   p_int(INT64_MIN), p_str("it's \\ \xc3\xa9"),
		   p_bytes(slice_of(bytes, sizeof(bytes))), p_real(0.1), p_bool(true), p_null()),
	    1);
	assert_true(db_int(res, 0, 0) == INT64_MIN);
	assert_true(slice_eq(db_text(res, 0, 1), SLICE("it's \\ \xc3\xa9")));
	assert_true(slice_eq(db_bytes(res, 0, 2), slice_of(bytes, sizeof(bytes))));
	assert_true(slice_eq(db_text(res, 0, 3), SLICE("0.1")));
	assert_true(db_bool(res, 0, 4));
	assert_true(db_is_null(res, 0, 5));
}

static void a_value_is_never_part_of_the_statement(void **state)
{
	OWNED(db) db = as("postgres");
	OWNED(db_result) res = NULL;
	const char *text = "'; DROP TABLE t; --";

	(void)state;
	assert_int_equal(db_run(db, &res, "SELECT length($1)", p_str(text)), 1);
	assert_int_equal(db_int(res, 0, 0), strlen(text));
	assert_int_equal(db_run(db, NULL, "SELECT $1::text", p_text(slice_of("a\0b", 3))),
			 E_SYNTAX);
	assert_int_equal(db_run(db, NULL, "SELECT $1::text", p_str("\xff")), E_SYNTAX);
}

static void refusals_of_the_server_are_told_apart(void **state)
{
	OWNED(db) db = as("postgres");

	(void)state;
	assert_int_equal(
	    db_script(db,
		      "CREATE TABLE a (id int CONSTRAINT a_once PRIMARY KEY, v int CHECK (v > 0));"
		      "CREATE TABLE b (id int REFERENCES a)"),
	    0);
	assert_int_equal(db_run(db, NULL, "INSERT INTO a VALUES ($1, 1)", p_int(1)), 1);
	assert_int_equal(db_run(db, NULL, "INSERT INTO a VALUES ($1, 1)", p_int(1)), E_EXISTS);
	assert_string_equal(db_constraint(db), "a_once");
	assert_int_equal(db_run(db, NULL, "INSERT INTO b VALUES ($1)", p_int(9)), E_UNKNOWN);
	assert_int_equal(db_run(db, NULL, "INSERT INTO a VALUES (2, $1)", p_int(0)), E_SYNTAX);
	assert_int_equal(db_run(db, NULL, "SELECT $1::int", p_str("x")), E_SYNTAX);
	assert_int_equal(db_run(db, NULL, "SELECT pg_sleep($1)", p_int(10)), E_TIMEOUT);
	assert_int_equal(db_run(db, NULL, "SELEC 1"), E_DB);
	assert_true(strlen(db_error(db)) > 0);
}

static int insert_and_fail(struct db *db, void *arg)
{
	int r = db_run(db, NULL, "INSERT INTO a VALUES (50, 1)");

	return r < 0 ? r : *(int *)arg;
}

static int count_a(struct db *db)
{
	OWNED(db_result) res = NULL;

	assert_int_equal(db_run(db, &res, "SELECT count(*) FROM a WHERE id = 50"), 1);
	return (int)db_int(res, 0, 0);
}

static void work_that_fails_leaves_nothing(void **state)
{
	OWNED(db) db = as("postgres");
	int fail = E_DENIED, fine = 7;

	(void)state;
	assert_int_equal(db_tx(db, 0, insert_and_fail, &fail), E_DENIED);
	assert_int_equal(count_a(db), 0);
	assert_int_equal(db_tx(db, 0, insert_and_fail, &fine), 7);
	assert_int_equal(count_a(db), 1);
	assert_false(db_in_tx(db));
}

static int org_of(struct db *db, void *arg)
{
	OWNED(db_result) res = NULL;
	int r = db_run(db, &res, "SELECT current_setting('app.org', true)");

	if (r > 0)
		slice_copy(arg, 16, db_text(res, 0, 0));
	return r;
}

static void the_organisation_lasts_as_long_as_its_transaction(void **state)
{
	OWNED(db) db = as("postgres");
	char org[16];

	(void)state;
	assert_int_equal(db_tx(db, 42, org_of, org), 1);
	assert_string_equal(org, "42");
	assert_int_equal(org_of(db, org), 1);
	assert_string_equal(org, "");
	assert_int_equal(db_tx(db, 0, org_of, org), 1);
	assert_string_equal(org, "");
}

struct race {
	struct db *other;
	int runs;
};

/* Another transaction changes the row between our snapshot and our update, the first time. */
static int read_then_write(struct db *db, void *arg)
{
	struct race *race = arg;
	int r = db_run(db, NULL, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");

	if (r >= 0)
		r = db_run(db, NULL, "SELECT v FROM a WHERE id = 1");
	if (race->runs++ == 0)
		assert_int_equal(db_run(race->other, NULL, "UPDATE a SET v = v + 1 WHERE id = 1"),
				 1);
	return r < 0 ? r : db_run(db, NULL, "UPDATE a SET v = v + 10 WHERE id = 1");
}

static void a_serialization_failure_is_run_again(void **state)
{
	OWNED(db) db = as("postgres");
	OWNED(db) other = as("postgres");
	struct race race = { .other = other };

	(void)state;
	assert_int_equal(db_script(db, "SET default_transaction_isolation = 'repeatable read'"), 0);
	assert_int_equal(db_tx(db, 0, read_then_write, &race), 1);
	assert_int_equal(race.runs, 2);
}

static void copied_rows_are_escaped(void **state)
{
	static const char *const texts[] = { "plain", "tab\there", "line\nbreak\r",
					     "back\\slash \\N", "" };
	OWNED(db) db = as("postgres");
	OWNED(db_result) res = NULL;
	struct buf rows = { 0 };

	(void)state;
	assert_int_equal(db_script(db, "CREATE TABLE copied (n int, t text)"), 0);
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		buf_putf(&rows, "%u\t", i);
		assert_int_equal(db_copy_escape(&rows, slice_str(texts[i])), 0);
		buf_put(&rows, SLICE("\n"));
	}
	assert_int_equal(db_copy_begin(db, "COPY copied FROM STDIN"), 0);
	for (size_t i = 0; i < buf_len(&rows); i++) /* any cut will do */
		assert_int_equal(db_copy_put(db, slice_of(buf_data(&rows).p + i, 1)), 0);
	assert_int_equal(db_copy_end(db), ARRAY_LEN(texts));
	assert_int_equal(db_run(db, &res, "SELECT t FROM copied ORDER BY n"), ARRAY_LEN(texts));
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		assert_true(slice_eq(db_text(res, i, 0), slice_str(texts[i])));
	assert_int_equal(db_copy_escape(&rows, slice_of("a\0b", 3)), E_SYNTAX);
	buf_free(&rows);
}

static void a_copy_given_up_leaves_nothing_and_the_connection_useful(void **state)
{
	OWNED(db) db = as("postgres");
	OWNED(db_result) res = NULL;

	(void)state;
	db_begin(db, 0);
	assert_int_equal(db_copy_begin(db, "COPY copied FROM STDIN"), 0);
	assert_int_equal(db_copy_put(db, SLICE("100\tx\n")), 0);
	db_rollback(db);
	assert_int_equal(db_run(db, &res, "SELECT 1 FROM copied WHERE n = 100"), 0);
}

static void a_connection_that_was_cut_is_made_anew(void **state)
{
	OWNED(db) db = as("postgres");
	OWNED(db) killer = as("postgres");
	OWNED(db_result) res = NULL;

	(void)state;
	assert_int_equal(db_run(db, &res, "SELECT pg_backend_pid()"), 1);
	assert_int_equal(
	    db_run(killer, NULL, "SELECT pg_terminate_backend($1, 5000)", p_int(db_int(res, 0, 0))),
	    1);
	assert_int_equal(db_run(db, NULL, "SELECT 1"), 1);
	/* Within a transaction it is not: half of it is lost. */
	db_begin(db, 0);
	assert_int_equal(db_run(db, NULL, "INSERT INTO a VALUES (70, 1)"), 1);
	assert_int_equal(pg("pg_kill; pg_again"), 0);
	assert_int_equal(db_run(db, NULL, "INSERT INTO a VALUES (71, 1)"), E_DB);
	assert_int_equal(db_run(db, NULL, "INSERT INTO a VALUES (72, 1)"), E_DB);
	assert_int_equal(db_commit(db), E_DB);
	assert_int_equal(db_run(db, NULL, "SELECT 1 FROM a WHERE id >= 70"), 0);
}

static void a_server_that_hangs_is_given_up(void **state)
{
	OWNED(db)
	db = db_new(&(struct db_account){
	    .conninfo = conninfo, .user = "postgres", .statement_timeout_ms = 200 });
	OWNED(db_result) res = NULL;
	pid_t backend;

	(void)state;
	for (int i = 0; i < 3; i++) { /* alone, as the first of a transaction, at its end */
		db_result_free(res);
		res = NULL;
		assert_int_equal(db_run(db, &res, "SELECT pg_backend_pid()"), 1);
		backend = (pid_t)db_int(res, 0, 0);
		if (i)
			db_begin(db, 0);
		if (i == 2)
			assert_int_equal(db_run(db, NULL, "SELECT 1"), 1);
		assert_int_equal(kill(backend, SIGSTOP), 0);
		assert_int_equal(i == 2 ? db_commit(db) : db_run(db, NULL, "SELECT 1"), E_DB);
		assert_int_equal(kill(backend, SIGCONT), 0);
		db_rollback(db);
		assert_int_equal(db_run(db, NULL, "SELECT 1"), 1);
	}
}

static void migrations_are_applied_once_and_never_changed(void **state)
{
	OWNED(db) super = as("postgres");
	OWNED(db) owner = as("cp_owner");
	const char *at = "";

	(void)state;
	assert_int_equal(migrate_bootstrap(super), 0);
	assert_int_equal(migrate_run(owner, &at), (int)migrations_n - 1);
	assert_int_equal(migrate_run(owner, &at), 0);
	assert_int_equal(migrate_check(owner), 0);
	assert_int_equal(
	    db_script(super, "UPDATE migrations SET checksum = checksum + 1 WHERE number = 2"), 0);
	assert_int_equal(migrate_run(owner, &at), E_CONFLICT);
	assert_string_equal(at, migrations[2].name);
	assert_int_equal(db_script(super,
				   "UPDATE migrations SET checksum = checksum - 1 WHERE number = 2;"
				   "INSERT INTO migrations VALUES (999, 'later', 1)"),
			 0);
	assert_int_equal(migrate_check(owner), E_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_as_they_were_given),
		cmocka_unit_test(a_value_is_never_part_of_the_statement),
		cmocka_unit_test(refusals_of_the_server_are_told_apart),
		cmocka_unit_test(work_that_fails_leaves_nothing),
		cmocka_unit_test(the_organisation_lasts_as_long_as_its_transaction),
		cmocka_unit_test(a_serialization_failure_is_run_again),
		cmocka_unit_test(copied_rows_are_escaped),
		cmocka_unit_test(a_copy_given_up_leaves_nothing_and_the_connection_useful),
		cmocka_unit_test(a_connection_that_was_cut_is_made_anew),
		cmocka_unit_test(a_server_that_hangs_is_given_up),
		cmocka_unit_test(migrations_are_applied_once_and_never_changed),
	};
	return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
