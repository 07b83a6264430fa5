/* mta/senders/known.h - what is known of senders and suppressions: which tenant sends as which
 * domain, which addresses each tenant must not write to, and its credentials and smart-host routes
 * as texts.  It is made of the facts of schema/wire/facts.h.
 *
 * Guarantee: known_prepare() says whether a run of facts can be taken; known_take() then takes all
 *            of it.
 * Owns:   copies of domains and pools.
 * Fails:  known_prepare(): E_SYNTAX, E_LIMIT, -ENOMEM.
 * Limits: KNOWN_STOPS_MAX suppressed addresses, KNOWN_SENDERS_MAX domains and KNOWN_OBJECTS_MAX
 *         objects.  Not thread-safe. */
#pragma once
#include "base/map.h"
#include "mta/senders/digests.h"
#include "schema/wire/facts.h"

enum {
	KNOWN_STOPS_MAX = 16 * 1024 * 1024,
	KNOWN_SENDERS_MAX = 500 * 1000,
	KNOWN_OBJECTS_MAX = 200 * 1000,
	KNOWN_POOL_MAX = 64
};

struct known;
struct known *known_free(struct known *k);
DEFINE_OWNED(known)
struct known *known_new(void);

int known_prepare(struct known *k, struct slice facts) MUST_CHECK;
void known_take(struct known *k, struct slice facts); /* prepared */
/* Room for what these sums say; other facts are E_SYNTAX. */
int known_reserve(struct known *k, struct slice sums) MUST_CHECK;
bool known_equals(const struct known *k, struct slice sums);

struct known_sender {
	uint64_t tenant;
	char pool[KNOWN_POOL_MAX + 1]; /* "": the default */
};
/* The sender whose domain this is, or else the nearest domain above it that is somebody's. */
bool known_sender_of(const struct known *k, struct slice domain, struct known_sender *ret);
/* bulk: mail that is not transactional. */
bool known_stops(const struct known *k, uint64_t tenant, bool bulk, const uint8_t *hash);

struct known_counts {
	uint64_t tenant;
	size_t senders, stops_all, stops_bulk, credentials, routes;
};
struct known_counts known_all(const struct known *k); /* over the tenants */
/* Tenants in no order; stop by returning a negative number, which is passed on. */
int known_each_tenant(const struct known *k, int (*each)(void *arg, const struct known_counts *c),
		      void *arg) MUST_CHECK;
/* Everything as facts, one by one; or the senders alone. */
int known_each_sender(const struct known *k, int (*each)(void *arg, const struct wire_fact *f),
		      void *arg) MUST_CHECK;
/* CREDENTIAL or SMART_ROUTE. */
int known_each_object(const struct known *k, enum wire_fact_kind kind,
		      int (*each)(void *arg, const struct wire_fact *f), void *arg) MUST_CHECK;
int known_each_fact(const struct known *k, int (*each)(void *arg, const struct wire_fact *f),
		    void *arg) MUST_CHECK;
