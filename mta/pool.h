/* mta/pool.h - one site seen from one egress pool: who goes next, and over how many connections.
 *
 * Next:     see mta/fair.h.
 * How many: starts at site.connections_start, one more for each success while more wait than are in
 *           hand, half after a congestion signal (421, 4xx of the host); never past the shared
 *           limits.
 * Kept:     site.connections_kept of them never carry bulk mail, so that a lone password reset
 *           waits for no bulk transaction; they open when they are first needed. */
#pragma once
#include "mta/fair.h"
#include "mta/site.h"

struct pool {
	struct list link; /* the site's */
	struct site *site;
	struct work *work;
	unsigned index; /* of work's pool names */
	struct fair fair;
	struct list channels, idle;
	unsigned n_channels, n_opening, want, successes;
	unsigned n_bulk;      /* channels with bulk mail in hand */
	unsigned n_quitting;  /* of the channels */
	bool claims, starved; /* counted in the site's shared limits */
	bool congested;       /* it said so once: growth is careful from then on */
	unsigned next_source;
	struct turn_end pump;
	struct timer timer;
};
struct pool *pool_get(struct site *s, unsigned index);
void pool_free(struct pool *p);
void pool_push(struct pool *p, rcpt_ref ref, bool front);
/* Next recipient whose turn it is, or RCPT_NONE; *ret_line (may be NULL) its line; bulk false:
 * transactional only. */
rcpt_ref pool_take(struct pool *p, bool bulk, struct line **ret_line);
/* May a channel without bulk mail in hand take some? */
bool pool_bulk_may_start(const struct pool *p);
static inline bool pool_has(const struct pool *p, bool bulk)
{
	return p->fair.ready[CLASS_TRANSACTIONAL] || (bulk && p->fair.ready[CLASS_BULK]);
}
void pool_pump_soon(struct pool *p);
/* Connections of a site are shared by its pools on all lanes.  Guarantee: a pool with work gets its
 * part of them however much the others have to send: while one waits with less than its share, no
 * other takes more than its own, and who has more gives it back as its transactions end. */
bool pool_may_take(const struct pool *p);
bool pool_must_give(const struct pool *p);
bool pool_others_wait(const struct pool *p);
void pool_claim(struct pool *p); /* after n_channels has changed */
void pool_success(struct pool *p);
void pool_congested(struct pool *p);
void pool_rules_changed(struct pool *p);
