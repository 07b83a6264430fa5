/* mta/queue/start.h - the jobs from before the start, in the order in which lanes read them.
 *
 * Transactional jobs come first, then the others, and last those that a standing hold keeps back: a
 * password reset does not wait until ten million held recipients are read.  Within each group they
 * are in the order of the spool.
 * Owns:   start_jobs_list() fills the list; start_jobs_free() ends it.
 * Blocks: never on the disk. */
#pragma once
#include "spool/spool.h"

struct rules;
struct tenancy;

struct start_job {
	job_no job;
	uint32_t tag; /* of its id: the number may have gone to another job meanwhile */
};
struct start_jobs {
	struct start_job *all;
	size_t n;
};
/* Call it before any input runs: then each job is in this list or is announced later.  Their rows
 * are counted in the queues of their tenants. */
void start_jobs_list(struct start_jobs *ret, struct spool *sp, struct rules *rules,
		     struct tenancy *tenancy);
void start_jobs_free(struct start_jobs *s);
uint32_t start_job_tag(struct id128 id);
