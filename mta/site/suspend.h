/* mta/site/suspend.h - sources that a provider refuses: left alone for a while, then tried with one
 * message before the rest follow.
 *
 * A reply that says that our address is blocked counts against the source at the provider (at the
 * site, when it belongs to none); a delivery from it there makes up for all of them.  With
 * SUSPEND_STRIKES of them the source is suspended there for as long as the rule of the reply says,
 * twice as long each time that the message after it is refused too, up to eight times.  Mail then
 * leaves from other sources of its pool, or waits; nobody is bounced, and the site is not blamed.
 *
 * A suspension is a rule of the spool and so survives a restart:
 *
 *	suspend/<source>/<provider or site>    value: <until> SP <times> SP <why>   (empty: ended)
 *
 * Owns:    nothing; what is known stands in struct source_limits (mta/site/limits.h).
 * Threads: the lane's, but suspend_changed(), which is any's; what is shared is atomic. */
#pragma once
#include "mta/site/channel.h"

enum { SUSPEND_STRIKES = 3 };

/* Where a source is suspended: the site's provider, or the site. */
struct site_limits *suspend_scope(const struct site *site);
/* What is known of the source there. */
struct source_limits *suspend_entry(const struct site *site, const struct ip *source);
bool suspend_holds(const struct source_limits *e); /* nothing may be sent now */
/* The pause is over, and a message has to show whether the rest may follow. */
bool suspend_tries(const struct source_limits *e);
/* An order says that nothing may leave from it there; text may be NULL, else RULE_TEXT_MAX. */
bool suspend_ordered(const struct pool *p, const struct ip *source, char *text);
/* When its suspension there ends, in milliseconds from now. */
int64_t suspend_left_ms(const struct site *site, const struct ip *source);

/* The host says that our address is blocked: for_ms is the rule's time, why the rule and the reply.
 * certain: it said so before it heard of any message, so one reply is enough. */
void suspend_refused(struct channel *ch, int64_t for_ms, struct slice why, bool certain);
void suspend_delivered(struct channel *ch);

/* A rule of the spool was written and is durable, or is there at the start. */
void suspend_changed(struct limits *l, struct slice rule_key, struct slice rule_value);
int suspend_check(struct slice rule_key, struct slice rule_value) MUST_CHECK;
