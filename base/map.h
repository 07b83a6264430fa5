/* base/map.h - intrusive hash map: the link is a member of the object, the caller compares keys.
 * Owns:   its bucket array; never the objects.  map_free() needs the map to be empty or forgotten.
 * Limits: grows at a load of 1, never shrinks; not thread-safe.  Removing during map_next is not
 *         allowed; collect first. */
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
/* First link with this hash, then the following ones with the same hash; NULL at the end. */
struct map_link *map_find(const struct map *m, uint64_t hash);
struct map_link *map_find_next(struct map_link *l);
/* Any link at all, NULL when the map is empty: to take it apart. */
struct map_link *map_any(const struct map *m);
/* Walks all: start with *pos = 0 and l = NULL; NULL at the end. */
struct map_link *map_next(const struct map *m, size_t *pos, struct map_link *l);
