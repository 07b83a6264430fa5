/* mta/warmup/warmup.h - new sources and how much may leave from them to a provider, day by day.
 *
 * A plan stands for a source and a provider; "other" are all hosts that no provider has, and "*" is
 * each provider, and "other", without a plan of its own.  Plans are those of warmup.plans, and
 * orders, which are rules of the spool and go first:
 *
 *	warmup/<source>/<provider>                 value: <plan> LF <author>; empty: taken back
 *	warmup-pause/<source>/<provider>           value: <since> SP <who and why>; likewise
 *	warmup-day/<source>/<provider>/<date>      value: days.h
 *
 * <source> is "*" for the one without an address.  Every recipient that is named to the provider
 * counts, whatever becomes of him.
 *
 * Guarantee: what is named on a date is never above its plan, through any crash.  What may leave is
 *            written before it leaves, a twentieth of the plan at a time (WARMUP_LEASE_MIN at
 *            least); a kill makes at most that much count that did not leave.  The other numbers of
 *            a day may be WARMUP_SAVE_MS older than the kill.
 * Guarantee: a source with a plan that cannot be known (too many pairs) sends nothing there.
 *
 * Files:   plan.c reads plans, days.c has the arithmetic, warmup.c has the plans in force and the
 *          pairs, desk.c looks after them once a second, recent.c knows who left from where.
 * Owns:    pairs live until the engine ends.
 * Threads: any; the lanes' counts are atomic, the rest is behind one lock.  warmup_find() takes it
 *          only when there is a plan at all.
 * Limits:  WARMUP_PLANS_MAX plans in the configuration, as many orders, WARMUP_PAIRS_MAX pairs.
 * Names:   warmup_ */
#pragma once
#include "base/address.h"
#include "mta/core/part.h"
#include "mta/warmup/days.h"
#include "spool/late.h"

enum {
	WARMUP_PLANS_MAX = 1024,
	WARMUP_PAIRS_MAX = 4096,
	WARMUP_NAME_MAX = 63, /* of a provider */
	WARMUP_LEASE_MIN = 10,
	WARMUP_LOOK_MS = 1000,
	WARMUP_SAVE_MS = 10 * 1000,
	WARMUP_WAIT_MS = 50, /* a lane that may send nothing now looks again */
	WARMUP_AUTHOR_MAX = 256,
};
#define WARMUP_OTHER "other"
#define WARMUP_ANY "*"

extern const struct option_set warmup_option_set;
extern const struct part warmup_part;

/* ---- what lanes see ---------------------------------------------------------------------- */

/* A source and a provider. */
struct warmup_pair {
	_Atomic uint64_t left;              /* since the date began: its number << 32 | messages */
	_Atomic int32_t granted, allowed;   /* of it: written already; by the plan */
	_Atomic bool wanted;                /* a lane found nothing left of what is granted */
	_Atomic uint32_t n[WARMUP_RESULTS]; /* since the desk looked last */
	struct warmup *whole;
};
struct warmup;
struct warmup *warmup_of(struct engine *e);
/* NULL: nothing is held back there, or w is NULL: the engine has no such part.  provider: its
 * name; empty: none has the host. */
struct warmup_pair *warmup_find(struct warmup *w, const struct ip *source, struct slice provider);
/* Another number: ask again for all that was found. */
unsigned warmup_generation(const struct warmup *w);

/* Today's plan is used up, or nothing may leave for another reason. */
static inline bool warmup_rests(const struct warmup_pair *p)
{
	return p && (int32_t)(uint32_t)atomic_load_explicit(&p->left, memory_order_relaxed) >=
			atomic_load_explicit(&p->allowed, memory_order_relaxed);
}
/* What is granted is used up, but not the plan: in a moment more may leave. */
bool warmup_must_wait(struct warmup_pair *p);
/* One more recipient is to be named; false: he must not be. */
bool warmup_take(struct warmup_pair *p);
/* What became of a recipient. */
void warmup_note(struct warmup_pair *p, enum warmup_result what, struct id128 job, uint32_t row);
/* There are any. */
bool warmup_has_plans(const struct warmup *w);
/* The recipient was delivered before the engine's start: what comes back of them counts there. */
void warmup_recall(struct warmup_pair *p, struct id128 job, uint32_t row);
/* A mail that came back tells of recipients who left from a source with a plan. */
void warmup_returned(struct warmup *w, const struct late_fact *facts, unsigned n);

/* ---- what operators see and say ---------------------------------------------------------- */

enum warmup_state {
	WARMUP_GOES,
	WARMUP_SPENT, /* today's plan is used up */
	WARMUP_HELD,
	WARMUP_PAUSED,
	WARMUP_WARMED,
	WARMUP_OFF, /* the plan says "off" */
};
const char *warmup_state_name(enum warmup_state s);

struct warmup_fact {
	struct ip source;
	const char *provider;
	enum warmup_state state;
	char plan[WARMUP_TEXT_MAX + 1], author[WARMUP_AUTHOR_MAX]; /* "": the configuration's */
	char paused[WARMUP_AUTHOR_MAX];                            /* by whom and why */
	unsigned steps;
	struct warmup_day today; /* of its latest date */
	bool is_today;
	unsigned next;             /* the step of the date after */
	int64_t since_ms, next_ms; /* of the state; wall clock, 0: until something changes */
	enum warmup_sign worst;
	int64_t rate, percent; /* of a thousand; of its bound */
	int64_t most;          /* the bound */
};
/* False: there is no such pair, or no plan. */
bool warmup_fact(const struct warmup_pair *p, struct warmup_fact *ret);
/* One sentence: why it rests, or how far it is. */
void warmup_say(const struct warmup_fact *f, char *text, size_t cap);
/* Calls each() for every pair that has a plan; with its days, the oldest first. */
void warmup_each(struct warmup *w,
		 void (*each)(void *arg, const struct warmup_fact *f, const struct warmup_days *d),
		 void *arg);
/* Calls each() for the plans in force; author "": of the configuration. */
void warmup_each_plan(struct warmup *w,
		      void (*each)(void *arg, const struct ip *source, const char *provider,
				   const char *plan, const char *author),
		      void *arg);
/* 0: such a rule makes an order.  Else E_SYNTAX, and *ret_wrong. */
int warmup_rule_check(struct slice rule_key, struct slice rule_value,
		      const char **ret_wrong) MUST_CHECK;
/* The rule was written and is durable, or is there at the start. */
void warmup_rule_changed(struct engine *e, struct slice rule_key, struct slice rule_value);
/* Those that are held back there go on today; provider "*": all of the source.  How many. */
unsigned warmup_release(struct warmup *w, const struct ip *source, struct slice provider);
