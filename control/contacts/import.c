/* control/contacts/import.c - one import, from its file to its contacts, and its worker.
 *
 * As cp_ingest the rows are copied into a staging table.  As cp_api one statement, with the
 * organisation set, makes contacts of them.  Each is one transaction, so that an interrupted import
 * starts again and counts right. */
#include "control/contacts/import.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "control/app/options.h"
#include "control/contacts/background.h"
#include "control/contacts/import_row.h"
#include "control/contacts/statements.h"
#include "control/db/column.h"

enum {
	PIECE = 256 * 1024,
	ERRORS_KEPT = 10000, /* of an import; all are counted */
	VALUE_KEPT = 200,
	PROGRESS_MS = 2000,
	IMPORTS_MS = 200, /* between looks for waiting imports */
	RETRY_MS = 2000,
};

struct import_job {
	uint32_t org;
	int64_t id, list;
	char *path, *mapping;
	char error[320];
	/* while it runs */
	struct db *ingest, *api;
	const atomic_bool *stop;
	struct contact_field_types *types;
	json_t *titles; /* the mapping */
	struct import_map *map;
	struct buf rows;
	char prefix[48];
	int64_t read, invalid, reported_ms;
	struct db_column lines, reasons, values;
};

/* ---- claiming ---------------------------------------------------------------------------- */

enum { CLAIM_ORG, CLAIM_ID, CLAIM_LIST, CLAIM_PATH, CLAIM_MAPPING };

static int claim(struct import_job *j)
{
	OWNED(db_result) row = NULL;
	int n = db_run(j->ingest, &row, sql_contacts_import_claim);

	if (n <= 0)
		return n;
	j->org = (uint32_t)db_int(row, 0, CLAIM_ORG);
	j->id = db_int(row, 0, CLAIM_ID);
	j->list = db_int(row, 0, CLAIM_LIST);
	j->path = must_copy(db_text(row, 0, CLAIM_PATH));
	j->mapping = must_copy(db_text(row, 0, CLAIM_MAPPING));
	return 1;
}

static int work_prepare(struct db *api, void *arg)
{
	struct import_job *j = arg;

	j->types = contact_field_types_free(j->types);
	return contact_field_types_load(&j->types, api, j->org);
}

/* ---- staging ----------------------------------------------------------------------------- */

static int work_progress(struct db *api, void *arg)
{
	struct import_job *j = arg;
	int r = db_run(api, NULL, sql_contacts_import_progress, p_int(j->org), p_int(j->id),
		       p_int(j->read), p_int(j->invalid));

	return r == 0 ? -ECANCELED : r;
}

static int progress(struct import_job *j)
{
	int64_t now = clock_mono_ms();

	if (now - j->reported_ms < PROGRESS_MS)
		return 0;
	j->reported_ms = now;
	return db_tx(j->api, j->org, work_progress, j);
}

static void refuse_row(struct import_job *j, const struct sheet_record *r, enum import_problem why,
		       struct slice value)
{
	j->invalid++;
	if (j->lines.n >= ERRORS_KEPT)
		return;
	db_column_u64(&j->lines, r->line);
	db_column_int(&j->reasons, why);
	db_column_text(&j->values, slice_of(value.p, MIN_OF(value.n, (size_t)VALUE_KEPT)));
}

static int on_record(void *arg, const struct sheet_record *r)
{
	struct import_job *j = arg;
	struct slice value = SLICE("");
	enum import_problem bad;

	if (!j->map)
		return import_map_new(&j->map, r, j->titles, j->types, j->error);
	j->read++;
	bad = import_row_put(j->map, r, slice_str(j->prefix), &j->rows, &value);
	if (bad)
		refuse_row(j, r, bad, value);
	return 0;
}

static int flush_rows(struct import_job *j)
{
	int r = buf_len(&j->rows) ? db_copy_put(j->ingest, buf_data(&j->rows)) : 0;

	buf_clear(&j->rows);
	return r;
}

static int read_file(struct import_job *j, struct sheet *sheet, int fd)
{
	OWNED_MEM char *piece = must_alloc(PIECE);
	ssize_t n;
	int r = 0;

	while (r >= 0 && (n = read(fd, piece, PIECE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = sheet_feed(sheet, slice_of(piece, (size_t)n));
		if (r >= 0)
			r = flush_rows(j);
		if (r >= 0)
			r = progress(j);
		if (atomic_load(j->stop))
			return -EINTR;
	}
	if (r >= 0)
		r = sheet_end(sheet);
	if (r == E_LIMIT || r == E_SYNTAX)
		(void)snprintf(
		    j->error, sizeof(j->error), "line %" PRIu64 ": %s", sheet_line(sheet),
		    r == E_LIMIT
			? "the record is longer than 64 KiB: look for a quote that is not closed"
			: "the file ends inside quotes: close the last quote, or upload the whole "
			  "file");
	return r < 0 ? r : flush_rows(j);
}

static int stage(struct import_job *j)
{
	OWNED(sheet) sheet = NULL;
	OWNED_FD int fd = open(j->path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0) {
		(void)snprintf(j->error, sizeof(j->error),
			       "the uploaded file is gone: import it again");
		return E_UNKNOWN;
	}
	(void)snprintf(j->prefix, sizeof(j->prefix), "%" PRIu32 "\t%" PRId64 "\t", j->org, j->id);
	db_begin(j->ingest, 0);
	r = db_run(j->ingest, NULL, "DELETE FROM import_rows WHERE org_id = $1 AND import_id = $2",
		   p_int(j->org), p_int(j->id));
	if (r >= 0)
		r = db_copy_begin(j->ingest, sql_contacts_import_stage);
	if (r >= 0)
		r = sheet_open(&sheet, on_record, j);
	if (r >= 0)
		r = read_file(j, sheet, fd);
	if (r >= 0 && !j->map) {
		(void)snprintf(j->error, sizeof(j->error),
			       "the file is empty: its first line must name the columns");
		r = E_UNKNOWN;
	}
	if (r >= 0)
		r = db_copy_end(j->ingest);
	if (r >= 0)
		return db_commit(j->ingest);
	db_rollback(j->ingest);
	return r;
}

/* ---- applying ---------------------------------------------------------------------------- */

static int put_errors(struct db *api, struct import_job *j)
{
	if (j->lines.n == 0)
		return 0;
	return db_run(api, NULL, sql_contacts_import_errors_insert, p_int(j->org), p_int(j->id),
		      p_str(db_column_array(&j->lines)), p_str(db_column_array(&j->reasons)),
		      p_str(db_column_array(&j->values)));
}

enum { SUM_CREATED, SUM_UPDATED, SUM_STAGED, SUM_JOINED };

static int work_apply(struct db *api, void *arg)
{
	struct import_job *j = arg;
	OWNED(db_result) sums = NULL;
	OWNED(db_result) suppressed = NULL;
	int r = db_run(api, NULL, "SELECT set_config('statement_timeout', '0', true)");

	if (r >= 0)
		r = db_run(api, &sums, sql_contacts_import_apply, p_int(j->org), p_int(j->id),
			   p_int(j->list));
	if (r >= 0 && j->list && db_int(sums, 0, SUM_JOINED))
		r = db_run(api, NULL,
			   "INSERT INTO list_counts (org_id, list_id, n) VALUES ($1, $2, $3)",
			   p_int(j->org), p_int(j->list), p_int(db_int(sums, 0, SUM_JOINED)));
	if (r >= 0)
		r = db_run(api, &suppressed, sql_contacts_import_suppressed, p_int(j->org),
			   p_int(j->id));
	if (r >= 0)
		r = put_errors(api, j);
	if (r < 0)
		return r;
	int64_t created = db_int(sums, 0, SUM_CREATED), updated = db_int(sums, 0, SUM_UPDATED),
		staged = db_int(sums, 0, SUM_STAGED);
	r = db_run(api, NULL, sql_contacts_import_done, p_int(j->org), p_int(j->id), p_int(j->read),
		   p_int(j->invalid), p_int(created), p_int(updated),
		   p_int(staged - created - updated), p_int(db_int(suppressed, 0, 0)));
	if (r == 0)
		return -ECANCELED; /* somebody cancelled it meanwhile */
	if (r >= 0)
		r = db_run(api, NULL,
			   "DELETE FROM import_rows WHERE org_id = $1 AND import_id = $2",
			   p_int(j->org), p_int(j->id));
	return r < 0 ? r : 0;
}

/* The text up to where it was cut within a character: it may quote a title of the file. */
static struct slice whole_text(const char *text)
{
	struct slice rest = slice_str(text);
	size_t n;

	while ((n = utf8_length(rest)))
		rest = slice_skip(rest, n);
	return slice_of(text, (size_t)(rest.p - text));
}

static int work_failed(struct db *api, void *arg)
{
	struct import_job *j = arg;

	return db_run(api, NULL, sql_contacts_import_failed, p_int(j->org), p_int(j->id),
		      p_text(whole_text(j->error)));
}

/* ---- the whole --------------------------------------------------------------------------- */

static void job_end(struct import_job *j)
{
	free(j->path);
	free(j->mapping);
	contact_field_types_free(j->types);
	import_map_free(j->map);
	json_decref(j->titles);
	buf_free(&j->rows);
	db_column_free(&j->lines);
	db_column_free(&j->reasons);
	db_column_free(&j->values);
}

static int run(struct import_job *j)
{
	int r = db_tx(j->api, j->org, work_prepare, j);

	if (r >= 0)
		r = stage(j);
	if (r >= 0)
		r = db_tx(j->api, j->org, work_apply, j);
	if (r == E_SYNTAX && !j->error[0])
		(void)snprintf(j->error, sizeof(j->error),
			       "a value cannot be stored: all fields of one contact together may "
			       "have 32 KiB at most");
	if (r < 0 && j->error[0]) /* the file's fault: trying again would not help */
		r = db_tx(j->api, j->org, work_failed, j);
	else if (r < 0)
		return r;
	(void)unlink(j->path);
	log_info("import.finished", kv_int("org", j->org), kv_int("import", j->id),
		 kv_int("rows", j->read), kv_int("invalid", j->invalid), kv_str("error", j->error));
	return r;
}

static int import_step(struct worker *w)
{
	struct import_job j = { .ingest = w->ingest, .api = w->api, .stop = &w->app->stopping };
	int r;

	buf_init(&j.rows, 0);
	db_column_init(&j.lines), db_column_init(&j.reasons), db_column_init(&j.values);
	r = claim(&j);
	if (r > 0) {
		j.titles = json_loads(j.mapping, 0, NULL);
		r = run(&j);
		r = r < 0 ? r : 1;
	}
	job_end(&j);
	return r;
}

static void *begin(struct worker *w)
{
	import_clean_uploads(w->ingest, app_options(w->app)->data_dir);
	return NULL;
}

const struct worker_row contacts_import_worker = {
	.name = "imports",
	.step = import_step,
	.idle_ms = IMPORTS_MS,
	.retry_ms = RETRY_MS,
	.failed = "import.failed",
	.begin = begin,
};
