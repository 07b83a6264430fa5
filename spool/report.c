#include "spool/report.h"

void report_books(struct branch *b, const struct books *k)
{
	branch_int(b, "accepted", (int64_t)k->accepted);
	branch_int(b, "delivered", (int64_t)k->delivered);
	branch_int(b, "bounced", (int64_t)k->bounced);
	branch_int(b, "expired", (int64_t)k->expired);
	branch_int(b, "cancelled", (int64_t)k->cancelled);
	branch_int(b, "queued", (int64_t)k->queued);
	branch_int(b, "deferred_attempts", (int64_t)k->deferred_attempts);
	branch_bool(b, "balanced",
		    k->accepted ==
			k->delivered + k->bounced + k->expired + k->cancelled + k->queued);
	branch_int(b, "jobs", (int64_t)k->jobs);
	branch_int(b, "contents", (int64_t)k->contents);
	branch_int(b, "rules", (int64_t)k->rules);
	branch_int(b, "segments", (int64_t)k->segments);
	branch_int(b, "log_bytes", (int64_t)k->log_bytes);
	branch_int(b, "live_bytes", (int64_t)k->live_bytes);
	branch_int(b, "free_bytes", (int64_t)k->free_bytes);
	branch_int(b, "syncs", (int64_t)k->syncs);
	branch_int(b, "bytes_written", (int64_t)k->bytes_written);
	branch_bool(b, "refusing", k->refusing);
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
