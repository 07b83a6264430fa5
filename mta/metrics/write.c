/* mta/metrics/write.c - parts, books, histograms, census and facts, one metric after the other. */
#include "mta/metrics/write.h"

#include <stdio.h>

#include "base/clock.h"
#include "message/judge/class.h"
#include "mta/warmup/warmup.h"
#include "mta/egress/egress.h"
#include "mta/metrics/names.h"
#include "spool/books.h"

enum {
	NAME_MAX = 96,
	LOOKS_MAX = 100000,
	LOOKS_AT_ONCE = 1000,
	SUSPENSIONS_MAX = 200,
	WARMUPS_MAX = 200
};

/* ---- what the parts count ---------------------------------------------------------------- */

static const struct part *part_at(const struct writer *w, unsigned i)
{
	if (w->engine)
		return engine_part(w->engine, i);
	return i < w->n_parts ? w->parts[i] : NULL;
}

/* The head's name is compared with the last one's by its text, so that it may be a local's. */
static void head(struct writer *w, const char *name, enum text_type type, const char *help)
{
	static char last[NAME_MAX];

	if (w->text.last && strcmp(last, name) == 0)
		return;
	slice_copy(last, sizeof(last), slice_str(name));
	w->text.last = NULL;
	text_head(&w->text, name, type, help);
	w->text.last = last;
}

static void put_row(struct writer *w, const struct counter_row *row, const char *pair, uint64_t v)
{
	const struct metric_name *other = metric_name(row->name);
	double unit = other && other->unit > 0 ? other->unit : 1;
	char name[NAME_MAX];

	(void)snprintf(name, sizeof(name), "%s%s", other ? other->metric : row->name,
		       row->type == COUNTER ? "_total" : "");
	head(w, name, row->type == COUNTER ? TEXT_COUNTER : TEXT_GAUGE,
	     other && other->help ? other->help : row->help);
	text_value(&w->text, name, other && other->labels ? other->labels : pair, (double)v * unit);
}

static uint64_t sum(const struct writer *w, const struct part *p, size_t offset)
{
	return w->engine ? counters_sum(w->engine, p, offset) : 0;
}

static void put_family(struct writer *w, const struct part *p)
{
	const struct counter_family *f = p->family;
	char pair[NAME_MAX];

	for (unsigned i = 0; i < f->n; i++) {
		(void)snprintf(pair, sizeof(pair), "%s=\"%s\"", f->label, f->value_of(i));
		put_row(w, &f->row, pair, sum(w, p, f->row.offset + i * sizeof(counter)));
	}
}

static void put_histograms(struct writer *w, const struct part *p)
{
	for (unsigned i = 0; i < p->n_histograms; i++) {
		const struct histogram_row *row = &p->histograms[i];
		struct histogram h = { 0 };
		if (w->engine)
			counters_histogram(w->engine, p, row->offset, &h);
		text_histogram(&w->text, row->name, row->help, row->scale, &h);
	}
}

static void put_parts(struct writer *w)
{
	const struct part *p;

	for (unsigned i = 0; (p = part_at(w, i)) != NULL; i++) {
		for (size_t k = 0; p->counters && k < p->counters->n; k++)
			put_row(w, &p->counters->rows[k], NULL,
				sum(w, p, p->counters->rows[k].offset));
		if (p->family)
			put_family(w, p);
		put_histograms(w, p);
	}
}

/* ---- the spool --------------------------------------------------------------------------- */

static void gauge(struct writer *w, const char *name, const char *help, double value)
{
	head(w, name, TEXT_GAUGE, help);
	text_value(&w->text, name, NULL, value);
}

static void put_books(struct writer *w)
{
	const struct books_row *row;
	struct books k = { 0 };

	if (w->engine)
		spool_books(engine_spool(w->engine), &k);
	for (unsigned i = 0; (row = books_row(i)) != NULL; i++) {
		bool counts = strcmp(row->type, "counter") == 0;
		char name[64];
		(void)snprintf(name, sizeof(name), "spool_%s", row->name);
		put_row(w, &(struct counter_row){ name, counts ? COUNTER : GAUGE, row->help, 0 },
			NULL, books_value(&k, row));
	}
	gauge(w, "spool_books_balanced", "1 when all that was accepted is ended, queued or lost",
	      books_balance(&k));
	gauge(w, "spool_disk_failed", "1 when the log can no longer be written",
	      w->engine && spool_failed(engine_spool(w->engine)) < 0);
}

static void put_commits(struct writer *w)
{
	struct histogram none = { 0 };

	text_histogram(&w->text, "spool_commit_seconds", "Writing and syncing a batch of the log",
		       &spool_commit_scale,
		       w->engine ? spool_commits(engine_spool(w->engine)) : &none);
}

/* A part of the walk for each text, so that the lock is never held for long. */
static void look_for_oldest(struct writer *w)
{
	struct spool *sp = engine_spool(w->engine);
	bool more = true;

	for (unsigned i = 0; more && i < LOOKS_MAX / LOOKS_AT_ONCE; i++)
		more = spool_look_for_oldest(sp, &w->cursor, LOOKS_AT_ONCE, &w->oldest_so_far_ms);
	if (more)
		return;
	w->oldest_ms = w->oldest_so_far_ms == INT64_MAX ? 0 : w->oldest_so_far_ms;
	w->oldest_so_far_ms = INT64_MAX;
	w->cursor = 0;
}

int64_t writer_oldest_ms(struct writer *w)
{
	look_for_oldest(w);
	return w->oldest_ms;
}

static void put_oldest(struct writer *w)
{
	int64_t oldest = w->engine ? writer_oldest_ms(w) : 0;
	int64_t age = oldest ? MAX_OF(clock_wall_ms() - oldest, (int64_t)0) : 0;

	gauge(w, "queue_oldest_seconds", "Age of the oldest job that has recipients in the queue",
	      (double)age / 1000);
}

struct lag {
	struct writer *writer;
	lsn_t head;
};

static void put_consumer(void *arg, struct slice name, lsn_t cursor)
{
	const struct lag *l = arg;
	const struct text_label labels[] = { { "consumer", name }, { NULL, { 0 } } };

	text_sample(&l->writer->text, "consumer_lag_bytes", labels,
		    l->head > cursor ? (double)(l->head - cursor) : 0);
}

static void put_consumers(struct writer *w)
{
	struct lag l = { w, w->engine ? spool_durable(engine_spool(w->engine)) : 0 };

	head(w, "consumer_lag_bytes", TEXT_GAUGE,
	     "Bytes of the log that a consumer has not read yet");
	if (w->engine)
		spool_each_consumer(engine_spool(w->engine), put_consumer, &l);
}

/* ---- census ----------------------------------------------------------------------------- */

static const struct {
	const char *label, *metric, *help;
} kinds[CENSUS_KINDS] = {
	[CENSUS_PROVIDER] = { "provider", "provider_outcomes_total",
			      "Tries by provider and outcome" },
	[CENSUS_SOURCE] = { "source", "source_outcomes_total",
			    "Tries over a connection by source address and outcome" },
	[CENSUS_POOL] = { "pool", "pool_outcomes_total", "Tries by egress pool and outcome" },
	[CENSUS_TENANT] = { "tenant", "tenant_outcomes_total", "Tries by tenant and outcome" },
};
static const char *const outcomes[CENSUS_OUTCOMES] = {
	[OUTCOME_DELIVERED] = "delivered", [OUTCOME_BOUNCED] = "bounced",
	[OUTCOME_EXPIRED] = "expired",     [OUTCOME_CANCELLED] = "cancelled",
	[OUTCOME_DEFERRED] = "deferred",
};

static void put_outcomes(struct writer *w, enum census_kind kind, const struct top_name *n)
{
	struct slice name = n ? n->name : SLICE(CENSUS_OTHER);

	for (unsigned i = 0; i < CENSUS_OUTCOMES; i++) {
		const struct text_label labels[] = { { kinds[kind].label, name },
						     { "outcome",
						       slice_str(outcomes[i] ? outcomes[i] : "") },
						     { NULL, { 0 } } };
		if (outcomes[i])
			text_sample(&w->text, kinds[kind].metric, labels,
				    (double)(n ? top_value(n, i) : top_others(&w->top[kind], i)));
	}
}

static struct top_name *next_named(const struct top *t, size_t *pos, struct map_link **l)
{
	do
		*l = map_next(&t->map, pos, *l);
	while (*l && !container_of(*l, struct top_name, link)->named);
	return *l ? container_of(*l, struct top_name, link) : NULL;
}

static void put_kind(struct writer *w, enum census_kind kind)
{
	struct map_link *l = NULL;
	const struct top_name *n;
	size_t pos = 0;

	head(w, kinds[kind].metric, TEXT_COUNTER, kinds[kind].help);
	while ((n = next_named(&w->top[kind], &pos, &l)) != NULL)
		put_outcomes(w, kind, n);
	put_outcomes(w, kind, NULL);
}

static void put_classes(struct writer *w, const struct top_name *n)
{
	for (unsigned i = 0; i < JUDGE_CLASSES; i++) {
		const struct text_label labels[] = {
			{ "provider", n->name },
			{ "class", slice_str(judge_class_name((enum judge_class)i)) },
			{ NULL, { 0 } }
		};
		if (n->classes[i])
			text_sample(&w->text, "provider_replies_total", labels,
				    (double)n->classes[i]);
	}
}

static void put_provider_classes(struct writer *w)
{
	struct map_link *l = NULL;
	const struct top_name *n;
	size_t pos = 0;

	head(w, "provider_replies_total", TEXT_COUNTER,
	     "Deferrals and bounces by provider and what the reply means");
	while ((n = next_named(&w->top[CENSUS_PROVIDER], &pos, &l)) != NULL)
		put_classes(w, n);
}

void writer_collect(struct writer *w)
{
	unsigned n = w->engine ? engine_lanes(w->engine) : 0;
	OWNED_MEM struct census_all **lanes = must_alloc((n + 1) * sizeof(struct census_all *));

	for (unsigned i = 0; i < n; i++)
		lanes[i] = census_of(engine_lane(w->engine, i));
	for (unsigned k = 0; k < CENSUS_KINDS; k++)
		top_collect(&w->top[k], lanes, n, (enum census_kind)k);
}

static void put_census(struct writer *w)
{
	writer_collect(w);
	for (unsigned k = 0; k < CENSUS_KINDS; k++)
		put_kind(w, (enum census_kind)k);
	put_provider_classes(w);
}

/* ---- who waits, by provider -------------------------------------------------------------- */

static const char *const states[RCPT_STATES] = {
	[RCPT_ROUTING] = "routing", [RCPT_READY] = "ready",         [RCPT_DEFERRED] = "deferred",
	[RCPT_HELD] = "held",       [RCPT_IN_FLIGHT] = "in_flight",
};

static struct slice provider_of(const struct gather_row *row)
{
	struct slice name = row->provider ? slice_str(row->provider->name) : SLICE(CENSUS_OTHER);

	(void)slice_strip(&name, SLICE("provider "));
	return name;
}

static void put_waiting(struct writer *w, const struct gather_row *rows, unsigned n)
{
	head(w, "provider_queue_recipients", TEXT_GAUGE,
	     "Recipients in the queue by provider and state");
	for (unsigned i = 0; i < n; i++)
		for (unsigned s = 0; s < RCPT_STATES; s++) {
			const struct text_label labels[] = {
				{ "provider", provider_of(&rows[i]) },
				{ "state", slice_str(states[s] ? states[s] : "") },
				{ NULL, { 0 } }
			};
			if (states[s])
				text_sample(&w->text, "provider_queue_recipients", labels,
					    (double)rows[i].waiting[s]);
		}
}

static void put_rows(struct writer *w, const char *name, const char *help,
		     const struct gather_row *rows, unsigned n, size_t member)
{
	head(w, name, TEXT_GAUGE, help);
	for (unsigned i = 0; i < n; i++) {
		const struct text_label labels[] = { { "provider", provider_of(&rows[i]) },
						     { NULL, { 0 } } };
		uint64_t v;
		memcpy(&v, (const char *)&rows[i] + member, sizeof(v));
		text_sample(&w->text, name, labels, (double)v);
	}
}

static void put_gathered(struct writer *w)
{
	static struct gather_row rows[GATHER_ROWS_MAX];
	unsigned n = w->engine ? gather_sum(w->gather, rows) : 0;

	put_waiting(w, rows, n);
	put_rows(w, "provider_connections", "Connections open by provider", rows, n,
		 offsetof(struct gather_row, connections));
	put_rows(w, "provider_pauses", "Sites and pools of a provider that pause now", rows, n,
		 offsetof(struct gather_row, pauses));
}

/* ---- sources ----------------------------------------------------------------------------- */

static void put_source(struct writer *w, const char *name, const struct egress_fact *f, double v)
{
	const struct text_label labels[] = {
		{ "source", slice_str(f->entry->ip.family ? f->entry->ip_text : "*") },
		{ "pool", slice_str(f->entry->pool) },
		{ NULL, { 0 } }
	};

	text_sample(&w->text, name, labels, v);
}

static void put_sources(struct writer *w)
{
	struct egress_fact f;

	head(w, "source_up", TEXT_GAUGE, "0 when the address cannot be used as a source now");
	for (unsigned i = 0; w->engine && egress_fact(w->engine, i, &f); i++)
		put_source(w, "source_up", &f, !f.source || !source_err(f.source));
	head(w, "source_connections", TEXT_GAUGE, "Connections from this source now");
	for (unsigned i = 0; w->engine && egress_fact(w->engine, i, &f); i++)
		put_source(w, "source_connections", &f,
			   f.source ? (double)atomic_load(&f.source->connections) : 0);
}

struct suspended {
	struct writer *writer;
	unsigned n;
};

/* suspend/<source>/<where>: <until> ... */
static int put_suspension(void *arg, struct slice key, struct slice value)
{
	struct suspended *s = arg;
	struct text_label labels[] = { { "source", { 0 } }, { "where", { 0 } }, { NULL, { 0 } } };
	struct slice until = slice_take(&value, ' ');
	uint64_t end;

	(void)slice_strip(&key, SLICE("suspend/"));
	if (s->n == SUSPENSIONS_MAX || slice_u64(until, INT64_MAX, &end) < 0 ||
	    (int64_t)end <= clock_wall_ms() ||
	    !slice_cut(key, '/', &labels[0].value, &labels[1].value))
		return 0;
	(void)slice_strip(&labels[1].value, SLICE("provider "));
	text_sample(&s->writer->text, "source_suspended", labels, 1);
	s->n++;
	return 0;
}

static void put_suspensions(struct writer *w)
{
	struct suspended s = { w, 0 };

	head(w, "source_suspended", TEXT_GAUGE,
	     "1 for each source that is suspended at a provider or site");
	if (w->engine)
		(void)!spool_each_rule(engine_spool(w->engine), SLICE("suspend/"), put_suspension,
				       &s);
}

/* ---- new sources ------------------------------------------------------------------------- */

enum warmup_gauge { GAUGE_PLAN, GAUGE_SENT, GAUGE_HELD };
struct warmed {
	struct writer *writer;
	enum warmup_gauge gauge;
	unsigned n;
};

static void put_warmup(void *arg, const struct warmup_fact *f, const struct warmup_days *d UNUSED)
{
	struct warmed *to = arg;
	struct text *text = &to->writer->text;
	char source[IP_TEXT_MAX];
	const struct text_label labels[] = {
		{ "source", slice_str(f->source.family ? ip_format(&f->source, source) : "*") },
		{ "provider", slice_str(f->provider) },
		{ NULL, { 0 } },
	};

	if (!f->is_today || f->state == WARMUP_WARMED || to->n++ >= WARMUPS_MAX)
		return;
	if (to->gauge == GAUGE_PLAN)
		text_sample(text, "warmup_plan", labels, f->today.plan);
	else if (to->gauge == GAUGE_SENT)
		text_sample(text, "warmup_sent", labels, f->today.leaves);
	else
		text_sample(text, "warmup_held", labels, f->state == WARMUP_HELD);
}

static void put_warmups(struct writer *w)
{
	static const struct {
		const char *name, *help;
	} gauges[] = {
		[GAUGE_PLAN] = { "warmup_plan", "Messages that may leave today from a new source "
						"to a provider" },
		[GAUGE_SENT] = { "warmup_sent",
				 "Messages that left today from a new source to a provider" },
		[GAUGE_HELD] = { "warmup_held",
				 "1 when a new source is held back at a provider today" },
	};

	for (unsigned i = 0; i < ARRAY_LEN(gauges); i++) {
		struct warmed to = { w, (enum warmup_gauge)i, 0 };
		head(w, gauges[i].name, TEXT_GAUGE, gauges[i].help);
		if (w->engine && warmup_of(w->engine))
			warmup_each(warmup_of(w->engine), put_warmup, &to);
	}
}

/* ---- all --------------------------------------------------------------------------------- */

void writer_init(struct writer *w, struct engine *e, const struct gather *g)
{
	*w = (struct writer){ .engine = e, .gather = g, .oldest_so_far_ms = INT64_MAX };
	w->started_ms = clock_wall_ms();
	for (unsigned i = 0; i < CENSUS_KINDS; i++)
		top_init(&w->top[i]);
}

void writer_end(struct writer *w)
{
	for (unsigned i = 0; i < CENSUS_KINDS; i++)
		top_end(&w->top[i]);
}

void writer_write(struct writer *w, struct buf *out)
{
	w->text = (struct text){ .out = out, .heads_only = !w->engine };
	head(w, "build_info", TEXT_GAUGE, "1; the version is a label");
	text_value(&w->text, "build_info", "version=\"" POSTERN_VERSION "\"", 1);
	gauge(w, "start_time_seconds", "When the engine started, since 1970",
	      (double)w->started_ms / 1000);
	gauge(w, "lanes", "Threads that deliver", w->engine ? engine_lanes(w->engine) : 0);
	put_parts(w);
	put_books(w);
	put_commits(w);
	put_oldest(w);
	put_consumers(w);
	put_gathered(w);
	put_census(w);
	put_sources(w);
	put_suspensions(w);
	put_warmups(w);
}
