/* mta/queue/fair.h - who goes next of those that wait for one pool of one site.
 *
 * Two levels.  Class: transactional mail goes first, but while bulk mail waits it gets no more than
 * its percentage of the turns.  Tenant: within a class tenants take turns by deficit round-robin, a
 * turn being weight x burst transactions; within a tenant its flows (campaigns) take turns of a
 * burst.
 * Guarantee: what a tenant waits depends on how many tenants wait with it and on their weights, not
 *            on how much mail or how many campaigns they have.
 * Owns:   lines and shares, kept for reuse when empty; recipients are only strung together.
 * Limits: a push or a take costs the same however many wait; memory comes only when more flows wait
 *         here than ever before.  Threads: the lane's. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "mta/queue/table.h"

enum { FAIR_CLASSES = 2, FAIR_BURST_BULK = 8 }; /* recipients of one flow share decoded chunks */

struct share { /* one tenant's lines of one class */
	struct map_link link;
	struct list ring;  /* the class's; self: nothing to send */
	struct list lines; /* first: whose turn it is */
	uint64_t tenant;
	uint32_t left; /* transactions of the present turn; 0: it begins with the next */
	uint8_t class;
};
struct line { /* the recipients of one flow */
	struct map_link link;
	struct list ring;    /* the share's lines, or the parked ones */
	struct share *share; /* NULL while parked */
	struct flow *flow;
	struct fifo fifo;
	unsigned burst;
};
struct fair {
	const struct slab *slab;
	struct list rings[FAIR_CLASSES], parked; /* parked: held flows, not counted as ready */
	struct map lines, shares;
	struct list spare_lines, spare_shares;
	uint32_t ready[FAIR_CLASSES];
	unsigned owed; /* percent of a turn that transactional mail owes to bulk mail */
};
void fair_init(struct fair *f, const struct slab *slab);
void fair_end(struct fair *f);
/* False: its flow is held, it is not ready. */
bool fair_push(struct fair *f, struct flow *flow, rcpt_ref ref, bool front);
/* Whose turn it is, or RCPT_NONE; *ret_line (may be NULL) its line.  percent: of transactional
 * mail; bulk false: transactional mail only. */
rcpt_ref fair_take(struct fair *f, unsigned percent, bool bulk, struct line **ret_line);
/* Next of the same line when it belongs to the same job: rides along, is no turn. */
rcpt_ref fair_take_same(struct fair *f, struct line *line, job_no job);
void fair_rules_changed(struct fair *f); /* flows were held or released */
static inline uint32_t fair_ready(const struct fair *f)
{
	return f->ready[CLASS_BULK] + f->ready[CLASS_TRANSACTIONAL];
}
