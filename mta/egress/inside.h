/* mta/egress/inside.h - what the files of this folder share; for them alone.
 * egress.c has the pools and their turns, care.c the sources that fail, part.c the life and what
 * an operator sees. */
#pragma once
#include "base/map.h"
#include "mta/egress/egress.h"
#include "mta/egress/roster.h"
#include "mta/egress/numbered.h"

/* One place of a pool: an entry with a weight.  Its pass says at which source the next site
 * begins. */
struct pool_place {
	uint16_t at; /* in the roster */
	uint64_t pass;
};
struct pool_name {
	struct map_link link;
	unsigned index;
	bool known;        /* its places are those of the roster */
	uint16_t fallback; /* the number of that pool; EGRESS_SURPLUS: none */
	unsigned n_places;
	struct pool_place *places;
	char name[];
};
struct egress_counters {
	counter source_failures, source_recoveries, source_no_route;
	counter sources_failing; /* over all lanes; one lane alone may be below 0 */
};
struct egress_shared {
	struct sources *sources;
	struct ordered *ordered;
	struct numbered *numbered;
};
struct egress {
	struct lane *lane;
	const struct egress_options *options;
	struct egress_shared *shared;
	unsigned generation; /* of the orders that the roster has */
	unsigned changes;    /* of the roster */
	struct roster roster;
	struct source *sources[ROSTER_MAX]; /* of its places; NULL: there are too many */
	uint16_t numbers[ROSTER_MAX];       /* likewise; of shared->numbered */
	counter messages[NUMBERED_MAX];
	struct map by_name;
	struct pool_name *last; /* asked for last; most often the next one too */
	struct pool_name *names[POOLS_MAX];
	unsigned n_names;
	struct egress_news *news; /* NULL: nobody wants to hear */
	struct timer look;        /* at sources that fail; stopped while none does */
	struct egress_counters counters;
};

/* care.c */
void care_init(struct egress *e);
void care_end(struct egress *e);
/* What is known of the entry's source.  NULL: the table is full. */
struct source *care_meet(struct egress *e, const struct egress_source *entry);
