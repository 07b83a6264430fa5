/* mta/inspect/binds.c - what binds mail at a pool of a site: each room is asked in turn. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "mta/inspect/tell.h"
#include "mta/inspect/walk.h"
#include "mta/site/pair.h"
#include "mta/site/shaping.h"
#include "mta/site/steer.h"
#include "mta/site/suspend.h"
#include "mta/warmup/warmup.h"

static const char *name_of(const struct ip *source, char *text)
{
	return source->family ? ip_format(source, text) : "*";
}

const struct source *binds_source(const struct pool *p, unsigned i)
{
	if (!p->turns.n)
		return egress_source(p->sites->egress, p->index, i);
	return i < p->turns.n ? p->turns.at[i].source : NULL;
}

/* ---- the rooms --------------------------------------------------------------------------- */

static void ask_fallback(struct teller *t, const struct pool *p)
{
	if (p->lender != p->index)
		tell(
		    t, "fallback", 0,
		    "the sources of pool %s cannot be used at %s now; its mail leaves from pool %s",
		    egress_pool_name(t->sites->egress, p->index), p->site->name,
		    egress_pool_name(t->sites->egress, p->lender));
}

static void ask_pause(struct teller *t, const struct pool *p)
{
	char text[400];

	if (p->paused_until_ms <= sites_now(t->sites) || p->pause_why == PAIR_WARMUP)
		return; /* of a plan ask_warmup() tells */
	pair_explain(p, p->pause_why, text, sizeof(text));
	tell(t, "pool-pause",
	     p->pause_why == PAIR_OFF ? 0 : walk_wall_ms(t->queue, p->paused_until_ms), "%s", text);
}

/* The rule's value: <until> SP <times> SP <why> */
struct suspension {
	const char *key;
	char why[200];
};

static int note_why(void *arg, struct slice key, struct slice value)
{
	struct suspension *s = arg;

	if (slice_eq(key, slice_str(s->key))) {
		(void)slice_take(&value, ' ');
		(void)slice_take(&value, ' ');
		slice_copy(s->why, sizeof(s->why), value);
	}
	return 0;
}

static void ask_suspensions(struct teller *t, const struct pool *p)
{
	char key[400], source[IP_TEXT_MAX];
	const struct source *from;

	for (unsigned i = 0; (from = binds_source(p, i)) != NULL; i++) {
		const struct ip *ip = &from->ip;
		const struct source_limits *e = suspend_entry(p->site, ip);
		struct suspension s = { .key = key };

		if (!suspend_holds(e))
			continue;
		(void)snprintf(key, sizeof(key), "suspend/%s/%.300s", name_of(ip, source),
			       suspend_scope(p->site)->name);
		(void)!spool_each_rule(t->queue->spool, slice_str(key), note_why, &s);
		tell(t, "suspension", atomic_load(&e->suspended_until_ms),
		     "%s is suspended at %s: %s", source[0] ? name_of(ip, source) : "*",
		     suspend_scope(p->site)->name, *s.why ? s.why : "it was refused there");
	}
}

static void ask_ordered(struct teller *t, const struct pool *p)
{
	char text[RULE_TEXT_MAX], source[IP_TEXT_MAX];
	const struct source *from;

	for (unsigned i = 0; (from = binds_source(p, i)) != NULL; i++)
		if (suspend_ordered(p, &from->ip, text))
			tell(t, "suspension", 0, "an order suspends %s at %s: %.250s",
			     name_of(&from->ip, source), p->site->name, text);
}

static void put_rate(char *text, size_t cap, int64_t per_day)
{
	if (!per_day)
		*text = '\0';
	else if (per_day >= 86400)
		(void)snprintf(text, cap, " and %" PRId64 " messages a second", per_day / 86400);
	else
		(void)snprintf(text, cap, " and %" PRId64 " messages an hour", per_day / 24);
}

/* p: at its site; NULL: `at` is a provider, of all of whose sites it holds. */
static void about_source(struct teller *t, const struct pool *p, const char *at,
			 const struct source_limits *e)
{
	char rate[64], source[IP_TEXT_MAX] = "the default source";
	struct steer_fact f;

	if (!steer_fact(e, &f) || !f.holds_back)
		return;
	if (e->ip.family)
		ip_format(&e->ip, source);
	put_rate(rate, sizeof(rate), f.rate);
	t->since_ms = f.since_ms;
	if (p)
		tell(t, "adaptive", f.closed_until_ms,
		     "%s has %u of %" PRId64 " connections%s to %s because %s", source,
		     f.closed_until_ms ? 0 : f.window, p->shape.v[SHAPE_CONNECTIONS], rate, at,
		     *f.why ? f.why : "of earlier trouble");
	else
		tell(t, "adaptive", f.closed_until_ms,
		     "%s has %u connections%s to all sites of %s because several of them said: %s",
		     source, f.closed_until_ms ? 0 : f.window, rate, at,
		     *f.why ? f.why : "earlier trouble");
}

static bool has_turn(const struct pool *p, const struct source_limits *e)
{
	for (unsigned i = 0; i < p->turns.n; i++)
		if (ip_eq(&p->turns.at[i].source->ip, &e->ip))
			return true;
	return !p->turns.at;
}

static void ask_adaptive(struct teller *t, const struct pool *p)
{
	const struct source_limits *e = atomic_load(&p->per_source->sources);

	if (!p->shape.v[SHAPE_ADAPTIVE])
		return;
	for (; e; e = e->next)
		if (has_turn(p, e))
			about_source(t, p, p->per_source->name, e);
	if (!p->site->provider || !p->shape.v[SHAPE_PROVIDER_ADAPTIVE])
		return;
	for (e = atomic_load(&p->site->provider->sources); e; e = e->next)
		if (has_turn(p, e))
			about_source(t, NULL, p->site->provider->name, e);
}

static void ask_rates(struct teller *t, const struct pool *p)
{
	int64_t us = p->paced ? shaping_left_us(p) : 0;

	if (us > 0)
		tell(t, "rate", clock_wall_ms() + us / 1000 + 1,
		     "the rate for %s allows the next message then", p->site->name);
}

static void ask_provider(struct teller *t, const struct pool *p)
{
	int64_t most = p->shape.v[SHAPE_PROVIDER_CONNECTIONS];

	if (p->provider && atomic_load(&p->provider->connections) >= most)
		tell(t, "connections", 0, "all %" PRId64 " connections to %s are in use", most,
		     p->provider->name);
}

static void ask_sources(struct teller *t, const struct pool *p)
{
	int64_t most = p->shape.v[SHAPE_CONNECTIONS_PER_SOURCE];
	const struct source *s;
	char source[IP_TEXT_MAX];

	for (unsigned i = 0; (s = binds_source(p, i)) != NULL; i++) {
		const struct source_limits *e = limits_source(p->per_source, &s->ip);

		if (source_err(s)) {
			t->since_ms = atomic_load(&s->failed_ms);
			tell(t, "source-failed", atomic_load(&s->retry_ms), "%s cannot be used: %s",
			     s->text, err_text(source_err(s)));
		}
		if (atomic_load(&e->connections) >= most)
			tell(t, "connections", 0,
			     "all %" PRId64 " connections of source %s to %s are in use", most,
			     name_of(&s->ip, source), p->per_source->name);
		binds_own(t, p, &s->ip, name_of(&s->ip, source));
	}
}

static void ask_warmup(struct teller *t, const struct pool *p)
{
	struct warmup_fact *f = must_alloc(sizeof(*f));
	char text[WHY_TEXT_MAX];

	for (unsigned i = 0; i < p->turns.n; i++) {
		if (!warmup_rests(p->turns.at[i].warmup) || !warmup_fact(p->turns.at[i].warmup, f))
			continue;
		warmup_say(f, text, sizeof(text));
		t->since_ms = f->since_ms;
		tell(t, "warmup", f->next_ms, "%s", text);
	}
	free(f);
}

static void ask_turns(struct teller *t, const struct pool *p)
{
	tell(t, "next", 0,
	     "%u recipients wait for their turn on the %u connections of pool %s to %s",
	     fair_ready(&p->fair), p->n_channels, egress_pool_name(t->sites->egress, p->index),
	     p->site->name);
}

/* A room that can hold mail back joins with a row.  What its `always` is true of holds back what
 * waits for its next try too, and what comes; the rest matters to those whose turn it is. */
static const struct {
	void (*ask)(struct teller *t, const struct pool *p);
	bool always;
} asked[] = {
	{ ask_pause, false }, { ask_suspensions, true }, { ask_ordered, true },
	{ ask_warmup, true }, { ask_sources, true },     { ask_adaptive, true },
	{ ask_rates, false }, { ask_provider, false },   { ask_turns, false },
};

void binds_pool(struct teller *t, const struct pool *p)
{
	ask_fallback(t, p);
	binds_tenants(t, p);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		if (asked[i].always || fair_ready(&p->fair))
			asked[i].ask(t, p);
}

void binds_only_site(struct teller *t, struct site *s)
{
	int64_t most = s->shape.v[SHAPE_CONNECTIONS];

	t->since_ms = s->backoff_until_ms > sites_now(t->sites) ? s->problem_ms : 0;
	if (s->backoff_until_ms > sites_now(t->sites))
		tell(t, "site-pause", walk_wall_ms(t->queue, s->backoff_until_ms),
		     "no host of %s could be reached: %s", s->name, s->problem);
	if (atomic_load(&s->shared->connections) >= most)
		tell(t, "connections", 0, "all %" PRId64 " connections to %s are in use", most,
		     s->name);
}

void binds_site(struct teller *t, struct site *s)
{
	const struct pool *p;

	binds_only_site(t, s);
	list_each(&s->pools, p, struct pool, link)
		binds_pool(t, p);
}
