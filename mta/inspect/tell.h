/* mta/inspect/tell.h - how reasons are given, one after the other; for the files of this folder
 * alone.
 * Owns:    nothing.
 * Threads: the lane's.
 * Names:   tell_, binds_ */
#pragma once
#include "mta/inspect/why.h"
#include "mta/queue/queue.h"
#include "mta/site/pool.h"

struct teller {
	struct queue *queue;
	struct sites *sites;
	int (*each)(void *arg, const struct why_reason *r);
	void *arg;
	int n, stop;
	int64_t since_ms; /* of the next reason; wall clock */
	bool one_tenant;  /* of what binds tenants, that of this one alone */
	uint64_t tenant;
};
/* One reason; what would release it stands in the table of tell.c, by its kind. */
void tell(struct teller *t, const char *kind, int64_t until_ms, const char *format, ...)
    PRINTF(4, 5);
void tell_cap(struct teller *t, uint64_t order, const char *of);
/* tenants.c: the limits of tenants that stop their mail at a pool. */
void binds_tenants(struct teller *t, const struct pool *p);
/* The limits of its own that stop a source there. */
void binds_own(struct teller *t, const struct pool *p, const struct ip *source, const char *name);
/* Source i of the pool; NULL: past the last. */
const struct source *binds_source(const struct pool *p, unsigned i);
/* All that binds at a pool, at a site without its pools, or with them: binds.c. */
void binds_pool(struct teller *t, const struct pool *p);
void binds_only_site(struct teller *t, struct site *s);
void binds_site(struct teller *t, struct site *s);
/* places.c: the same of each place that a selector of providers, sites and sources names, at most
 * WHY_PLACES of them where something binds; of a source only the pools that have it.  The orders
 * and suspensions there come first. */
void binds_places(struct teller *t, const struct selector *s);
