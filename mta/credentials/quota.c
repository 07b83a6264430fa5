/* mta/credentials/quota.c - two windows of a credential. */
#include "mta/credentials/quota.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

struct quota *quota_new(void)
{
	struct quota *q = must_alloc(sizeof(*q));

	atomic_init(&q->refs, 1);
	pthread_mutex_init(&q->lock, NULL);
	return q;
}

struct quota *quota_ref(struct quota *q)
{
	atomic_fetch_add(&q->refs, 1);
	return q;
}

struct quota *quota_unref(struct quota *q)
{
	if (q && atomic_fetch_sub(&q->refs, 1) == 1) {
		pthread_mutex_destroy(&q->lock);
		free(q);
	}
	return NULL;
}

static void move_on(struct quota_window *w, int64_t length, int64_t now_ms)
{
	int64_t passed = now_ms - w->begin_ms;

	if (passed >= 0 && passed < length)
		return;
	w->before = passed >= length && passed < 2 * length ? w->now : 0;
	w->now = 0;
	w->begin_ms = now_ms - (passed >= 0 ? passed % length : 0);
}

static uint64_t used(struct quota_window *w, int64_t length, int64_t now_ms, int64_t *ret_left)
{
	move_on(w, length, now_ms);
	*ret_left = length - (now_ms - w->begin_ms);
	return w->now + w->before * (uint64_t)(*ret_left / 1000) / (uint64_t)(length / 1000);
}

static int64_t ask(struct quota_window *w, uint64_t limit, int64_t length, int64_t now_ms)
{
	int64_t left;

	if (used(w, length, now_ms, &left) < limit || !limit)
		return 0;
	return MAX_OF(left, 1);
}

int64_t quota_ask(struct quota *q, const struct quota_limits *l, int64_t now_ms, bool count)
{
	int64_t hour, day;

	pthread_mutex_lock(&q->lock);
	hour = ask(&q->hour, l->hour, HOUR_MS, now_ms);
	day = ask(&q->day, l->day, DAY_MS, now_ms);
	if (count && !hour && !day) {
		q->hour.now++;
		q->day.now++;
	}
	pthread_mutex_unlock(&q->lock);
	return MAX_OF(hour, day);
}

struct quota_limits quota_used(struct quota *q, int64_t now_ms)
{
	struct quota_limits l;
	int64_t left;

	pthread_mutex_lock(&q->lock);
	l.hour = used(&q->hour, HOUR_MS, now_ms, &left);
	l.day = used(&q->day, DAY_MS, now_ms, &left);
	pthread_mutex_unlock(&q->lock);
	return l;
}

void quota_windows(struct quota *q, struct quota_window *ret_hour, struct quota_window *ret_day)
{
	pthread_mutex_lock(&q->lock);
	*ret_hour = q->hour;
	*ret_day = q->day;
	pthread_mutex_unlock(&q->lock);
}

/* A clock that went back leaves no count that would never end. */
static struct quota_window sound(const struct quota_window *w, int64_t now_ms)
{
	enum { MOST = 1000 * 1000 * 1000 };

	if (w->begin_ms < 0 || w->begin_ms > now_ms)
		return (struct quota_window){ 0 };
	return (struct quota_window){ w->begin_ms, MIN_OF(w->now, (uint64_t)MOST),
				      MIN_OF(w->before, (uint64_t)MOST) };
}

void quota_restore(struct quota *q, const struct quota_window *hour, const struct quota_window *day,
		   int64_t now_ms)
{
	pthread_mutex_lock(&q->lock);
	q->hour = sound(hour, now_ms);
	q->day = sound(day, now_ms);
	pthread_mutex_unlock(&q->lock);
}
