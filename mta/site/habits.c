/* mta/site/habits.c - what was found out about a host, and for how long it counts. */
#include "mta/site/habits.h"

#include "mta/smtp/ehlo.h"

enum { COUNTS_MS = 24 * 3600 * 1000 };

static bool is_fresh(int64_t *until_ms, int64_t now_ms)
{
	bool fresh = *until_ms <= now_ms;

	*until_ms = now_ms + COUNTS_MS;
	return fresh;
}

static void note_good(struct habits *h, const struct txn *t)
{
	h->pipelines = h->pipelines || t->pipelined;
	h->chunks = h->chunks || t->chunked;
}

enum habits_news habits_note(struct habits *h, const struct txn *t, int64_t now_ms)
{
	enum habits_news news = HABITS_NO_NEWS;

	note_good(h, t);
	if (t->no_chunks) {
		h->chunks = false;
		if (is_fresh(&h->no_chunks_until_ms, now_ms))
			news = HABITS_NO_CHUNKS;
	}
	if (t->lock_step) {
		h->pipelines = false;
		if (is_fresh(&h->lock_step_until_ms, now_ms))
			news = HABITS_LOCK_STEP;
	}
	if (t->rcpts_taken) {
		h->rcpts_most = t->rcpts_taken;
		h->rcpts_until_ms = now_ms + COUNTS_MS;
	}
	return news;
}

const char *habits_news_event(enum habits_news news)
{
	return news == HABITS_LOCK_STEP ? "host.lock-step" : "host.no-chunks";
}

unsigned habits_ignore(const struct habits *h, int64_t now_ms)
{
	return (h->lock_step_until_ms > now_ms ? (unsigned)EHLO_PIPELINING : 0) |
	       (h->no_chunks_until_ms > now_ms ? (unsigned)EHLO_CHUNKING : 0);
}

unsigned habits_rcpts(const struct habits *h, int64_t now_ms, unsigned most)
{
	return h->rcpts_until_ms > now_ms ? MIN_OF(h->rcpts_most, most) : most;
}
