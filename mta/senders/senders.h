/* mta/senders/senders.h - which tenant may send as which domain, to which addresses a tenant
 * must not write, and its credentials and smart-host routes, which other rooms read: what the
 * control plane says (over the link, kept in a file of its own) and what the operator's options
 * say.  The engine goes by it with or without a control plane.
 *
 * Guarantee: a change that was taken is on the disk and in effect; of one that was not taken
 *            nothing is.  A lookup sees a change whole or not at all.
 *
 * Files:   known.c holds the facts, digests.c the suppressed addresses, store.c the file, options.c
 *          what the operator says, address.c hashes; senders.c is what the other rooms use.
 * Blocks:  changes on the disk; lookups on a lock that readers share.
 * Fails:   the engine does not start when the file is damaged, or when the operator's list of
 *          suppressions cannot be read; a reload then keeps the list it had.
 * Threads: lookups on any; changes on the front desk.
 * Limits:  those of known.h.  A suppression costs 16 to 30 bytes, twice while a whole set comes. */
#pragma once
#include "base/list.h"
#include "mta/core/part.h"
#include "mta/senders/known.h"

struct senders;
extern const struct part senders_part;
struct senders *senders_of(struct engine *e);

/* Must a message's sender be known (submission.check_senders)? */
bool senders_checked(struct senders *s);
/* There is to be a control plane (the engine listens for it): until it has said who may send,
 * nobody can be refused for good. */
void senders_expect(struct senders *s);
bool senders_awaited(struct senders *s);
bool senders_find(struct senders *s, struct slice domain, struct known_sender *ret);
/* May this tenant (0: nobody's) not write to the address?  bulk: mail that is not transactional. */
bool senders_suppressed(struct senders *s, uint64_t tenant, bool bulk, struct slice address);

/* Who reads objects (CREDENTIAL, SMART_ROUTE).  changed(): these facts were taken; facts NULL: all
 * may be others.  On the front desk, once the change is on the disk and before it is acknowledged.
 */
struct senders_watch {
	struct list link;
	void (*changed)(struct senders_watch *w, const struct slice *facts);
};
/* From open() of a later part, for good. */
void senders_watch(struct senders *s, struct senders_watch *w);
/* On the front desk, or in open(). */
int senders_each_object(struct senders *s, enum wire_fact_kind kind,
			int (*each)(void *arg, const struct wire_fact *f), void *arg) MUST_CHECK;

/* Facts of the control plane (LINK_FACTS); `by` is who builds a set, for comparison only.  As
 * store.h and known.h; E_CONFLICT: the facts are others (equal), no set was begun or another one
 * (more, end), or there is no set yet that could change (change). */
int senders_change(struct senders *s, struct slice facts) MUST_CHECK;
int senders_equal(struct senders *s, struct slice sums) MUST_CHECK;
int senders_begin(struct senders *s, const void *by, struct slice sums) MUST_CHECK;
int senders_more(struct senders *s, const void *by, struct slice facts) MUST_CHECK;
int senders_end(struct senders *s, const void *by) MUST_CHECK;

struct senders_facts {
	bool checked, fed;
	int64_t changed_ms; /* when the control plane last changed something since the start; 0 */
	uint64_t changes, sets;
	struct known_counts control, local;
};
struct senders_facts senders_facts(struct senders *s);
int senders_each_tenant(struct senders *s, int (*each)(void *arg, const struct known_counts *c),
			void *arg) MUST_CHECK;
/* Domains, those of the options first; local says of which they are. */
int senders_each_domain(struct senders *s,
			int (*each)(void *arg, const struct wire_fact *f, bool local),
			void *arg) MUST_CHECK;
