/* mta/egress/roster.c - files and orders, brought together. */
#include "mta/egress/roster.h"

static void add(struct roster *r, const struct egress_source *entry, bool added, struct ordered *s)
{
	r->at[r->n++] = (struct roster_place){ .entry = entry,
					       .use = ordered_of(s, &entry->ip).use,
					       .added = added };
}

/* The file's entry takes the place of one that was added earlier. */
static bool has(const struct roster *r, const struct egress_source *entry)
{
	for (unsigned i = 0; i < r->n; i++)
		if (ip_eq(&r->at[i].entry->ip, &entry->ip) &&
		    strcmp(r->at[i].entry->pool, entry->pool) == 0)
			return true;
	return false;
}

void roster_fill(struct roster *r, const struct egress_options *o, struct ordered *s)
{
	struct ordered_added *added = must_alloc(ORDERED_MAX * sizeof(*added));
	unsigned n = ordered_each_added(s, added, ORDERED_MAX);

	r->n = 0;
	for (unsigned i = 0; i < o->n_sources; i++)
		add(r, &o->sources[i], false, s);
	for (unsigned i = 0; i < n && r->n < ROSTER_MAX; i++)
		if (!has(r, added[i].entry))
			add(r, added[i].entry, true, s);
	free(added);
}
