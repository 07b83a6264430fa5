/* control/domains/inquiry.h - the questions of one check to DNS: each is asked once, and both their
 * number and their time are bounded.
 * Owns:    inquiry_new() gives the caller the inquiry; it owns every answer until inquiry_free().
 * Blocks:  inquiry_ask() as long as the door does, and never after the deadline.
 * Fails:   with the status of the answer (dns/lookup.h); E_SYNTAX for a name that no host can have;
 *          E_DNS_TEMP when the time is over or INQUIRY_MOST questions were asked.
 * Threads: one at a time. */
#pragma once
#include "dns/resolver.h"

enum { INQUIRY_MOST = 200 };

/* Asks the world; the answer is freed with lookup_free(). */
struct inquiry_door {
	int (*ask)(void *arg, struct slice name, enum dns_type type, struct dns_answer **ret);
	void *arg;
};

struct inquiry;
struct inquiry *inquiry_new(struct inquiry_door door);
struct inquiry *inquiry_free(struct inquiry *a);
DEFINE_OWNED(inquiry)
/* The time for what follows; before the first call there is no limit. */
void inquiry_allow(struct inquiry *a, int64_t ms);
int inquiry_ask(struct inquiry *a, struct slice name, enum dns_type type,
		const struct dns_answer **ret) MUST_CHECK;
unsigned inquiry_asked(const struct inquiry *a); /* how many questions the door was asked */
