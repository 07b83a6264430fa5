/* mta/tally/tally.h - what became of mail by provider, source, pool and tenant, and how long its
 * parts took; for metrics and for an operator's live screen.
 *
 * Owns:    a tally lives until its lane ends.
 * Threads: only its lane writes; any thread may walk and read.
 * Limits:  TALLIES_MAX names of a kind per lane; all others share the tally TALLY_OTHER. */
#pragma once
#include "base/histogram.h"
#include "base/map.h"
#include "mta/core/part.h"

enum tally_kind { TALLY_PROVIDER, TALLY_SOURCE, TALLY_POOL, TALLY_TENANT, TALLY_KINDS };
enum { TALLIES_MAX = 2048, TALLY_OUTCOMES = 8, TALLY_CLASSES = 48 };
#define TALLY_OTHER "other"

struct tally {
	struct map_link link;
	_Atomic(struct tally *) next;     /* of its kind on its lane */
	counter outcomes[TALLY_OUTCOMES]; /* by enum outcome_kind */
	counter *classes; /* of deferrals and bounces, TALLY_CLASSES; NULL: not kept of this kind */
	char name[];
};

/* Each on the scale that is named in its row. */
struct tally_times {
	struct histogram delivery, age, connect, handshake, transaction;
};
extern const struct histogram_scale tally_scale_mail, tally_scale_session;

struct tallies {
	struct map map[TALLY_KINDS];
	_Atomic(struct tally *) first[TALLY_KINDS]; /* the newest */
	unsigned n[TALLY_KINDS];
	struct tally *tenant; /* the last one that was asked for */
	uint64_t tenant_id;
	struct tally_times times;
};
extern const struct part tally_part;
struct tallies *tallies_of(struct lane *l);

struct tally *tally_get(struct tallies *t, enum tally_kind kind, struct slice name);
struct tally *tally_tenant(struct tallies *t, uint64_t id);
