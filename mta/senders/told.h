/* mta/senders/told.h - credentials and smart-host routes as the control plane tells them
 * (schema/wire/facts.h): texts that other rooms read, by kind, tenant and id; for known.c.
 * Owns:   the map owns its objects; told_remove() and told_clear() wipe and free them.
 * Limits: not thread-safe. */
#pragma once
#include "base/map.h"
#include "schema/wire/facts.h"

struct told {
	struct map_link link;
	enum wire_fact_kind kind; /* wire_fact_is_object() */
	uint64_t tenant, id;
	uint8_t stamp[WIRE_FACT_HASH];
	size_t n;
	char text[];
};
/* The kind of object that a fact is about; 0: of none. */
enum wire_fact_kind told_kind(enum wire_fact_kind fact);
struct told *told_find(const struct map *m, enum wire_fact_kind kind, uint64_t tenant, uint64_t id);
void told_add(struct map *m, const struct wire_fact *f); /* there is none of its name */
void told_remove(struct map *m, struct told *o);
void told_clear(struct map *m);
/* kind 0: all; stop by returning a negative number, which is passed on. */
int told_each(const struct map *m, enum wire_fact_kind kind,
	      int (*each)(void *arg, const struct wire_fact *f), void *arg) MUST_CHECK;
