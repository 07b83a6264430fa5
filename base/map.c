/* base/map.c - the buckets of the intrusive hash map. */
#include "base/map.h"

void map_init(struct map *m)
{
	*m = (struct map){ 0 };
}

void map_free(struct map *m)
{
	free(m->buckets);
	*m = (struct map){ 0 };
}

static void grow(struct map *m)
{
	size_t n = m->buckets ? (m->mask + 1) * 2 : 16;
	struct map_link **fresh = must_alloc(n * sizeof(struct map_link *));

	for (size_t i = 0; m->buckets && i <= m->mask; i++)
		for (struct map_link *l = m->buckets[i], *next; l; l = next) {
			next = l->next;
			l->next = fresh[l->hash & (n - 1)];
			fresh[l->hash & (n - 1)] = l;
		}
	free(m->buckets);
	m->buckets = fresh;
	m->mask = n - 1;
}

void map_insert(struct map *m, struct map_link *l, uint64_t hash)
{
	if (!m->buckets || m->count > m->mask)
		grow(m);
	l->hash = hash;
	l->next = m->buckets[hash & m->mask];
	m->buckets[hash & m->mask] = l;
	m->count++;
}

void map_remove(struct map *m, struct map_link *l)
{
	struct map_link **at = &m->buckets[l->hash & m->mask];

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	l->next = NULL;
	m->count--;
}

struct map_link *map_find(const struct map *m, uint64_t hash)
{
	struct map_link *l = m->buckets ? m->buckets[hash & m->mask] : NULL;

	while (l && l->hash != hash)
		l = l->next;
	return l;
}

struct map_link *map_find_next(struct map_link *l)
{
	uint64_t hash = l->hash;

	do
		l = l->next;
	while (l && l->hash != hash);
	return l;
}

struct map_link *map_next(const struct map *m, size_t *pos, struct map_link *l)
{
	if (l && l->next)
		return l->next;
	while (m->buckets && *pos <= m->mask) {
		struct map_link *head = m->buckets[(*pos)++];
		if (head)
			return head;
	}
	return NULL;
}

struct map_link *map_any(const struct map *m)
{
	size_t pos = 0;

	return map_next(m, &pos, NULL);
}
