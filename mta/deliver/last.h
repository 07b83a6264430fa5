/* mta/deliver/last.h - what the last try of a deferred recipient ended with, for the day its life
 * is over: whoever hears "too old" wants to know why.
 * Owns:   copies of the texts, cut at LAST_TEXT_MAX bytes.
 * Limits: the LAST_MAX recipients deferred last, of one lane; not kept over a restart. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "spool/spool.h"

enum { LAST_MAX = 16384, LAST_TEXT_MAX = 320 };

struct last_replies {
	struct map map;
	struct list age; /* the oldest first */
	unsigned n;
};
void last_init(struct last_replies *l);
void last_end(struct last_replies *l);
/* Replaces what was kept of this recipient. */
void last_keep(struct last_replies *l, const struct outcome *o);
void last_forget(struct last_replies *l, job_no job, uint32_t row);
/* "" when nothing is kept; valid until the next call that changes something. */
struct slice last_text(const struct last_replies *l, job_no job, uint32_t row);
/* "at mx.test: 452 4.2.2 mailbox full"; buf holds LAST_TEXT_MAX bytes. */
struct slice last_format(const struct outcome *o, char *buf);
