#include "mta/work_int.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "mta/delivery.h"
#include "mta/outcome.h"

/* ---- states and counts ------------------------------------------------------------------- */

static _Atomic uint64_t *state_gauge(struct work *w, enum rcpt_state state)
{
	switch (state) {
	case RCPT_ROUTING:
		return &w->m->queued_routing;
	case RCPT_READY:
		return &w->m->queued_ready;
	case RCPT_DEFERRED:
		return &w->m->queued_deferred;
	case RCPT_HELD:
		return &w->m->queued_held;
	case RCPT_IN_FLIGHT:
		return &w->m->in_flight;
	case RCPT_FREE:
	case RCPT_DEAD:
	case RCPT_STATES:
		break;
	}
	return NULL;
}

void rcpt_become(struct work *w, rcpt_ref ref, enum rcpt_state state)
{
	struct rcpt *r = rcpt_at(&w->slab, ref);
	struct domain *d = domain_at(&w->domains, r->domain);
	struct flow *f = flow_at(&w->flows, r->flow);
	_Atomic uint64_t *from = state_gauge(w, r->state), *to = state_gauge(w, state);

	if (r->state == state)
		return;
	d->n[r->state]--;
	f->n[r->state]--;
	d->n[state]++;
	f->n[state]++;
	r->state = (uint8_t)state;
	if (from)
		count_sub(from, 1);
	if (to)
		count_add(to, 1);
}

static void drop_idle_domain(struct work *w)
{
	struct domain *d = list_first(&w->domains.idle, struct domain, idle);

	if (d->asked || d->draining || !list_empty(&d->asking) || timer_running(&d->later)) {
		list_remove(&d->idle); /* busy: it goes to the end of the line */
		list_push(&w->domains.idle, &d->idle);
		return;
	}
	list_remove(&d->idle);
	w->domains.n_idle--;
	map_remove(&w->domains.map, &d->link);
	table_forget(&w->domains, d->index);
	count_sub(&w->m->domains, 1);
	free(d);
}

static void drop_idle_flow(struct work *w)
{
	struct flow *f = list_first(&w->flows.idle, struct flow, idle);

	list_remove(&f->idle);
	w->flows.n_idle--;
	map_remove(&w->flows.map, &f->link);
	table_forget(&w->flows, f->index);
	free(f);
}

void rcpt_end(struct work *w, rcpt_ref ref)
{
	struct rcpt *r = rcpt_at(&w->slab, ref);
	struct domain *d = domain_at(&w->domains, r->domain);
	struct flow *f = flow_at(&w->flows, r->flow);

	rcpt_become(w, ref, RCPT_DEAD);
	d->n[RCPT_DEAD]--;
	f->n[RCPT_DEAD]--;
	rcpt_free(&w->slab, ref);
	if (--d->live == 0) {
		list_push(&w->domains.idle, &d->idle);
		if (++w->domains.n_idle > DOMAINS_IDLE_MAX)
			drop_idle_domain(w);
	}
	if (--f->live == 0) {
		list_push(&w->flows.idle, &f->idle);
		w->flows.n_idle++;
	}
}

/* ---- the tables -------------------------------------------------------------------------- */

static struct domain *find_domain(struct work *w, struct slice name, uint64_t hash)
{
	for (struct map_link *l = map_find(&w->domains.map, hash); l; l = map_find_next(l)) {
		struct domain *d = container_of(l, struct domain, link);
		if (slice_eq_nocase(slice_of(d->name, d->name_n), name))
			return d;
	}
	return NULL;
}

static void on_domain_later(struct timer *t)
{
	struct domain *d = container_of(t, struct domain, later);

	domain_route(d->work, d);
}

/* The recipient about to name it keeps it off the idle list. */
struct domain *work_domain(struct work *w, struct slice name, uint64_t hash)
{
	struct domain *d = find_domain(w, name, hash);

	if (d) {
		if (d->live == 0) {
			list_remove(&d->idle);
			w->domains.n_idle--;
		}
		d->live++;
		return d;
	}
	d = must_alloc(sizeof(*d) + name.n + 1);
	for (size_t i = 0; i < name.n; i++)
		d->name[i] = ascii_lower(name.p[i]);
	d->name_n = (uint16_t)name.n;
	d->work = w;
	d->live = 1;
	list_init(&d->idle);
	list_init(&d->asking);
	fifo_init(&d->routing);
	timer_init(&d->later, on_domain_later);
	d->index = table_number(&w->domains, d);
	map_insert(&w->domains.map, &d->link, hash);
	count_add(&w->m->domains, 1);
	return d;
}

static void flow_look(struct work *w, struct flow *f)
{
	struct rule_subject s = { .tenant = f->tenant, .campaign = f->campaign };

	f->held = rules_match(w->rules, RULE_HOLD, SELECTS_FLOW, &s, NULL, 0);
}

struct flow *work_flow(struct work *w, uint8_t class, uint64_t tenant, uint64_t campaign,
		       unsigned pool)
{
	uint64_t hash =
	    hash_mix(tenant ^ hash_mix(campaign ^ hash_mix((uint64_t) class << 8 | pool)));
	struct flow *f;

	for (struct map_link *l = map_find(&w->flows.map, hash); l; l = map_find_next(l)) {
		f = container_of(l, struct flow, link);
		if (f->class == class && f->tenant == tenant && f->campaign == campaign &&
		    f->pool == pool) {
			if (f->live == 0) {
				list_remove(&f->idle);
				w->flows.n_idle--;
			}
			return f;
		}
	}
	while (w->flows.n_idle > FLOWS_IDLE_MAX)
		drop_idle_flow(w);
	f = must_alloc(sizeof(*f));
	f->class = class;
	f->pool = (uint8_t)pool;
	f->tenant = tenant;
	f->campaign = campaign;
	f->weight = config_tenant_weight(w->config, tenant);
	list_init(&f->idle);
	f->index = table_number(&w->flows, f);
	map_insert(&w->flows.map, &f->link, hash);
	flow_look(w, f);
	return f;
}

void work_flow_loaded(struct work *w, struct flow *f)
{
	if (f->live)
		return;
	list_push(&w->flows.idle, &f->idle);
	w->flows.n_idle++;
}

unsigned work_pool_index(struct work *w, struct slice name)
{
	if (!name.n)
		name = SLICE("default");
	for (unsigned i = 0; i < w->n_pools; i++)
		if (slice_eq(name, slice_str(w->pool_names[i])))
			return i;
	if (w->n_pools == POOLS_MAX)
		return POOLS_MAX - 1;
	w->pool_names[w->n_pools] = must_copy(name);
	return w->n_pools++;
}

void domain_note_reply(struct domain *d, uint16_t code, struct status s, struct slice text)
{
	d->code = code;
	d->dsn[0] = s.class;
	d->dsn[1] = s.subject;
	d->dsn[2] = s.detail;
	d->reply_n = (uint8_t)MIN_OF(text.n, sizeof(d->reply));
	memcpy(d->reply, text.p, d->reply_n);
	d->reply_ms = clock_wall_ms();
}

/* ---- queueing ---------------------------------------------------------------------------- */

void work_queue(struct work *w, rcpt_ref ref)
{
	struct rcpt *r = rcpt_at(&w->slab, ref);
	struct domain *d = domain_at(&w->domains, r->domain);
	struct flow *f = flow_at(&w->flows, r->flow);

	if (domain_route_usable(d, timers_now(w->loop->timers))) {
		rcpt_become(w, ref, RCPT_READY);
		pool_push(pool_get(d->site, f->pool), ref, false);
		return;
	}
	rcpt_become(w, ref, RCPT_ROUTING);
	fifo_push(&w->slab, &d->routing, ref);
	domain_route(w, d);
}

static void tick_on(struct work *w)
{
	if (w->tick_on || !w->wheel.count)
		return;
	w->tick_on = true;
	timer_set(w->loop->timers, &w->tick, 1000);
}

void work_defer(struct work *w, rcpt_ref ref, uint32_t due_s)
{
	rcpt_at(&w->slab, ref)->due_s = due_s;
	rcpt_become(w, ref, RCPT_DEFERRED);
	wheel_add(&w->wheel, &w->slab, ref);
	tick_on(w);
}

int64_t work_retry_s(struct work *w, unsigned attempts)
{
	int64_t ms = config_retry_ms(w->config, attempts);
	int64_t spread = ms * w->config->retry_jitter / 100;

	if (spread > 0)
		ms += (int64_t)random_below((uint32_t)MIN_OF(2 * spread + 1, (int64_t)UINT32_MAX)) -
		      spread;
	return MAX_OF((ms + 999) / 1000, (int64_t)1);
}

enum { TICK_RCPTS_MAX = 5000, TICK_AGAIN_MS = 2 };

static void on_tick(struct timer *t)
{
	struct work *w = container_of(t, struct work, tick);
	uint32_t now = wall_s();
	unsigned n = 0;
	rcpt_ref ref = RCPT_NONE;

	w->tick_on = false;
	while (n++ < TICK_RCPTS_MAX && (ref = wheel_take(&w->wheel, &w->slab, now)) != RCPT_NONE) {
		if (rcpt_at(&w->slab, ref)->state == RCPT_DEAD)
			rcpt_end(w, ref);
		else
			work_queue(w, ref);
	}
	if (ref != RCPT_NONE) { /* more are due: others get their turn first */
		w->tick_on = true;
		timer_set(w->loop->timers, t, TICK_AGAIN_MS);
		return;
	}
	tick_on(w);
}

void work_wheel_again(struct work *w)
{
	wheel_redo(&w->wheel, &w->slab);
	w->tick_on = true;
	timer_set(w->loop->timers, &w->tick, 0);
}

/* ---- orders ------------------------------------------------------------------------------ */

static void release_held(struct work *w)
{
	struct fifo held = w->held;
	rcpt_ref ref;

	fifo_init(&w->held);
	while ((ref = fifo_pop(&w->slab, &held)) != RCPT_NONE) {
		if (rcpt_at(&w->slab, ref)->state == RCPT_DEAD)
			rcpt_end(w, ref);
		else
			work_queue(w, ref); /* what is still held comes back when its turn comes */
	}
}

static void each_pool(struct work *w, void (*fn)(struct pool *p))
{
	struct map_link *l;
	struct pool *p;
	size_t pos = 0;

	for (l = map_next(&w->sites, &pos, NULL); l; l = map_next(&w->sites, &pos, l))
		list_each(&container_of(l, struct site, link)->pools, p, struct pool, link)
			fn(p);
}

void work_rules_changed(struct work *w)
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&w->flows.map, &pos, NULL); l; l = map_next(&w->flows.map, &pos, l))
		flow_look(w, container_of(l, struct flow, link));
	each_pool(w, pool_rules_changed);
	release_held(w);
	if (rules_selects(w->rules, RULE_CANCEL))
		sweep_start(w, true);
}

void work_keys_changed(struct work *w, struct slice domain)
{
	shelf_keys_forget(&w->shelf, domain);
}

void work_reload(struct work *w)
{
	const struct mta_config *c = engine_config(w->engine);
	struct map_link *l;
	struct flow *f;
	size_t pos = 0;

	w->config = c;
	w->shelf.chunk_max = (size_t)c->cache_chunks;
	w->shelf.content_max = (size_t)c->cache_contents;
	w->route_options = (struct route_options){
		.ipv4 = c->dns_ipv4,
		.ipv6 = c->dns_ipv6,
		.allowed = c->route_allow_nets,
		.n_allowed = c->n_route_allow,
		.own_names = c->own_names,
		.n_own_names = c->n_own_names,
		.own_ips = c->own_ips,
		.n_own_ips = c->n_own_ips,
	};
	for (l = map_next(&w->flows.map, &pos, NULL); l; l = map_next(&w->flows.map, &pos, l)) {
		f = container_of(l, struct flow, link);
		f->weight = config_tenant_weight(c, f->tenant);
	}
	each_pool(w, pool_pump_soon);
}

void work_stop(struct work *w)
{
	w->stopping = true;
	each_pool(w, pool_pump_soon);
}

void work_look_in(struct work *w)
{
	load_look(w);
}

void work_fatal(struct work *w, int err)
{
	engine_fatal(w->engine, err);
}

/* ---- life -------------------------------------------------------------------------------- */

static int open_resolver(struct work *w)
{
	const struct mta_config *c = w->config;
	struct resolver_options o;
	int r;

	resolver_options_default(&o);
	if (c->n_dns == 0) {
		r = resolver_options_system(&o, "/etc/resolv.conf");
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < c->n_dns && i < DNS_SERVERS_MAX; i++) {
		o.servers[i].ip = c->dns[i].ip;
		o.servers[i].port = c->dns[i].port;
		o.n_servers = i + 1;
	}
	o.timeout_ms = (uint32_t)c->dns_timeout;
	o.tries = (uint32_t)c->dns_tries;
	o.cache_entries = (uint32_t)c->dns_cache;
	o.pending = (uint32_t)c->dns_pending;
	return resolver_new(&w->resolver, w->loop->ev, &o);
}

int work_new(struct work **ret, struct lane *l)
{
	struct work *w = must_alloc(sizeof(*w));
	int r;

	w->lane = l;
	w->engine = l->engine;
	w->spool = engine_spool(l->engine);
	w->loop = &l->loop;
	w->m = &l->metrics;
	w->rules = engine_rules(l->engine);
	w->limits = engine_limits(l->engine);
	table_init(&w->domains);
	table_init(&w->flows);
	wheel_init(&w->wheel, wall_s());
	fifo_init(&w->held);
	timer_init(&w->tick, on_tick);
	w->slab.free = RCPT_NONE;
	shelf_init(&w->shelf, w->spool);
	site_init(w);
	delivery_init(w);
	channel_init(w);
	outcome_init(w);
	sweep_init(w);
	work_reload(w);
	(void)work_pool_index(w, SLICE("default"));
	l->work = w;
	r = open_resolver(w);
	if (r < 0)
		return r;
	r = tls_client_new(&w->tls);
	if (r < 0)
		return r;
	load_init(w);
	*ret = w;
	return 0;
}

static void free_entries(struct table *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		free(t->by_index[i]);
	map_free(&t->map);
	free(t->by_index);
	free(t->free_next);
}

struct work *work_free(struct work *w)
{
	if (!w)
		return NULL;
	w->freeing = w->stopping = true;
	outcome_free_all(w);
	for (uint32_t i = 0; i < w->domains.n; i++)
		if (w->domains.by_index[i])
			domain_forget_route(domain_at(&w->domains, i));
	site_free_all(w);
	resolver_free(w->resolver);
	loop_run_turn_end(w->loop);
	delivery_free_spares(w);
	tls_context_free(w->tls);
	timer_stop(w->loop->timers, &w->tick);
	timer_stop(w->loop->timers, &w->load);
	timer_stop(w->loop->timers, &w->sweep);
	free_entries(&w->domains);
	free_entries(&w->flows);
	shelf_free(&w->shelf);
	wheel_free(&w->wheel);
	slab_free(&w->slab);
	for (unsigned i = 0; i < w->n_pools; i++)
		free(w->pool_names[i]);
	free(w->jobs);
	free(w);
	return NULL;
}
