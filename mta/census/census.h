/* mta/census/census.h - what became of mail by provider, source, pool and tenant, and how long its
 * parts took; for metrics and for an operator's live screen.
 *
 * Owns:    an entry lives until its lane ends.
 * Threads: only its lane writes; any thread may walk and read.
 * Limits:  CENSUS_MAX names of a kind per lane; all others share the entry CENSUS_OTHER. */
#pragma once
#include "base/histogram.h"
#include "base/map.h"
#include "mta/core/part.h"

enum census_kind { CENSUS_PROVIDER, CENSUS_SOURCE, CENSUS_POOL, CENSUS_TENANT, CENSUS_KINDS };
enum { CENSUS_MAX = 2048, CENSUS_OUTCOMES = 8, CENSUS_CLASSES = 48 };
#define CENSUS_OTHER "other"

struct census {
	struct map_link link;
	_Atomic(struct census *) next;     /* of its kind on its lane */
	counter outcomes[CENSUS_OUTCOMES]; /* by enum outcome_kind */
	counter
	    *classes; /* of deferrals and bounces, CENSUS_CLASSES; NULL: not kept of this kind */
	char name[];
};

/* Each on the scale that is named in its row. */
struct census_times {
	struct histogram delivery, age, connect, handshake, transaction;
};
extern const struct histogram_scale census_scale_mail, census_scale_session;

struct census_all {
	struct map map[CENSUS_KINDS];
	_Atomic(struct census *) first[CENSUS_KINDS]; /* the newest */
	unsigned n[CENSUS_KINDS];
	struct census *tenant; /* the last one that was asked for */
	uint64_t tenant_id;
	struct census_times times;
};
extern const struct part census_part;
struct census_all *census_of(struct lane *l);

struct census *census_get(struct census_all *t, enum census_kind kind, struct slice name);
struct census *census_tenant(struct census_all *t, uint64_t id);
