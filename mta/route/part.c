/* mta/route/part.c - keeps tenants' routes as the control plane tells them; the lanes are told when
 * they are others. */
#include <pthread.h>

#include "base/log.h"
#include "mta/route/fed.h"
#include "mta/senders/senders.h"

struct route_shared {
	struct engine *engine;
	struct senders *senders;
	struct senders_watch watch;
	pthread_mutex_t lock; /* of what follows */
	struct smart_fed *now;
};

struct smart_fed *smart_fed_now(struct engine *e)
{
	struct route_shared *s = engine_shared(e, &route_part);
	struct smart_fed *f;

	pthread_mutex_lock(&s->lock);
	f = s->now;
	atomic_fetch_add(&f->refs, 1);
	pthread_mutex_unlock(&s->lock);
	return f;
}

/* ---- making them ------------------------------------------------------------------------- */

struct collecting {
	struct smart_route **at;
	size_t n, cap;
};

static int collect(void *arg, const struct wire_fact *fact)
{
	struct collecting *c = arg;
	const char *why;
	struct smart_route *r = smart_fed_route(fact, &why);

	if (!r) {
		log_error("route.unfit", kv_int("tenant", (int64_t)fact->tenant),
			  kv_int("id", (int64_t)fact->id), kv_str("fault", why));
		return 0;
	}
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 16;
		c->at = must_resize(c->at, c->cap * sizeof(struct smart_route *));
	}
	c->at[c->n++] = r;
	return 0;
}

static int by_tenant(const void *a, const void *b)
{
	const struct smart_route *x = *(struct smart_route *const *)a,
				 *y = *(struct smart_route *const *)b;

	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static struct smart_fed *make(struct senders *s)
{
	struct collecting c = { 0 };
	struct smart_fed *f;
	int r = senders_each_object(s, WIRE_FACT_SMART_ROUTE, collect, &c);

	assert(r == 0);
	(void)r;
	f = must_alloc(sizeof(*f) + c.n * sizeof(struct smart_route *));
	atomic_init(&f->refs, 1);
	f->n = (unsigned)c.n;
	if (c.n) {
		qsort(c.at, c.n, sizeof(*c.at), by_tenant);
		memcpy(f->at, c.at, c.n * sizeof(struct smart_route *));
	}
	free(c.at);
	return f;
}

static bool has_route(const struct slice *facts)
{
	struct slice in = *facts;
	struct wire_fact f;

	while (wire_fact_next(&in, &f) > 0)
		if (f.kind == WIRE_FACT_SMART_ROUTE || f.kind == WIRE_FACT_NO_SMART_ROUTE)
			return true;
	return false;
}

static void on_changed(struct senders_watch *w, const struct slice *facts)
{
	struct route_shared *s = container_of(w, struct route_shared, watch);
	struct smart_fed *fresh, *old;

	if (facts && !has_route(facts))
		return;
	fresh = make(s->senders);
	log_info("route.fed", kv_int("routes", fresh->n));
	pthread_mutex_lock(&s->lock);
	old = s->now;
	s->now = fresh;
	pthread_mutex_unlock(&s->lock);
	if (old->n || fresh->n)
		engine_changed(s->engine);
	(void)smart_fed_unref(old);
}

/* ---- the part ---------------------------------------------------------------------------- */

static int route_open(struct engine *e, void **ret_shared)
{
	struct route_shared *s = must_alloc(sizeof(*s));

	s->engine = e;
	s->senders = senders_of(e);
	pthread_mutex_init(&s->lock, NULL);
	s->now = make(s->senders);
	s->watch.changed = on_changed;
	senders_watch(s->senders, &s->watch);
	*ret_shared = s;
	return 0;
}

static void route_close(void *shared)
{
	struct route_shared *s = shared;

	s->now = smart_fed_unref(s->now);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const struct part route_part = {
	.name = "routes",
	.open = route_open,
	.close = route_close,
};
