/* mta/site/habits.c - what was found out about a host, and for how long it counts. */
#include "mta/site/habits.h"

enum { COUNTS_MS = 24 * 3600 * 1000 };

bool habits_note(struct habits *h, const struct txn *t, int64_t now_ms)
{
	bool news = t->lock_step && !habits_lock_step(h, now_ms);

	if (t->pipelined)
		h->pipelines = true;
	if (t->lock_step) {
		h->pipelines = false;
		h->lock_step_until_ms = now_ms + COUNTS_MS;
	}
	if (t->rcpts_taken) {
		h->rcpts_most = t->rcpts_taken;
		h->rcpts_until_ms = now_ms + COUNTS_MS;
	}
	return news;
}

bool habits_lock_step(const struct habits *h, int64_t now_ms)
{
	return h->lock_step_until_ms > now_ms;
}

unsigned habits_rcpts(const struct habits *h, int64_t now_ms, unsigned most)
{
	return h->rcpts_until_ms > now_ms ? MIN_OF(h->rcpts_most, most) : most;
}
