/* mta/warmup/days.c - days of a plan: their order, their steps, their rates. */
#include "mta/warmup/days.h"

#include <inttypes.h>
#include <stdio.h>

enum { WINDOW_DAYS = 3, BLOCKS_ENOUGH = 3 };

const char *warmup_sign_name(enum warmup_sign s)
{
	static const char *const names[WARMUP_SIGNS] = {
		[WARMUP_GOOD] = "good",
		[WARMUP_DEFERRED] = "deferrals",
		[WARMUP_BLOCKED] = "blocks",
		[WARMUP_BOUNCED] = "bounces",
		[WARMUP_COMPLAINTS] = "complaints",
	};

	return names[s];
}

/* ---- rates ------------------------------------------------------------------------------- */

/* A date that was held back has paid for what it was: those after it are judged without it. */
static int32_t first_of(const struct warmup_days *d, int32_t last, int32_t n)
{
	int32_t first = last - n + 1;

	for (unsigned i = 0; i < d->n; i++)
		if (d->at[i].held != WARMUP_GOOD && d->at[i].date < last)
			first = MAX_OF(first, d->at[i].date + 1);
	return first;
}

static struct warmup_day sum_of(const struct warmup_days *d, int32_t last, int32_t n)
{
	int32_t first = first_of(d, last, n);
	struct warmup_day sum = { 0 };

	for (unsigned i = 0; i < d->n; i++)
		for (unsigned k = 0;
		     k < WARMUP_RESULTS && d->at[i].date <= last && d->at[i].date >= first; k++)
			sum.n[k] += d->at[i].n[k];
	return sum;
}

static int64_t per_thousand(uint64_t n, uint64_t of)
{
	return (int64_t)(n * 1000 / MAX_OF(of, (uint64_t)1));
}

/* -1: too few tries to tell. */
static int64_t rate_of(enum warmup_sign s, const struct warmup_day *one,
		       const struct warmup_day *three, int64_t sample)
{
	const struct warmup_day *d = s == WARMUP_DEFERRED || s == WARMUP_BLOCKED ? one : three;
	uint64_t of = d->n[s == WARMUP_COMPLAINTS ? WARMUP_DELIVERED : WARMUP_TRIED];
	/* A source that is blocked has few tries: it is suspended. */
	bool enough = (int64_t)of >= sample ||
		      (s == WARMUP_BLOCKED && d->n[WARMUP_WAS_BLOCKED] >= BLOCKS_ENOUGH);

	if (!enough)
		return -1;
	switch (s) {
	case WARMUP_DEFERRED:
		return per_thousand(d->n[WARMUP_WAS_DEFERRED], of);
	case WARMUP_BLOCKED:
		return per_thousand(d->n[WARMUP_WAS_BLOCKED], of);
	case WARMUP_BOUNCED:
		return per_thousand((uint64_t)d->n[WARMUP_WAS_BOUNCED] + d->n[WARMUP_RETURNED], of);
	case WARMUP_COMPLAINTS:
		return per_thousand(d->n[WARMUP_COMPLAINED], of);
	case WARMUP_GOOD:
	case WARMUP_SIGNS:
		break;
	}
	return -1;
}

enum warmup_sign warmup_days_worst(const struct warmup_days *d, const struct warmup_day *day,
				   const struct warmup_bounds *b, int64_t *ret_rate,
				   int64_t *ret_percent)
{
	struct warmup_day one = sum_of(d, day->date, 1), three = sum_of(d, day->date, WINDOW_DAYS);
	/* A day of few messages must be judged by few. */
	int64_t sample = MAX_OF(MIN_OF(b->sample, (int64_t)day->plan / 2), (int64_t)1);
	enum warmup_sign worst = WARMUP_GOOD;

	*ret_rate = *ret_percent = 0;
	for (enum warmup_sign s = WARMUP_DEFERRED; s < WARMUP_SIGNS; s++) {
		int64_t rate = rate_of(s, &one, &three, sample);
		int64_t percent = rate <= 0 ? 0 : b->most[s] ? rate * 100 / b->most[s] : INT32_MAX;
		/* Cut to whole percents it may seem to be at the bound. */
		if (rate > b->most[s])
			percent = MAX_OF(percent, (int64_t)101);
		if (percent <= *ret_percent)
			continue;
		*ret_percent = percent;
		*ret_rate = rate;
		worst = s;
	}
	return worst;
}

/* ---- steps ------------------------------------------------------------------------------- */

static int32_t plan_at(const struct warmup_plan *plan, uint32_t step)
{
	return step < plan->n ? (int32_t)plan->at[step] : WARMUP_NO_LIMIT;
}

bool warmup_day_fits(const struct warmup_day *day, const struct warmup_plan *plan)
{
	return day->plan == plan_at(plan, day->step);
}

static uint32_t step_of_volume(const struct warmup_plan *plan, int32_t volume)
{
	uint32_t step = 0;

	if (volume == WARMUP_NO_LIMIT)
		return 0;
	while (step + 1 < plan->n && (int32_t)plan->at[step + 1] <= volume)
		step++;
	return step;
}

void warmup_day_replan(struct warmup_day *day, const struct warmup_plan *plan)
{
	day->step = plan->first ? plan->first : step_of_volume(plan, day->plan);
	day->plan = plan_at(plan, day->step);
}

static bool was_reached(const struct warmup_day *day, const struct warmup_bounds *b)
{
	return (int64_t)day->leaves * 100 >= (int64_t)day->plan * b->reached;
}

static enum warmup_move move_after(const struct warmup_days *d, const struct warmup_day *day,
				   const struct warmup_bounds *b)
{
	int64_t rate, percent;

	if (day->held != WARMUP_GOOD)
		return day->step ? WARMUP_WENT_BACK : WARMUP_STAYED;
	(void)warmup_days_worst(d, day, b, &rate, &percent);
	if (!was_reached(day, b) || percent > b->release)
		return WARMUP_STAYED;
	return WARMUP_MOVED;
}

static uint32_t step_after(const struct warmup_day *day, enum warmup_move how)
{
	return how == WARMUP_MOVED       ? day->step + 1
	       : how == WARMUP_WENT_BACK ? day->step - 1
					 : day->step;
}

uint32_t warmup_days_next(const struct warmup_days *d, const struct warmup_day *day,
			  const struct warmup_plan *plan, const struct warmup_bounds *b)
{
	return MIN_OF(step_after(day, move_after(d, day, b)), plan->n);
}

/* The one that a new date follows: the nearest before it, else the first of all. */
static const struct warmup_day *before(const struct warmup_days *d, int32_t date)
{
	const struct warmup_day *found = d->n ? &d->at[0] : NULL;

	for (unsigned i = 0; i < d->n && d->at[i].date < date; i++)
		found = &d->at[i];
	return found;
}

/* The latest date with mail is too long ago. */
static bool is_forgotten(const struct warmup_days *d, int32_t date)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->at[i].leaves && d->at[i].date > date - WARMUP_FORGET_DAYS)
			return false;
	return true;
}

static enum warmup_move find_step(const struct warmup_days *d, int32_t date,
				  const struct warmup_plan *plan, const struct warmup_bounds *b,
				  uint32_t *ret)
{
	const struct warmup_day *last = before(d, date);
	struct warmup_day like = last ? *last : (struct warmup_day){ 0 };
	enum warmup_move how;

	*ret = plan->first;
	if (last && !warmup_day_fits(last, plan))
		warmup_day_replan(&like, plan);
	if (last && like.step >= plan->n) {
		*ret = plan->n; /* warmed is warmed */
		return WARMUP_STAYED;
	}
	if (!last || is_forgotten(d, date))
		return WARMUP_BEGUN;
	/* Before all others, after a clock that was wrong: there is nothing to judge by. */
	how = last->date < date ? move_after(d, last, b) : WARMUP_STAYED;
	if (like.step == 0 && how == WARMUP_WENT_BACK)
		how = WARMUP_STAYED;
	*ret = step_after(&like, how);
	return how;
}

struct warmup_day *warmup_days_find(struct warmup_days *d, int32_t date)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->at[i].date == date)
			return &d->at[i];
	return NULL;
}

/* Makes room for the date; the oldest of a full table leaves. */
static struct warmup_day *insert(struct warmup_days *d, int32_t date)
{
	unsigned i = d->n;

	if (d->n == WARMUP_DAYS_KEPT) {
		memmove(&d->at[0], &d->at[1], (WARMUP_DAYS_KEPT - 1) * sizeof(d->at[0]));
		i = --d->n;
	}
	for (; i && d->at[i - 1].date > date; i--)
		d->at[i] = d->at[i - 1];
	d->n++;
	d->at[i] = (struct warmup_day){ .date = date };
	return &d->at[i];
}

void warmup_days_put(struct warmup_days *d, const struct warmup_day *day)
{
	struct warmup_day *to = warmup_days_find(d, day->date);

	if (!to && d->n == WARMUP_DAYS_KEPT && day->date < d->at[0].date)
		return; /* older than all that there is room for */
	*(to ? to : insert(d, day->date)) = *day;
}

struct warmup_day *warmup_days_begin(struct warmup_days *d, int32_t date,
				     const struct warmup_plan *plan, const struct warmup_bounds *b,
				     enum warmup_move *ret)
{
	struct warmup_day *day = warmup_days_find(d, date);
	uint32_t step;

	*ret = WARMUP_KNOWN;
	if (day)
		return day;
	*ret = find_step(d, date, plan, b, &step);
	day = insert(d, date);
	day->step = step;
	day->plan = plan_at(plan, step);
	return day;
}

/* ---- as text ----------------------------------------------------------------------------- */

void warmup_day_show(const struct warmup_day *day, char value[WARMUP_VALUE_MAX])
{
	int n = snprintf(value, WARMUP_VALUE_MAX, "%u %d %d %u %u %" PRId64, day->step, day->plan,
			 day->leaves, day->held, day->released, day->since_ms);

	for (unsigned i = 0; i < WARMUP_RESULTS; i++)
		n += snprintf(value + n, WARMUP_VALUE_MAX - (size_t)n, " %u", day->n[i]);
}

static bool take_number(struct slice *rest, uint64_t most, uint64_t *ret)
{
	return slice_u64(slice_take(rest, ' '), most, ret) == 0;
}

int warmup_day_read(struct slice value, int32_t date, struct warmup_day *ret)
{
	uint64_t v[6], n;
	static const uint64_t most[] = { WARMUP_STEPS_MAX, INT32_MAX, INT32_MAX,
					 WARMUP_SIGNS - 1, 1,         INT64_MAX };

	*ret = (struct warmup_day){ .date = date };
	for (unsigned i = 0; i < ARRAY_LEN(most); i++)
		if (!take_number(&value, most[i], &v[i]))
			return E_SYNTAX;
	for (unsigned i = 0; i < WARMUP_RESULTS; i++) {
		if (!take_number(&value, UINT32_MAX, &n))
			return E_SYNTAX;
		ret->n[i] = (uint32_t)n;
	}
	ret->step = (uint32_t)v[0];
	ret->plan = (int32_t)v[1];
	ret->leaves = (int32_t)v[2];
	ret->held = (uint8_t)v[3];
	ret->released = v[4] != 0;
	ret->since_ms = (int64_t)v[5];
	return value.n ? E_SYNTAX : 0;
}

/* Days since 1970 and dates of the Gregorian calendar, by eras of 400 years that begin in March. */
void warmup_date_show(int32_t date, char text[WARMUP_DATE_MAX])
{
	int32_t z = date + 719468, era = z / 146097, doe = z - era * 146097;
	int32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int32_t d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;

	(void)snprintf(text, WARMUP_DATE_MAX, "%04d-%02d-%02d",
		       (int)((yoe + era * 400 + (m <= 2)) % 10000), (int)(m % 100), (int)(d % 100));
}

static int32_t date_of(int32_t y, int32_t m, int32_t d)
{
	int32_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int warmup_date_read(struct slice text, int32_t *ret)
{
	struct slice rest = text;
	struct slice year = slice_take(&rest, '-'), month = slice_take(&rest, '-');
	char again[WARMUP_DATE_MAX];
	uint64_t y, m, d;

	if (slice_u64(year, 9999, &y) < 0 || slice_u64(month, 12, &m) < 0 ||
	    slice_u64(rest, 31, &d) < 0 || y < 1970 || !m || !d)
		return E_SYNTAX;
	*ret = date_of((int32_t)y, (int32_t)m, (int32_t)d);
	warmup_date_show(*ret, again); /* 31 February is another day */
	return slice_eq(slice_str(again), text) ? 0 : E_SYNTAX;
}
