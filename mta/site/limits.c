/* mta/site/limits.c - shared counts of sites, by name. */
#include "mta/site/limits.h"

#include <pthread.h>

#include "base/hash.h"
#include "mta/site/steer.h"

struct limits {
	pthread_mutex_t lock;
	struct map sites;
	_Atomic unsigned resumptions;
};

struct limits *limits_new(void)
{
	struct limits *l = must_alloc(sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	map_init(&l->sites);
	return l;
}

static void free_tenants(struct tenant_table *t);

static void free_entry(struct site_limits *s)
{
	struct source_limits *source = atomic_load(&s->sources), *next;

	for (; source; source = next) {
		next = source->next;
		(void)steer_free(atomic_load(&source->steer));
		free(source);
	}
	free_tenants(atomic_load(&s->tenants));
	free(s);
}

struct limits *limits_free(struct limits *l)
{
	struct map_link *link;

	if (!l)
		return NULL;
	while ((link = map_any(&l->sites)) != NULL) {
		map_remove(&l->sites, link);
		free_entry(container_of(link, struct site_limits, link));
	}
	map_free(&l->sites);
	pthread_mutex_destroy(&l->lock);
	free(l);
	return NULL;
}

void limits_resumed(struct limits *l)
{
	atomic_fetch_add(&l->resumptions, 1);
}

unsigned limits_resumptions(const struct limits *l)
{
	return atomic_load(&l->resumptions);
}

static struct site_limits *find(struct limits *l, struct slice name, uint64_t hash)
{
	for (struct map_link *m = map_find(&l->sites, hash); m; m = map_find_next(m)) {
		struct site_limits *s = container_of(m, struct site_limits, link);
		if (slice_eq(slice_str(s->name), name))
			return s;
	}
	return NULL;
}

struct site_limits *limits_site(struct limits *l, struct slice name)
{
	uint64_t hash = hash_keyed(name);
	struct site_limits *s;

	pthread_mutex_lock(&l->lock);
	s = find(l, name, hash);
	if (!s) {
		s = must_alloc(sizeof(*s) + name.n + 1);
		memcpy(s->name, name.p, name.n);
		map_insert(&l->sites, &s->link, hash);
	}
	pthread_mutex_unlock(&l->lock);
	return s;
}

/* ---- connections per source -------------------------------------------------------------- */

static struct source_limits *find_source(struct source_limits *first, const struct ip *source)
{
	while (first && !ip_eq(&first->ip, source))
		first = first->next;
	return first;
}

/* Entries are only put in front.  A thread that another one was faster than looks again. */
struct source_limits *limits_source(struct site_limits *s, const struct ip *source)
{
	struct source_limits *first = atomic_load(&s->sources), *fresh = NULL, *found;

	while (!(found = find_source(first, source))) {
		if (!fresh)
			fresh = must_alloc(sizeof(*fresh));
		fresh->ip = *source;
		fresh->next = first;
		if (atomic_compare_exchange_strong(&s->sources, &first, fresh))
			return fresh;
	}
	free(fresh);
	return found;
}

void limits_each_source(struct limits *l,
			void (*each)(void *arg, struct site_limits *s, struct source_limits *e),
			void *arg)
{
	struct map_link *link;
	size_t pos = 0;

	pthread_mutex_lock(&l->lock);
	for (link = map_next(&l->sites, &pos, NULL); link; link = map_next(&l->sites, &pos, link)) {
		struct site_limits *s = container_of(link, struct site_limits, link);
		struct source_limits *e = atomic_load(&s->sources);
		for (; e; e = e->next)
			each(arg, s, e);
	}
	pthread_mutex_unlock(&l->lock);
}

/* ---- tenants ----------------------------------------------------------------------------- */

static struct tenant_table *table_of(struct site_limits *s)
{
	struct tenant_table *t = atomic_load(&s->tenants), *fresh;

	if (t)
		return t;
	fresh = must_alloc(sizeof(*fresh));
	if (atomic_compare_exchange_strong(&s->tenants, &t, fresh))
		return fresh;
	free(fresh);
	return t;
}

static struct tenant_limits *find_tenant(struct tenant_limits *first, uint64_t tenant)
{
	while (first && first->tenant != tenant)
		first = first->next;
	return first;
}

struct tenant_limits *limits_known_tenant(struct site_limits *s, uint64_t tenant)
{
	struct tenant_table *t = atomic_load(&s->tenants);

	return t ? find_tenant(atomic_load(&t->buckets[hash_mix(tenant) % TENANT_BUCKETS]), tenant)
		 : NULL;
}

struct tenant_limits *limits_tenant(struct site_limits *s, uint64_t tenant)
{
	_Atomic(struct tenant_limits *) *bucket =
	    &table_of(s)->buckets[hash_mix(tenant) % TENANT_BUCKETS];
	struct tenant_limits *first = atomic_load(bucket), *fresh = NULL, *found;

	while (!(found = find_tenant(first, tenant))) {
		if (!fresh)
			fresh = must_alloc(sizeof(*fresh));
		fresh->tenant = tenant;
		fresh->next = first;
		if (atomic_compare_exchange_strong(bucket, &first, fresh))
			return fresh;
	}
	free(fresh);
	return found;
}

static void free_tenants(struct tenant_table *t)
{
	for (unsigned i = 0; t && i < TENANT_BUCKETS; i++)
		for (struct tenant_limits *at = atomic_load(&t->buckets[i]), *next; at; at = next) {
			next = at->next;
			free(at);
		}
	free(t);
}

/* ---- pace -------------------------------------------------------------------------------- */

static const int64_t day_us = 86400LL * 1000000;
enum { AT_ONCE_US = 100000, AT_ONCE_MAX_US = 1000000 }; /* a tenth of a second, or one unit */

int64_t limits_step(int64_t per_day)
{
	return per_day ? MIN_OF(day_us / per_day, (int64_t)AT_ONCE_MAX_US) : 0;
}

static int64_t wait_for(int64_t next, int64_t per_day, int64_t now_us)
{
	int64_t burst = MIN_OF(AT_ONCE_US + day_us / per_day, (int64_t)AT_ONCE_MAX_US);

	return MAX_OF(next - now_us - burst, (int64_t)0);
}

int64_t limits_wait(limits_pace *pace, int64_t per_day, int64_t now_us)
{
	if (!per_day)
		return 0;
	return wait_for(atomic_load_explicit(pace, memory_order_relaxed), per_day, now_us);
}

int64_t limits_take(limits_pace *pace, int64_t per_day, int64_t now_us)
{
	int64_t next = atomic_load_explicit(pace, memory_order_relaxed), wait = 0;

	while (per_day && (wait = wait_for(next, per_day, now_us)) == 0 &&
	       !atomic_compare_exchange_weak_explicit(pace, &next,
						      MAX_OF(next, now_us) + day_us / per_day,
						      memory_order_relaxed, memory_order_relaxed))
		;
	return wait;
}

void limits_give_back(limits_pace *pace, int64_t per_day)
{
	if (per_day)
		atomic_fetch_sub_explicit(pace, day_us / per_day, memory_order_relaxed);
}

void limits_forgive(limits_pace *pace, int64_t now_us)
{
	int64_t next = atomic_load_explicit(pace, memory_order_relaxed);

	while (next > now_us &&
	       !atomic_compare_exchange_weak_explicit(pace, &next, now_us, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

void limits_rate_set(struct limits_rate *r, int64_t per_day, int64_t now_us)
{
	if (atomic_load_explicit(&r->per_day, memory_order_relaxed) != per_day &&
	    atomic_exchange(&r->per_day, per_day) != per_day)
		limits_forgive(&r->pace, now_us);
}

/* n units in microseconds; n is at most some 100 MB. */
static int64_t span(int64_t per_day, int64_t n)
{
	return n <= INT64_MAX / day_us ? n * day_us / per_day
				       : n / 1000 * (day_us / per_day * 1000);
}

void limits_spend(limits_pace *pace, int64_t per_day, int64_t n, int64_t now_us)
{
	int64_t next = atomic_load_explicit(pace, memory_order_relaxed), step;

	if (!per_day)
		return;
	step = span(per_day, n);
	while (!atomic_compare_exchange_weak_explicit(pace, &next, MAX_OF(next, now_us) + step,
						      memory_order_relaxed, memory_order_relaxed))
		;
}
