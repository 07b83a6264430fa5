/* mta/senders/told.c - objects by kind, tenant and id. */
#include "mta/senders/told.h"

#include "base/hash.h"

static uint64_t told_hash(enum wire_fact_kind kind, uint64_t tenant, uint64_t id)
{
	return hash_mix(hash_mix(id + 1) ^ tenant << 4 ^ (uint64_t)kind);
}

enum wire_fact_kind told_kind(enum wire_fact_kind fact)
{
	switch (fact) {
	case WIRE_FACT_CREDENTIAL:
	case WIRE_FACT_NO_CREDENTIAL:
		return WIRE_FACT_CREDENTIAL;
	case WIRE_FACT_SMART_ROUTE:
	case WIRE_FACT_NO_SMART_ROUTE:
		return WIRE_FACT_SMART_ROUTE;
	default:
		return (enum wire_fact_kind)0;
	}
}

struct told *told_find(const struct map *m, enum wire_fact_kind kind, uint64_t tenant, uint64_t id)
{
	for (struct map_link *l = map_find(m, told_hash(kind, tenant, id)); l;
	     l = map_find_next(l)) {
		struct told *o = container_of(l, struct told, link);
		if (o->kind == kind && o->tenant == tenant && o->id == id)
			return o;
	}
	return NULL;
}

void told_add(struct map *m, const struct wire_fact *f)
{
	struct told *o = must_alloc(sizeof(*o) + f->text.n);

	o->kind = f->kind;
	o->tenant = f->tenant;
	o->id = f->id;
	memcpy(o->stamp, f->hash, sizeof(o->stamp));
	o->n = f->text.n;
	memcpy(o->text, f->text.p, f->text.n);
	map_insert(m, &o->link, told_hash(f->kind, f->tenant, f->id));
}

void told_remove(struct map *m, struct told *o)
{
	map_remove(m, &o->link);
	explicit_bzero(o->text, o->n);
	free(o);
}

void told_clear(struct map *m)
{
	struct map_link *l;

	while ((l = map_any(m)) != NULL)
		told_remove(m, container_of(l, struct told, link));
}

int told_each(const struct map *m, enum wire_fact_kind kind,
	      int (*each)(void *arg, const struct wire_fact *f), void *arg)
{
	struct map_link *l = NULL;
	size_t pos = 0;
	int r = 0;

	while (r >= 0 && (l = map_next(m, &pos, l))) {
		const struct told *o = container_of(l, struct told, link);
		struct wire_fact f = { .kind = o->kind,
				       .tenant = o->tenant,
				       .domain = SLICE(""),
				       .pool = SLICE(""),
				       .id = o->id,
				       .text = slice_of(o->text, o->n) };
		if (kind && kind != o->kind)
			continue;
		memcpy(f.hash, o->stamp, sizeof(f.hash));
		r = each(arg, &f);
	}
	return r < 0 ? r : 0;
}
