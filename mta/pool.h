/* mta/pool.h - one site seen from one egress pool: who goes next, and over how many connections.
 *
 * Next:     transactional flows first, but after TRANSACTIONAL_RUN of them in a row one bulk recipient
 *           goes when there is one; within a class flows take turns of BURST recipients (deficit
 *           round-robin with equal weights; recipients of one flow share decoded chunks).
 * How many: starts at site.connections_start, one more for each success while more wait than are in
 *           hand, half after a congestion signal (421, 4xx of the host); never past the shared limits. */
#pragma once
#include "mta/site.h"

enum { TRANSACTIONAL_RUN = 16, BURST = 8 };

struct line { /* the recipients of one flow here */
	struct map_link link;
	struct list ring;
	struct flow *flow;
	struct fifo fifo;
	unsigned burst;
	bool parked;              /* its flow is held: on `parked`, not counted as ready */
};
struct pool {
	struct list link;         /* the site's */
	struct site *site;
	struct work *work;
	unsigned index;           /* of work's pool names */
	struct list rings[2], parked;
	struct map lines;
	struct list spare_lines;
	uint32_t n_ready;
	unsigned run;             /* transactional ones since the last bulk one */
	struct list channels, idle;
	unsigned n_channels, n_opening, want, successes;
	bool congested;           /* it said so once: growth is careful from then on */
	unsigned next_source;
	struct turn_end pump;
	struct timer timer;
};
struct pool *pool_get(struct site *s, unsigned index);
void pool_free(struct pool *p);
void pool_push(struct pool *p, rcpt_ref ref, bool front);
/* Next recipient whose turn it is, or RCPT_NONE; *ret_line (may be NULL) its line. */
rcpt_ref pool_take(struct pool *p, struct line **ret_line);
/* Next of the same line when it belongs to the same job. */
rcpt_ref pool_take_same(struct pool *p, struct line *line, job_no job);
void pool_pump_soon(struct pool *p);
void pool_success(struct pool *p);
void pool_congested(struct pool *p);
void pool_rules_changed(struct pool *p);
