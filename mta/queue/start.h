/* mta/queue/start.h - the jobs that were there when the engine started, in the order in which lanes
 * read them.
 *
 * First what is transactional, then the rest, last what a standing hold keeps from going anyway: a
 * password reset, and whatever else may go, does not wait until ten million held recipients are
 * read.  Within each the order is the log's.
 * Owns:   start_jobs_list() fills the list; start_jobs_free() ends it.
 * Blocks: never on the disk. */
#pragma once
#include "spool/spool.h"

struct rules;

struct start_job {
	job_no job;
	uint32_t tag; /* of its id: a number that went to another job meanwhile is told apart */
};
struct start_jobs {
	struct start_job *all;
	size_t n;
};
/* Taken before any input runs: every job is either in this list or announced by
 * queue_job_added(). */
void start_jobs_list(struct start_jobs *ret, struct spool *sp, struct rules *rules);
void start_jobs_free(struct start_jobs *s);
uint32_t start_job_tag(struct id128 id);
