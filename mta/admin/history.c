/* mta/admin/history.c - the past of mail: transcripts of sessions that failed, attempts from the
 * log, and the message as it would be sent now. */
#include <stdio.h>

#include "mta/admin/commands.h"
#include "mta/deliver/preview.h"
#include "mta/site/failures.h"
#include "mta/site/trace.h"
#include "mta/site/way.h"
#include "spool/report.h"

/* ---- transcripts ------------------------------------------------------------------------- */

int admin_begin_transcript(struct query *q)
{
	int r = query_selector(q);

	if (r < 0 || selector_is(&q->selector, SELECT_DOMAIN) ||
	    selector_is(&q->selector, SELECT_JOB) || selector_is(&q->selector, SELECT_RCPT))
		return r;
	(void)snprintf(q->fault, sizeof(q->fault),
		       "a transcript is asked for by an ID, ID:ROW or a domain");
	return E_SYNTAX;
}

static bool has_row(const struct failure *x, uint32_t row)
{
	for (unsigned i = 0; i < x->n_rows; i++)
		if (x->rows[i] == row)
			return true;
	return false;
}

static bool is_asked_for(const struct query *q, const struct failure *x, const struct site *site)
{
	if (selector_is(&q->selector, SELECT_DOMAIN))
		return x->site == site;
	return x->n_rows && id_eq(x->job, q->selector.terms[0].job) &&
	       (selector_is(&q->selector, SELECT_JOB) || has_row(x, q->selector.terms[0].row));
}

static void put_line(void *arg, enum transcript_who who, uint32_t ms, struct slice text)
{
	static const char *const names[] = { "we", "they", "note", "note" };
	struct branch *row = branch_map(arg, NULL);
	char body[64];
	uint64_t size;

	if (who == TRANSCRIPT_BODY && text.n == sizeof(size)) {
		memcpy(&size, text.p, sizeof(size));
		(void)snprintf(body, sizeof(body), "[%llu bytes of the message]",
			       (unsigned long long)size);
		text = slice_str(body);
	}
	branch_int(row, "ms", ms);
	branch_str(row, "who", names[who]);
	branch_slice(row, "text", text);
}

static void put_failure(struct branch *row, const struct failure *x)
{
	struct branch *lines;
	char id[ID_TEXT_MAX];

	branch_int(row, "at_ms", x->at_ms);
	if (x->n_rows)
		branch_str(row, "job", id_format(x->job, id));
	branch_str(row, "site", x->site->name);
	branch_str(row, "host", x->host);
	branch_str(row, "ip", x->ip);
	branch_str(row, "source", x->source);
	branch_str(row, "tls", x->tls);
	branch_int(row, "connect_took_ms", x->times.connect_ms);
	branch_int(row, "tls_took_ms", x->times.tls_ms);
	branch_bool(row, "cut", x->cut);
	lines = branch_list(row, "lines");
	transcript_each(x->bytes, x->opening_n, put_line, lines);
	transcript_each(x->bytes + x->opening_n, (size_t)(x->n - x->opening_n), put_line, lines);
}

void admin_lane_transcript(struct query *q, struct query_part *p, struct lane *l)
{
	const struct failures *all = sites_of(l)->failures;
	const struct failure *x = NULL;
	const struct domain *d = selector_is(&q->selector, SELECT_DOMAIN)
				     ? queue_find_domain(queue_of(l), q->selector.terms[0].text)
				     : NULL;
	const struct site *site = d ? way_of(d)->site : NULL;

	while (p->count < q->max && (x = failures_next(all, x)) != NULL)
		if (is_asked_for(q, x, site)) {
			put_failure(branch_map(p->rows, NULL), x);
			p->count++;
		}
}

int admin_finish_transcript(struct query *q)
{
	if (!query_sum(q)) {
		query_fail(q, E_UNKNOWN,
			   "no transcript of this is kept: none failed within transcript.keep");
		return 0;
	}
	query_join_rows(q, "transcripts");
	query_answer(q);
	return 0;
}

/* ---- attempts ---------------------------------------------------------------------------- */

/* How far the log is read for one answer, and how much of it in a turn. */
enum { ATTEMPT_BYTES_MAX = 256 * 1024 * 1024, EVENTS_AT_ONCE = 5000 };

static int look_at_event(void *arg, const struct event *e)
{
	struct query *q = arg;

	/* The row of an acceptance is how many there are. */
	bool row = selector_is(&q->selector, SELECT_JOB) ||
		   (e->kind == EVENT_ACCEPTED ? q->selector.terms[0].row < e->row
					      : q->selector.terms[0].row == e->row);

	if (!row || !id_eq(e->job, q->selector.terms[0].job))
		return 0;
	q->found++;
	if (q->found <= q->max)
		report_event(branch_map(q->rows, NULL), e);
	return 0;
}

static void answer_history(struct query *q)
{
	if (!q->found && !q->live) {
		query_fail(q, E_UNKNOWN, "no job with this id is queued, nor does the log name it");
		return;
	}
	branch_bool(q->out, "more_history", q->found > q->max);
	query_answer(q);
}

static void read_on(struct timer *t)
{
	struct query *q = container_of(t, struct query, timer);
	struct spool *sp = engine_spool(q->server->engine);
	lsn_t next = q->from;
	int r = spool_events(sp, q->from, EVENTS_AT_ONCE, look_at_event, q, &next);

	if (r < 0) {
		query_fail(q, r, err_text(r));
	} else if (next == q->from) {
		answer_history(q);
	} else {
		q->from = next;
		timer_set(lane_loop(q->server->front)->timers, t, 0);
	}
}

int admin_read_history(struct query *q)
{
	struct spool *sp = engine_spool(q->server->engine);

	q->from = spool_back(sp, ATTEMPT_BYTES_MAX);
	branch_bool(q->out, "whole_log", q->from <= spool_oldest(sp));
	q->rows = branch_list(q->out, "history");
	q->timer.fire = read_on;
	timer_set(lane_loop(q->server->front)->timers, &q->timer, 0);
	return 0;
}

/* ---- the message ------------------------------------------------------------------------- */

enum { CONTENT_SHOWN_MAX = 256 * 1024 };

int admin_begin_content(struct query *q)
{
	int r = query_selector(q);

	if (r < 0 || selector_is(&q->selector, SELECT_JOB) ||
	    selector_is(&q->selector, SELECT_RCPT))
		return r;
	(void)snprintf(q->fault, sizeof(q->fault), "a message is asked for by an ID or ID:ROW");
	return E_SYNTAX;
}

void admin_lane_content(struct query *q, struct query_part *p, struct lane *l)
{
	struct buf message = { 0 };
	uint32_t row;
	int r = preview_message(l, &q->selector, &message, &row);

	if (r == 0) {
		struct branch *b = branch_map(p->rows, NULL);
		size_t n = MIN_OF(buf_len(&message), (size_t)CONTENT_SHOWN_MAX);
		branch_int(b, "row", row);
		branch_int(b, "size", (int64_t)buf_len(&message));
		branch_slice(b, "message", slice_of(buf_data(&message).p, n));
		p->count = 1;
	} else if (r != E_UNKNOWN) {
		branch_str(branch_map(p->rows, NULL), "why", err_text(r));
		p->count = 1;
	}
	buf_free(&message);
}

int admin_finish_content(struct query *q)
{
	if (!query_sum(q)) {
		query_fail(q, E_UNKNOWN, "no recipient of this is queued");
		return 0;
	}
	q->max = 1;
	query_join_rows(q, "messages");
	query_answer(q);
	return 0;
}

/* ---- live sessions ----------------------------------------------------------------------- */

enum { TRACE_FOR_MAX_MS = 600000 };

/* key "begin": a new trace for `from` milliseconds; else the next lines of the one that is on. */
int admin_begin_trace(struct query *q)
{
	if (strcmp(q->key, "begin") != 0)
		return 0;
	if (!q->from || q->from > TRACE_FOR_MAX_MS) {
		(void)snprintf(q->fault, sizeof(q->fault), "a trace lasts at most 10 minutes");
		return E_SYNTAX;
	}
	return query_selector(q);
}

static void put_trace_line(void *arg, const struct trace_line *l)
{
	struct branch *row = branch_map(arg, NULL);
	struct branch *lines = branch_list(row, "lines");
	int64_t ms = l->at_ms;

	branch_int(row, "at_ms", ms);
	branch_int(row, "session", l->session);
	branch_str(row, "ip", l->ip);
	branch_str(row, "source", l->source);
	put_line(lines, (enum transcript_who)l->who, 0, slice_of(l->text, l->n));
}

void admin_lane_trace(struct query *q, struct query_part *p, struct lane *l)
{
	uint64_t lost = 0;

	/* The text was printed before, so it fits. */
	if (strcmp(q->key, "begin") == 0)
		(void)!trace_begin(sites_of(l), &q->selector, (int64_t)q->from);
	if (strcmp(q->key, "end") == 0)
		trace_end(sites_of(l));
	(void)trace_take(sites_of(l), put_trace_line, p->rows, &lost);
	p->count = lost;
}

int admin_finish_trace(struct query *q)
{
	q->max = ADMIN_ROWS_MAX;
	query_join_rows(q, "lines");
	branch_int(q->out, "lost", (int64_t)query_sum(q));
	query_answer(q);
	return 0;
}
