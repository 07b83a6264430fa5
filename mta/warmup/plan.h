/* mta/warmup/plan.h - how many messages may leave from a new source to a provider, day by day.
 *
 *	plan   = "off" / ( days / curve ) [ SP "day=" n ]
 *	days   = "days=" n *( ":" n )
 *	curve  = "start=" n SP "target=" n SP "curve=" ( factor [ "x" ] / "+" n ) [ "/day" ]
 *
 * The words may stand in any order.  A factor has at most two decimals and is from 1.01 to 10.  A
 * curve grows by at least one message a day, and its last day has the target.  After the last day
 * the source is warmed, and nothing is held back.  "day=4" begins with the fourth day.  "off" is
 * the plan of a source that is warmed already.
 * Owns:    nothing; a plan is a value.
 * Fails:   E_SYNTAX, and *ret_wrong says what is wrong.
 * Limits:  WARMUP_STEPS_MAX days, WARMUP_COUNT_MAX messages a day.
 * Names:   warmup_ */
#pragma once
#include "base/base.h"

enum { WARMUP_STEPS_MAX = 366, WARMUP_COUNT_MAX = 1000 * 1000 * 1000, WARMUP_TEXT_MAX = 640 };

struct warmup_plan {
	unsigned n, first; /* days; the one that it begins with */
	uint32_t at[WARMUP_STEPS_MAX];
};
int warmup_plan_read(struct slice text, struct warmup_plan *ret, const char **ret_wrong) MUST_CHECK;
