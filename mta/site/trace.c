/* mta/site/trace.c - who is followed, and the ring of lines. */
#include "mta/site/trace.h"

#include "base/clock.h"
#include "mta/queue/about.h"
#include "mta/site/way.h"

struct trace {
	char text[SELECTOR_TEXT_MAX]; /* of the selector */
	struct selector what;
	int64_t until_ms, asked_ms; /* monotonic */
	int64_t second;
	unsigned in_second, first, n, sessions;
	uint64_t lost;
	struct trace_line lines[TRACE_LINES];
};

/* ---- who is meant ------------------------------------------------------------------------ */

enum {
	/* What a connection decides by itself. */
	OF_CONNECTION =
	    1 << SELECT_PROVIDER | 1 << SELECT_SITE | 1 << SELECT_SOURCE | 1 << SELECT_POOL,
};

/* It carries the mail of this domain, as far as its site tells. */
static bool is_site_of(struct sites *s, const struct site *site, struct slice name)
{
	const struct domain *d = queue_find_domain(s->queue, name);

	return d && way_of(d)->site == site;
}

static bool leaves_from(const struct subject *s, const struct ip *source)
{
	const struct channel *ch = s->arg;
	char text[IP_TEXT_MAX];

	return ip_eq(&ch->source->ip, source) ||
	       strcmp(ip_format(source, text), ch->source_text) == 0;
}

static void add_connection(struct subject *to, const struct channel *ch)
{
	const struct site *site = ch->pool->site;
	struct slice provider = slice_str(site->provider ? site->provider->name : "");

	to->site = slice_str(site->name);
	to->provider = slice_strip(&provider, SLICE("provider ")) ? provider : SLICE("");
	to->pool = slice_str(egress_pool_name(ch->pool->sites->egress, ch->pool->index));
	to->leaves_from = leaves_from;
	to->arg = ch;
	to->knows |= OF_CONNECTION;
}

static bool connection_fits(const struct channel *ch)
{
	const struct selector *what = &ch->pool->sites->tracing->what;
	struct subject s = { .knows = 0 };

	add_connection(&s, ch);
	return selector_holds(what, OF_CONNECTION, &s) == SELECTS_YES;
}

/* Meant by what the connection is, whatever it carries. */
static bool is_meant(const struct channel *ch)
{
	struct sites *s = ch->pool->sites;
	const struct selector *what = &s->tracing->what;
	const struct selector_term *domain = selector_find(what, SELECT_DOMAIN);

	return !(what->keys & ~(OF_CONNECTION | SELECTS(SELECT_DOMAIN))) && connection_fits(ch) &&
	       (!domain || is_site_of(s, ch->pool->site, domain->text));
}

static bool rcpt_fits(const struct channel *ch, const struct chunk *k, rcpt_ref ref)
{
	struct queue *q = ch->pool->sites->queue;
	struct about a;

	about_chunk(&a, q, queue_rcpt(q, ref), k, SELECTS_ALL & ~OF_CONNECTION);
	add_connection(&a.s, ch);
	return selector_holds(&ch->pool->sites->tracing->what, SELECTS_ALL, &a.s) == SELECTS_YES;
}

static bool carries_one(const struct channel *ch, const struct chunk *k, const rcpt_ref *refs,
			unsigned n)
{
	if (!connection_fits(ch))
		return false;
	for (unsigned i = 0; i < n; i++)
		if (rcpt_fits(ch, k, refs[i]))
			return true;
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
	if (is_meant(ch))
		follow(ch);
}

void trace_handed_over(struct channel *ch, const struct chunk *k, const rcpt_ref *refs, unsigned n)
{
	const struct selector *what = &ch->pool->sites->tracing->what;

	if (!(what->keys & ~(OF_CONNECTION | SELECTS(SELECT_DOMAIN))))
		return;
	if (carries_one(ch, k, refs, n))
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

int trace_begin(struct sites *s, const struct selector *what, int64_t for_ms)
{
	struct trace *t = must_alloc(sizeof(*t));

	if (selector_print(what, t->text, sizeof(t->text)) < 0 ||
	    selector_parse(slice_str(t->text), &t->what) < 0) {
		free(t);
		return E_LIMIT;
	}
	trace_end(s);
	s->tracing = t;
	t->asked_ms = clock_mono_ms();
	t->until_ms = t->asked_ms + for_ms;
	each_channel(s, trace_opened);
	return 0;
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
