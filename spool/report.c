/* spool/report.c - the words for books and events. */
#include "spool/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "schema/wire/meta.h"
#include "spool/books.h"
#include "spool/late.h"

static void put_row(struct branch *b, const struct books *k, const struct books_row *row)
{
	if (row->flag)
		branch_bool(b, row->name, books_value(k, row) != 0);
	else
		branch_int(b, row->name, (int64_t)books_value(k, row));
}

void report_totals(struct branch *b, const struct books *k)
{
	for (unsigned i = 0; i < BOOKS_TOTALS; i++)
		put_row(b, k, books_row(i));
}

void report_books(struct branch *b, const struct books *k)
{
	const struct books_row *row;

	report_totals(b, k);
	branch_bool(b, "balanced", books_balance(k));
	for (unsigned i = BOOKS_TOTALS; (row = books_row(i)); i++)
		put_row(b, k, row);
}

static void put_outcome(struct branch *row, const struct outcome *o)
{
	char status[STATUS_TEXT_MAX];

	branch_int(row, "at_ms", o->at_ms);
	branch_slice(row, "rcpt", o->rcpt);
	branch_int(row, "attempt", o->attempt);
	branch_int(row, "code", o->code);
	branch_str(row, "dsn",
		   status_given(o->status) ? status_format(o->status, status) : "0.0.0");
	branch_slice(row, "text", o->text);
	branch_slice(row, "host", o->host);
	branch_slice(row, "ip", o->ip);
	branch_slice(row, "source", o->source);
	branch_bool(row, "tls", o->flags & OUTCOME_TLS);
	if (o->policy.n) {
		branch_slice(row, "tls_version", o->tls);
		branch_slice(row, "tls_cipher", o->cipher);
		branch_slice(row, "tls_policy", o->policy);
		branch_slice(row, "tls_verified_by", o->proof);
	}
	if (o->took.known) {
		branch_bool(row, "reused", o->flags & OUTCOME_REUSED_CONNECTION);
		branch_int(row, "dns_took_ms", o->took.dns_ms);
		branch_int(row, "connect_took_ms", o->took.connect_ms);
		branch_int(row, "tls_took_ms", o->took.tls_ms);
		branch_int(row, "transaction_took_ms", o->took.transaction_ms);
	}
	if (o->class.n) {
		branch_slice(row, "class", o->class);
		branch_slice(row, "rule", o->rule);
		branch_bool(row, "hard", o->flags & OUTCOME_HARD);
	}
	if (o->kind == OUTCOME_DEFERRED)
		branch_int(row, "next_ms", o->next_ms);
}

int report_no_events(struct spool *sp, lsn_t from, int err, char *text, size_t cap)
{
	if (err == -EINVAL) {
		(void)snprintf(text, cap,
			       "no event ends at position %" PRIu64
			       "; give a \"lsn\" or \"next\" of "
			       "an earlier answer, or 0 (the log ends at %" PRIu64 ")",
			       from, spool_durable(sp));
		return E_SYNTAX;
	}
	if (err == E_UNKNOWN)
		(void)snprintf(text, cap,
			       "the log no longer has position %" PRIu64 "; it begins at %" PRIu64,
			       from, spool_oldest(sp));
	else
		(void)snprintf(text, cap, "%s", err_text(err));
	return err;
}

/* What the record of a job says of its acceptance.  A Message-ID is in the content only. */
static void put_acceptance(struct branch *row, const struct event *e)
{
	struct wire_job_meta meta;

	branch_int(row, "at_ms", e->at_ms);
	if (wire_job_meta_get(e->meta, &meta) < 0)
		return;
	branch_slice(row, "sender", meta.mail_from);
	branch_slice(row, "origin", meta.origin);
	branch_slice(row, "pool", meta.pool);
}

/* What came back as mail. */
static void put_late(struct branch *row, const struct late_fact *f)
{
	char status[STATUS_TEXT_MAX], id[ID_TEXT_MAX];

	branch_int(row, "at_ms", f->at_ms);
	branch_str(row, "mail", id_format(f->mail, id));
	branch_slice(row, "rcpt", f->rcpt);
	branch_int(row, "code", f->code);
	branch_str(row, "dsn",
		   status_given(f->status) ? status_format(f->status, status) : "0.0.0");
	branch_slice(row, "text", f->evidence);
	branch_slice(row, "host", f->host);
	branch_slice(row, "ip", f->ip);
	branch_slice(row, "to", f->to);
	branch_slice(row, "class", f->class);
	branch_slice(row, "rule", f->rule);
	branch_bool(row, "hard", f->flags & OUTCOME_HARD);
	if (f->report.n)
		branch_slice(row, "report", f->report);
}

void report_event(struct branch *row, const struct event *e)
{
	char id[ID_TEXT_MAX];

	branch_int(row, "lsn", (int64_t)e->lsn);
	branch_str(row, "kind", spool_event_name(e->kind));
	branch_str(row, "job", id_format(e->job, id));
	branch_int(row, "tenant", (int64_t)e->tenant);
	branch_int(row, "campaign", (int64_t)e->campaign);
	branch_int(row, e->kind == EVENT_ACCEPTED ? "rows" : "row", e->row);
	if (e->kind == EVENT_ACCEPTED)
		put_acceptance(row, e);
	else if (e->late)
		put_late(row, e->late);
	else
		put_outcome(row, &e->o);
}
