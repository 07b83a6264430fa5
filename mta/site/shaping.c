/* mta/site/shaping.c - shapes resolved for sites and pools, and the pace that they set. */
#include "mta/site/shaping.h"

#include "base/clock.h"
#include "base/random.h"
#include "mta/shape/part.h"

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

void shaping_configured(const struct settings *all, struct shape *ret)
{
	const struct site_options *o = settings_of(all, &site_option_set);
	const struct smtp_options *smtp = settings_of(all, &smtp_option_set);

	*ret = (struct shape){
		.v = {
			[SHAPE_CONNECTIONS] = o->connections,
			[SHAPE_CONNECTIONS_START] = o->connections_start,
			[SHAPE_CONNECTIONS_KEPT] = o->connections_kept,
			[SHAPE_CONNECTIONS_PER_SOURCE] = most(SHAPE_CONNECTIONS_PER_SOURCE),
			[SHAPE_PROVIDER_CONNECTIONS] = most(SHAPE_PROVIDER_CONNECTIONS),
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

	struct shape configured;

	shaping_configured(engine_settings(lane_engine(s->lane)), &configured);
	shapes_resolve(set, &q, &configured, &site->shape);
	site->shape.v[SHAPE_BACKOFF_MAX] =
	    MAX_OF(site->shape.v[SHAPE_BACKOFF_MAX], site->shape.v[SHAPE_BACKOFF_MIN]);
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
	struct shape configured;

	shaping_configured(engine_settings(lane_engine(s->lane)), &configured);
	q.pool = slice_str(egress_pool_name(s->egress, p->index));
	q.tenant = tenant;
	if (source)
		q.source = *source;
	shapes_resolve(shape_set(s->lane), &q, &configured, ret);
}

void shaping_pool(struct pool *p)
{
	const int64_t *v = p->shape.v;

	resolve(p, 0, NULL, &p->shape);
	p->paced =
	    v[SHAPE_RATE] || v[SHAPE_BYTES] || v[SHAPE_PROVIDER_RATE] || v[SHAPE_PROVIDER_BYTES];
	p->want = (unsigned)MIN_OF((int64_t)p->want, v[SHAPE_CONNECTIONS]);
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

/* ---- pace -------------------------------------------------------------------------------- */

void shaping_idle(struct pool *p)
{
	if (p->paces)
		atomic_fetch_sub(&p->paces->pacing, 1);
	p->paces = NULL;
}

static int64_t wait_for_site(const struct pool *p, int64_t now)
{
	struct site_limits *site = p->site->shared;
	int64_t messages = limits_wait(&site->messages, p->shape.v[SHAPE_RATE], now);
	int64_t bytes = limits_wait(&site->bytes, p->shape.v[SHAPE_BYTES], now);

	return MAX_OF(messages, bytes);
}

static int64_t wait_for_provider(struct pool *p, int64_t now)
{
	struct site_limits *provider = p->site->provider;
	const int64_t *v = p->shape.v;
	int64_t messages, bytes;

	if (!provider)
		return 0;
	messages = limits_wait(&provider->messages, v[SHAPE_PROVIDER_RATE], now);
	bytes = limits_wait(&provider->bytes, v[SHAPE_PROVIDER_BYTES], now);
	shaping_idle(p);
	if (!messages && !bytes)
		return 0;
	p->paces = provider;
	if (atomic_fetch_add(&provider->pacing, 1) > 0)
		messages += random_jitter(limits_step(v[SHAPE_PROVIDER_RATE]));
	return MAX_OF(messages, bytes);
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
	struct site_limits *site = p->site->shared, *provider = p->site->provider;
	const int64_t *v = p->shape.v;
	int64_t now = clock_mono_us(), n = (int64_t)bytes;

	limits_spend(&site->messages, v[SHAPE_RATE], 1, now);
	limits_spend(&site->bytes, v[SHAPE_BYTES], n, now);
	if (!provider)
		return;
	limits_spend(&provider->messages, v[SHAPE_PROVIDER_RATE], 1, now);
	limits_spend(&provider->bytes, v[SHAPE_PROVIDER_BYTES], n, now);
}
