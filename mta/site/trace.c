/* mta/site/trace.c - who is followed, and the ring of lines. */
#include "mta/site/trace.h"

#include "base/clock.h"
#include "mta/site/way.h"

struct trace {
	struct trace_what what;
	int64_t until_ms, asked_ms; /* monotonic */
	int64_t second;
	unsigned in_second, first, n, sessions;
	uint64_t lost;
	struct trace_line lines[TRACE_LINES];
};

/* ---- what is meant ----------------------------------------------------------------------- */

static int parse_name(struct slice text, enum trace_of of, struct trace_what *ret)
{
	ret->of = of;
	if (!text.n || text.n >= sizeof(ret->name))
		return E_SYNTAX;
	slice_copy(ret->name, sizeof(ret->name), text);
	return 0;
}

int trace_parse(struct slice text, struct trace_what *ret)
{
	static const struct {
		const char *prefix;
		enum trace_of of;
	} rows[] = { { "domain/", TRACE_DOMAIN },     { "provider/", TRACE_PROVIDER },
		     { "source/", TRACE_SOURCE },     { "tenant/", TRACE_TENANT },
		     { "campaign/", TRACE_CAMPAIGN }, { "job/", TRACE_JOB } };

	*ret = (struct trace_what){ .of = TRACE_ALL };
	if (slice_eq(text, SLICE("all")))
		return 0;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (!slice_strip(&text, slice_str(rows[i].prefix)))
			continue;
		if (rows[i].of < TRACE_TENANT)
			return parse_name(text, rows[i].of, ret);
		ret->of = rows[i].of;
		return rows[i].of == TRACE_JOB
			   ? id_parse(text, &ret->job)
			   : (slice_u64(text, UINT64_MAX, &ret->number) < 0 ? E_SYNTAX : 0);
	}
	if (id_parse(text, &ret->job) == 0) {
		ret->of = TRACE_JOB;
		return 0;
	}
	return memchr(text.p ? text.p : "", '/', text.n) ? E_SYNTAX
							 : parse_name(text, TRACE_DOMAIN, ret);
}

static bool is_site_of(struct sites *s, const struct site *site, const char *domain)
{
	const struct domain *d = queue_find_domain(s->queue, slice_str(domain));

	return d && way_of(d)->site == site;
}

static bool is_provider(const struct site *site, const char *name)
{
	struct slice p = site->provider ? slice_str(site->provider->name) : SLICE("");

	return slice_strip(&p, SLICE("provider ")) && slice_eq_nocase(p, slice_str(name));
}

/* Meant by what the connection is, whatever it carries. */
static bool is_meant(struct sites *s, const struct channel *ch)
{
	const struct trace_what *w = &s->tracing->what;

	switch (w->of) {
	case TRACE_ALL:
		return true;
	case TRACE_DOMAIN:
		return is_site_of(s, ch->pool->site, w->name);
	case TRACE_PROVIDER:
		return is_provider(ch->pool->site, w->name);
	case TRACE_SOURCE:
		return strcmp(ch->source->text, w->name) == 0 ||
		       strcmp(ch->source_text, w->name) == 0;
	case TRACE_TENANT:
	case TRACE_CAMPAIGN:
	case TRACE_JOB:
		break;
	}
	return false;
}

/* ---- lines ------------------------------------------------------------------------------- */

static bool may_note(struct trace *t)
{
	int64_t second = clock_mono_ms() / 1000;

	if (second != t->second)
		t->in_second = 0;
	t->second = second;
	if (t->n < TRACE_LINES && t->in_second++ < TRACE_PER_S)
		return true;
	t->lost++;
	return false;
}

static void on_line(struct transcript_watch *w, enum transcript_who who, struct slice text)
{
	struct channel *ch = container_of(w, struct channel, watch);
	struct sites *s = ch->pool->sites;
	struct trace *t = s->tracing;
	struct trace_line *l;

	if (t && (clock_mono_ms() > t->until_ms || clock_mono_ms() - t->asked_ms > TRACE_IDLE_MS)) {
		trace_end(s);
		return;
	}
	if (!t || !may_note(t))
		return;
	l = &t->lines[(t->first + t->n++) % TRACE_LINES];
	l->at_ms = clock_wall_ms();
	l->session = ch->traced;
	l->who = (uint8_t)who;
	l->n = (uint16_t)MIN_OF(text.n, sizeof(l->text));
	memcpy(l->text, text.p, l->n);
	slice_copy(l->ip, sizeof(l->ip), slice_str(ch->host->ip_text));
	slice_copy(l->source, sizeof(l->source), slice_str(ch->source_text));
}

static void follow(struct channel *ch)
{
	if (!ch->traced)
		ch->traced = ++ch->pool->sites->tracing->sessions;
	ch->watch.line = on_line;
	session_watch(ch->session, &ch->watch);
}

void trace_opened(struct channel *ch)
{
	if (is_meant(ch->pool->sites, ch))
		follow(ch);
}

void trace_handed_over(struct channel *ch, uint64_t tenant, uint64_t campaign, struct id128 job)
{
	const struct trace_what *w = &ch->pool->sites->tracing->what;
	bool meant = (w->of == TRACE_TENANT && tenant == w->number) ||
		     (w->of == TRACE_CAMPAIGN && campaign == w->number) ||
		     (w->of == TRACE_JOB && id_eq(job, w->job));

	if (w->of < TRACE_TENANT)
		return;
	if (meant)
		follow(ch);
	else if (!ch->in_hand) /* what it carried before is answered */
		session_watch(ch->session, NULL);
}

/* ---- life -------------------------------------------------------------------------------- */

static void each_channel(struct sites *s, void (*fn)(struct channel *ch))
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&s->map, &pos, NULL); l; l = map_next(&s->map, &pos, l)) {
		struct site *site = container_of(l, struct site, link);
		struct pool *p;
		list_each(&site->pools, p, struct pool, link) {
			struct channel *ch;
			list_each(&p->channels, ch, struct channel, link)
				fn(ch);
		}
	}
}

static void leave_alone(struct channel *ch)
{
	ch->traced = 0;
	session_watch(ch->session, NULL);
}

void trace_begin(struct sites *s, const struct trace_what *what, int64_t for_ms)
{
	trace_end(s);
	s->tracing = must_alloc(sizeof(*s->tracing));
	s->tracing->what = *what;
	s->tracing->asked_ms = clock_mono_ms();
	s->tracing->until_ms = s->tracing->asked_ms + for_ms;
	each_channel(s, trace_opened);
}

bool trace_take(struct sites *s, void (*each)(void *arg, const struct trace_line *l), void *arg,
		uint64_t *ret_lost)
{
	struct trace *t = s->tracing;

	if (!t)
		return false;
	t->asked_ms = clock_mono_ms();
	for (; t->n; t->n--, t->first = (t->first + 1) % TRACE_LINES)
		each(arg, &t->lines[t->first]);
	*ret_lost = t->lost;
	t->lost = 0;
	if (clock_mono_ms() > t->until_ms)
		trace_end(s);
	return true;
}

void trace_end(struct sites *s)
{
	if (!s->tracing)
		return;
	each_channel(s, leave_alone);
	free(s->tracing);
	s->tracing = NULL;
}
