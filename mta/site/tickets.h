/* mta/site/tickets.h - the latest TLS sessions of a host, for resumption.
 * Guarantee: a session is only given to connections with the check (mta/policy/facts.h) that it
 *            was made under: none is carried from a weaker policy to a stronger one, or between
 *            names.
 * Owns:      one reference to each.
 * Limits:    TICKETS_MAX of a host; the one that was unused for longest leaves. */
#pragma once
#include "mta/door/conn.h"

enum { TICKETS_MAX = 4 };
struct tickets {
	struct ticket {
		uint64_t digest;
		struct tls_session *session; /* NULL: free */
	} at[TICKETS_MAX];                   /* the latest first */
};
/* Without a reference; NULL: there is none. */
struct tls_session *tickets_find(const struct tickets *t, uint64_t digest);
void tickets_keep(struct tickets *t, uint64_t digest, struct tls_session *session); /* takes it */
void tickets_drop(struct tickets *t);
