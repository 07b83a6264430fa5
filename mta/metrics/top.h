/* mta/metrics/top.h - which names become labels: METRICS_NAMES_MAX of a kind, those with the most
 * outcomes when there was room, for as long as the engine runs; the rest is CENSUS_OTHER.
 *
 * Guarantee: every series only grows, also that of the others when a name leaves them: a name that
 *            becomes a label begins with what it had not yet given to the others.
 * Owns:      its entries, until top_end().
 * Threads:   one at a time. */
#pragma once
#include "mta/census/census.h"

struct top_name {
	struct map_link link;
	bool named;
	uint64_t now[CENSUS_OUTCOMES], in_other[CENSUS_OUTCOMES];
	uint64_t classes[CENSUS_CLASSES];
	uint64_t before[CENSUS_OUTCOMES]; /* of mta/metrics/rates.h, as the next */
	uint64_t per_minute[CENSUS_OUTCOMES];
	struct slice name; /* behind the struct */
};
struct top {
	struct map map;
	unsigned named;
};
void top_init(struct top *t);
void top_end(struct top *t);
/* Adds up the lanes' census of a kind. */
void top_collect(struct top *t, struct census_all *const *lanes, unsigned n, enum census_kind kind);
/* In what a name stands for itself; of the others what is in their sum. */
uint64_t top_value(const struct top_name *n, unsigned outcome);
uint64_t top_others(const struct top *t, unsigned outcome);
