/* dns/cache.h - answers kept for their TTL; the least recently used leave first.
 * Owns:   one reference to every answer in it.
 * Limits: entries_max entries and entries_max * CACHE_ENTRY_BYTES bytes; not thread-safe. */
#pragma once
#include "dns/answer.h"

enum { CACHE_ENTRY_BYTES = 1024 };

struct cache {
	struct map map;
	struct list lru; /* most recent last */
	size_t entries_max, bytes;
};

void cache_init(struct cache *c, size_t entries_max);
void cache_free(struct cache *c);
/* The answer, unexpired, without a reference; NULL when there is none. */
struct answer *cache_find(struct cache *c, struct slice name, enum dns_type type, int64_t now_ms);
/* Takes its own reference; an older answer to the same question leaves. */
void cache_store(struct cache *c, struct answer *w, struct slice name, enum dns_type type);
void cache_flush(struct cache *c, struct slice name); /* empty: all */
