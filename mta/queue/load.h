/* mta/queue/load.h - durable jobs become recipients: jobs from before the start in slices between
 * deliveries, new jobs as they are announced.
 *
 * A lane takes the rows whose domains hash to it.  The lane that hears of a new job (JOB_NEW) tells
 * the other lanes that own rows of it (JOB_ROWS).
 * Blocks:  on the spool's files.
 * Threads: the lane's, except load_give(). */
#pragma once
#include <pthread.h>

#include "mta/door/timer.h"
#include "spool/spool.h"

struct queue;

struct given_job {
	job_no job;
	enum { JOB_NEW, JOB_ROWS } how;
};
struct load {
	struct timer timer;
	size_t next_start; /* in the list of mta/queue/start.h */
	struct given_job *jobs;
	size_t n, cap, next;

	pthread_mutex_t lock; /* of what any thread adds */
	struct given_job *given;
	size_t n_given, cap_given;
};
void load_init(struct queue *q);
void load_end(struct queue *q);
void load_look(struct queue *q);
void load_give(struct queue *q, struct given_job job); /* any thread */
