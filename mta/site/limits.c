/* mta/site/limits.c - shared counts of sites, by name. */
#include "mta/site/limits.h"

#include <pthread.h>

#include "base/hash.h"

struct limits {
	pthread_mutex_t lock;
	struct map sites;
};

struct limits *limits_new(void)
{
	struct limits *l = must_alloc(sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	map_init(&l->sites);
	return l;
}

struct limits *limits_free(struct limits *l)
{
	struct map_link *link;

	if (!l)
		return NULL;
	while ((link = map_any(&l->sites)) != NULL) {
		map_remove(&l->sites, link);
		free(container_of(link, struct site_limits, link));
	}
	map_free(&l->sites);
	pthread_mutex_destroy(&l->lock);
	free(l);
	return NULL;
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

int64_t limits_rate(struct site_limits *s, int64_t rate, int64_t now_us)
{
	int64_t step, next, burst;

	if (!rate)
		return 0;
	step = 1000000 / rate;
	burst = MIN_OF((int64_t)1000000, step * rate / 10 + step); /* a tenth of a second at once */
	next = atomic_load_explicit(&s->next_us, memory_order_relaxed);
	do {
		if (next - now_us > burst)
			return next - now_us - burst;
	} while (
	    !atomic_compare_exchange_weak_explicit(&s->next_us, &next, MAX_OF(next, now_us) + step,
						   memory_order_relaxed, memory_order_relaxed));
	return 0;
}
