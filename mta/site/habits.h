/* mta/site/habits.h - what a host was found to do that it did not say: how many recipients it takes
 * in a transaction, and whether it can really do PIPELINING and CHUNKING.
 * Owns:   nothing; a member of struct host.
 * Limits: what was found counts for a day, then it is tried anew; it is not kept over a restart. */
#pragma once
#include "mta/smtp/session.h"

struct habits {
	bool pipelines, chunks;
	int64_t lock_step_until_ms, no_chunks_until_ms, rcpts_until_ms; /* monotonic */
	unsigned rcpts_most;
};

enum habits_news { HABITS_NO_NEWS, HABITS_LOCK_STEP, HABITS_NO_CHUNKS };
/* A transaction came back; news: what the host offers is not made use of from now on. */
enum habits_news habits_note(struct habits *h, const struct txn *t, int64_t now_ms);
const char *habits_news_event(enum habits_news news); /* for the log */
/* What the host offers in vain: EHLO_ bits (mta/smtp/ehlo.h). */
unsigned habits_ignore(const struct habits *h, int64_t now_ms);
/* How many recipients to send in one transaction, of `most`. */
unsigned habits_rcpts(const struct habits *h, int64_t now_ms, unsigned most);
