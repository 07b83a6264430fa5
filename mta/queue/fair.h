/* mta/queue/fair.h - who goes next among those that wait for one pool of one site.
 *
 * There are two levels.  Class: transactional mail goes first, but while bulk mail waits it gets no
 * more than its percentage of the turns.  Tenant: within a class, tenants take turns by deficit
 * round-robin; a turn is weight x burst transactions.  Within a tenant, its flows (campaigns) take
 * turns of weight x burst.
 * Guarantee: how long a tenant waits depends on how many tenants wait with it and on their weights,
 *            not on how much mail or how many campaigns they have.
 * Owns:    lines and shares, kept for reuse when empty; recipients are only strung together.
 * Threads: the lane's.
 * Limits:  a push or a take costs the same however many wait; memory is allocated only when more
 *          flows wait here than ever before. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "mta/queue/table.h"

enum { FAIR_CLASSES = 2, FAIR_BURST_BULK = 8 }; /* recipients of one flow share decoded chunks */

struct share { /* one tenant's lines of one class */
	struct map_link link;
	struct list ring;  /* the class's, or the shut ones */
	struct list lines; /* first: whose turn it is */
	struct list gate;  /* of those that wait with it until somebody opens them */
	struct fair *fair;
	uint64_t tenant;
	int64_t shut_until_ms; /* 0: it is open; FAIR_GATED: until it is opened */
	uint32_t left;         /* transactions left of this turn; 0: it has not begun */
	uint8_t class;
};
#define FAIR_GATED INT64_MAX
struct line { /* the recipients of one flow */
	struct map_link link;
	struct list ring;    /* the share's lines, or the parked ones */
	struct list engaged; /* those of recipients who are engaged, while it is in a share */
	struct share *share; /* NULL while parked */
	struct flow *flow;
	struct fifo fifo;
	unsigned burst;
	int64_t capped_until_us; /* a cap lets nobody of it go before; 0: none does */
	uint32_t to_sort;        /* so many of the first are still to be looked at */
};
struct fair {
	const struct slab *slab;
	/* parked: held flows, and those that a cap stops; not counted as ready */
	struct list rings[FAIR_CLASSES], parked;
	struct map lines, shares;
	struct list shut, gated; /* shares, not counted as ready */
	struct list engaged;     /* lines of engaged recipients in shares */
	struct list spare_lines, spare_shares;
	uint32_t ready[FAIR_CLASSES];
	unsigned n_capped; /* lines */
	unsigned owed;     /* percent of a turn that transactional mail owes to bulk mail */
};
void fair_init(struct fair *f, const struct slab *slab);
void fair_end(struct fair *f);
/* False: its flow is held, so it is not ready. */
bool fair_push(struct fair *f, struct flow *flow, rcpt_ref ref, bool front);
/* The recipient whose turn it is, or RCPT_NONE; *ret_line (may be NULL) is its line.  percent: the
 * share of transactional mail.  bulk false: transactional mail only. */
rcpt_ref fair_take(struct fair *f, unsigned percent, bool bulk, struct line **ret_line);
/* The next of those who are engaged, whoever's turn it is: they go first from a new source.  The
 * lines of all tenants take turns, one each.  RCPT_NONE: nobody of them waits. */
rcpt_ref fair_take_engaged(struct fair *f, bool bulk, struct line **ret_line);
/* The next of the same line if it belongs to the same job.  It rides along and uses no turn. */
rcpt_ref fair_take_same(struct fair *f, struct line *line, job_no job);
/* The flow's line rests until then. */
void fair_cap(struct fair *f, struct flow *flow, int64_t until_us);
/* Those whose time has come go on; the earliest time of the others, or 0. */
int64_t fair_uncap(struct fair *f, int64_t now_us);
/* Up to cap flows that an order moved away from this pool; returns how many. */
unsigned fair_strays(const struct fair *f, unsigned pool, struct flow **ret, unsigned cap);
/* All that wait of this flow go on waiting there, behind those of it that wait there already. */
void fair_hand_over(struct fair *from, struct fair *to, struct flow *flow);
/* Looks at up to `most` of those that were there when fair_sort_begin() was called, the first of
 * each line first.  belongs() keeps one, or false takes it away: then gone() has it.  The order of
 * those that stay is kept.  True: there are more to look at. */
struct fair_sorter {
	bool (*belongs)(struct fair_sorter *s, rcpt_ref ref);
	void (*gone)(struct fair_sorter *s, rcpt_ref ref);
};
void fair_sort_begin(struct fair *f);
bool fair_sort(struct fair *f, struct fair_sorter *s, unsigned most);
void fair_rules_changed(struct fair *f); /* flows were held or released */
/* What waits here of the flow's tenant and class waits until then: it is in nobody's way. */
void fair_shut(struct fair *f, const struct flow *flow, int64_t until_ms);
/* Opens those whose time has come; INT64_MAX: all, also those at gates.  When the next one's comes;
 * 0: none. */
int64_t fair_open(struct fair *f, int64_t now_ms);
/* Likewise, until somebody opens it: it goes behind those at the gate that wait of its class. */
void fair_shut_at(struct fair *f, const struct flow *flow, struct list *gate);
/* One of it was taken and is back in its line.  It is passed over until fair_put_back(), and then
 * has its turn as before: what looks now may not take it, and another may. */
void fair_put_aside(struct fair *f, const struct flow *flow, struct list *aside);
void fair_put_back(struct list *aside);
/* Opens the first one there.  Where it waits, or NULL: there is none. */
struct fair *fair_open_first(struct list *gate);
static inline uint32_t fair_ready(const struct fair *f)
{
	return f->ready[CLASS_BULK] + f->ready[CLASS_TRANSACTIONAL];
}
