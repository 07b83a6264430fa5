/* mta/site/lids.c - what limits a tenant's mail at a pool, and how much of it is used. */
#include "mta/site/lids.h"

#include "base/clock.h"
#include "base/hash.h"
#include "mta/shape/part.h"
#include "mta/site/shaping.h"

/* ---- what is known of a tenant ------------------------------------------------------------ */

static struct lids *find(const struct pool *p, uint64_t tenant)
{
	for (struct map_link *l = map_find(&p->lids, hash_mix(tenant)); l; l = map_find_next(l)) {
		struct lids *known = container_of(l, struct lids, link);
		if (known->tenant == tenant)
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

/* Of two limits that are counted in the same place the lower one holds. */
static void add(struct lids *l, struct lid lid)
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

static void add_shaped(struct lids *l, struct pool *p)
{
	struct shape shape;

	shaping_limits(p, l->tenant, NULL, &shape);
	for (unsigned i = 0; i < ARRAY_LEN(lid_rows); i++) {
		const struct lid_row *row = &lid_rows[i];
		struct site_limits *at = shaping_counted_at(p, shape.from[row->key], row->provider);
		if (at && shape.v[row->key])
			add(l,
			    (struct lid){ row->kind, shape.v[row->key],
					  limits_tenant(at, l->tenant), at, shape.from[row->key] });
	}
}

/* What holds for the tenant whatever the provider. */
static void add_ordered(struct lids *l, struct pool *p)
{
	struct sites *s = p->sites;
	struct tenant_limits_now now = tenancy_limits(s->queue->tenancy, l->tenant);
	struct site_limits *all, *scope = p->site->provider ? p->site->provider : p->site->shared;

	if (now.v[TENANT_CONNECTIONS] != TENANT_NONE)
		add(l, (struct lid){ LID_CONNECTIONS, now.v[TENANT_CONNECTIONS],
				     limits_tenant(scope, l->tenant), scope, SHAPE_RULES_MAX });
	if (now.v[TENANT_RATE] == TENANT_NONE)
		return;
	all = limits_site(s->limits, SLICE(LIDS_EVERYWHERE));
	add(l, (struct lid){ LID_MESSAGES, now.v[TENANT_RATE], limits_tenant(all, l->tenant), all,
			     SHAPE_RULES_MAX });
}

static struct lids *resolve(struct pool *p, uint64_t tenant)
{
	struct lids *l = must_alloc(sizeof(*l));

	if (p->lids.count >= LIDS_KNOWN_MAX)
		lids_forget(p);
	l->tenant = tenant;
	add_shaped(l, p);
	if (tenancy_paces(p->sites->queue->tenancy))
		add_ordered(l, p);
	for (unsigned i = 0; i < l->n; i++)
		begin_rate(&l->at[i]);
	map_insert(&p->lids, &l->link, hash_mix(tenant));
	return l;
}

const struct lids *lids_of(struct pool *p, uint64_t tenant)
{
	const struct lids *l;

	if (!(shapes_asks(shape_set(p->sites->lane)) & SHAPE_ASKS_TENANT) &&
	    !tenancy_paces(p->sites->queue->tenancy))
		return NULL;
	l = find(p, tenant);
	if (!l)
		l = resolve(p, tenant);
	return l->n ? l : NULL;
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
		gate_shut(ch->pool, flow, stop);
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
