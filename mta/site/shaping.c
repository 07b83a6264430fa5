/* mta/site/shaping.c - shapes resolved for sites and pools, and the pace that they set. */
#include "mta/site/shaping.h"

#include "base/clock.h"
#include "base/random.h"
#include "mta/shape/part.h"
#include "mta/site/channel.h"
#include "mta/site/kin.h"

/* ---- what the configuration says --------------------------------------------------------- */

static void timeouts(const struct smtp_timeouts *t, int64_t *v)
{
	v[SHAPE_TIMEOUT_CONNECT] = t->connect;
	v[SHAPE_TIMEOUT_GREETING] = t->greeting;
	v[SHAPE_TIMEOUT_EHLO] = t->ehlo;
	v[SHAPE_TIMEOUT_STARTTLS] = t->starttls;
	v[SHAPE_TIMEOUT_MAIL] = t->mail;
	v[SHAPE_TIMEOUT_RCPT] = t->rcpt;
	v[SHAPE_TIMEOUT_DATA] = t->data;
	v[SHAPE_TIMEOUT_BLOCK] = t->block;
	v[SHAPE_TIMEOUT_DOT] = t->dot;
	v[SHAPE_TIMEOUT_RSET] = t->rset;
	v[SHAPE_TIMEOUT_QUIT] = t->quit;
}

static int64_t most(enum shape_key key)
{
	return shape_key_rows[key].max;
}

static void configured_by(const struct settings *all, struct shape *ret)
{
	const struct site_options *o = settings_of(all, &site_option_set);
	const struct smtp_options *smtp = settings_of(all, &smtp_option_set);
	const struct queue_options *queue = settings_of(all, &queue_option_set);

	*ret = (struct shape){
		.v = {
			[SHAPE_CONNECTIONS] = o->connections,
			[SHAPE_CONNECTIONS_START] = o->connections_start,
			[SHAPE_CONNECTIONS_KEPT] = o->connections_kept,
			[SHAPE_CONNECTIONS_PER_SOURCE] = most(SHAPE_CONNECTIONS_PER_SOURCE),
			[SHAPE_PROVIDER_CONNECTIONS] = most(SHAPE_PROVIDER_CONNECTIONS),
			[SHAPE_ADAPTIVE] = 1,
			[SHAPE_PROVIDER_ADAPTIVE] = 1,
			[SHAPE_ADAPTIVE_FLOOR] = 1,
			[SHAPE_ADAPTIVE_RATE] = 60 * 24,
			[SHAPE_TRANSACTIONAL_SHARE] = queue->transactional_share,
			[SHAPE_MESSAGES] = o->messages,
			[SHAPE_RECIPIENTS] = most(SHAPE_RECIPIENTS),
			[SHAPE_RATE] = o->rate * 86400,
			[SHAPE_IDLE] = o->idle,
			[SHAPE_TLS] = smtp->policy,
			[SHAPE_IGNORE] = smtp->ignore,
			[SHAPE_BACKOFF_MIN] = o->backoff_min,
			[SHAPE_BACKOFF_MAX] = o->backoff_max,
			[SHAPE_HOST_BAD] = o->host_bad,
		},
	};
	timeouts(&smtp->timeouts, ret->v);
}

/* ---- resolving --------------------------------------------------------------------------- */

void shaping_resolve(const struct shapes *set, const struct shape_subject *q,
		     const struct settings *all, struct shape *ret)
{
	struct shape configured;

	configured_by(all, &configured);
	shapes_resolve(set, q, &configured, ret);
	ret->v[SHAPE_BACKOFF_MAX] = MAX_OF(ret->v[SHAPE_BACKOFF_MAX], ret->v[SHAPE_BACKOFF_MIN]);
}

static struct shape_subject subject(const struct route *route, struct slice domain,
				    struct slice *mx)
{
	for (unsigned i = 0; i < route->n_hosts; i++)
		mx[i] = slice_str(route->hosts[i].name);
	return (struct shape_subject){ .domain = domain, .mx = mx, .n_mx = route->n_hosts };
}

void shaping_site_name(const struct sites *s, const struct route *route, struct slice domain,
		       struct buf *ret)
{
	struct slice mx[ROUTE_HOSTS_MAX];
	struct shape_subject q = subject(route, domain, mx);
	struct buf group;

	buf_init(&group, 0);
	shapes_group(shape_set(s->lane), &q, &group);
	if (rules_caps_domain(s->queue->rules, domain))
		buf_putf(&group, "%scap %.*s", buf_len(&group) ? "+" : "", (int)domain.n, domain.p);
	buf_put(ret, slice_str(route->site));
	if (buf_len(&group))
		buf_putf(ret, " (%s)", buf_cstr(&group));
	buf_free(&group);
}

void shaping_site(struct site *site)
{
	struct sites *s = site->sites;
	const struct shapes *set = shape_set(s->lane);
	struct slice mx[ROUTE_HOSTS_MAX];
	struct shape_subject q = subject(site->route, slice_str(site->domain), mx);
	const char *name = shapes_provider_name(set, shapes_provider(set, &q));
	char text[300];

	shaping_resolve(set, &q, engine_settings(lane_engine(s->lane)), &site->shape);
	site->provider = NULL;
	if (!*name)
		return;
	slice_copy(text, sizeof(text), SLICE("provider "));
	slice_copy(text + strlen("provider "), sizeof(text) - strlen("provider "), slice_str(name));
	site->provider = limits_site(s->limits, slice_str(text));
}

static void resolve(const struct pool *p, uint64_t tenant, const struct ip *source,
		    struct shape *ret)
{
	struct sites *s = p->sites;
	struct slice mx[ROUTE_HOSTS_MAX];
	struct shape_subject q = subject(p->site->route, slice_str(p->site->domain), mx);

	q.pool = slice_str(egress_pool_name(s->egress, p->index));
	q.tenant = tenant;
	if (source)
		q.source = *source;
	shaping_resolve(shape_set(s->lane), &q, engine_settings(lane_engine(s->lane)), ret);
}

void shaping_limits(const struct pool *p, uint64_t tenant, const struct ip *source,
		    struct shape *ret)
{
	struct slice mx[ROUTE_HOSTS_MAX];
	struct shape_subject q = subject(p->site->route, slice_str(p->site->domain), mx);

	q.pool = slice_str(egress_pool_name(p->sites->egress, p->index));
	q.tenant = tenant;
	if (source)
		q.source = *source;
	shapes_limits(shape_set(p->sites->lane), &q,
		      !source  ? SHAPE_OWN_TENANT
		      : tenant ? SHAPE_OWN_BOTH
			       : SHAPE_OWN_SOURCE,
		      ret);
}

/* What a section says about a pool is counted for this pool alone. */
struct site_limits *shaping_counted_at(const struct pool *p, uint16_t rule, bool provider)
{
	struct site_limits *all = provider ? p->site->provider : p->site->shared, *own;
	struct buf name;

	if (!all || !shapes_names_pool(shape_set(p->sites->lane), rule))
		return all;
	buf_init(&name, 0);
	buf_putf(&name, "%s pool %s", all->name, egress_pool_name(p->sites->egress, p->index));
	own = limits_site(p->sites->limits, buf_data(&name));
	buf_free(&name);
	return own;
}

static struct site_limits *counted_at(const struct pool *p, enum shape_key key, bool provider)
{
	return shaping_counted_at(p, p->shape.from[key], provider);
}

static const struct pace_row {
	enum shape_key key;
	bool provider, bytes;
} pace_rows[PACES] = {
	[PACE_MESSAGES] = { SHAPE_RATE, false, false },
	[PACE_BYTES] = { SHAPE_BYTES, false, true },
	[PACE_PROVIDER_MESSAGES] = { SHAPE_PROVIDER_RATE, true, false },
	[PACE_PROVIDER_BYTES] = { SHAPE_PROVIDER_BYTES, true, true },
};

static limits_pace *pace_of(const struct pool *p, unsigned i)
{
	return pace_rows[i].bytes ? &p->pace[i]->bytes : &p->pace[i]->messages;
}

/* A limit that a pool has had before and that is another one now begins without debts. */
static void set_paces(struct pool *p, const struct shape *before)
{
	p->paced = false;
	for (unsigned i = 0; i < PACES; i++) {
		const struct pace_row *row = &pace_rows[i];
		int64_t per_day = p->shape.v[row->key];
		p->pace[i] = counted_at(p, row->key, row->provider);
		p->paced = p->paced || (p->pace[i] && per_day);
		if (before && p->pace[i] && per_day != before->v[row->key])
			limits_forgive(pace_of(p, i), clock_mono_us());
	}
}

static void share_sources(struct pool *p, struct site_limits *at)
{
	for (unsigned i = 0; p->per_source != at && i < p->turns.n; i++)
		p->turns.at[i].known = NULL;
	p->per_source = at;
}

void shaping_pool(struct pool *p)
{
	struct shape before = p->shape;
	bool begins = !p->shared;

	resolve(p, 0, NULL, &p->shape);
	set_paces(p, begins ? NULL : &before);
	pool_share(p, counted_at(p, SHAPE_CONNECTIONS, false));
	share_sources(p, counted_at(p, SHAPE_CONNECTIONS_PER_SOURCE, false));
	kin_forget(p);
	p->provider = counted_at(p, SHAPE_PROVIDER_CONNECTIONS, true);
}

struct shape *shaping_source(const struct pool *p, const struct ip *source)
{
	struct shape *own;

	if (!(shapes_asks(shape_set(p->sites->lane)) & SHAPE_ASKS_SOURCE))
		return NULL;
	own = must_alloc(sizeof(*own));
	resolve(p, 0, source, own);
	return own;
}

struct smtp_timeouts shaping_timeouts(const struct shape *shape)
{
	const int64_t *v = shape->v;

	return (struct smtp_timeouts){
		.connect = v[SHAPE_TIMEOUT_CONNECT],
		.greeting = v[SHAPE_TIMEOUT_GREETING],
		.ehlo = v[SHAPE_TIMEOUT_EHLO],
		.starttls = v[SHAPE_TIMEOUT_STARTTLS],
		.mail = v[SHAPE_TIMEOUT_MAIL],
		.rcpt = v[SHAPE_TIMEOUT_RCPT],
		.data = v[SHAPE_TIMEOUT_DATA],
		.block = v[SHAPE_TIMEOUT_BLOCK],
		.dot = v[SHAPE_TIMEOUT_DOT],
		.rset = v[SHAPE_TIMEOUT_RSET],
		.quit = v[SHAPE_TIMEOUT_QUIT],
	};
}

const struct shape *shaping_tenant(const struct pool *p, uint64_t tenant, struct shape *room)
{
	if (!(shapes_asks(shape_set(p->sites->lane)) & SHAPE_ASKS_TENANT))
		return &p->shape;
	resolve(p, tenant, NULL, room);
	return room;
}

unsigned shaping_recipients(const struct channel *ch, uint64_t tenant)
{
	struct shape room;

	if (!(shapes_asks(shape_set(ch->pool->sites->lane)) & SHAPE_ASKS_TENANT_RECIPIENTS))
		return (unsigned)channel_shape(ch)->v[SHAPE_RECIPIENTS];
	resolve(ch->pool, tenant, &ch->source->ip, &room);
	return (unsigned)room.v[SHAPE_RECIPIENTS];
}

/* ---- pace -------------------------------------------------------------------------------- */

void shaping_idle(struct pool *p)
{
	if (p->paces)
		atomic_fetch_sub(&p->paces->pacing, 1);
	p->paces = NULL;
}

static int64_t wait_for(const struct pool *p, unsigned pace, int64_t now)
{
	return p->pace[pace] ? limits_wait(pace_of(p, pace), p->shape.v[pace_rows[pace].key], now)
			     : 0;
}

static int64_t wait_for_site(const struct pool *p, int64_t now)
{
	return MAX_OF(wait_for(p, PACE_MESSAGES, now), wait_for(p, PACE_BYTES, now));
}

static int64_t wait_for_provider(struct pool *p, int64_t now)
{
	struct site_limits *provider = p->pace[PACE_PROVIDER_MESSAGES];
	int64_t messages, bytes;

	if (!provider)
		return 0;
	messages = wait_for(p, PACE_PROVIDER_MESSAGES, now);
	bytes = wait_for(p, PACE_PROVIDER_BYTES, now);
	shaping_idle(p);
	if (!messages && !bytes)
		return 0;
	p->paces = provider;
	if (atomic_fetch_add(&provider->pacing, 1) > 0)
		messages += random_jitter(limits_step(p->shape.v[SHAPE_PROVIDER_RATE]));
	return MAX_OF(messages, bytes);
}

int64_t shaping_left_us(const struct pool *p)
{
	int64_t now = clock_mono_us(), most = 0;

	for (unsigned i = 0; i < PACES; i++)
		most = MAX_OF(most, wait_for(p, i, now));
	return most;
}

bool shaping_may_send(struct pool *p, int64_t *ret_wait_us)
{
	int64_t now = clock_mono_us(), site = wait_for_site(p, now);
	int64_t provider = wait_for_provider(p, now);

	*ret_wait_us = MAX_OF(site, provider);
	return *ret_wait_us == 0;
}

void shaping_sent(const struct pool *p, size_t bytes)
{
	int64_t now = clock_mono_us();

	for (unsigned i = 0; i < PACES; i++)
		if (p->pace[i])
			limits_spend(pace_of(p, i), p->shape.v[pace_rows[i].key],
				     pace_rows[i].bytes ? (int64_t)bytes : 1, now);
}

enum { MESSAGE_BYTES = 10000 }; /* a usual one */

unsigned shaping_opening_max(const struct pool *p)
{
	int64_t most = UINT32_MAX;

	for (unsigned i = 0; p->paced && i < PACES; i++) {
		int64_t per_second = p->shape.v[pace_rows[i].key] / 86400;
		if (p->pace[i] && p->shape.v[pace_rows[i].key])
			most =
			    MIN_OF(most, 1 + per_second / (pace_rows[i].bytes ? MESSAGE_BYTES : 1));
	}
	return (unsigned)most;
}
