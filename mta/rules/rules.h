/* mta/rules/rules.h - standing orders of the operator and of the control plane.  They are rules of
 * the spool, held in memory and shared by the lanes.
 *
 *	hold/<selector>            value: who and why; matching recipients stay queued, untried
 *	cancel/<selector>          value: why; matching recipients end as cancelled
 *	move/<selector>            value: <pool> [SP <why>]; matching mail leaves from that pool;
 *	                           all, a tenant or a campaign, of which the narrowest counts
 *	life/campaign/<n>          value: milliseconds since 1970 until which its recipients are
 *	                           tried, in place of what their jobs say
 *
 * Owns:    copies of selectors and texts.
 * Threads: any; readers share a lock, and take none while no rule of the kind they ask for exists.
 * Limits:  the spool bounds selectors and texts. */
#pragma once
#include "mta/core/part.h"
#include "mta/rules/selector.h"

struct rules;
struct rules *rules_free(struct rules *r);
DEFINE_OWNED(rules)
struct rules *rules_new(void);

extern const struct part rules_part;
struct rules *rules_of(struct engine *e);
/* A rule was written to the spool and is durable.  It is in effect when this returns, and the lanes
 * are told.  An empty value removes it.  Any thread. */
void rules_changed(struct engine *e, struct slice key, struct slice value);

enum rule_kind { RULE_HOLD, RULE_CANCEL, RULE_MOVE, RULE_KINDS };

/* Takes in one rule of the spool; an empty value removes it.  True: lanes must look at their queues
 * again.  Other keys are ignored. */
bool rules_set(struct rules *r, struct slice key, struct slice value);
/* 0: rules_set() understands the key; else E_SYNTAX. */
int rules_check_key(struct slice key) MUST_CHECK;

struct rule_subject {
	uint64_t tenant, campaign;
	struct slice domain;
	struct id128 job;
	uint32_t row;
};
#define SELECTS(kind) (1u << (kind))
enum {
	SELECTS_FLOW = 1 << SELECT_ALL | 1 << SELECT_TENANT | 1 << SELECT_CAMPAIGN,
	SELECTS_ALL = 63
};
/* Does a rule match whose selector is one of `selects`?  text (may be NULL) gets its "selector:
 * reason", cut to cap. */
bool rules_match(struct rules *r, enum rule_kind kind, unsigned selects,
		 const struct rule_subject *s, char *text, size_t cap);
/* The pool that this mail was moved to; false: none, and pool is as it was. */
bool rules_moved(struct rules *r, const struct rule_subject *s, char *pool, size_t cap);
/* Which kinds of selector the rules of this kind use; 0: there are no rules. */
unsigned rules_selects(const struct rules *r, enum rule_kind kind);
/* Until when recipients of a campaign are tried, by the wall clock.  False: no order says so. */
bool rules_life(struct rules *r, uint64_t campaign, int64_t *ret_ms);
bool rules_have_lives(const struct rules *r);
