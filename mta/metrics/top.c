/* mta/metrics/top.c - names that become labels. */
#include "mta/metrics/top.h"

#include <stdlib.h>

#include "base/hash.h"
#include "mta/metrics/metrics.h"

void top_init(struct top *t)
{
	*t = (struct top){ 0 };
	map_init(&t->map);
}

void top_end(struct top *t)
{
	struct map_link *l;

	while ((l = map_any(&t->map)) != NULL) {
		map_remove(&t->map, l);
		free(container_of(l, struct top_name, link));
	}
	map_free(&t->map);
}

static struct top_name *get(struct top *t, struct slice name)
{
	uint64_t hash = hash_keyed(name);
	struct map_link *l = map_find(&t->map, hash);
	struct top_name *n;
	char *text;

	for (; l; l = map_find_next(l))
		if (slice_eq(container_of(l, struct top_name, link)->name, name))
			return container_of(l, struct top_name, link);
	n = must_alloc(sizeof(*n) + name.n);
	text = (char *)(n + 1);
	memcpy(text, name.p, name.n);
	n->name = slice_of(text, name.n);
	map_insert(&t->map, &n->link, hash);
	return n;
}

static void add(struct top *t, const struct tally *from)
{
	struct top_name *n = get(t, slice_str(from->name));

	for (unsigned i = 0; i < TALLY_OUTCOMES; i++)
		n->now[i] += atomic_load_explicit(&from->outcomes[i], memory_order_relaxed);
	for (unsigned i = 0; from->classes && i < TALLY_CLASSES; i++)
		n->classes[i] += atomic_load_explicit(&from->classes[i], memory_order_relaxed);
}

static uint64_t weight(const struct top_name *n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < TALLY_OUTCOMES; i++)
		sum += n->now[i];
	return sum;
}

static int by_weight(const void *va, const void *vb)
{
	uint64_t a = weight(*(struct top_name *const *)va),
		 b = weight(*(struct top_name *const *)vb);

	return a == b ? 0 : a < b ? 1 : -1;
}

static bool may_be_named(const struct top_name *n)
{
	return !n->named && !slice_eq(n->name, SLICE(TALLY_OTHER));
}

/* The heaviest of those that have no label yet, as long as there is room. */
static void name_some(struct top *t)
{
	OWNED_MEM struct top_name **all =
	    must_alloc((t->map.count + 1) * sizeof(struct top_name *));
	struct map_link *l;
	size_t pos = 0, n = 0;

	for (l = map_next(&t->map, &pos, NULL); l; l = map_next(&t->map, &pos, l))
		if (may_be_named(container_of(l, struct top_name, link)))
			all[n++] = container_of(l, struct top_name, link);
	qsort(all, n, sizeof(*all), by_weight);
	for (size_t i = 0; i < n && t->named < METRICS_NAMES_MAX; i++, t->named++)
		all[i]->named = true;
}

static void each(struct top *t, void (*fn)(struct top_name *n))
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&t->map, &pos, NULL); l; l = map_next(&t->map, &pos, l))
		fn(container_of(l, struct top_name, link));
}

static void clear(struct top_name *n)
{
	memset(n->now, 0, sizeof(n->now));
	memset(n->classes, 0, sizeof(n->classes));
}

static void give_to_others(struct top_name *n)
{
	if (!n->named)
		memcpy(n->in_other, n->now, sizeof(n->now));
}

void top_collect(struct top *t, struct tallies *const *lanes, unsigned n, enum tally_kind kind)
{
	each(t, clear);
	for (unsigned i = 0; i < n; i++) {
		const struct tally *at =
		    atomic_load_explicit(&lanes[i]->first[kind], memory_order_acquire);
		for (; at; at = atomic_load_explicit(&at->next, memory_order_relaxed))
			add(t, at);
	}
	name_some(t);
	each(t, give_to_others);
}

uint64_t top_value(const struct top_name *n, unsigned outcome)
{
	return n->now[outcome] - n->in_other[outcome];
}

uint64_t top_others(const struct top *t, unsigned outcome)
{
	struct map_link *l;
	uint64_t sum = 0;
	size_t pos = 0;

	for (l = map_next(&t->map, &pos, NULL); l; l = map_next(&t->map, &pos, l))
		sum += container_of(l, struct top_name, link)->in_other[outcome];
	return sum;
}
