/* mta/egress/egress.c - names of pools, and the turns of their sources. */
#include "mta/egress/inside.h"

#include <stdio.h>

#include "base/hash.h"

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

unsigned egress_assigned(struct egress *e, const struct assign_subject *s)
{
	for (unsigned i = 0; i < e->options->n_assigns; i++)
		if (assign_holds(&e->options->assigns[i], s))
			return egress_pool(e, slice_str(e->options->assigns[i].pool));
	return egress_pool(e, SLICE(""));
}

const char *egress_pool_name(const struct egress *e, unsigned pool)
{
	return pool < e->n_names ? e->names[pool]->name : "(too many pools)";
}

/* ---- turns ------------------------------------------------------------------------------- */

static const struct egress_source *entry_at(const struct egress *e, const struct pool_place *at)
{
	return e->roster.at[at->at].entry;
}

static bool is_place(const struct egress *e, unsigned i, const struct pool_name *p)
{
	const struct roster_place *at = &e->roster.at[i];

	return at->entry->weight && at->use == SOURCE_IN_USE && e->sources[i] &&
	       (!at->entry->proxy || source_proxy(e->sources[i])) &&
	       strcmp(at->entry->pool, p->name) == 0;
}

static unsigned find_fallback(struct egress *e, const char *pool)
{
	for (unsigned i = 0; i < e->options->n_fallbacks; i++)
		if (strcmp(e->options->fallbacks[i].pool, pool) == 0)
			return egress_pool(e, slice_str(e->options->fallbacks[i].to));
	return EGRESS_SURPLUS;
}

static void find_places(struct egress *e, struct pool_name *p)
{
	const struct roster *r = &e->roster;

	p->places = must_resize(p->places, MAX_OF(r->n, 1u) * sizeof(*p->places));
	p->n_places = 0;
	p->fallback = (uint16_t)find_fallback(e, p->name);
	p->known = true;
	for (unsigned i = 0; i < r->n; i++)
		if (is_place(e, i, p))
			p->places[p->n_places++] =
			    (struct pool_place){ (uint16_t)i,
						 turns_stride(r->at[i].entry->weight) };
}

/* The next site begins one further. */
static void turn_places(const struct egress *e, struct pool_name *p)
{
	struct pool_place *first = &p->places[0];
	uint64_t pass;

	for (unsigned i = 1; i < p->n_places; i++)
		if (p->places[i].pass < first->pass)
			first = &p->places[i];
	pass = first->pass;
	for (unsigned i = 0; i < p->n_places; i++)
		p->places[i].pass -= pass;
	first->pass += turns_stride(entry_at(e, first)->weight);
}

/* NULL: it has no places. */
static struct pool_name *with_places(struct egress *e, unsigned pool)
{
	struct pool_name *p = pool < e->n_names ? e->names[pool] : NULL;

	if (p && !p->known)
		find_places(e, p);
	return p && p->n_places ? p : NULL;
}

static void fill_turns(struct egress *e, struct pool_name *p, struct turn *at)
{
	for (unsigned i = 0; p && i < p->n_places; i++) {
		const struct egress_source *entry = entry_at(e, &p->places[i]);
		at[i] = (struct turn){
			.entry = entry,
			.source = e->sources[p->places[i].at],
			.number = e->numbers[p->places[i].at],
			.stride = turns_stride(entry->weight),
			.pass = p->places[i].pass,
		};
	}
	if (p)
		turn_places(e, p);
}

bool egress_begin_turns(struct egress *e, unsigned pool, unsigned lender, struct turns *t)
{
	struct pool_name *own = with_places(e, pool);
	struct pool_name *lent = lender == pool ? NULL : with_places(e, lender);
	unsigned n = own ? own->n_places : 0, m = lent ? lent->n_places : 0;

	if (!n && !m)
		return false;
	(void)turns_begin(t, n + m);
	fill_turns(e, own, t->at);
	fill_turns(e, lent, t->at + n);
	return true;
}

const struct source *egress_source(struct egress *e, unsigned pool, unsigned i)
{
	const struct pool_name *p = with_places(e, pool);

	return p && i < p->n_places ? e->sources[p->places[i].at] : NULL;
}

unsigned egress_fallback(struct egress *e, unsigned pool)
{
	struct pool_name *p = pool < e->n_names ? e->names[pool] : NULL;

	if (p && !p->known)
		find_places(e, p);
	return p ? p->fallback : EGRESS_SURPLUS;
}

bool egress_is_off(const struct egress *e, unsigned pool)
{
	bool off = false;

	for (unsigned i = 0; pool < e->n_names && i < e->roster.n; i++) {
		const struct roster_place *at = &e->roster.at[i];
		if (!at->entry->weight || strcmp(at->entry->pool, e->names[pool]->name) != 0)
			continue;
		if (at->use == SOURCE_IN_USE)
			return false;
		off = true;
	}
	return off;
}

void egress_no_source(const struct egress *e, unsigned pool, char *text, size_t cap)
{
	if (pool >= e->n_names)
		(void)snprintf(text, cap, "queued mail names more than %d pools", (int)POOLS_MAX);
	else if (egress_is_off(e, pool))
		(void)snprintf(
		    text, cap,
		    "every source of pool \"%.100s\" is drained or disabled; see postern "
		    "sources",
		    e->names[pool]->name);
	else
		(void)snprintf(text, cap, "egress.sources has no source for pool \"%.100s\"",
			       e->names[pool]->name);
}

int64_t egress_slots_max(const struct egress *e)
{
	return e->options->connections;
}

void egress_count(struct egress *e, const struct turn *turn)
{
	count_add(&e->messages[turn->number], 1);
}

bool egress_is_disabled(const struct egress *e, const struct source *source)
{
	return ordered_of(e->shared->ordered, &source->ip).use == SOURCE_DISABLED;
}

unsigned egress_changes(const struct egress *e)
{
	return e->changes;
}
