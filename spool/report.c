/* spool/report.c - the words for books and events. */
#include "spool/report.h"

#include "spool/books.h"

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
	if (o->kind == OUTCOME_DEFERRED)
		branch_int(row, "next_ms", o->next_ms);
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
	if (e->kind != EVENT_ACCEPTED)
		put_outcome(row, &e->o);
}
