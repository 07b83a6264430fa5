/* mta/door/timer.h - timers of one lane.  They are our own, so that thousands of sessions can move
 * their deadlines at the cost of a store, and so that a simulated clock drives the same code.
 * A timer is a member of its object.  timer_set() on a running timer moves it.  fire() may free the
 * object that holds the timer only at the end of the loop turn.
 * Owns:    nothing.
 * Threads: one lane's.
 * Limits:  a resolution of 1 ms. */
#pragma once
#include "base/list.h"

struct timers;
struct timers *timers_free(struct timers *t);
DEFINE_OWNED(timers)
struct timers *timers_new(int64_t now_ms);

struct timer {
	struct list link;
	int64_t at_ms; /* clock_mono_ms */
	void (*fire)(struct timer *t);
};
static inline void timer_init(struct timer *t, void (*fire)(struct timer *))
{
	list_init(&t->link);
	t->at_ms = 0;
	t->fire = fire;
}
void timer_set(struct timers *ts, struct timer *t, int64_t after_ms);
void timer_stop(struct timers *ts, struct timer *t); /* harmless when it is not running */
static inline bool timer_running(const struct timer *t)
{
	return !list_empty(&t->link);
}
/* Fires what is due; gives the milliseconds until the next one, -1 when there is none. */
int64_t timers_run(struct timers *ts, int64_t now_ms);
int64_t timers_next(const struct timers *ts); /* the same without firing; never too late */
int64_t timers_now(const struct timers *ts);  /* the loop turn's time */
