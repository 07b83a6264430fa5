#include "mta/site.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "mta/outcome.h"
#include "mta/pool.h"

enum { BACKOFF_RECORDS = 100 }; /* tries put on record each time a site cannot be reached */

void site_init(struct work *w)
{
	map_init(&w->sites);
	map_init(&w->hosts);
	list_init(&w->asking);
}

struct site *site_get(struct work *w, struct route *route)
{
	struct slice name = slice_str(route->site);
	uint64_t hash = hash_keyed(name);
	struct site *s;

	for (struct map_link *l = map_find(&w->sites, hash); l; l = map_find_next(l)) {
		s = container_of(l, struct site, link);
		if (!slice_eq(slice_str(s->name), name))
			continue;
		if (s->route != route) {
			route_unref(s->route);
			s->route = route_ref(route);
		}
		return s;
	}
	s = must_alloc(sizeof(*s) + name.n + 1);
	memcpy(s->name, name.p, name.n);
	s->work = w;
	s->route = route_ref(route);
	s->shared = limits_site(w->limits, name);
	list_init(&s->pools);
	map_insert(&w->sites, &s->link, hash);
	count_add(&w->m->sites, 1);
	return s;
}

/* ---- hosts ------------------------------------------------------------------------------- */

static void host_free(struct work *w, struct host *h)
{
	map_remove(&w->hosts, &h->link);
	w->n_hosts--;
	if (h->tls)
		tls_session_unref(h->tls);
	free(h);
}

/* An eighth of the unused ones, whichever the walk meets: their tickets and bad marks are
 * forgotten. */
static void forget_hosts(struct work *w)
{
	struct host *victims[256];
	struct map_link *l;
	size_t pos = 0, n = 0;

	for (l = map_next(&w->hosts, &pos, NULL); l && n < ARRAY_LEN(victims);
	     l = map_next(&w->hosts, &pos, l))
		if (!container_of(l, struct host, link)->channels)
			victims[n++] = container_of(l, struct host, link);
	while (n)
		host_free(w, victims[--n]);
}

static struct host *host_get(struct work *w, const struct ip *ip)
{
	uint64_t hash = hash_keyed(slice_of(ip->bytes, ip->family == AF_INET ? 4 : 16));
	struct host *h;

	for (struct map_link *l = map_find(&w->hosts, hash); l; l = map_find_next(l)) {
		h = container_of(l, struct host, link);
		if (ip_eq(&h->ip, ip))
			return h;
	}
	if (w->n_hosts >= HOSTS_MAX)
		forget_hosts(w);
	h = must_alloc(sizeof(*h));
	h->ip = *ip;
	ip_format(ip, h->ip_text);
	h->ip_text_n = strlen(h->ip_text);
	map_insert(&w->hosts, &h->link, hash);
	w->n_hosts++;
	return h;
}

/* One group of equal preference: its addresses in turn, from a place that moves with each pick. */
static struct host *pick_of_group(struct site *s, unsigned first, unsigned end,
				  const struct route_host **ret_mx)
{
	int64_t now = timers_now(s->work->loop->timers);
	unsigned total = 0;

	for (unsigned i = first; i < end; i++)
		total += s->route->hosts[i].n_ips;
	for (unsigned k = 0; k < total; k++) {
		unsigned at = (s->turn + k) % total, i = first;
		while (at >= s->route->hosts[i].n_ips)
			at -= s->route->hosts[i++].n_ips;
		struct host *h = host_get(s->work, &s->route->hosts[i].ips[at]);
		if (h->bad_until_ms > now)
			continue;
		*ret_mx = &s->route->hosts[i];
		s->turn += k + 1;
		return h;
	}
	return NULL;
}

struct host *site_pick(struct site *s, const struct route_host **ret_mx)
{
	const struct route *route = s->route;
	unsigned end;

	for (unsigned i = 0; i < route->n_hosts; i = end) {
		end = i + 1;
		while (end < route->n_hosts &&
		       route->hosts[end].preference == route->hosts[i].preference)
			end++;
		struct host *h = pick_of_group(s, i, end, ret_mx);
		if (h)
			return h;
	}
	return NULL;
}

void site_problem(struct site *s, const struct verdict *v, const char *whose)
{
	char reply[8] = "";

	if (v->code)
		(void)snprintf(reply, sizeof(reply), "%u ", v->code % 1000U);
	(void)snprintf(s->problem, sizeof(s->problem), "%s: %s%.*s", whose, reply,
		       (int)MIN_OF(v->text_n, 180), v->text);
	s->problem_code = v->code;
	memcpy(s->problem_dsn, &v->status, sizeof(s->problem_dsn));
	s->problem_ms = clock_wall_ms();
}

void site_host_failed(struct site *s, struct host *h, const struct verdict *v)
{
	struct work *w = s->work;
	int64_t pause = w->config->host_bad;

	pause += (int64_t)random_below((uint32_t)MIN_OF(pause / 4 + 1, (int64_t)UINT32_MAX));
	h->bad_until_ms = timers_now(w->loop->timers) + pause;
	site_problem(s, v, h->ip_text);
	count_add(&w->m->sessions_failed, 1);
	log_info("session.failed", kv_str("site", s->name), kv_str("ip", h->ip_text),
		 kv_int("code", v->code), kv_slice("reason", verdict_text(v)));
}

void site_host_well(struct site *s, struct host *h)
{
	h->bad_until_ms = 0;
	s->backoff_ms = 0;
	s->backoff_until_ms = 0;
}

/* After the pause every address gets another chance, however bad it was. */
static void forgive_hosts_by(struct site *s, int64_t when_ms)
{
	for (unsigned i = 0; i < s->route->n_hosts; i++)
		for (unsigned k = 0; k < s->route->hosts[i].n_ips; k++) {
			struct host *h = host_get(s->work, &s->route->hosts[i].ips[k]);
			h->bad_until_ms = MIN_OF(h->bad_until_ms, when_ms);
		}
}

void site_forgive_hosts(struct site *s)
{
	forgive_hosts_by(s, 0);
}

static void defer_some(struct site *s)
{
	struct own_outcome o = {
		.kind = OUTCOME_DEFERRED,
		.code = s->problem_code,
		.dsn = { s->problem_dsn[0], s->problem_dsn[1], s->problem_dsn[2] },
		.text = slice_str(s->problem),
		.host = slice_str(s->route->hosts[0].name),
	};
	struct pool *p;
	rcpt_ref ref;

	list_each(&s->pools, p, struct pool, link)
		for (unsigned i = 0;
		     i < BACKOFF_RECORDS && (ref = pool_take(p, true, NULL)) != RCPT_NONE; i++) {
			if (rcpt_at(&s->work->slab, ref)->state == RCPT_DEAD)
				rcpt_end(s->work, ref);
			else
				outcome_own(s->work, ref, &o);
		}
}

void site_back_off(struct site *s)
{
	struct work *w = s->work;
	int64_t now = timers_now(w->loop->timers);
	struct pool *p;
	int64_t pause;

	if (s->backoff_until_ms > now)
		return;
	s->backoff_ms = s->backoff_ms ? MIN_OF(s->backoff_ms * 2, w->config->site_backoff_max)
				      : w->config->site_backoff_min;
	pause = s->backoff_ms +
		(int64_t)random_below((uint32_t)MIN_OF(s->backoff_ms / 4 + 1, (int64_t)UINT32_MAX));
	s->backoff_until_ms = now + pause;
	forgive_hosts_by(s, s->backoff_until_ms);
	count_add(&w->m->site_backoffs, 1);
	log_info("site.backoff", kv_str("site", s->name), kv_int("ms", pause),
		 kv_str("reason", s->problem));
	defer_some(s);
	list_each(&s->pools, p, struct pool, link)
		timer_set(w->loop->timers, &p->timer, pause);
}

void site_free_all(struct work *w)
{
	struct map_link *l;
	size_t pos;

	for (pos = 0; (l = map_next(&w->sites, &pos, NULL)); pos = 0) {
		struct site *s = container_of(l, struct site, link);
		struct list *link;
		while (!list_empty(&s->pools) && (link = s->pools.next))
			pool_free(container_of(link, struct pool, link));
		map_remove(&w->sites, l);
		route_unref(s->route);
		free(s);
	}
	for (pos = 0; (l = map_next(&w->hosts, &pos, NULL)); pos = 0)
		host_free(w, container_of(l, struct host, link));
	map_free(&w->sites);
	map_free(&w->hosts);
}
