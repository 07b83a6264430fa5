/* mta/site/failures.c - a ring of transcripts. */
#include "mta/site/failures.h"

#include "base/clock.h"

static const struct option rows[] = {
	{ "transcript.keep", T_DURATION, offsetof(struct failure_options, keep), 0, 604800000, "1h",
	  true, "How long transcripts of failed sessions are kept in memory; 0: none are." },
	{ "transcript.bytes", T_SIZE, offsetof(struct failure_options, bytes), 65536, 1073741824,
	  "8M", true, "Memory for them in all; the oldest make room." },
};
const struct option_set failure_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct failure_options),
};

struct failures *failures_new(void)
{
	struct failures *f = must_alloc(sizeof(*f));

	list_init(&f->all);
	return f;
}

static size_t size_of(const struct failure *x)
{
	return sizeof(*x) + x->n;
}

static void drop_oldest(struct failures *f)
{
	struct failure *x = container_of(list_pop(&f->all), struct failure, link);

	f->bytes -= size_of(x);
	free(x);
}

struct failures *failures_free(struct failures *f)
{
	while (!list_empty(&f->all))
		drop_oldest(f);
	free(f);
	return NULL;
}

/* Too old, or too many. */
static void tidy(struct failures *f)
{
	int64_t since = clock_wall_ms() - f->options->keep;

	while (!list_empty(&f->all) &&
	       (f->bytes > f->most || list_first(&f->all, struct failure, link)->at_ms < since))
		drop_oldest(f);
}

void failures_reload(struct failures *f, const struct settings *all, unsigned lanes)
{
	f->options = settings_of(all, &failure_option_set);
	f->most = (size_t)f->options->bytes / MAX_OF(lanes, 1U);
	tidy(f);
}

static bool may_keep(struct failures *f)
{
	int64_t second = clock_mono_ms() / 1000;

	if (second != f->second)
		f->in_second = 0;
	f->second = second;
	return f->options->keep && f->in_second++ < FAILURES_PER_S;
}

static void fill(struct failure *x, struct channel *ch, const struct transcript *t)
{
	struct conn *c = session_conn(ch->session);

	x->at_ms = clock_wall_ms();
	x->site = ch->pool->site;
	x->cut = t->cut;
	x->opening_n = t->opening_n;
	x->n = (uint16_t)(t->opening_n + t->recent_n);
	memcpy(x->bytes, t->opening, t->opening_n);
	memcpy(x->bytes + t->opening_n, t->recent, t->recent_n);
	session_times(ch->session, &x->times);
	slice_copy(x->ip, sizeof(x->ip), slice_str(ch->host->ip_text));
	slice_copy(x->source, sizeof(x->source), slice_str(ch->source_text));
	slice_copy(x->host, sizeof(x->host), slice_str(ch->mx->name));
	if (c && conn_is_tls(c))
		(void)conn_tls_text(c, x->tls, sizeof(x->tls));
}

void failures_keep(struct channel *ch, const struct id128 *job, const uint32_t *job_rows,
		   unsigned n)
{
	struct failures *f = ch->pool->sites->failures;
	const struct transcript *t = session_transcript(ch->session);
	struct failure *x;

	if (!may_keep(f))
		return;
	x = must_alloc(sizeof(*x) + t->opening_n + t->recent_n);
	fill(x, ch, t);
	if (job)
		x->job = *job;
	x->n_rows = job ? MIN_OF(n, (unsigned)FAILURE_ROWS) : 0;
	if (x->n_rows)
		memcpy(x->rows, job_rows, x->n_rows * sizeof(*job_rows));
	list_push(&f->all, &x->link);
	f->bytes += size_of(x);
	tidy(f);
}

const struct failure *failures_next(const struct failures *f, const struct failure *after)
{
	const struct list *at = after ? after->link.prev : f->all.prev;

	if (at == &f->all)
		return NULL;
	after = container_of(at, const struct failure, link);
	return after->at_ms < clock_wall_ms() - f->options->keep ? NULL : after;
}
