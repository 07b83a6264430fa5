/* control/events/journal.c - every event of the engine as a row, the texts of bad news once each,
 * and the numbers per minute. */
#include "base/clock.h"
#include "control/db/column.h"
#include "control/events/background.h"
#include "control/events/statements.h"
#include "message/mailbox.h"

enum journal_column {
	J_AT,
	J_ORG,
	J_LSN,
	J_KIND,
	J_CAMPAIGN,
	J_SEQ,
	J_ATTEMPT,
	J_CODE,
	J_DSN,
	J_FLAGS,
	J_NEXT,
	J_DOMAIN,
	J_HOST,
	J_IP,
	J_SOURCE,
	J_TEXT,
	J_ROW,
	J_RCPT,
	J_COLUMNS,
};

struct journal {
	struct db_column columns[J_COLUMNS];
};

static void *journal_open(const struct app *app UNUSED)
{
	struct journal *j = must_alloc(sizeof(*j));

	db_columns_each(j->columns, J_COLUMNS, db_column_init);
	return j;
}

static void journal_close(void *part)
{
	struct journal *j = part;

	db_columns_each(j->columns, J_COLUMNS, db_column_free);
	free(j);
}

static void journal_clear(void *part)
{
	struct journal *j = part;

	db_columns_each(j->columns, J_COLUMNS, db_column_clear);
}

/* Whom we wrote to: of submitted mail nothing else says it, when something comes back later. */
static void take_recipient(struct db_column *j, const struct link_event *e)
{
	char normal[MAILBOX_MAX + 2];
	struct mailbox box;
	bool known = subject_is_submitted(e) && subject_has_outcome(e) &&
		     mailbox_parse(e->rcpt, MAILBOX_CONTACT, &box) >= 0;

	db_column_int(&j[J_ROW], known ? e->row : 0);
	db_column_text(&j[J_RCPT], known ? mailbox_normal(&box, normal) : SLICE(""));
}

static void journal_take(void *part, const struct link_event *e, uint64_t campaign, uint64_t seq)
{
	struct db_column *j = ((struct journal *)part)->columns;

	db_column_int(&j[J_AT], e->at_ms ? e->at_ms : clock_wall_ms()); /* an acceptance has none */
	db_column_u64(&j[J_ORG], e->tenant);
	db_column_u64(&j[J_LSN], e->lsn);
	db_column_int(&j[J_KIND], e->kind);
	db_column_u64(&j[J_CAMPAIGN], campaign);
	db_column_int(&j[J_SEQ], (int64_t)seq); /* below zero: of submitted mail */
	db_column_int(&j[J_ATTEMPT], e->attempt & INT16_MAX);
	db_column_int(&j[J_CODE], e->code & INT16_MAX);
	db_column_text(&j[J_DSN], e->dsn);
	db_column_int(&j[J_FLAGS], e->flags);
	if (e->next_ms)
		db_column_int(&j[J_NEXT], e->next_ms);
	else
		db_column_null(&j[J_NEXT]);
	db_column_text(&j[J_DOMAIN], address_domain(e->rcpt));
	db_column_text(&j[J_HOST], e->host);
	db_column_text(&j[J_IP], e->ip);
	db_column_text(&j[J_SOURCE], e->source);
	/* Texts like "250 ok: queued as 4Xy" all differ and tell nothing: only bad news is kept. */
	db_column_text(&j[J_TEXT], e->kind == LINK_DELIVERED ? SLICE("") : e->text);
	take_recipient(j, e);
}

static int journal_write(void *part, struct db *db, int64_t engine)
{
	struct db_column *j = ((struct journal *)part)->columns;
	const struct db_param id[] = { p_int(engine) };
	int r;

	if (j[0].n == 0)
		return 0;
	r = db_run(db, NULL, sql_events_diagnostics, p_str(db_column_array(&j[J_ORG])),
		   p_str(db_column_array(&j[J_TEXT])), p_str(db_column_array(&j[J_RCPT])));
	if (r >= 0)
		r = db_columns_run(db, sql_events_insert, j, J_COLUMNS, id, 1);
	if (r >= 0)
		r = db_run(db, NULL, sql_events_stats, p_str(db_column_array(&j[J_ORG])),
			   p_str(db_column_array(&j[J_AT])), p_str(db_column_array(&j[J_CAMPAIGN])),
			   p_str(db_column_array(&j[J_KIND])));
	if (r >= 0)
		r = db_run(db, NULL, sql_events_reasons, p_str(db_column_array(&j[J_ORG])),
			   p_str(db_column_array(&j[J_CAMPAIGN])),
			   p_str(db_column_array(&j[J_KIND])), p_str(db_column_array(&j[J_CODE])),
			   p_str(db_column_array(&j[J_DSN])), p_str(db_column_array(&j[J_TEXT])));
	return r;
}

const struct intake_part events_intake = {
	.open = journal_open,
	.close = journal_close,
	.clear = journal_clear,
	.take = journal_take,
	.write = journal_write,
};
