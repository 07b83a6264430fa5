/* mta/egress/roster.h - the entries in force: those of the configuration, and those that operators
 * added; each with what was ordered of its address.
 * Owns:    roster_fill() fills the caller's struct; entries belong to the settings and to the
 *          orders (mta/egress/ordered.h).
 * Threads: any, each with a roster of its own.
 * Limits:  ROSTER_MAX entries; what is added past that is left out. */
#pragma once
#include "mta/egress/egress.h"
#include "mta/egress/ordered.h"

enum { ROSTER_MAX = SOURCES_MAX + ORDERED_MAX };

struct roster_place {
	const struct egress_source *entry;
	enum source_use use;
	bool added; /* by an operator, while the engine ran */
};
struct roster {
	struct roster_place at[ROSTER_MAX];
	unsigned n;
};
void roster_fill(struct roster *r, const struct egress_options *o, struct ordered *s);
