/* mta/warmup/days.h - what left from a new source to a provider on which day, how it went, and what
 * follows from it for the next day; for the files of this folder alone.
 *
 * Dates are those of UTC.  Each date has one record, whatever the clock does:
 *
 *	- A date that has a record goes on with it: a clock that was put back gives no day twice.
 *	- A new date follows the nearest one before it, by at most one step of the plan, however far
 *	  the clock jumped: no day of the plan is skipped.
 *	- It moves one step on when that day was not held back, what leaves was at least
 *	  warmup.reached percent of its plan, and every rate was at most warmup.release percent of
 *	  its bound.  It goes one step back when that day was held back.  Else it stays.
 *	- Under another plan it goes on with the day that has as many messages, or fewer.
 *	- After WARMUP_FORGET_DAYS without mail it begins again: what a provider knew of the source
 *	  is forgotten there too.
 *
 * Bounces and complaints come late: their rates are over three dates, those of deferrals and blocks
 * over one; and not over dates up to the last one that was held back.
 * Owns:    nothing; all of it are values.
 * Limits:  WARMUP_DAYS_KEPT dates; the oldest leaves.
 * Names:   warmup_ */
#pragma once
#include "base/base.h"
#include "mta/warmup/plan.h"

enum { WARMUP_DAYS_KEPT = 40, WARMUP_FORGET_DAYS = 30, WARMUP_NO_LIMIT = INT32_MAX };
static const int64_t WARMUP_DAY_MS = 86400LL * 1000;

enum warmup_sign {
	WARMUP_GOOD,
	WARMUP_DEFERRED,
	WARMUP_BLOCKED,
	WARMUP_BOUNCED,
	WARMUP_COMPLAINTS,
	WARMUP_SIGNS
};
const char *warmup_sign_name(enum warmup_sign s);

enum warmup_result {
	WARMUP_TRIED, /* answered, whatever else it was */
	WARMUP_DELIVERED,
	WARMUP_WAS_DEFERRED,
	WARMUP_WAS_BLOCKED,
	WARMUP_WAS_BOUNCED,
	WARMUP_RETURNED,   /* a bounce that came later, as mail */
	WARMUP_COMPLAINED, /* likewise */
	WARMUP_RESULTS
};
struct warmup_day {
	int32_t date;   /* days since 1970 */
	uint32_t step;  /* of the plan; as many as it has: warmed */
	int32_t plan;   /* messages; WARMUP_NO_LIMIT */
	int32_t leaves; /* messages that left, or may have left: never too few */
	uint32_t n[WARMUP_RESULTS];
	uint8_t held;     /* enum warmup_sign; WARMUP_GOOD: it is not held back */
	bool released;    /* an operator said so: it is not held back today */
	int64_t since_ms; /* when it was held back; wall clock */
};
struct warmup_days {
	struct warmup_day at[WARMUP_DAYS_KEPT]; /* by date */
	unsigned n;
};
struct warmup_bounds {
	int64_t most[WARMUP_SIGNS]; /* of a thousand */
	int64_t sample;             /* fewer tries prove nothing */
	int64_t release, reached;   /* percent */
};

/* How a date came to its step. */
enum warmup_move { WARMUP_KNOWN, WARMUP_BEGUN, WARMUP_MOVED, WARMUP_STAYED, WARMUP_WENT_BACK };

static inline int32_t warmup_date(int64_t wall_ms)
{
	return (int32_t)(wall_ms / WARMUP_DAY_MS);
}
struct warmup_day *warmup_days_find(struct warmup_days *d, int32_t date); /* NULL: it has none */
/* A record that was kept, in its place. */
void warmup_days_put(struct warmup_days *d, const struct warmup_day *day);
/* The record of the date, which begins now if there is none. */
struct warmup_day *warmup_days_begin(struct warmup_days *d, int32_t date,
				     const struct warmup_plan *plan, const struct warmup_bounds *b,
				     enum warmup_move *ret);
/* Was the date under this plan? */
bool warmup_day_fits(const struct warmup_day *day, const struct warmup_plan *plan);
/* It is under another plan now: "day=" says with which day, else it is the last day that has no
 * more messages than it had; of what was warmed the first. */
void warmup_day_replan(struct warmup_day *day, const struct warmup_plan *plan);
/* The step that the next date would have. */
uint32_t warmup_days_next(const struct warmup_days *d, const struct warmup_day *day,
			  const struct warmup_plan *plan, const struct warmup_bounds *b);
/* The rate that is the worst against its bound on that date, and how much of a thousand it is. */
enum warmup_sign warmup_days_worst(const struct warmup_days *d, const struct warmup_day *day,
				   const struct warmup_bounds *b, int64_t *ret_rate,
				   int64_t *ret_percent);
/* A record as the value of a rule: numbers with a space between. */
enum { WARMUP_VALUE_MAX = 256 };
void warmup_day_show(const struct warmup_day *day, char value[WARMUP_VALUE_MAX]);
int warmup_day_read(struct slice value, int32_t date, struct warmup_day *ret) MUST_CHECK;
/* "2026-11-30"; E_SYNTAX. */
enum { WARMUP_DATE_MAX = 16 };
void warmup_date_show(int32_t date, char text[WARMUP_DATE_MAX]);
int warmup_date_read(struct slice text, int32_t *ret) MUST_CHECK;
