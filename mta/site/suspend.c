/* mta/site/suspend.c - strikes, suspensions, and the message that ends one. */
#include "mta/site/suspend.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/core/engine.h"
#include "mta/site/seats.h"

enum { TIMES_MAX = 8, KEY_MAX = 400 };

struct site_limits *suspend_scope(const struct site *site)
{
	return site->provider ? site->provider : site->shared;
}

struct source_limits *suspend_entry(const struct site *site, const struct ip *source)
{
	return limits_source(suspend_scope(site), source);
}

static int64_t until(const struct source_limits *e)
{
	return atomic_load_explicit(&e->suspended_until_ms, memory_order_relaxed);
}

bool suspend_holds(const struct source_limits *e)
{
	int64_t end = until(e);

	return end && clock_wall_ms() < end;
}

bool suspend_tries(const struct source_limits *e)
{
	int64_t end = until(e);

	return end && clock_wall_ms() >= end;
}

static bool is_source(const struct subject *s, const struct ip *source)
{
	return ip_eq(s->arg, source);
}

static __attribute__((noinline)) bool ask_orders(const struct pool *p, const struct ip *source,
						 char *text)
{
	struct subject s = {
		.knows = SELECTS(SELECT_SOURCE) | SELECTS(SELECT_POOL) | SELECTS(SELECT_SITE) |
			 SELECTS(SELECT_PROVIDER),
		.leaves_from = is_source,
		.arg = source,
	};

	s.pool = slice_str(egress_pool_name(p->sites->egress, p->index));
	s.site = slice_str(p->site->name);
	s.provider = slice_str(p->site->provider ? p->site->provider->name : "");
	(void)slice_strip(&s.provider, SLICE("provider "));
	return rules_source_rests(p->sites->queue->rules, &s, text);
}

bool suspend_ordered(const struct pool *p, const struct ip *source, char *text)
{
	return rules_keys(p->sites->queue->rules, RULE_SOURCE) && ask_orders(p, source, text);
}

int64_t suspend_left_ms(const struct site *site, const struct ip *source)
{
	int64_t end = until(suspend_entry(site, source));

	return end ? MAX_OF(end - clock_wall_ms(), (int64_t)0) : 0;
}

/* ---- the record -------------------------------------------------------------------------- */

/* Kept for a restart only: when the spool cannot take it now, the suspension is in force anyway. */
static void record(struct channel *ch, const char *value)
{
	char key[KEY_MAX];
	lsn_t unused;
	int r;

	(void)snprintf(key, sizeof(key), "suspend/%s/%.300s", ch->source->text, ch->scope->name);
	r = spool_put_rule(engine_spool(lane_engine(ch->pool->sites->lane)), slice_str(key),
			   slice_str(value), &unused);
	if (r < 0)
		log_warn("source.unrecorded", kv_str("rule", key), kv_err("reason", r));
}

static void record_suspension(struct channel *ch, const struct source_limits *e, struct slice why)
{
	char value[320];

	(void)snprintf(value, sizeof(value), "%" PRId64 " %d %.*s", until(e),
		       atomic_load(&e->times), (int)MIN_OF(why.n, (size_t)200), why.p);
	record(ch, value);
}

static bool parse_key(struct slice key, struct ip *ip, struct slice *name)
{
	struct slice source;

	*ip = (struct ip){ 0 };
	return slice_strip(&key, SLICE("suspend/")) && slice_cut(key, '/', &source, name) &&
	       name->n && (slice_eq(source, SLICE("*")) || ip_parse(source, ip) == 0);
}

static bool parse_value(struct slice value, int64_t *ret_until, int *ret_times)
{
	struct slice end = slice_take(&value, ' '), times = slice_take(&value, ' ');
	uint64_t u = 0, t = 0;

	if (end.n && (slice_u64(end, INT64_MAX, &u) < 0 || slice_u64(times, TIMES_MAX, &t) < 0))
		return false;
	*ret_until = (int64_t)u;
	*ret_times = (int)t;
	return true;
}

int suspend_check(struct slice rule_key, struct slice rule_value)
{
	struct slice name;
	struct ip ip;
	int64_t end;
	int times;

	return parse_key(rule_key, &ip, &name) && parse_value(rule_value, &end, &times) ? 0
											: E_SYNTAX;
}

void suspend_changed(struct limits *l, struct slice rule_key, struct slice rule_value)
{
	struct source_limits *e;
	struct slice name;
	struct ip ip;
	int64_t end;
	int times;

	if (!parse_key(rule_key, &ip, &name) || !parse_value(rule_value, &end, &times))
		return;
	e = limits_source(limits_site(l, name), &ip);
	atomic_store(&e->times, times);
	atomic_store(&e->strikes, 0);
	atomic_store(&e->suspended_until_ms, end);
	limits_resumed(l);
}

/* ---- what hosts say ---------------------------------------------------------------------- */

static void suspend(struct channel *ch, int64_t for_ms, struct slice why)
{
	struct source_limits *e = ch->standing;
	int times = MIN_OF(MAX_OF(atomic_load(&e->times) * 2, 1), (int)TIMES_MAX);
	int64_t end = clock_wall_ms() + for_ms * times;

	atomic_store(&e->times, times);
	atomic_store(&e->strikes, 0);
	atomic_store(&e->suspended_until_ms, end);
	count_add(&ch->pool->sites->counters.source_suspensions, 1);
	log_warn("source.suspended", kv_str("source", ch->source->text),
		 kv_str("at", ch->scope->name), kv_int("ms", for_ms * times),
		 kv_slice("reason", why));
	record_suspension(ch, e, why);
}

void suspend_refused(struct channel *ch, int64_t for_ms, struct slice why, bool certain)
{
	struct source_limits *e = ch->standing;

	if (suspend_holds(e))
		return; /* another lane or connection was told the same */
	if (certain || ch->trying || atomic_fetch_add(&e->strikes, 1) + 1 >= SUSPEND_STRIKES)
		suspend(ch, for_ms, why);
}

void suspend_delivered(struct channel *ch)
{
	struct source_limits *e = ch->standing;

	if (atomic_load_explicit(&e->strikes, memory_order_relaxed))
		atomic_store(&e->strikes, 0);
	if (!ch->trying)
		return;
	seats_end_try(ch);
	if (!atomic_exchange(&e->suspended_until_ms, 0))
		return;
	atomic_store(&e->times, 0);
	log_info("source.resumed", kv_str("source", ch->source->text),
		 kv_str("at", ch->scope->name));
	record(ch, "");
	limits_resumed(ch->pool->sites->limits);
	engine_changed(lane_engine(ch->pool->sites->lane)); /* the sites' pools look again */
}
