/* mta/rules/rules.h - standing orders of the operator and of the control plane.  They are rules of
 * the spool, held in memory and shared by the lanes.
 *
 *	order/<id>                 value: an order (mta/rules/order.h)
 *	hold/<selector>            value: who and why; matching recipients stay queued, untried
 *	cancel/<selector>          value: why; matching recipients end as cancelled
 *	move/<selector>            value: <pool> [SP <why>]; matching mail leaves from that pool;
 *	                           all, a tenant or a campaign, of which the narrowest counts
 *	life/campaign/<n>          value: milliseconds since 1970 until which its recipients are
 *	                           tried, in place of what their jobs say
 *
 * hold/, cancel/ and move/ are the control plane's, and the operator's of before there were orders.
 * Their selector is one term: all, tenant, campaign, domain, job or rcpt.  They hold whatever an
 * order releases.
 *
 * Owns:    copies of selectors and texts.
 * Threads: any; readers share a lock, and take none while no rule of the kind they ask for exists.
 * Limits:  ORDERS_MAX orders in force; the spool bounds selectors and texts. */
#pragma once
#include <stdatomic.h>

#include "mta/core/part.h"
#include "mta/core/slots.h"
#include "mta/rules/order.h"
#include "mta/rules/selector.h"

enum { ORDERS_MAX = 512, RULE_TEXT_MAX = SELECTOR_TEXT_MAX + 300 };

struct rules;
struct rules *rules_free(struct rules *r);
DEFINE_OWNED(rules)
struct rules *rules_new(void);

extern const struct part rules_part;
struct rules *rules_of(struct engine *e);
/* A rule was written to the spool and is durable.  It is in effect when this returns, and the lanes
 * are told.  An empty value removes it.  Any thread. */
void rules_changed(struct engine *e, struct slice key, struct slice value);

enum rule_kind { RULE_HOLD, RULE_CANCEL, RULE_MOVE, RULE_CAP, RULE_SOURCE, RULE_KINDS };

/* Takes in one rule of the spool; an empty value removes it.  True: lanes must look at their queues
 * again.  Other keys are ignored. */
bool rules_set(struct rules *r, struct slice key, struct slice value);
/* 0: rules_set() understands the key, and a client of the link may set it; else E_SYNTAX. */
int rules_check_key(struct slice key) MUST_CHECK;

/* The keys that selectors of this kind have, and RULES_ANY; 0: there are no rules of it. */
#define RULES_ANY (1u << 31)
unsigned rules_keys(const struct rules *r, enum rule_kind kind);
/* Is it held?  text (may be NULL, else RULE_TEXT_MAX) gets "selector: reason".  What the subject
 * does not know makes no hold, and is no release. */
bool rules_hold(struct rules *r, const struct subject *s, char *text);
/* Is it to end at once?  text likewise; *ret_bounce: not as cancelled but as bounced, with this
 * text. */
bool rules_end(struct rules *r, const struct subject *s, bool *ret_bounce, char *text);
/* The pool that it was moved to; false: none, and pool is as it was. */
bool rules_moved(struct rules *r, const struct subject *s, char *pool, size_t cap);
/* Nothing may leave from this source there. */
bool rules_source_rests(struct rules *r, const struct subject *s, char *text);
/* Until when recipients of a campaign are tried, by the wall clock.  False: no order says so. */
bool rules_life(struct rules *r, uint64_t campaign, int64_t *ret_ms);
bool rules_have_lives(const struct rules *r);

/* Counts whenever an order or a rule changes. */
unsigned rules_generation(const struct rules *r);

/* ---- caps -------------------------------------------------------------------------------- */

/* What an order of the kind cap lets through, counted for all lanes together; it lives as long as
 * the rules. */
struct rule_cap {
	struct rule_cap *next;
	uint64_t id;
	_Atomic int64_t per_day, connections; /* 0: no limit */
	_Atomic int64_t pace;                 /* GCRA, as mta/site/limits.h has it */
	slot_count connections_open;          /* that carry such mail, or are opened for it */
	_Atomic int64_t wanted_ms;            /* monotonic: when somebody last found no seat */
	/* Who gave a seat up because others wanted it (mta/site/caps.c), and when. */
	_Atomic uintptr_t given_up_by;
	_Atomic int64_t given_up_ms;
};
enum { RULE_CAPS_MAX = 8 };
/* Those that bind it: at most RULE_CAPS_MAX, the latest first. */
unsigned rules_caps(struct rules *r, const struct subject *s, struct rule_cap **ret);
/* Does a cap name this domain? */
bool rules_caps_domain(struct rules *r, struct slice domain);

/* ---- for those who ask why --------------------------------------------------------------- */

/* What an order says.  since_ms: when it was given, 0: not known; until_ms: its end, 0: it has none
 * of its own. */
struct rule_told {
	char text[RULE_TEXT_MAX];
	int64_t since_ms, until_ms;
};
/* As rules_hold(). */
bool rules_hold_told(struct rules *r, const struct subject *s, struct rule_told *ret);
bool rules_cap_told(struct rules *r, uint64_t id, struct rule_told *ret);
/* Each order in force that names some of the mail of a place, which is a selector of providers,
 * sites and sources: it has a term of the place's, or is about all, and none that says otherwise.
 * The lock is held meanwhile. */
void rules_each_at(struct rules *r, const struct selector *place,
		   void (*each)(void *arg, const struct order *o), void *arg);
