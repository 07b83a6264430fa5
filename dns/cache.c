/* dns/cache.c - answers by name and type, the least recently used leave first. */
#include "dns/cache.h"

#include "base/hash.h"

static uint64_t key_hash(struct slice name, enum dns_type type)
{
	return hash_mix(hash_keyed(name) ^ (uint64_t)type);
}

void cache_init(struct cache *c, size_t entries_max)
{
	map_init(&c->map);
	list_init(&c->lru);
	c->entries_max = entries_max;
	c->bytes = 0;
}

static void drop(struct cache *c, struct answer *w)
{
	map_remove(&c->map, &w->link);
	list_remove(&w->lru);
	c->bytes -= w->size;
	answer_unref(w);
}

void cache_free(struct cache *c)
{
	cache_flush(c, slice_of(NULL, 0));
	map_free(&c->map);
}

static struct answer *lookup_any(struct cache *c, struct slice name, enum dns_type type)
{
	struct map_link *l = map_find(&c->map, key_hash(name, type));

	for (; l; l = map_find_next(l)) {
		struct answer *w = container_of(l, struct answer, link);
		if (w->type == type && slice_eq(slice_str(w->name), name))
			return w;
	}
	return NULL;
}

struct answer *cache_find(struct cache *c, struct slice name, enum dns_type type, int64_t now_ms)
{
	struct answer *w = lookup_any(c, name, type);

	if (w && w->expires_ms <= now_ms) {
		drop(c, w);
		return NULL;
	}
	if (w) {
		list_remove(&w->lru);
		list_push(&c->lru, &w->lru);
	}
	return w;
}

void cache_store(struct cache *c, struct answer *w, struct slice name, enum dns_type type)
{
	struct answer *old = lookup_any(c, name, type);

	if (old)
		drop(c, old);
	if (c->entries_max == 0)
		return;
	(void)slice_copy(w->name, sizeof(w->name), name);
	w->type = (uint16_t)type;
	map_insert(&c->map, &w->link, key_hash(name, type));
	list_push(&c->lru, &answer_ref(w)->lru);
	c->bytes += w->size;
	while (c->map.count > c->entries_max || c->bytes > c->entries_max * CACHE_ENTRY_BYTES)
		drop(c, list_first(&c->lru, struct answer, lru));
}

void cache_flush(struct cache *c, struct slice name)
{
	struct answer *w;

	list_each(&c->lru, w, struct answer, lru)
		if (name.n == 0 || slice_eq(slice_str(w->name), name))
			drop(c, w);
}
