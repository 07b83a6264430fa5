/* mta/queue/about.h - what is known of a recipient or a flow, as selectors ask for it.
 * Owns:    about_end() gives back the job that about_rcpt() may have read; texts are valid until
 *          then.
 * Blocks:  on the spool's files when sender or recipient are asked for.
 * Threads: the lane's.
 * Limits:  a job that cannot be read leaves its keys unknown. */
#pragma once
#include "mta/queue/queue.h"

struct about {
	struct subject s;
	struct queue *queue;
	struct chunk *chunk; /* with a reference, or NULL */
};
void about_flow(struct about *a, struct queue *q, const struct flow *f);
/* Of the flow's mail to it; NULL: of what no smart host carries. */
void about_domain(struct about *a, struct queue *q, const struct domain *d, const struct flow *f);
/* keys: those that are asked for; others may stay unknown. */
void about_rcpt(struct about *a, struct queue *q, const struct rcpt *r, unsigned keys);
/* The same when its job is at hand. */
void about_chunk(struct about *a, struct queue *q, const struct rcpt *r, const struct chunk *k,
		 unsigned keys);
void about_end(struct about *a);
/* Its pool is this one. */
void about_pool(struct about *a, const char *name);
