/* mta/site/pair.c - sources and addresses, brought together. */
#include "mta/site/pair.h"
#include "mta/site/kin.h"
#include "mta/site/own.h"
#include "mta/site/race.h"
#include "mta/site/steer.h"
#include "mta/site/suspend.h"
#include "mta/site/warming.h"

#include <stdio.h>

#include "base/random.h"

/* A source from which this host cannot be reached; few hosts ever have one. */
struct host_cut {
	struct host_cut *next;
	const struct source *source;
	int64_t until_ms; /* monotonic */
};

static bool is_cut(const struct host *h, const struct source *source, int64_t now)
{
	for (const struct host_cut *c = h->cuts; c; c = c->next)
		if (c->source == source)
			return c->until_ms > now;
	return false;
}

void pair_cut(struct sites *s, struct host *h, const struct source *source, int err)
{
	int64_t pause = s->options->host_bad;
	struct host_cut *c = h->cuts;

	while (c && c->source != source)
		c = c->next;
	if (!c) {
		c = must_alloc(sizeof(*c));
		c->source = source;
		c->next = h->cuts;
		h->cuts = c;
	}
	c->until_ms = sites_now(s) + pause + random_jitter(pause / 4);
	egress_no_way(s->egress, source, h->ip_text, err);
}

void pair_forget_cuts(struct host *h)
{
	struct host_cut *c;

	while ((c = h->cuts) != NULL) {
		h->cuts = c->next;
		free(c);
	}
}

/* ---- one source -------------------------------------------------------------------------- */

static bool is_suspended(const struct pool *p, const struct source *source)
{
	return suspend_holds(suspend_entry(p->site, &source->ip)) ||
	       suspend_ordered(p, &source->ip, NULL);
}

static bool is_left_alone(struct pool *p, unsigned turn)
{
	return is_suspended(p, p->turns.at[turn].source) || steer_holds(steer_turn(p, turn)) ||
	       steer_holds(kin_turn(p, turn)) || warmup_rests(p->turns.at[turn].warmup);
}

static bool fits(const struct source *source, const struct ip *ip)
{
	return !source->ip.family || source->ip.family == ip->family;
}

/* The family that the shape of the pool allows; 0: any. */
static int family_of(const struct pool *p)
{
	static const int families[] = { 0, AF_INET, AF_INET6 };

	return families[p->shape.v[SHAPE_FAMILY]];
}

bool pair_fits(const struct pool *p, const struct source *source)
{
	const struct route *r = p->site->route;
	const int family = family_of(p);

	for (unsigned i = 0; i < r->n_hosts; i++)
		for (unsigned k = 0; k < r->hosts[i].n_ips; k++) {
			const struct ip *ip = &r->hosts[i].ips[k];
			if ((!family || family == ip->family) && fits(source, ip))
				return true;
		}
	return false;
}

static bool any_fits(const struct pool *p)
{
	for (unsigned i = 0; i < p->turns.n; i++)
		if (pair_fits(p, p->turns.at[i].source))
			return true;
	return false;
}

int64_t pair_wait_ms(struct pool *p)
{
	int64_t first = INT64_MAX, left;
	const bool some = any_fits(p);

	for (unsigned i = 0; i < p->turns.n; i++) {
		if (source_err(p->turns.at[i].source) ||
		    (some && !pair_fits(p, p->turns.at[i].source)))
			continue;
		left =
		    MAX_OF(suspend_left_ms(p->site, &p->turns.at[i].source->ip),
			   MAX_OF(steer_left_ms(steer_turn(p, i)), steer_left_ms(kin_turn(p, i))));
		first = MIN_OF(first, MAX_OF(left, warming_left_ms(p, i)));
	}
	return first == INT64_MAX ? 0 : first;
}

static bool is_full(struct pool *p, unsigned turn)
{
	const struct source *source = p->turns.at[turn].source;

	return atomic_load_explicit(&source->connections, memory_order_relaxed) >=
		   egress_slots_max(p->sites->egress) ||
	       p->turns.at[turn].useless_until_ms > sites_now(p->sites) ||
	       !own_may_open(p, &source->ip);
}

static enum tls_word word_of(const struct pool *p)
{
	return site_word(p->site, p->shape.v[SHAPE_TLS]);
}

static bool is_allowed(const struct site_fit *f, const struct host *h)
{
	return !f->family || f->family == h->ip.family;
}

static bool can_reach(const struct site_fit *f, const struct host *h)
{
	const struct source *source = f->arg;

	return is_allowed(f, h) && fits(source, &h->ip) && !is_cut(h, source, f->now_ms) &&
	       !(f->first && f->first != h->ip.family) && !(f->quick && race_is_slow(h, f->now_ms));
}

static bool reaches_any(const struct pool *p, const struct source *source)
{
	const struct site_fit f = { can_reach, (void *)(uintptr_t)source, sites_now(p->sites),
				    family_of(p), .word = word_of(p) };

	return site_has(p->site, &f);
}

bool pair_possible(struct pool *p, unsigned turn)
{
	const struct source *source = p->turns.at[turn].source;

	return !source_err(source) && !is_left_alone(p, turn) && !is_full(p, turn) &&
	       reaches_any(p, source);
}

/* ---- all of a pool ----------------------------------------------------------------------- */

static bool may_open(struct pool *p, unsigned turn)
{
	const struct source *source = p->turns.at[turn].source;

	return !source_err(source) && !is_left_alone(p, turn) && !is_full(p, turn);
}

/* first: this family, if it can be. */
static struct host *pick_host(struct pool *p, const struct site_group *g, struct site_fit *f,
			      const struct route_host **ret_mx)
{
	struct host *h = site_pick(p->site, g, f, ret_mx);

	if (h || !f->first)
		return h;
	f->first = 0;
	return site_pick(p->site, g, f, ret_mx);
}

static bool pick_in_group(struct pool *p, const struct site_group *g, bool quick, struct pair *ret)
{
	unsigned i = turns_next_untried(&p->turns, true);

	for (; i != TURN_NONE; i = turns_next_untried(&p->turns, false)) {
		struct site_fit f = {
			can_reach,    p->turns.at[i].source,       sites_now(p->sites),
			family_of(p), race_first_family(p->sites), quick,
			word_of(p)
		};
		if (!may_open(p, i))
			continue;
		ret->host = pick_host(p, g, &f, &ret->mx);
		ret->turn = i;
		if (ret->host)
			return true;
	}
	return false;
}

static bool anybody(const struct site_fit *f, const struct host *h)
{
	(void)f, (void)h;
	return true;
}

static bool of_family(const struct site_fit *f, const struct host *h)
{
	return is_allowed(f, h) && fits(f->arg, &h->ip);
}

/* Of sources that fit nothing here nothing follows while there are others. */
static enum pair_lack why_none(struct pool *p)
{
	struct site_fit f = { anybody, NULL, sites_now(p->sites), family_of(p),
			      .word = word_of(p) };
	bool works = false, wanted = false, full = false, family = false, walled = false;
	bool spent = false, some = any_fits(p);

	for (unsigned i = 0; i < p->turns.n; i++) {
		struct source *source = p->turns.at[i].source;
		if (source_err(source) || (some && !pair_fits(p, source)))
			continue;
		works = true;
		walled = walled || !is_suspended(p, source);
		spent = spent || warmup_rests(p->turns.at[i].warmup);
		if (is_left_alone(p, i))
			continue;
		wanted = true;
		full = full || (is_full(p, i) && reaches_any(p, source));
		f.may = of_family;
		f.arg = source;
		family = family || site_has(p->site, &f);
	}
	f.may = anybody;
	if (!works)
		return PAIR_FAILING;
	if (!wanted)
		return spent ? PAIR_WARMUP : walled ? PAIR_WALLED : PAIR_SUSPENDED;
	if (!site_has(p->site, &f))
		return PAIR_SITE;
	return full ? PAIR_FULL : family ? PAIR_NO_WAY : PAIR_FAMILY;
}

enum pair_lack pair_pick(struct pool *p, struct pair *ret)
{
	struct site_group g = { 0 };

	if (!p->turns.at) {
		if (!egress_begin_turns(p->sites->egress, p->index, p->lender, &p->turns))
			return egress_is_off(p->sites->egress, p->index) ? PAIR_OFF
									 : PAIR_NO_SOURCE;
		warming_begin(p);
		p->want = steer_want(p); /* what is known of them */
	}
	while (site_next_group(p->site, &g))
		if (pick_in_group(p, &g, true, ret) || pick_in_group(p, &g, false, ret))
			return PAIR_FOUND;
	return why_none(p);
}

/* ---- a race ------------------------------------------------------------------------------ */

static bool pick_other_family(struct pool *p, const struct site_group *g, unsigned turn,
			      const struct channel *ch, struct pair *ret)
{
	struct site_fit f = { can_reach,
			      p->turns.at[turn].source,
			      sites_now(p->sites),
			      family_of(p),
			      ch->host->ip.family == AF_INET ? AF_INET6 : AF_INET,
			      true,
			      word_of(p) };

	ret->turn = turn;
	ret->host = may_open(p, turn) ? site_pick(p->site, g, &f, &ret->mx) : NULL;
	return ret->host;
}

bool pair_pick_rival(struct pool *p, const struct channel *ch, struct pair *ret)
{
	struct site_group g = { 0 };

	while (site_next_group(p->site, &g))
		if (p->site->route->hosts[g.first].preference == ch->mx->preference)
			break;
	if (ch->turn == TURN_NONE || g.first >= p->site->route->n_hosts)
		return false;
	if (pick_other_family(p, &g, ch->turn, ch, ret))
		return true;
	for (unsigned i = 0; i < p->turns.n; i++)
		if (i != ch->turn && pick_other_family(p, &g, i, ch, ret))
			return true;
	return false;
}

/* ---- in words ---------------------------------------------------------------------------- */

static const struct source *first_failing(const struct pool *p)
{
	for (unsigned i = 0; i < p->turns.n; i++)
		if (source_err(p->turns.at[i].source))
			return p->turns.at[i].source;
	return NULL;
}

static void explain_failing(const struct pool *p, const char *pool, char *text, size_t cap)
{
	const struct source *s = first_failing(p);

	(void)snprintf(text, cap, "no source of pool \"%.60s\" can be used; %s: %s", pool,
		       s ? s->text : "", s ? err_text(source_err(s)) : "it was looked at again");
}

/* By an order, or because the provider refused it. */
static void explain_suspended(const struct pool *p, const char *pool, char *text, size_t cap)
{
	char order[RULE_TEXT_MAX];

	for (unsigned i = 0; i < p->turns.n; i++)
		if (suspend_ordered(p, &p->turns.at[i].source->ip, order)) {
			(void)snprintf(text, cap,
				       "the sources of pool \"%.60s\" are suspended, by an order: "
				       "%.280s",
				       pool, order);
			return;
		}
	(void)snprintf(text, cap,
		       "every source of pool \"%.60s\" is suspended at %.200s, which refused it",
		       pool, p->site->provider ? p->site->provider->name : p->site->name);
}

void pair_explain(const struct pool *p, enum pair_lack why, char *text, size_t cap)
{
	const char *pool = egress_pool_name(p->sites->egress, p->index);

	if (why == PAIR_TOKEN)
		(void)snprintf(text, cap, "a token for %.200s is being asked for", p->site->name);
	else if (why == PAIR_NO_SOURCE || why == PAIR_OFF)
		egress_no_source(p->sites->egress, p->index, text, cap);
	else if (why == PAIR_FAILING)
		explain_failing(p, pool, text, cap);
	else if (why == PAIR_SUSPENDED)
		explain_suspended(p, pool, text, cap);
	else if (why == PAIR_WARMUP)
		warming_explain(p, text, cap);
	else if (why == PAIR_WALLED)
		(void)snprintf(text, cap,
			       "%.200s refuses everything from the sources of pool \"%.60s\"; a "
			       "message will show when that is over",
			       p->site->name, pool);
	else if (why == PAIR_FAMILY && *p->site->problem)
		(void)snprintf(text, cap,
			       "pool \"%.60s\" has no source of the family of the other addresses; "
			       "%s",
			       pool, p->site->problem);
	else if (why == PAIR_FAMILY)
		(void)snprintf(text, cap,
			       "no source of pool \"%.60s\" has the family of the site's addresses",
			       pool);
	else
		(void)snprintf(text, cap, "no source of pool \"%.60s\" has a way to the site",
			       pool);
}
