/* mta/site/adapt.h - the arithmetic of adaptive control: how many connections and messages per time
 * a source may have at a site, given what the site answered.
 *
 *	window   grows by one per delivery until the first trouble, then by one per `window`
 *	         deliveries, and slower the oftener trouble came at about this size
 *	cut      trouble counts by its share of the latest 64 answers; a lone one takes an eighth of
 *	         a large window and a twentieth of a rate, more of it up to three quarters; what
 *	         is in flight when a cut is made cannot make the next one
 *	rate     exists from the first cut that is not a lone one: what was delivered per time, less
 *	         the cut; it grows by 1 % a step near where trouble came, by 6 % elsewhere, and
 *	         quickly again where trouble came before and comes no more
 *	quota    a limit that names the time when to come again, at the same rate three times in a
 *	         row: the rate stays 2 % below it for two hours, longer each time, up to eight
 *	wall     trouble and nothing else: the site is closed to the source, for ADAPT_PAUSE_MIN_MS
 *	         or what the reply names, then twice as long each time up to ADAPT_PAUSE_MAX_MS;
 *	         after it one message shows whether the rest may follow
 *
 * Owns:    nothing; a struct adapt is a value.
 * Threads: the caller sees to it (mta/site/steer.h).
 * Fails:   never.
 * Limits:  times are milliseconds of one clock that does not jump; rates are messages per day. */
#pragma once
#include "base/base.h"

enum {
	ADAPT_PAUSE_MIN_MS = 10 * 1000,
	ADAPT_PAUSE_MAX_MS = 10 * 60 * 1000,
	ADAPT_NAMED_MAX_MS = 4 * 3600 * 1000,
	ADAPT_WALL_RUN = 6,       /* troubles without a delivery: a wall, however fast they came */
	ADAPT_WALL_RUN_SLOW = 4,  /* ... when the last delivery is a second ago */
	ADAPT_WALL_RUN_NAMED = 2, /* ... when they say to come again in a minute or later */
	ADAPT_LEVEL_MAX = 10,
	ADAPT_FORGET_DAYS = 14,
};

/* What the shape allows. */
struct adapt_bounds {
	unsigned start, floor, most; /* connections */
	int64_t rate_floor;
	int64_t rate_most; /* 0: the shape sets none */
};
struct adapt {
	unsigned window, threshold;  /* below the threshold each delivery adds one */
	unsigned earned;             /* deliveries towards the next connection */
	unsigned level;              /* how often trouble came here lately */
	unsigned share;              /* of trouble among the latest answers, in 65536ths */
	unsigned run;                /* troubles since the last delivery */
	unsigned answers, round;     /* since the last cut; a cut needs `round` of them */
	unsigned proven;             /* deliveries since the latest wall */
	int64_t rate, rate_known;    /* 0: none; where trouble came */
	int64_t run_rate;            /* the rate when the run began */
	int64_t n, since_ms;         /* deliveries to measure by, while more waited */
	int64_t n_before, before_ms; /* those of the span before, and how long it was */
	int64_t good_ms, cut_ms, step_ms, level_ms;
	int64_t closed_until_ms, pause_ms; /* 0: open */
	int64_t open_n, open_ms, named_ms; /* deliveries since the latest wall; the time it named */
	unsigned agree;                    /* named walls in a row at the rate of the one before */
	int64_t wall_rate, hold_until_ms;  /* of the latest; no step before */
};

void adapt_begin(struct adapt *a, const struct adapt_bounds *b, int64_t now);
/* n messages were delivered.  pressed: more wait than are in hand, so that a larger window or rate
 * would be used. */
void adapt_good(struct adapt *a, const struct adapt_bounds *b, unsigned n, bool pressed,
		int64_t now);
/* The site answered as sites do: about a recipient, or with greylisting. */
void adapt_answered(struct adapt *a, int64_t now);
/* The site said "less" (421, rate limited, a policy), or did not answer in time.  named_ms: when it
 * wants to be asked again; 0: it did not say.  True: it is a wall now, and closed. */
bool adapt_bad(struct adapt *a, const struct adapt_bounds *b, int64_t named_ms, int64_t now);
/* A connection beyond the `had` that are open was not let in, or kept waiting.  slows: that one
 * is there all the same, at the cost of the others, so it is tried for less often. */
void adapt_crowded(struct adapt *a, const struct adapt_bounds *b, unsigned had, bool slows,
		   int64_t now);
/* It said so at the door, where nobody is inside: two or three of these are a wall. */
bool adapt_refused(struct adapt *a, const struct adapt_bounds *b, int64_t named_ms, int64_t now);
/* Nothing was learned for so long: what is known counts for less. */
void adapt_fade(struct adapt *a, const struct adapt_bounds *b, int64_t age_ms, int64_t now);

static inline bool adapt_closed(const struct adapt *a, int64_t now)
{
	return a->closed_until_ms > now;
}
/* The pause is over, and nothing was delivered since. */
static inline bool adapt_probes(const struct adapt *a, int64_t now)
{
	return a->closed_until_ms && a->closed_until_ms <= now;
}
/* It holds back less than the shape allows, because of trouble. */
static inline bool adapt_holds_back(const struct adapt *a)
{
	return a->rate || a->closed_until_ms || a->threshold != UINT32_MAX;
}
/* So many deliveries may be counted together without a difference. */
unsigned adapt_patience(const struct adapt *a, const struct adapt_bounds *b);
