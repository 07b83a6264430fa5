/* control/contacts/import.c - one import, from its file to its contacts, and its worker.
 *
 * As cp_ingest the rows are copied into a staging table.  As cp_api one statement, with the
 * organisation set, makes contacts of them.  Each is one transaction, so that an interrupted import
 * starts again and counts right. */
#include "control/contacts/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "control/app/options.h"
#include "control/auth/audit.h"
#include "control/contacts/background.h"
#include "control/contacts/import_read.h"
#include "control/contacts/import_row.h"
#include "control/contacts/statements.h"
#include "control/db/column.h"

enum {
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
	char error[400];
	/* while it runs */
	struct app *app;
	struct db *ingest, *api;
	const atomic_bool *stop;
	struct contact_field_types *types;
	json_t *titles; /* the mapping */
	struct import_reader *reader;
	struct import_row *row;
	struct buf rows;
	char prefix[48];
	int64_t read, invalid, left_out, reported_ms;
	struct db_column lines, reasons, values, columns, taken; /* one entry an error */
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

static void put_title(struct import_job *j, unsigned column)
{
	const struct import_map *m = j->reader->map;
	json_t *title =
	    column < m->n ? import_map_title(m, column) : json_sprintf("column %u", column + 1);

	db_column_text(&j->columns, slice_str(json_string_value(title)));
	json_decref(title);
}

/* taken: the contact was, without this value. */
static void report(struct import_job *j, const struct sheet_record *r,
		   const struct import_note *note, bool taken)
{
	if (j->lines.n >= ERRORS_KEPT)
		return;
	db_column_u64(&j->lines, r->line);
	db_column_int(&j->reasons, note->problem);
	db_column_text(&j->values,
		       slice_of(note->value.p, MIN_OF(note->value.n, (size_t)VALUE_KEPT)));
	put_title(j, note->column);
	db_column_int(&j->taken, taken);
}

static int on_record(void *arg, const struct sheet_record *r)
{
	struct import_job *j = arg;

	if (j->reader->map->fault.code[0])
		return E_UNKNOWN;
	if (!j->row)
		j->row = import_row_new(j->reader->map);
	j->read++;
	if (!import_row_put(j->row, r, slice_str(j->prefix), &j->rows)) {
		j->invalid++;
		report(j, r, &j->row->fault, false);
		return 0;
	}
	j->left_out += j->row->n_notes_seen;
	for (unsigned i = 0; i < j->row->n_notes; i++)
		report(j, r, &j->row->notes[i], true);
	return 0;
}

static int flush_rows(void *arg)
{
	struct import_job *j = arg;
	int r = buf_len(&j->rows) ? db_copy_put(j->ingest, buf_data(&j->rows)) : 0;

	buf_clear(&j->rows);
	if (r >= 0)
		r = progress(j);
	return r >= 0 && atomic_load(j->stop) ? -EINTR : r;
}

/* What is the file's fault becomes the import's error. */
static void say_why(struct import_job *j, int r)
{
	const struct import_map *m = j->reader ? j->reader->map : NULL;

	if (r == -ENOENT)
		(void)snprintf(j->error, sizeof(j->error), "the uploaded file is gone");
	else if (!j->reader && r == E_SYNTAX)
		(void)snprintf(j->error, sizeof(j->error), "the file is no text");
	else if (r == E_EOF)
		(void)snprintf(j->error, sizeof(j->error), "the file is empty");
	else if (m && m->fault.code[0])
		(void)snprintf(j->error, sizeof(j->error), "%s", m->fault.text);
	else if (j->reader && (r == E_LIMIT || r == E_SYNTAX))
		(void)snprintf(j->error, sizeof(j->error), "line %" PRIu64 ": %s",
			       sheet_line(j->reader->sheet),
			       r == E_LIMIT
				   ? "the record is longer than 64 KiB; is a quote left open?"
				   : "the file ends inside quotes");
}

static int read_file(struct import_job *j, const struct import_rules *rules)
{
	int r = import_reader_open(&j->reader, j->path, rules);

	if (r >= 0)
		r = import_reader_run(j->reader, on_record, flush_rows, j);
	if (r >= 0)
		r = flush_rows(j);
	if (r >= 0 && j->reader->map->fault.code[0])
		r = E_UNKNOWN;
	if (r < 0)
		say_why(j, r);
	return r;
}

static int stage(struct import_job *j)
{
	struct import_rules rules = { j->titles, j->types };
	int r;

	(void)snprintf(j->prefix, sizeof(j->prefix), "%" PRIu32 "\t%" PRId64 "\t", j->org, j->id);
	db_begin(j->ingest, 0);
	r = db_run(j->ingest, NULL, "DELETE FROM import_rows WHERE org_id = $1 AND import_id = $2",
		   p_int(j->org), p_int(j->id));
	if (r >= 0)
		r = db_copy_begin(j->ingest, sql_contacts_import_stage);
	if (r >= 0)
		r = read_file(j, &rules);
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
		      p_str(db_column_array(&j->values)), p_str(db_column_array(&j->columns)),
		      p_str(db_column_array(&j->taken)));
}

enum { SUM_CREATED, SUM_UPDATED, SUM_STAGED, SUM_JOINED, SUM_UNWANTED };

/* The platform's line in the audit.  Takes detail. */
static int note(const struct import_job *j, struct db *api, const char *action, json_t *detail)
{
	struct call *c = call_new(j->app, api, j->org, SLICE(""));
	int r = audit_put_id(c, action, ID_IMPORT, (uint64_t)j->id, detail);

	(void)call_free(c);
	return r;
}

static int work_apply(struct db *api, void *arg)
{
	struct import_job *j = arg;
	OWNED(db_result) sums = NULL;
	OWNED(db_result) suppressed = NULL;
	int r = db_wait_long(api);

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
		   p_int(staged - created - updated), p_int(db_int(suppressed, 0, 0)),
		   p_int(j->left_out), p_int(db_int(sums, 0, SUM_UNWANTED)));
	if (r == 0)
		return -ECANCELED; /* somebody cancelled it meanwhile */
	if (r >= 0)
		r = db_run(api, NULL,
			   "DELETE FROM import_rows WHERE org_id = $1 AND import_id = $2",
			   p_int(j->org), p_int(j->id));
	if (r >= 0)
		r = note(j, api, "import.finished",
			 json_pack("{sI sI sI}", "created", (json_int_t)created, "updated",
				   (json_int_t)updated, "not_subscribed",
				   (json_int_t)db_int(sums, 0, SUM_UNWANTED)));
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

	int r = db_run(api, NULL, sql_contacts_import_failed, p_int(j->org), p_int(j->id),
		       p_text(whole_text(j->error)));

	return r > 0 ? note(j, api, "import.failed", NULL) : r;
}

/* ---- the whole --------------------------------------------------------------------------- */

static void job_end(struct import_job *j)
{
	free(j->path);
	free(j->mapping);
	contact_field_types_free(j->types);
	import_row_free(j->row);
	import_reader_free(j->reader);
	json_decref(j->titles);
	buf_free(&j->rows);
	db_column_free(&j->lines);
	db_column_free(&j->reasons);
	db_column_free(&j->values);
	db_column_free(&j->columns);
	db_column_free(&j->taken);
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
		 kv_int("rows", j->read), kv_int("invalid", j->invalid),
		 kv_int("left_out", j->left_out), kv_str("error", j->error));
	return r;
}

static int import_step(struct worker *w)
{
	struct import_job j = {
		.app = w->app, .ingest = w->ingest, .api = w->api, .stop = &w->app->stopping
	};
	int r;

	buf_init(&j.rows, 0);
	db_column_init(&j.lines), db_column_init(&j.reasons), db_column_init(&j.values);
	db_column_init(&j.columns), db_column_init(&j.taken);
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
