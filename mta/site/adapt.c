/* mta/site/adapt.c - windows and rates: growth, cuts, walls, and how they are forgotten. */
#include "mta/site/adapt.h"

enum {
	WHOLE = 65536,
	LONE = WHOLE * 3 / 100, /* a share below is one or two of the latest 64 answers */
	SPAN_MESSAGES = 20,     /* by which a rate is measured */
	SPAN_MIN_MS = 500,
	SPAN_MAX_MS = 10 * 60 * 1000,
	STEP_MS = 5 * 1000,
	STEP_MAX_MS = 60 * 60 * 1000,
	STEP_TIME_MAX_MS = 10 * 60 * 1000, /* for STEP_MESSAGES */
	STEP_MESSAGES = 10,
	USUAL_LEVEL = 6,
	CROWD_LEVEL = 3,     /* a connection that is not let in costs no attempt */
	SLOWS_LEVEL = 8,     /* one that is let in late costs the others their pace */
	DEAR_MS = 60 * 1000, /* a wall of that length is tried for less often */
	LEVEL_MS = 30 * 60 * 1000,
	FRESH_ROUND_MS = 10 * 1000, /* answers to what was in flight at a cut are here by now */
	RUN_OF_TROUBLE = 3,         /* a quarter of the answers, whatever came before */
	DOOR_RUN = 2,               /* one at the door counts for so many more */
	QUOTA_MESSAGES = 5,
	PROVEN = 100, /* deliveries after which a wall is history */
	AGREE = 2,    /* walls at the rate of the one before, after which it is taken for fixed */
	HOLD_MS = 2 * 60 * 60 * 1000, /* ... and not tried for so long, doubled with each more */
	HOLD_MAX_MS = 8 * 60 * 60 * 1000,
};
static const int64_t day_ms = 86400000;

void adapt_begin(struct adapt *a, const struct adapt_bounds *b, int64_t now)
{
	*a = (struct adapt){
		.window = MIN_OF(MAX_OF(b->start, b->floor), b->most),
		.threshold = UINT32_MAX,
		.since_ms = now,
		.good_ms = now,
		.cut_ms = now - FRESH_ROUND_MS,
		.step_ms = now,
		.level_ms = now,
		.open_ms = now,
	};
}

/* ---- measuring --------------------------------------------------------------------------- */

static void note_share(struct adapt *a, bool bad, unsigned n)
{
	for (unsigned i = 0; i < MIN_OF(n, 256u); i++)
		if (bad)
			a->share += (WHOLE - a->share) / 64;
		else
			a->share -= a->share / 64;
	a->answers += MIN_OF(n, WHOLE - MIN_OF(a->answers, (unsigned)WHOLE));
}

static int64_t per_day(int64_t n, int64_t ms)
{
	return n * day_ms / MAX_OF(ms, (int64_t)100);
}

/* What is delivered while nobody waits says nothing about how much the site takes. */
static void note_delivered(struct adapt *a, unsigned n, bool pressed, int64_t now)
{
	int64_t span = now - a->since_ms;

	if (pressed && (a->n < SPAN_MESSAGES || span < SPAN_MIN_MS) && span < SPAN_MAX_MS) {
		a->n += n;
		return;
	}
	if (a->n) {
		a->n_before = a->n;
		a->before_ms = span;
	}
	a->n = pressed ? n : 0;
	a->since_ms = now;
}

/* What was delivered per time until now; 0: not known. */
static int64_t measured(const struct adapt *a, int64_t now)
{
	return per_day(a->n + a->n_before, a->n ? now - a->since_ms + a->before_ms : a->before_ms);
}

/* The rate at which trouble came: the one that was set, if it was used. */
static int64_t came_at(const struct adapt *a, int64_t rate, int64_t now)
{
	int64_t fact = measured(a, now);

	return rate && fact >= rate / 4 * 3 ? rate : fact;
}

/* ---- growing ----------------------------------------------------------------------------- */

static void calm_down(struct adapt *a, int64_t now)
{
	const int64_t each = a->level > USUAL_LEVEL ? 4LL * LEVEL_MS : LEVEL_MS;

	if (now - a->level_ms < each)
		return;
	a->level -= (unsigned)MIN_OF((now - a->level_ms) / each, (int64_t)a->level);
	a->level_ms = now;
}

static unsigned price(const struct adapt *a)
{
	const unsigned level = MIN_OF(a->level, (unsigned)SLOWS_LEVEL);

	return a->window < a->threshold ? 1 : MAX_OF(a->window, 1u) << level;
}

static void grow_window(struct adapt *a, const struct adapt_bounds *b, unsigned n)
{
	a->earned += n;
	while (a->window < b->most && a->earned >= price(a)) {
		a->earned -= price(a);
		a->window++;
	}
	if (a->window >= b->most)
		a->earned = 0;
}

static int64_t step_after_ms(const struct adapt *a)
{
	int64_t time = (int64_t)STEP_MESSAGES * day_ms / MAX_OF(a->rate, (int64_t)1);

	time = MAX_OF(MIN_OF(time, (int64_t)STEP_TIME_MAX_MS), a->named_ms);
	return MIN_OF(MAX_OF((int64_t)STEP_MS << a->level, time), (int64_t)STEP_MAX_MS);
}

/* Just below a limit that stays where it is. */
static bool holds(const struct adapt *a, int64_t now)
{
	return now < a->hold_until_ms && a->rate >= a->wall_rate / 100 * 97;
}

/* Slowly where trouble came; quickly below that, and above it, where it has moved away.  A wall of
 * a named length is dear, so more has to go well before it counts as moved. */
static void grow_rate(struct adapt *a, const struct adapt_bounds *b, bool pressed, int64_t now)
{
	const int64_t known = a->rate_known, beyond = known / 100 * (a->named_ms ? 110 : 102);
	const bool near = a->rate * 10 >= known * 9 && a->rate <= beyond;

	if (!pressed) {
		a->step_ms = MAX_OF(a->step_ms, now - step_after_ms(a) / 2);
		return;
	}
	if (holds(a, now) || now - a->step_ms < step_after_ms(a))
		return;
	a->step_ms = now;
	if (a->rate > beyond)
		a->level = a->agree = 0;
	a->rate += a->rate / (near ? 100 : a->rate > known * 2 ? 6 : 16) + 1;
	if (a->rate > known * 16 || (b->rate_most && a->rate >= b->rate_most))
		a->rate = a->rate_known = 0;
}

static void open_again(struct adapt *a, int64_t now)
{
	a->closed_until_ms = 0;
	a->proven = 0;
	a->open_n = 0;
	a->open_ms = now;
}

void adapt_good(struct adapt *a, const struct adapt_bounds *b, unsigned n, bool pressed,
		int64_t now)
{
	if (adapt_closed(a, now)) { /* it was on its way before */
		note_delivered(a, n, pressed, now);
		return;
	}
	if (a->closed_until_ms)
		open_again(a, now);
	a->open_n += n;
	a->good_ms = now;
	a->run = 0;
	a->proven = MIN_OF(a->proven + n, (unsigned)PROVEN);
	if (a->proven >= PROVEN)
		a->pause_ms = 0;
	note_share(a, false, n);
	note_delivered(a, n, pressed, now);
	calm_down(a, now);
	if (pressed)
		grow_window(a, b, MIN_OF(n, a->window)); /* many may have come together */
	if (a->rate)
		grow_rate(a, b, pressed, now);
}

void adapt_answered(struct adapt *a, int64_t now)
{
	if (adapt_probes(a, now))
		open_again(a, now);
	a->run = 0;
	note_share(a, false, 1);
}

unsigned adapt_patience(const struct adapt *a, const struct adapt_bounds *b)
{
	if (a->closed_until_ms || a->run || a->rate || a->pause_ms)
		return 1;
	if (a->window >= b->most)
		return 64;
	return a->window < a->threshold ? 1 : MIN_OF(a->window, 64u);
}

/* ---- trouble ----------------------------------------------------------------------------- */

static void harden(struct adapt *a, int64_t now)
{
	if (a->level < USUAL_LEVEL)
		a->level++;
	a->level_ms = now;
}

static void set_window(struct adapt *a, const struct adapt_bounds *b, unsigned window)
{
	a->window = MIN_OF(MAX_OF(window, b->floor), b->most);
	a->threshold = a->window;
	a->earned = 0;
}

static void set_rate(struct adapt *a, const struct adapt_bounds *b, int64_t known, int64_t rate)
{
	a->rate_known = MAX_OF(known, b->rate_floor);
	a->rate = MAX_OF(rate, MAX_OF(b->rate_floor, (int64_t)1));
	if (b->rate_most && a->rate >= b->rate_most)
		a->rate = a->rate_known = 0;
}

static void cut(struct adapt *a, const struct adapt_bounds *b, int64_t now)
{
	bool lone = a->share < LONE;
	int64_t from = came_at(a, a->rate, now), keep = WHOLE - 2 * (int64_t)a->share;

	keep = MIN_OF(MAX_OF(keep, (int64_t)WHOLE / 4), (int64_t)WHOLE * 9 / 10);
	a->round = a->window;
	a->answers = 0;
	a->cut_ms = now;
	a->step_ms = now;
	if (lone) {
		set_window(a, b, a->window - a->window / 8);
		if (a->rate)
			set_rate(a, b, a->rate, a->rate - a->rate / 20);
	} else {
		set_window(a, b, (unsigned)((int64_t)a->window * keep / WHOLE));
		if (from)
			set_rate(a, b, from, from * keep / WHOLE);
		a->share /= 2;
	}
	if (!lone || a->rate)
		harden(a, now);
}

/* What came through since the last wall, soon after it, is what a pause is good for. */
static int64_t quota(const struct adapt *a, int64_t from, int64_t pause, int64_t now)
{
	int64_t open = now - a->open_ms;

	if (a->open_n < QUOTA_MESSAGES || open >= 4 * pause)
		return from;
	return MIN_OF(from, per_day(a->open_n, MAX_OF(open, pause)));
}

/* It is still closed: what came through before has to do for all of that time. */
static void learn_quota(struct adapt *a, const struct adapt_bounds *b, int64_t now)
{
	int64_t rate = per_day(a->open_n, now - a->open_ms);

	if (a->open_n < QUOTA_MESSAGES || a->rate <= rate)
		return;
	set_rate(a, b, rate, rate / 8 * 7);
}

/* Do walls come at the same rate, one after the other? */
static void note_agreement(struct adapt *a, int64_t from)
{
	int64_t other = a->wall_rate - from;

	if (a->wall_rate && MAX_OF(other, -other) <= from / 32)
		a->agree++;
	else
		a->agree = 0;
	a->wall_rate = from;
}

/* A quota that says when to come again and stays where it is: just below it, and for long. */
static void learn_named(struct adapt *a, const struct adapt_bounds *b, int64_t from, int64_t now)
{
	note_agreement(a, from);
	if (a->agree < AGREE) {
		set_rate(a, b, from, from / 16 * 15);
		return;
	}
	set_rate(a, b, from, from / 50 * 49);
	a->hold_until_ms =
	    now + MIN_OF((int64_t)HOLD_MS << MIN_OF(a->agree - AGREE, 8u), (int64_t)HOLD_MAX_MS);
}

static void close_for(struct adapt *a, const struct adapt_bounds *b, int64_t named_ms, int64_t now)
{
	bool probing = a->closed_until_ms != 0;
	int64_t from = came_at(a, a->run_rate, now), pause;

	pause =
	    a->pause_ms ? MIN_OF(a->pause_ms * 2, (int64_t)ADAPT_PAUSE_MAX_MS) : ADAPT_PAUSE_MIN_MS;
	a->pause_ms = pause;
	a->closed_until_ms = now + MAX_OF(pause, MIN_OF(named_ms, (int64_t)ADAPT_NAMED_MAX_MS));
	a->run = 0;
	a->cut_ms = a->step_ms = now;
	a->answers = 0;
	if (probing) {
		learn_quota(a, b, now);
		return;
	}
	a->threshold = MAX_OF(a->window / 2, b->floor);
	a->window = MIN_OF(b->floor, b->most);
	a->round = a->window;
	a->earned = 0;
	a->share /= 2;
	a->named_ms = named_ms >= DEAR_MS ? MIN_OF(named_ms, (int64_t)STEP_MAX_MS) : 0;
	from = quota(a, from, MAX_OF(pause, a->named_ms), now);
	a->hold_until_ms = 0;
	if (from && named_ms >= DEAR_MS)
		learn_named(a, b, from, now);
	else if (from)
		set_rate(a, b, from, from / 8 * 7);
	harden(a, now);
	if (named_ms >= DEAR_MS)
		a->level = MIN_OF(a->level + 2, (unsigned)ADAPT_LEVEL_MAX);
}

bool adapt_bad(struct adapt *a, const struct adapt_bounds *b, int64_t named_ms, int64_t now)
{
	if (adapt_closed(a, now))
		return false;
	note_share(a, true, 1);
	if (a->run == 0)
		a->run_rate = a->rate;
	if (++a->run >= RUN_OF_TROUBLE)
		a->share = MAX_OF(a->share, (unsigned)WHOLE / 4);
	if (adapt_probes(a, now) || a->run >= ADAPT_WALL_RUN ||
	    (a->run >= ADAPT_WALL_RUN_NAMED && named_ms >= DEAR_MS) ||
	    (a->run >= ADAPT_WALL_RUN_SLOW && now - a->good_ms >= 1000)) {
		close_for(a, b, named_ms, now);
		return true;
	}
	if (a->answers > a->round || now - a->cut_ms >= FRESH_ROUND_MS)
		cut(a, b, now);
	return false;
}

bool adapt_refused(struct adapt *a, const struct adapt_bounds *b, int64_t named_ms, int64_t now)
{
	if (a->run == 0)
		a->run_rate = a->rate;
	a->run += DOOR_RUN;
	return adapt_bad(a, b, named_ms, now);
}

/* That many are let in; one more is tried now and then. */
void adapt_crowded(struct adapt *a, const struct adapt_bounds *b, unsigned had, bool slows,
		   int64_t now)
{
	if (adapt_closed(a, now) || had >= a->window)
		return;
	set_window(a, b, MAX_OF(had, 1u));
	if (!slows && a->level >= CROWD_LEVEL)
		return;
	a->level = MAX_OF(a->level, MIN_OF(a->level + 1, (unsigned)SLOWS_LEVEL));
	a->level_ms = now;
}

/* ---- forgetting -------------------------------------------------------------------------- */

/* The length of a pause, and where trouble came, count half as much each day. */
void adapt_fade(struct adapt *a, const struct adapt_bounds *b, int64_t age_ms, int64_t now)
{
	int64_t days = age_ms / day_ms;

	if (days >= ADAPT_FORGET_DAYS) {
		adapt_begin(a, b, now);
		return;
	}
	a->share = a->run = a->answers = a->agree = 0;
	a->hold_until_ms = 0;
	a->level -= (unsigned)MIN_OF(age_ms / LEVEL_MS, (int64_t)a->level);
	a->rate <<= days;
	a->rate_known <<= days;
	a->pause_ms >>= days;
	if (b->rate_most && a->rate >= b->rate_most)
		a->rate = a->rate_known = 0;
	if (a->threshold != UINT32_MAX)
		a->threshold = (unsigned)MIN_OF((int64_t)a->threshold << days, (int64_t)b->most);
	a->window = MIN_OF(MAX_OF(a->window, b->floor), b->most);
}
