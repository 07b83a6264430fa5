/* control/auth/places.h - the networks that a person has logged in from: an IPv4 address or the /64
 * of an IPv6 address.
 * Blocks: on the database, in the organisation's open transaction.
 * Limits: the 20 that were used last, for 90 days each. */
#pragma once
#include "control/http/call.h"

/* Of the caller, as PostgreSQL reads it; "" for a Unix socket. */
enum { PLACE_TEXT_MAX = IP_TEXT_MAX + 4 };
char *places_text(const struct call *c, char buf[PLACE_TEXT_MAX]);
int places_note(struct call *c, uint32_t org, uint64_t user) MUST_CHECK;
/* After a reset of the password: whoever was there before may have been the reason. */
int places_forget(struct call *c, uint32_t org, uint64_t user) MUST_CHECK;
