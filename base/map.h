/* base/map.h - intrusive hash map: the link is a member of the object, the caller compares keys.
 * Owns:   its bucket array, never the objects.  map_free() does not look at objects still in it.
 * Limits: grows at a load of 1 and never shrinks; not thread-safe.  Nothing may be removed during a
 *         walk with map_next(): collect first. */
#pragma once
#include "base/base.h"

struct map_link {
	struct map_link *next;
	uint64_t hash;
};
struct map {
	struct map_link **buckets;
	size_t count, mask;
};

void map_init(struct map *m);
void map_free(struct map *m);
void map_insert(struct map *m, struct map_link *l, uint64_t hash);
void map_remove(struct map *m, struct map_link *l);
/* The first link with this hash, then the next ones with the same hash; NULL at the end. */
struct map_link *map_find(const struct map *m, uint64_t hash);
struct map_link *map_find_next(struct map_link *l);
/* Any link at all, NULL when the map is empty: to take it apart. */
struct map_link *map_any(const struct map *m);
/* Walks all: start with *pos = 0 and l = NULL; NULL at the end. */
struct map_link *map_next(const struct map *m, size_t *pos, struct map_link *l);
