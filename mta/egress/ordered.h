/* mta/egress/ordered.h - what operators ordered of sources while the engine ran: addresses taken
 * out of use, and entries that no file has.  Orders are rules of the spool:
 *
 *	source-state/<address>        value: ("drain" | "disable") SP <since> SP <who and why>
 *	source-add/<pool>/<address>   value: <since> SP <ehlo> SP "weight=" N
 *	                              [SP "via=" <proxy>] SP "by" SP <who and why>
 *
 * <address> is "*" for the source without one; <since> is milliseconds since 1970.  An empty value
 * ends the order.
 * Owns:    copies of everything; an entry that was added lives until ordered_free().
 * Threads: any; a lock is taken at every call but ordered_generation().
 * Fails:   E_SYNTAX: the rule is not one of these; E_LIMIT: too many.
 * Limits:  ORDERED_MAX orders of each kind at a time, ORDERED_KNOWN_MAX entries since the
 *          start. */
#pragma once
#include "mta/egress/entry.h"

enum { ORDERED_MAX = 256, ORDERED_KNOWN_MAX = 4096, ORDERED_TEXT_MAX = 256 };

enum source_use { SOURCE_IN_USE, SOURCE_DRAINED, SOURCE_DISABLED };
struct ordered_order {
	enum source_use use;
	int64_t since_ms;
	char why[ORDERED_TEXT_MAX]; /* who and why */
};
struct ordered;
struct ordered *ordered_new(void);
struct ordered *ordered_free(struct ordered *s); /* takes NULL, gives NULL */
/* Takes in one rule; other keys are E_SYNTAX. */
int ordered_set(struct ordered *s, struct slice rule_key, struct slice rule_value) MUST_CHECK;
int ordered_check(struct slice rule_key, struct slice rule_value) MUST_CHECK; /* changes nothing */
/* Grows with every change. */
unsigned ordered_generation(const struct ordered *s);
/* What was ordered of the address; SOURCE_IN_USE: nothing. */
struct ordered_order ordered_of(struct ordered *s, const struct ip *ip);
/* The entries that were added; *ret gets at most ORDERED_MAX.  How many. */
struct ordered_added {
	const struct egress_source *entry;
	int64_t since_ms;
	char why[ORDERED_TEXT_MAX];
};
unsigned ordered_each_added(struct ordered *s, struct ordered_added *ret, unsigned cap);
