/* mta/queue/streams.c - names of streams and their numbers. */
#include "mta/queue/streams.h"

#include "base/hash.h"
#include "spool/spool.h"

struct stream_name {
	struct map_link link;
	uint16_t number;
	uint16_t n;
	char name[];
};

void streams_init(struct streams *s)
{
	map_init(&s->map);
	s->n = 0;
}

void streams_end(struct streams *s)
{
	while (s->n) {
		struct stream_name *name = s->names[--s->n];
		map_remove(&s->map, &name->link);
		free(name);
	}
	map_free(&s->map);
}

bool streams_find(const struct streams *s, struct slice name, uint16_t *ret)
{
	for (struct map_link *l = map_find(&s->map, hash_keyed(name)); l; l = map_find_next(l)) {
		const struct stream_name *at = container_of(l, struct stream_name, link);
		if (!slice_eq(slice_of(at->name, at->n), name))
			continue;
		*ret = at->number;
		return true;
	}
	return false;
}

uint16_t streams_number(struct streams *s, struct slice name, uint8_t class)
{
	struct stream_name *fresh;
	uint16_t number;

	if (!name.n)
		name = class == CLASS_TRANSACTIONAL ? SLICE("transactional") : SLICE("bulk");
	if (streams_find(s, name, &number))
		return number;
	if (s->n == STREAMS_MAX || name.n > STREAM_NAME_MAX)
		return STREAM_OTHERS;
	fresh = must_alloc(sizeof(*fresh) + name.n);
	fresh->number = (uint16_t)s->n;
	fresh->n = (uint16_t)name.n;
	memcpy(fresh->name, name.p, name.n);
	map_insert(&s->map, &fresh->link, hash_keyed(name));
	s->names[s->n++] = fresh;
	return fresh->number;
}

struct slice streams_name(const struct streams *s, uint16_t stream)
{
	if (stream >= s->n)
		return SLICE("(others)");
	return slice_of(s->names[stream]->name, s->names[stream]->n);
}
