/* mta/metrics/top.h - which names become labels: METRICS_NAMES_MAX of a kind, those with the most
 * outcomes when there was room, for as long as the engine runs; the rest is TALLY_OTHER.
 *
 * Guarantee: every series only grows, also that of the others when a name leaves them: a name that
 *            becomes a label begins with what it had not yet given to the others.
 * Owns:      its entries, until top_end().
 * Threads:   one at a time. */
#pragma once
#include "mta/tally/tally.h"

struct top_name {
	struct map_link link;
	bool named;
	uint64_t now[TALLY_OUTCOMES], in_other[TALLY_OUTCOMES];
	uint64_t classes[TALLY_CLASSES];
	struct slice name; /* behind the struct */
};
struct top {
	struct map map;
	unsigned named;
};
void top_init(struct top *t);
void top_end(struct top *t);
/* Adds up the lanes' tallies of a kind. */
void top_collect(struct top *t, struct tallies *const *lanes, unsigned n, enum tally_kind kind);
/* In what a name stands for itself; of the others what is in their sum. */
uint64_t top_value(const struct top_name *n, unsigned outcome);
uint64_t top_others(const struct top *t, unsigned outcome);
