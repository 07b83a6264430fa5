/* mta/inspect/why.h - why a recipient is not delivered yet: the chain of reasons on one lane, the
 * nearest first.
 * Owns:    nothing; a reason is valid during the callback.
 * Threads: call on the lane's own thread.
 * Limits:  a job's first recipient on the lane stands for the job; of a group WHY_PLACES sites and
 *          pools are told of, and INSPECT_MAX recipients are looked at. */
#pragma once
#include "mta/core/engine.h"
#include "mta/rules/selector.h"

enum { WHY_TEXT_MAX = 384, WHY_PLACES = 8 };

/* One reason of the chain. */
struct why_reason {
	/* "hold", "cap", "in-flight", "retry", "waiting", "dns", "reply", "site-pause",
	 * "pool-pause", "suspension", "source-failed", "adaptive", "fallback", "tenant", "rate",
	 * "connections", "tenant-rate", "tenant-connections", "source-rate", "next" */
	const char *kind;
	char text[WHY_TEXT_MAX];
	int64_t until_ms;    /* wall clock; 0: until something changes */
	int64_t since_ms;    /* wall clock; 0: not known */
	const char *release; /* what would release it */
};
/* For a selector that is one rcpt, job or domain.  How many reasons were given; 0: nothing that the
 * selector names is on this lane. */
int why_tell(struct lane *l, const struct selector *s,
	     int (*each)(void *arg, const struct why_reason *r), void *arg);

/* What binds the mail of a tenant or campaign, at a provider, or from a source. */
enum why_of { WHY_TENANT, WHY_CAMPAIGN, WHY_PROVIDER, WHY_SOURCE };
struct why_group {
	enum why_of of;
	uint64_t number;  /* WHY_TENANT, WHY_CAMPAIGN */
	const char *name; /* WHY_PROVIDER, WHY_SOURCE */
};
/* "tenant/7", "campaign/9", "provider/gmail", "source/192.0.2.1"; the name points into text.
 * False: it is none of these. */
bool why_group_parse(const char *text, struct why_group *ret);
int why_group(struct lane *l, const struct why_group *g,
	      int (*each)(void *arg, const struct why_reason *r), void *arg);
