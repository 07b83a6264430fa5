/* mta/admin/facts.c - facts: the engine, its books, rules and options, the log as a stream. */
#include "base/clock.h"
#include "mta/admin/commands.h"
#include "mta/config/host.h"
#include "mta/config/spool.h"
#include "mta/queue/queue.h"
#include "spool/books.h"
#include "spool/report.h"

static struct spool *spool_of(struct query *q)
{
	return engine_spool(q->server->engine);
}

int admin_finish_books(struct query *q)
{
	struct books k;

	spool_books(spool_of(q), &k);
	report_books(q->out, &k);
	query_answer(q);
	return 0;
}

/* The counters whose names begin so, without that prefix. */
static void put_counters(struct branch *b, struct engine *e, struct slice prefix)
{
	const struct part *p;

	for (unsigned i = 0; (p = engine_part(e, i)) != NULL; i++)
		for (size_t k = 0; p->counters && k < p->counters->n; k++) {
			const struct counter_row *row = &p->counters->rows[k];
			struct slice name = slice_str(row->name);
			if (slice_strip(&name, prefix))
				branch_int(b, name.p, (int64_t)counters_sum(e, p, row->offset));
		}
}

/* How much of the queue in the books the lanes have read. */
static void put_queue(struct branch *b, struct engine *e)
{
	uint64_t left = queue_loading(e);

	branch_int(b, "known", (int64_t)queue_known(e));
	branch_bool(b, "loading", left > 0);
	branch_int(b, "jobs_left", (int64_t)left);
}

int admin_finish_status(struct query *q)
{
	struct engine *e = q->server->engine;
	const struct settings *s = engine_settings(e);
	struct books k;

	branch_str(q->out, "source", "engine");
	branch_str(q->out, "hostname", host_options(s)->hostname);
	branch_str(q->out, "spool", spool_settings(s)->dir);
	branch_int(q->out, "lanes", engine_lanes(e));
	branch_int(q->out, "uptime_s", (clock_wall_ms() - q->server->started_ms) / 1000);
	branch_bool(q->out, "stopping", engine_stopping(e));
	branch_bool(q->out, "disk_failed", spool_failed(spool_of(q)) < 0);
	branch_int(q->out, "durable_lsn", (int64_t)spool_durable(spool_of(q)));
	branch_int(q->out, "head_lsn", (int64_t)spool_head(spool_of(q)));
	spool_books(spool_of(q), &k);
	report_books(branch_map(q->out, "books"), &k);
	put_queue(branch_map(q->out, "queue"), e);
	put_counters(branch_map(q->out, "submission"), e, SLICE("submission_"));
	put_counters(branch_map(q->out, "sources"), e, SLICE("sources_"));
	query_answer(q);
	return 0;
}

/* ---- rules and consumers ----------------------------------------------------------------- */

/* A suspension is "<until> <times> <why>", that of a tenant "<until> <why>"; else it is why. */
static void put_value(struct branch *row, struct slice kind, struct slice value)
{
	const bool source = slice_eq(kind, SLICE("suspend"));
	struct slice why = value;
	uint64_t until;

	if (!slice_strip(&kind, SLICE("suspend")) ||
	    slice_u64(slice_take(&why, ' '), INT64_MAX, &until) < 0) {
		branch_slice(row, "reason", value);
		return;
	}
	if (source)
		(void)slice_take(&why, ' ');
	branch_slice(row, "reason", why);
	branch_int(row, "until_ms", (int64_t)until);
}

static int put_rule(void *arg, struct slice key, struct slice value)
{
	const char *slash = memchr(key.p, '/', key.n);
	size_t n = slash ? (size_t)(slash - key.p) : key.n;
	struct branch *row = branch_map(arg, NULL);

	branch_slice(row, "kind", slice_of(key.p, n));
	branch_slice(row, "selector", slash ? slice_of(slash + 1, key.n - n - 1) : slice_of("", 0));
	put_value(row, slice_of(key.p, n), value);
	return 0;
}

static bool put_standing(void *arg, const struct order *o)
{
	struct branch *row;

	if (o->end != ORDER_STANDS)
		return true;
	row = branch_map(arg, NULL);
	branch_str(row, "kind", order_kind_name(o->kind));
	branch_str(row, "selector", o->what);
	branch_str(row, "reason", o->reason);
	branch_int(row, "order", (int64_t)o->id);
	if (o->until_ms)
		branch_int(row, "until_ms", o->until_ms);
	return true;
}

int admin_finish_rules(struct query *q)
{
	struct branch *rows = branch_list(q->out, "rules");
	int r = spool_each_rule(spool_of(q), SLICE("hold/"), put_rule, rows);

	if (r >= 0)
		r = spool_each_rule(spool_of(q), SLICE("cancel/"), put_rule, rows);
	if (r >= 0)
		r = spool_each_rule(spool_of(q), SLICE("move/"), put_rule, rows);
	if (r >= 0)
		r = spool_each_rule(spool_of(q), SLICE("life/"), put_rule, rows);
	if (r >= 0)
		r = spool_each_rule(spool_of(q), SLICE("suspend"), put_rule, rows);
	if (r >= 0)
		r = spool_each_rule(spool_of(q), SLICE("source-"), put_rule, rows);
	if (r < 0)
		return r;
	orders_each(orders_of(q->server->engine), UINT32_MAX, put_standing, rows);
	query_answer(q);
	return 0;
}

static void put_consumer(void *arg, struct slice name, lsn_t cursor)
{
	struct branch *row = branch_map(arg, NULL);

	branch_slice(row, "name", name);
	branch_int(row, "cursor_lsn", (int64_t)cursor);
}

int admin_finish_consumers(struct query *q)
{
	branch_int(q->out, "oldest_lsn", (int64_t)spool_oldest(spool_of(q)));
	branch_int(q->out, "durable_lsn", (int64_t)spool_durable(spool_of(q)));
	spool_each_consumer(spool_of(q), put_consumer, branch_list(q->out, "consumers"));
	query_answer(q);
	return 0;
}

/* ---- events ------------------------------------------------------------------------------ */

static int put_event(void *arg, const struct event *e)
{
	report_event(branch_map(arg, NULL), e);
	return 0;
}

int admin_finish_events(struct query *q)
{
	struct spool *sp = spool_of(q);
	lsn_t next = q->from ? q->from : spool_oldest(sp);
	lsn_t from = next;
	int r = spool_events(sp, from, q->max, put_event, branch_list(q->out, "events"), &next);

	if (r < 0)
		return report_no_events(sp, from, r, q->fault, sizeof(q->fault));
	branch_int(q->out, "next", (int64_t)next);
	branch_bool(q->out, "more", next < spool_durable(sp));
	query_answer(q);
	return 0;
}

/* ---- metrics and options ----------------------------------------------------------------- */

static void on_metrics(struct metrics_asker *a, struct slice text)
{
	struct query *q = container_of(a, struct query, metrics);

	if (!a->top)
		branch_slice(q->out, "text", text);
	query_answer(q);
}

int admin_finish_top(struct query *q)
{
	q->metrics.top = q->out;
	return admin_finish_metrics(q);
}

int admin_finish_metrics(struct query *q)
{
	q->metrics.done = on_metrics;
	metrics_ask(q->server->engine, &q->metrics);
	return 0;
}

int admin_finish_config(struct query *q)
{
	const struct settings *s = engine_settings(q->server->engine);
	struct branch *options = branch_list(q->out, "options");
	struct buf text = { 0 };
	const struct option *o;

	for (size_t i = 0; (o = settings_row(s, i)) != NULL; i++) {
		struct branch *row = branch_map(options, NULL);
		buf_clear(&text);
		settings_show(s, i, &text);
		branch_str(row, "name", o->name);
		branch_slice(row, "value", buf_data(&text));
	}
	buf_free(&text);
	query_answer(q);
	return 0;
}
