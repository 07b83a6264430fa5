/* mta/inspect/places.c - what binds at the providers, sites and sources that a selector names: the
 * orders and suspensions there, whether mail waits or not, and what the sites say. */
#include <inttypes.h>

#include "base/clock.h"
#include "mta/inspect/tell.h"

/* Sites without mail that are looked at; what holds there mostly stands in a rule anyway. */
enum { IDLE_LOOKED = 64 };

/* ---- orders ------------------------------------------------------------------------------ */

static void tell_order(void *arg, const struct order *o)
{
	struct teller *t = arg;
	const char *kind = o->kind == ORDER_CAP    ? "cap"
			   : o->kind == ORDER_MOVE ? "move"
			   : (o->selector.keys & SELECTS(SELECT_SOURCE)) && o->kind == ORDER_SUSPEND
			       ? "suspension"
			       : "hold";

	if (o->kind == ORDER_RELEASE || o->kind == ORDER_CANCEL)
		return;
	t->since_ms = o->at_ms;
	tell(t, kind, o->kind == ORDER_BOUNCE ? o->act_ms : o->until_ms,
	     "order %" PRIu64 ", a %s of %.200s%s%.100s", o->id, order_kind_name(o->kind), o->what,
	     *o->reason ? ": " : "", o->reason);
}

/* ---- suspensions ------------------------------------------------------------------------- */

struct suspensions {
	struct teller *t;
	const struct selector *selector;
};

static bool is_at(const struct selector *s, struct slice where)
{
	const struct selector_term *provider = selector_find(s, SELECT_PROVIDER);
	const struct selector_term *site = selector_find(s, SELECT_SITE);

	if (slice_strip(&where, SLICE("provider ")))
		return !site && (!provider || slice_eq_nocase(provider->text, where));
	return !provider && (!site || slice_eq_nocase(site->text, where));
}

static bool is_from(const struct selector *s, struct slice source)
{
	const struct selector_term *wanted = selector_find(s, SELECT_SOURCE);
	struct ip ip;

	return !wanted || (ip_parse(source, &ip) == 0 && ip_eq(&ip, &wanted->ip));
}

/* "suspend/<source>/<where>": <until> SP <times> SP <why>;
 * "suspend-tenant/<n>/<where>": <until> SP <why> */
static int tell_suspended(void *arg, struct slice key, struct slice value)
{
	const struct suspensions *s = arg;
	struct slice kind = slice_take(&key, '/'), who = slice_take(&key, '/');
	bool tenant = slice_eq(kind, SLICE("suspend-tenant"));
	uint64_t until;

	if (slice_u64(slice_take(&value, ' '), INT64_MAX, &until) < 0 ||
	    (int64_t)until <= clock_wall_ms() || !is_at(s->selector, key))
		return 0;
	if (tenant ? selector_find(s->selector, SELECT_SOURCE) != NULL : !is_from(s->selector, who))
		return 0;
	if (!tenant)
		(void)slice_take(&value, ' ');
	tell(s->t, tenant ? "tenant" : "suspension", (int64_t)until,
	     "%s%.*s is suspended at %.*s: %.*s", tenant ? "tenant " : "", (int)who.n, who.p,
	     (int)MIN_OF(key.n, (size_t)100), key.p, (int)MIN_OF(value.n, (size_t)199), value.p);
	return 0;
}

/* ---- sites ------------------------------------------------------------------------------- */

static bool has_source(const struct pool *p, const struct ip *ip)
{
	const struct source *from;

	for (unsigned i = 0; (from = binds_source(p, i)) != NULL; i++)
		if (ip_eq(&from->ip, ip))
			return true;
	return false;
}

static bool is_named(const struct site *site, const struct selector *s)
{
	struct slice provider = slice_str(site->provider ? site->provider->name : "");
	const struct subject about = { .knows = SELECTS(SELECT_SITE) | SELECTS(SELECT_PROVIDER),
				       .site = slice_str(site->name),
				       .provider = slice_strip(&provider, SLICE("provider "))
						       ? provider
						       : SLICE("") };

	return selector_holds(s, about.knows, &about) == SELECTS_YES;
}

static void tell_source(struct teller *t, const struct site *site, const struct ip *source)
{
	const struct pool *p;

	list_each(&site->pools, p, struct pool, link)
		if (has_source(p, source))
			binds_pool(t, p);
}

static bool has_mail(const struct site *site)
{
	const struct pool *p;

	list_each(&site->pools, p, struct pool, link)
		if (fair_ready(&p->fair))
			return true;
	return false;
}

static void tell_sites(struct teller *t, const struct selector *s)
{
	const struct selector_term *source = selector_find(s, SELECT_SOURCE);
	unsigned told = 0, idle = 0;
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&t->sites->map, &pos, NULL); l && told < WHY_PLACES;
	     l = map_next(&t->sites->map, &pos, l)) {
		struct site *site = container_of(l, struct site, link);
		int before = t->n;
		if (!is_named(site, s) || (!has_mail(site) && idle++ >= IDLE_LOOKED))
			continue;
		if (source)
			tell_source(t, site, &source->ip);
		else
			binds_site(t, site);
		told += t->n > before;
	}
}

void binds_places(struct teller *t, const struct selector *s)
{
	struct suspensions suspended = { t, s };

	rules_each_at(t->queue->rules, s, tell_order, t);
	(void)!spool_each_rule(t->queue->spool, SLICE("suspend"), tell_suspended, &suspended);
	tell_sites(t, s);
}
