/* A wheel of eight levels of 64 slots; a slot of level n is 64^n ms wide: times up to 2^48 ms.
 *	level(t) = the highest 6-bit digit in which t and `turned` differ; slot(t) = that digit of t
 * An invariant: a filed timer's slot starts after `turned` and not after the timer's at_ms.  So
 * moving a timer to later is a store: its slot comes due early, finds at_ms still ahead and files
 * it again.  One bit per slot says which are in use, so a jump of days costs only the timers it
 * fires. */
#include "mta/door/timer.h"

enum { DIGIT_BITS = 6, SLOTS = 1 << DIGIT_BITS, LEVELS = 8 };
#define TIME_MAX ((1LL << (DIGIT_BITS * LEVELS)) - 1)

struct timers {
	int64_t now, turned;   /* the loop turn's time; how far the wheel was turned */
	struct list due;       /* set with nothing to wait for: fire at the next run */
	uint64_t used[LEVELS]; /* bit k: slot[level][k] may hold timers */
	struct list slot[LEVELS][SLOTS];
};

struct timers *timers_new(int64_t now_ms)
{
	struct timers *ts = must_alloc(sizeof(*ts));

	ts->now = ts->turned = now_ms;
	list_init(&ts->due);
	for (int i = 0; i < LEVELS; i++)
		for (int k = 0; k < SLOTS; k++)
			list_init(&ts->slot[i][k]);
	return ts;
}

struct timers *timers_free(struct timers *ts)
{
	free(ts);
	return NULL;
}

int64_t timers_now(const struct timers *ts)
{
	return ts->now;
}

static unsigned digit(int64_t t, unsigned level)
{
	return (unsigned)((uint64_t)t >> (level * DIGIT_BITS)) % SLOTS;
}

static void file_timer(struct timers *ts, struct timer *t)
{
	int64_t at = MIN_OF(t->at_ms, TIME_MAX);
	unsigned level, k;

	if (at <= ts->turned) {
		list_push(&ts->due, &t->link);
		return;
	}
	level = (63 - (unsigned)__builtin_clzll((uint64_t)(at ^ ts->turned))) / DIGIT_BITS;
	k = digit(at, level);
	list_push(&ts->slot[level][k], &t->link);
	ts->used[level] |= 1ULL << k;
}

/* Takes the timer off its list; the slot's bit goes with the last one. */
static void unfile_timer(struct timers *ts, struct timer *t)
{
	struct list *head = t->link.prev, *first = &ts->slot[0][0];
	bool last = head == t->link.next;

	list_remove(&t->link);
	if (last && head >= first && head < first + LEVELS * SLOTS) {
		size_t i = (size_t)(head - first);

		ts->used[i / SLOTS] &= ~(1ULL << i % SLOTS);
	}
}

void timer_set(struct timers *ts, struct timer *t, int64_t after_ms)
{
	int64_t old = t->at_ms;

	t->at_ms = ts->now + MAX_OF(after_ms, 0);
	if (timer_running(t)) {
		if (t->at_ms >= old)
			return;
		unfile_timer(ts, t);
	}
	file_timer(ts, t);
}

void timer_stop(struct timers *ts, struct timer *t)
{
	if (timer_running(t))
		unfile_timer(ts, t);
}

/* Start of the first slot in use; false when the wheel is empty.  Lower levels come first because
 * all their slots lie before the next slot of the level above. */
static bool first_slot(const struct timers *ts, int64_t *ret_start, unsigned *ret_level)
{
	for (unsigned level = 0; level < LEVELS; level++) {
		unsigned shift = level * DIGIT_BITS;

		if (!ts->used[level])
			continue;
		*ret_start = (int64_t)(((uint64_t)ts->turned >> (shift + DIGIT_BITS))
				       << (shift + DIGIT_BITS)) +
			     ((int64_t)__builtin_ctzll(ts->used[level]) << shift);
		*ret_level = level;
		return true;
	}
	return false;
}

static void fire_list(struct timers *ts, struct list *from)
{
	struct list now;
	struct list *l;

	if (list_empty(from))
		return;
	list_push(from, &now);
	list_remove(from);
	while ((l = list_pop(&now))) {
		struct timer *t = container_of(l, struct timer, link);

		if (t->at_ms <= ts->turned)
			t->fire(t);
		else
			file_timer(ts, t);
	}
}

int64_t timers_next(const struct timers *ts)
{
	int64_t start;
	unsigned level;

	if (!list_empty(&ts->due))
		return 0;
	if (!first_slot(ts, &start, &level))
		return -1;
	return MAX_OF(start - ts->now, 0);
}

int64_t timers_run(struct timers *ts, int64_t now_ms)
{
	int64_t start;
	unsigned level;

	ts->now = MAX_OF(ts->now, now_ms);
	fire_list(ts, &ts->due);
	while (first_slot(ts, &start, &level) && start <= ts->now) {
		unsigned k = digit(start, level);

		ts->turned = start;
		ts->used[level] &= ~(1ULL << k);
		fire_list(ts, &ts->slot[level][k]);
	}
	ts->turned = ts->now;
	return timers_next(ts);
}
