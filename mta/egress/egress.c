/* mta/egress/egress.c - names of pools, sources in turn, slots of connections. */
#include "mta/egress/egress.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/map.h"

struct pool_name {
	struct map_link link;
	unsigned index;
	char name[];
};
struct egress {
	struct lane *lane;
	const struct egress_options *options;
	struct map by_name;
	struct pool_name *last; /* asked for last; most often the next one too */
	struct pool_name *names[POOLS_MAX];
	unsigned n_names;
	slot_count *used; /* per source, by its place in the options; all lanes' */
};

struct egress *egress_of(struct lane *l)
{
	return lane_state(l, &egress_part);
}

/* ---- pools ------------------------------------------------------------------------------- */

static struct pool_name *find_name(const struct egress *e, struct slice name)
{
	if (e->last && slice_eq(slice_str(e->last->name), name))
		return e->last;
	for (struct map_link *l = map_find(&e->by_name, hash_keyed(name)); l;
	     l = map_find_next(l)) {
		struct pool_name *p = container_of(l, struct pool_name, link);
		if (slice_eq(slice_str(p->name), name))
			return p;
	}
	return NULL;
}

unsigned egress_pool(struct egress *e, struct slice name)
{
	struct pool_name *p;

	if (!name.n)
		name = SLICE("default");
	p = find_name(e, name);
	if (p) {
		e->last = p;
		return p->index;
	}
	if (e->n_names == POOLS_MAX)
		return EGRESS_SURPLUS;
	p = must_alloc(sizeof(*p) + name.n + 1);
	memcpy(p->name, name.p, name.n);
	p->index = e->n_names;
	map_insert(&e->by_name, &p->link, hash_keyed(name));
	e->names[e->n_names] = p;
	return e->n_names++;
}

const char *egress_pool_name(const struct egress *e, unsigned pool)
{
	return pool < e->n_names ? e->names[pool]->name : "(too many pools)";
}

/* ---- sources ----------------------------------------------------------------------------- */

const struct egress_source *egress_source(struct egress *e, unsigned pool, unsigned *turn)
{
	const struct egress_options *o = e->options;

	for (unsigned k = 0; k < o->n_sources && pool < e->n_names; k++) {
		unsigned at = (*turn + k) % o->n_sources;
		if (strcmp(o->sources[at].pool, e->names[pool]->name) != 0)
			continue;
		*turn = (at + 1) % o->n_sources;
		return &o->sources[at];
	}
	return NULL;
}

void egress_no_source(const struct egress *e, unsigned pool, char *text, size_t cap)
{
	if (pool < e->n_names)
		(void)snprintf(text, cap, "egress.sources has no source for pool \"%.100s\"",
			       e->names[pool]->name);
	else
		(void)snprintf(text, cap, "queued mail names more than %d pools", (int)POOLS_MAX);
}

slot_count *egress_slots(struct egress *e, const struct egress_source *source)
{
	return &e->used[source - e->options->sources];
}

int64_t egress_slots_max(const struct egress *e)
{
	return e->options->connections;
}

/* ---- life -------------------------------------------------------------------------------- */

static int egress_open(struct engine *engine, void **ret_shared)
{
	(void)engine;
	*ret_shared = must_alloc(SOURCES_MAX * sizeof(slot_count));
	return 0;
}

static void egress_reload(void *state)
{
	struct egress *e = state;

	e->options = settings_of(engine_settings(lane_engine(e->lane)), &egress_option_set);
}

static int egress_start(struct lane *l, void **ret_state)
{
	struct egress *e = must_alloc(sizeof(*e));

	e->lane = l;
	e->used = engine_shared(lane_engine(l), &egress_part);
	map_init(&e->by_name);
	egress_reload(e);
	*ret_state = e;
	return 0;
}

static void egress_stop(void *state)
{
	struct egress *e = state;

	while (e->n_names) {
		struct pool_name *p = e->names[--e->n_names];
		map_remove(&e->by_name, &p->link);
		free(p);
	}
	map_free(&e->by_name);
	free(e);
}

const struct part egress_part = {
	.name = "egress",
	.open = egress_open,
	.start = egress_start,
	.reload = egress_reload,
	.stop = egress_stop,
	.close = free,
};
