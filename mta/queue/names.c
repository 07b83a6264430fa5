/* mta/queue/names.c - the domains and flows that recipients name: found, made, forgotten. */
#include "base/hash.h"
#include "mta/queue/about.h"
#include "mta/queue/inside.h"

/* ---- domains ----------------------------------------------------------------------------- */

static struct domain *find_domain(struct queue *q, struct slice name, uint64_t hash)
{
	for (struct map_link *l = map_find(&q->domains.map, hash); l; l = map_find_next(l)) {
		struct domain *d = container_of(l, struct domain, link);
		if (slice_eq_nocase(domain_name(d), name))
			return d;
	}
	return NULL;
}

struct domain *queue_find_domain(struct queue *q, struct slice name)
{
	return find_domain(q, name, hash_keyed_nocase(name));
}

static struct domain *new_domain(struct queue *q, struct slice name)
{
	struct domain *d = must_alloc(q->ways->domain_size + name.n + 1);

	d->name = (char *)d + q->ways->domain_size;
	for (size_t i = 0; i < name.n; i++)
		d->name[i] = ascii_lower(name.p[i]);
	d->name_n = (uint16_t)name.n;
	d->queue = q;
	list_init(&d->idle);
	fifo_init(&d->routing);
	q->ways->domain_begin(q->ways, d);
	return d;
}

struct domain *queue_domain(struct queue *q, struct slice name, uint64_t hash)
{
	struct domain *d = find_domain(q, name, hash);

	if (d) {
		if (d->live == 0) {
			list_remove(&d->idle);
			q->domains.n_idle--;
		}
		d->live++;
		return d;
	}
	d = new_domain(q, name);
	d->live = 1;
	d->index = table_number(&q->domains, d);
	map_insert(&q->domains.map, &d->link, hash);
	count_add(&q->counters.domains, 1);
	return d;
}

static void drop_idle_domain(struct queue *q)
{
	struct domain *d = list_first(&q->domains.idle, struct domain, idle);

	if (q->ways->domain_busy(d)) {
		list_remove(&d->idle); /* it goes to the end of the line */
		list_push(&q->domains.idle, &d->idle);
		return;
	}
	list_remove(&d->idle);
	q->domains.n_idle--;
	map_remove(&q->domains.map, &d->link);
	table_forget(&q->domains, d->index);
	count_sub(&q->counters.domains, 1);
	free(d);
}

void queue_domain_rests(struct queue *q, struct domain *d)
{
	list_push(&q->domains.idle, &d->idle);
	if (++q->domains.n_idle > DOMAINS_IDLE_MAX)
		drop_idle_domain(q);
}

void queue_note_reply(struct domain *d, uint16_t code, struct status status, struct slice text)
{
	d->code = code;
	d->status = status;
	d->reply_n = (uint8_t)MIN_OF(text.n, sizeof(d->reply));
	memcpy(d->reply, text.p, d->reply_n);
	d->reply_ms = clock_wall_ms();
}

/* ---- flows ------------------------------------------------------------------------------- */

static void drop_idle_flow(struct queue *q)
{
	struct flow *f = list_first(&q->flows.idle, struct flow, idle);

	list_remove(&f->idle);
	q->flows.n_idle--;
	map_remove(&q->flows.map, &f->link);
	table_forget(&q->flows, f->index);
	free(f);
}

void queue_flow_rests(struct queue *q, struct flow *f)
{
	list_push(&q->flows.idle, &f->idle);
	q->flows.n_idle++;
}

void queue_flow_look(struct queue *q, struct flow *f)
{
	const struct assign_subject assigned = { f->tenant, f->campaign, queue_stream_of(q, f) };
	struct about a;
	char pool[256];

	f->to_pool = f->named ? f->pool : (uint16_t)egress_assigned(q->egress, &assigned);
	about_flow(&a, q, f);
	if (rules_moved(q->rules, &a.s, pool, sizeof(pool))) {
		f->to_pool = (uint16_t)egress_pool(q->egress, slice_str(pool));
		about_flow(&a, q, f);
	}
	/* By what moves some of it, the pool of the others may be another one. */
	if (queue_moves_finely(q))
		a.s.knows &= ~(SELECTS(SELECT_POOL) | SELECTS(SELECT_SOURCE));
	f->held = rules_hold(q->rules, &a.s, NULL);
}

void queue_flow_weigh(struct queue *q, struct flow *f)
{
	int64_t ordered = tenancy_limits(q->tenancy, f->tenant).v[TENANT_WEIGHT];

	f->weight =
	    ordered == TENANT_NONE ? queue_tenant_weight(q->options, f->tenant) : (uint16_t)ordered;
	f->turns = (uint16_t)tenancy_campaign_weight(q->tenancy, f->campaign);
}

static struct flow *find_flow(struct queue *q, const struct flow *like, uint64_t hash)
{
	for (struct map_link *l = map_find(&q->flows.map, hash); l; l = map_find_next(l)) {
		struct flow *f = container_of(l, struct flow, link);
		if (f->class == like->class && f->tenant == like->tenant &&
		    f->campaign == like->campaign && f->stream == like->stream &&
		    f->pool == like->pool && f->named == like->named && f->engaged == like->engaged)
			return f;
	}
	return NULL;
}

static uint64_t flow_hash(const struct flow *f)
{
	uint64_t small = (uint64_t)f->stream << 32 | (uint64_t)f->class << 16 | f->pool;

	small ^= (uint64_t)f->named << 48 | (uint64_t)f->engaged << 49;

	return hash_mix(f->tenant ^ hash_mix(f->campaign ^ hash_mix(small)));
}

struct flow *queue_flow(struct queue *q, const struct flow *like)
{
	uint64_t hash = flow_hash(like);
	struct flow *f = find_flow(q, like, hash);

	if (f) {
		if (f->live == 0) {
			list_remove(&f->idle);
			q->flows.n_idle--;
		}
		return f;
	}
	while (q->flows.n_idle > FLOWS_IDLE_MAX)
		drop_idle_flow(q);
	f = must_alloc(sizeof(*f));
	*f = *like;
	f->counted = tenancy_tenant(q->tenancy, f->tenant);
	queue_flow_weigh(q, f);
	list_init(&f->idle);
	f->index = table_number(&q->flows, f);
	map_insert(&q->flows.map, &f->link, hash);
	queue_flow_look(q, f);
	return f;
}

void queue_flow_loaded(struct queue *q, struct flow *f)
{
	if (!f->live)
		queue_flow_rests(q, f);
}
