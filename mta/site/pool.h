/* mta/site/pool.h - one site seen from one egress pool: who goes next, over how many connections.
 *
 * Next:    see mta/queue/fair.h.
 * Number:  what its sources may have together (mta/site/steer.h), or connections of its shape where
 *          that is not adaptive; never above the shared limits.
 * Kept:    connections.kept of them never carry bulk mail, so that a lone password reset does
 *          not wait for a bulk transaction; they open when they are first needed.
 * Sources: each message goes from the source whose turn it is (mta/egress/turns.h).  Until the
 *          first trouble every source may have a connection, however few were earned.
 * Owns:    its channels, lines and turns; the site owns the pool.
 * Threads: the lane's. */
#pragma once
#include "mta/site/site.h"

/* What may have a rate. */
enum { PACE_MESSAGES, PACE_BYTES, PACE_PROVIDER_MESSAGES, PACE_PROVIDER_BYTES, PACES };

struct pool {
	struct list link; /* the site's */
	struct site *site;
	struct sites *sites;
	unsigned index; /* mta/egress/egress.h */
	struct shape shape;
	/* Where its connections and its paces are counted: the site's, the provider's (NULL: none),
	 * or those of the pool alone, where the shape says something about the pool. */
	struct site_limits *shared, *per_source, *provider, *pace[PACES];
	bool paced;                /* the shape has a rate */
	struct site_limits *paces; /* the provider whose pace it waits for */
	struct fair fair;
	struct list channels, idle;
	unsigned n_channels, n_opening, want;
	unsigned n_bulk;      /* channels with bulk mail in hand */
	unsigned n_quitting;  /* of the channels */
	bool claims, starved; /* counted in the site's shared limits */
	bool congested;       /* a source is held back (mta/site/steer.h) */
	struct map lids;      /* mta/site/lids.h */
	struct list owns;     /* mta/site/own.h */
	struct turns turns;   /* from the first connection until there is neither one nor work */
	struct timer turn_timer;
	struct timer shut_timer;           /* tenants whose mail waits (mta/queue/fair.h) */
	uint8_t pause_why;                 /* enum pair_lack */
	int64_t pause_ms, paused_until_ms; /* because of our sources; monotonic */
	struct site_limits *at_door; /* the provider for want of whose slot it has no connection */
	int64_t behind_until_ms;     /* at the door, behind those that came before; monotonic */
	bool had_slot;
	unsigned lender; /* whose sources it uses besides its own (mta/site/fallback.h); or index */
	int64_t lent_ms; /* since when; wall clock */
	struct turn_end pump;
	struct timer timer;
	struct timer cap_timer;                 /* mta/site/caps.h */
	int64_t cap_wake_us, cap_full_until_us; /* likewise; monotonic */
	struct chore sort; /* mta/site/sorting.h: an order moved some of those that wait */
};
struct pool *pool_get(struct site *s, unsigned index);
void pool_end_channels(struct pool *p); /* at the lane's end */
void pool_free(struct pool *p);
/* The recipient is ready: it joins its flow's line. */
void pool_push(struct pool *p, rcpt_ref ref, bool front);
/* The next recipient whose turn it is and that still lives, or RCPT_NONE; *ret_line (may be NULL)
 * is its line.  bulk false: transactional mail only.  It takes at most *looks recipients, and
 * counts them down. */
rcpt_ref pool_next(struct pool *p, bool bulk, unsigned *looks, struct line **ret_line);
/* The same for a new source: those who are engaged first. */
rcpt_ref pool_next_engaged(struct pool *p, bool bulk, unsigned *looks, struct line **ret_line);
/* Another of the same line and job; RCPT_NONE: the next one is of another. */
rcpt_ref pool_next_same(struct pool *p, struct line *line, job_no job);
/* Decides d about the next n whose turn it is. */
void pool_decide(struct pool *p, const struct decision *d, unsigned n);
/* May a channel that has no bulk mail in hand take some? */
bool pool_bulk_may_start(const struct pool *p);
static inline bool pool_has(const struct pool *p, bool bulk)
{
	return p->fair.ready[CLASS_TRANSACTIONAL] || (bulk && p->fair.ready[CLASS_BULK]);
}
void pool_pump_soon(struct pool *p);
/* The flow's tenant may send nothing here for so long. */
void pool_shut(struct pool *p, const struct flow *flow, int64_t ms);
/* The pools of a site share its connections, over all lanes.  Guarantee: a pool with work gets its
 * share of them, however much the others have to send.  While one waits with less than its share,
 * no other takes more than its own, and a pool that has more gives it back as transactions end. */
bool pool_may_take(const struct pool *p);
bool pool_may_take_kept(const struct pool *p); /* for transactional mail */
bool pool_must_give(const struct pool *p);
bool pool_others_wait(const struct pool *p);
void pool_reshape(struct pool *p);         /* the shapes changed */
void pool_tenants_changed(struct pool *p); /* limits of tenants did */
void pool_claim(struct pool *p);           /* after n_channels has changed */
/* From now on it shares these with others, or none. */
void pool_share(struct pool *p, struct site_limits *shared);
/* The number became smaller: connections end after what they have in hand. */
static inline bool pool_has_too_many(const struct pool *p)
{
	return p->congested && p->n_channels - p->n_quitting > MAX_OF(p->want, 1u);
}
void pool_rules_changed(struct pool *p);
/* Whose turn it is: the channel of that source takes the next message. */
bool pool_may_send(struct pool *p, unsigned turn);
void pool_sent(struct pool *p, unsigned turn);
void pool_rest_turns(struct pool *p); /* a channel has gone */
/* The sources are other ones: channels of those that are gone are closed. */
void pool_new_sources(struct pool *p);
/* The pool cannot send to this site because of our sources, `why` (enum pair_lack): it pauses, and
 * some of its recipients are deferred.  The site and its other pools go on. */
void pool_pause(struct pool *p, unsigned why);
/* Its sources are left alone for so long, `why`: those that wait stay as they are. */
void pool_wait(struct pool *p, unsigned why, int64_t ms);
void pool_end_pause(struct pool *p); /* sources or options changed, or an operator asked */
