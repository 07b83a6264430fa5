/* mta/deliver/avoid.c - a map of recipients to sources, the oldest forgotten first. */
#include "mta/deliver/avoid.h"

#include "base/hash.h"

struct avoider {
	struct map_link link;
	struct list age;
	job_no job;
	uint32_t row;
	unsigned n;
	int64_t until_ms;
	const struct source *sources[AVOID_SOURCES];
};

static uint64_t hash_of(job_no job, uint32_t row)
{
	return hash_mix((uint64_t)job << 32 | row);
}

static struct avoider *find(const struct avoided *a, job_no job, uint32_t row)
{
	for (struct map_link *m = a->n ? map_find(&a->map, hash_of(job, row)) : NULL; m;
	     m = map_find_next(m)) {
		struct avoider *k = container_of(m, struct avoider, link);
		if (k->job == job && k->row == row)
			return k;
	}
	return NULL;
}

static void drop(struct avoided *a, struct avoider *k)
{
	map_remove(&a->map, &k->link);
	list_remove(&k->age);
	a->n--;
	free(k);
}

void avoid_init(struct avoided *a)
{
	*a = (struct avoided){ .n = 0 };
	map_init(&a->map);
	list_init(&a->age);
}

void avoid_end(struct avoided *a)
{
	while (a->n)
		drop(a, list_first(&a->age, struct avoider, age));
	map_free(&a->map);
}

static struct avoider *make(struct avoided *a, job_no job, uint32_t row)
{
	struct avoider *k;

	if (a->n == AVOID_MAX)
		drop(a, list_first(&a->age, struct avoider, age));
	k = must_alloc(sizeof(*k));
	k->job = job;
	k->row = row;
	list_init(&k->age);
	list_push(&a->age, &k->age);
	map_insert(&a->map, &k->link, hash_of(job, row));
	a->n++;
	return k;
}

bool avoid_add(struct avoided *a, job_no job, uint32_t row, const struct source *source,
	       int64_t now_ms)
{
	struct avoider *k = find(a, job, row);

	if (!k)
		k = make(a, job, row);
	if (k->until_ms <= now_ms)
		k->n = 0;
	if (k->n == AVOID_SOURCES)
		return false;
	k->sources[k->n++] = source;
	k->until_ms = now_ms + AVOID_MS;
	return true;
}

bool avoid_has(const struct avoided *a, job_no job, uint32_t row, const struct source *source,
	       int64_t now_ms)
{
	const struct avoider *k = find(a, job, row);

	for (unsigned i = 0; k && k->until_ms > now_ms && i < k->n; i++)
		if (k->sources[i] == source)
			return true;
	return false;
}

void avoid_forget(struct avoided *a, job_no job, uint32_t row)
{
	struct avoider *k = find(a, job, row);

	if (k)
		drop(a, k);
}
