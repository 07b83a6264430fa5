/* mta/site/lids.c - what limits a tenant's mail at a pool, and how much of it is used. */
#include "mta/site/lids.h"

#include "base/clock.h"
#include "base/hash.h"
#include "mta/shape/part.h"
#include "mta/site/shaping.h"

/* ---- what is known of a tenant ------------------------------------------------------------ */

static uint64_t hash_of(uint64_t tenant, const struct ip *source)
{
	size_t n = source->family == AF_INET6 ? 16 : source->family ? 4 : 0;

	return hash_mix(tenant) ^ (n ? hash_keyed(slice_of(source->bytes, n)) : 0);
}

static struct lids *find(const struct pool *p, uint64_t tenant, const struct ip *source)
{
	for (struct map_link *l = map_find(&p->lids, hash_of(tenant, source)); l;
	     l = map_find_next(l)) {
		struct lids *known = container_of(l, struct lids, link);
		if (known->tenant == tenant && ip_eq(&known->source, source))
			return known;
	}
	return NULL;
}

void lids_forget(struct pool *p)
{
	struct map_link *l;

	while ((l = map_any(&p->lids)) != NULL) {
		map_remove(&p->lids, l);
		free(container_of(l, struct lids, link));
	}
}

struct lids_found {
	struct lid at[LIDS_MAX];
	unsigned n;
};

/* Of two limits that are counted in the same place the lower one holds. */
static void add(struct lids_found *l, struct lid lid)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->at[i].at == lid.at && l->at[i].kind == lid.kind) {
			if (lid.value < l->at[i].value)
				l->at[i] = lid;
			return;
		}
	l->at[l->n++] = lid;
}

static void begin_rate(const struct lid *lid)
{
	struct limits_rate *r = lid->kind == LID_MESSAGES ? &lid->at->messages : &lid->at->bytes;

	if (lid->kind != LID_CONNECTIONS)
		limits_rate_set(r, lid->value, clock_mono_us());
}

static const struct lid_row {
	enum shape_key key;
	enum lid_kind kind;
	bool provider;
} lid_rows[] = {
	{ SHAPE_CONNECTIONS, LID_CONNECTIONS, false },
	{ SHAPE_RATE, LID_MESSAGES, false },
	{ SHAPE_BYTES, LID_BYTES, false },
	{ SHAPE_PROVIDER_CONNECTIONS, LID_CONNECTIONS, true },
	{ SHAPE_PROVIDER_RATE, LID_MESSAGES, true },
	{ SHAPE_PROVIDER_BYTES, LID_BYTES, true },
};

/* What a tenant sends over one source is counted apart from what it sends over the others. */
static struct site_limits *over(struct pool *p, struct site_limits *at, const struct ip *source)
{
	char ip[IP_TEXT_MAX];
	struct buf name;

	if (!at || !source)
		return at;
	ip_format(source, ip);
	buf_init(&name, 0);
	buf_putf(&name, "%s from %s", at->name, ip);
	at = limits_site(p->sites->limits, buf_data(&name));
	buf_free(&name);
	return at;
}

/* source NULL: those over any. */
static void add_shaped(struct lids_found *l, struct pool *p, uint64_t tenant,
		       const struct ip *source)
{
	struct shape shape;

	shaping_limits(p, tenant, source, &shape);
	for (unsigned i = 0; i < ARRAY_LEN(lid_rows); i++) {
		const struct lid_row *row = &lid_rows[i];
		uint16_t from = shape.from[row->key];
		struct site_limits *at =
		    shape.v[row->key] ? shaping_counted_at(p, from, row->provider) : NULL;
		at = over(p, at, source);
		if (at)
			add(l, (struct lid){ row->kind, shape.v[row->key],
					     limits_tenant(at, tenant), at, from, source != NULL });
	}
}

/* What holds for the tenant whatever the provider. */
static void add_ordered(struct lids_found *l, struct pool *p, uint64_t tenant)
{
	struct sites *s = p->sites;
	struct tenant_limits_now now = tenancy_limits(s->queue->tenancy, tenant);
	struct site_limits *all, *scope = p->site->provider ? p->site->provider : p->site->shared;

	if (now.v[TENANT_CONNECTIONS] != TENANT_NONE)
		add(l, (struct lid){ LID_CONNECTIONS, now.v[TENANT_CONNECTIONS],
				     limits_tenant(scope, tenant), scope, SHAPE_RULES_MAX, false });
	if (now.v[TENANT_RATE] == TENANT_NONE)
		return;
	all = limits_site(s->limits, SLICE(LIDS_EVERYWHERE));
	add(l, (struct lid){ LID_MESSAGES, now.v[TENANT_RATE], limits_tenant(all, tenant), all,
			     SHAPE_RULES_MAX, false });
}

static struct lids *resolve(struct pool *p, uint64_t tenant, const struct ip *source)
{
	struct lids_found f = { .n = 0 };
	struct lids *l;

	if (p->lids.count >= LIDS_KNOWN_MAX)
		lids_forget(p);
	add_shaped(&f, p, tenant, NULL);
	if (tenancy_paces(p->sites->queue->tenancy))
		add_ordered(&f, p, tenant);
	if (source->family)
		add_shaped(&f, p, tenant, source);
	for (unsigned i = 0; i < f.n; i++)
		begin_rate(&f.at[i]);
	l = must_alloc(sizeof(*l) + f.n * sizeof(*l->at));
	l->tenant = tenant;
	l->source = *source;
	l->n = f.n;
	memcpy(l->at, f.at, f.n * sizeof(*l->at));
	map_insert(&p->lids, &l->link, hash_of(tenant, source));
	return l;
}

const struct lids *lids_of(struct pool *p, uint64_t tenant, const struct ip *source)
{
	unsigned asks = shapes_asks(shape_set(p->sites->lane));
	static const struct ip any;
	const struct lids *l;

	if (!(asks & SHAPE_ASKS_TENANT) && !tenancy_paces(p->sites->queue->tenancy))
		return NULL;
	if (!source || !(asks & SHAPE_ASKS_BOTH))
		source = &any;
	l = find(p, tenant, source);
	if (!l)
		l = resolve(p, tenant, source);
	return l->n ? l : NULL;
}

/* ---- waiting ----------------------------------------------------------------------------- */

const struct source *lids_source(const struct pool *p, unsigned i)
{
	if (!p->turns.at)
		return egress_source(p->sites->egress, p->index, i);
	return i < p->turns.n ? p->turns.at[i].source : NULL;
}

const struct lid *lids_stopping(struct pool *p, uint64_t tenant, const struct ip *source)
{
	const struct lids *l = lids_of(p, tenant, source);
	const struct lid *stop = l ? lids_stop(NULL, l) : NULL, *first = NULL;
	const struct source *s;
	int64_t now_us = clock_mono_us();

	if (source || (stop && !stop->of_source))
		return stop;
	for (unsigned i = 0; (s = lids_source(p, i)) != NULL; i++) {
		if (source_err(s))
			continue;
		stop = lids_stopping(p, tenant, &s->ip);
		if (!stop)
			return NULL;
		if (!first || lid_wait_us(stop, now_us) < lid_wait_us(first, now_us))
			first = stop;
	}
	return first;
}

bool lids_wait(struct pool *p, const struct flow *flow, const struct lid *stop)
{
	if (stop->of_source && p->turns.n > 1)
		stop = lids_stopping(p, flow->tenant, NULL);
	if (stop)
		gate_shut(p, flow, stop);
	return stop != NULL;
}

enum { PASSED_MAX_MS = 100 };

void lids_passed_over(struct channel *ch, int64_t wait_us)
{
	struct pool *p = ch->pool;
	int64_t ms = MIN_OF(wait_us / 1000 + 1, (int64_t)PASSED_MAX_MS);

	if (ch->turn == TURN_NONE)
		return;
	p->turns.at[ch->turn].useless_until_ms = sites_now(p->sites) + ms;
	turns_pass_over(&p->turns, ch->turn);
	if (!timer_running(&p->turn_timer))
		timer_set(p->sites->loop->timers, &p->turn_timer, ms);
}

/* ---- taking ------------------------------------------------------------------------------ */

/* The channel carries its mail already: it is one connection. */
static bool carries(const struct channel *ch, const struct tenant_limits *at)
{
	const struct lids_seat *seat;

	list_each((struct list *)(uintptr_t)&ch->lids, seat, const struct lids_seat, link)
		for (unsigned i = 0; i < seat->n; i++)
			if (seat->at[i] == at)
				return true;
	return false;
}

const struct lid *lids_stop(const struct channel *ch, const struct lids *l)
{
	int64_t now_us = clock_mono_us();

	for (unsigned i = 0; i < l->n; i++) {
		const struct lid *lid = &l->at[i];
		if (lid->kind == LID_CONNECTIONS && ch && carries(ch, lid->at))
			continue;
		if (lid_wait_us(lid, now_us))
			return lid;
	}
	return NULL;
}

static bool sit(struct lids_seat *seat, const struct lid *lid)
{
	if (!carries(seat->channel, lid->at) && !slots_take(&lid->at->connections, lid->value))
		return false;
	seat->at[seat->n++] = lid->at;
	return true;
}

static bool take_one(struct lids_seat *seat, const struct lid *lid, int64_t now_us)
{
	if (lid->kind == LID_CONNECTIONS)
		return sit(seat, lid);
	return lid->kind != LID_MESSAGES ||
	       limits_take(&lid->at->messages.pace, lid->value, now_us) == 0;
}

bool lids_take(struct lids_seat *seat, struct channel *ch, const struct lids *l)
{
	int64_t now_us = clock_mono_us();
	unsigned i = 0;

	*seat = (struct lids_seat){ .sites = ch->pool->sites, .channel = ch };
	list_init(&seat->link);
	while (i < l->n && take_one(seat, &l->at[i], now_us))
		i++;
	if (i == l->n) {
		list_push(&ch->lids, &seat->link);
		return true;
	}
	while (i-- > 0)
		if (l->at[i].kind == LID_MESSAGES)
			limits_give_back(&l->at[i].at->messages.pace, l->at[i].value);
	lids_leave(seat);
	return false;
}

void lids_sent(struct channel *ch, const struct lids *l, const struct flow *flow, size_t bytes)
{
	const struct lid *stop;

	for (unsigned i = 0; i < l->n; i++)
		if (l->at[i].kind == LID_BYTES)
			limits_spend(&l->at[i].at->bytes.pace, l->at[i].value, (int64_t)bytes,
				     clock_mono_us());
	stop = lids_stop(NULL, l);
	if (stop)
		(void)lids_wait(ch->pool, flow, stop);
}

/* The channel's next message of the tenant has its place now. */
void lids_leave(struct lids_seat *seat)
{
	unsigned n = seat->n;

	if (!seat->sites)
		return;
	list_remove(&seat->link);
	seat->n = 0;
	for (unsigned i = 0; i < n; i++) {
		if (carries(seat->channel, seat->at[i]))
			continue;
		slots_give(&seat->at[i]->connections);
		gate_look(seat->sites, seat->at[i]);
	}
	seat->sites = NULL;
}
