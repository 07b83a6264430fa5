/* mta/shadow/shadow.h - a spool's log run again under other shapes and rules: what would have been
 * sent, deferred and suspended, which replies mean something else, and when the queue would have
 * been empty.  It sends nothing and changes nothing.
 *
 * How:     each recipient gets the replies that the log has of it, in their order, at the times
 *          that the shapes, the rules and adaptive control (mta/site/adapt.h) give.  A provider is
 *          as fast as it was at its best, for each connection; a recipient whose replies are used
 *          up while it would be tried again is `open`: nobody knows what it would have been told.
 * Owns:    shadow_new() gives; shadow_free() takes.  Shapes and rules stay the caller's.
 * Fails:   shadow_event(): E_LIMIT past SHADOW_REPLIES_MAX outcomes.
 * Threads: one.
 * Limits:  options of mta.conf(5) count with their defaults; live orders count as the file that is
 *          given has them.  Who has no provider is grouped by the name of the mail host; groups
 *          past SHADOW_GROUPS_MAX are one.  About 60 bytes per outcome and 60 per recipient. */
#pragma once
#include "base/tree.h"
#include "message/judge/judge.h"
#include "mta/shape/shapes.h"
#include "spool/spool.h"

enum { SHADOW_REPLIES_MAX = 8 << 20, SHADOW_GROUPS_MAX = 4096, SHADOW_CHANGES_MAX = 256 };

/* The shapes that the engine has built in; error holds OPTION_ERROR_MAX bytes. */
int shadow_builtin(struct shapes *shapes, char *error) MUST_CHECK;

struct shadow;
struct shadow *shadow_free(struct shadow *s);
DEFINE_OWNED(shadow)
/* from_ms: what was recorded before is passed over; 0: nothing is. */
struct shadow *shadow_new(const struct shapes *shapes, const struct judge *judge, int64_t from_ms);
/* In the order of the log. */
int shadow_event(struct shadow *s, const struct event *e) MUST_CHECK;
void shadow_run(struct shadow *s); /* after the last event, once */

/* One reply that means something else under these rules. */
struct shadow_change {
	enum judge_class from, to;
	uint64_t replies;
	char rule[2 * JUDGE_NAME_MAX], example[160];
};
struct shadow_group {
	char name[80];
	uint64_t recipients;
	/* As recorded; last_ms: when the last of them ended. */
	uint64_t was_attempts, was_delivered, was_deferred, was_bounced, was_expired;
	int64_t first_ms, was_last_ms;
	/* Under these. */
	uint64_t attempts, delivered, deferred, bounced, expired, open;
	uint64_t suspensions, walls;
	int64_t suspended_ms, drained_ms; /* how long in all; when the last one ended */
	double best;                      /* answers per ms and connection, as recorded */
};
/* NULL past the last. */
const struct shadow_group *shadow_group(const struct shadow *s, unsigned i);
const struct shadow_change *shadow_change(const struct shadow *s, unsigned i);
struct shadow_sums {
	uint64_t events, accepted, replies, same, changed;
};
struct shadow_sums shadow_sums(const struct shadow *s);
/* The whole, as values. */
void shadow_report(const struct shadow *s, struct branch *out);
