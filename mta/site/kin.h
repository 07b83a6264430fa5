/* mta/site/kin.h - a source at a provider of several sites (its kin): what these say together.
 *
 * A provider whose sites share what it allows says "less" at several of them.  When it does, the
 * source is steered at the provider as it is at a site (mta/site/steer.h): connections and messages
 * per time for all of its sites together, and walls.
 *
 *	agree    KIN_OTHERS other sites had trouble within KIN_AGREE_MS, and the trouble is a
 *	         twentieth of the latest 64 answers of all sites; it lasts for KIN_LASTS_MS
 *	then     trouble counts at the provider instead of at the site, while another site had
 *	         some within an hour; a site that gets KIN_SPARED of it in a row and nothing
 *	         through falls itself
 *	begin    the source has connections.start at the provider, and one more for each delivery
 *	         (or after KIN_GROWS_MS without one) up to KIN_GROWN, then all that the shape
 *	         allows; transactional mail does not wait for that
 *	start    a site that was not used before begins with what the sites that were met last have
 *	         learned: their median, where at least KIN_OTHERS + 1 of them and half are held
 *	         back; else the connections of the lower quarter of them
 *
 * So one site that refuses (greylisting of its own, a full mailbox, a policy) changes nothing for
 * the others.  What is known of a source at a provider is kept and shown as that at a site is,
 * under the name "provider NAME".
 *
 * Owns:    a struct kin is its struct steer's.
 * Threads: any; all of it is under the steer's lock.
 * Limits:  KIN_SITES sites are remembered, those that were met last; after a restart who agreed is
 *          forgotten, and what was learned is not. */
#pragma once
#include "mta/site/channel.h"
#include "mta/site/steer.h"

enum {
	KIN_OTHERS = 2,
	KIN_AGREE_MS = 10 * 60 * 1000,
	KIN_STAYS_MS = 3600 * 1000,
	KIN_LASTS_MS = 2 * 3600 * 1000,
	KIN_SHARE = 65536 / 20,
	KIN_SPARED = 4,
	KIN_SITES = 16,
	KIN_GROWN = 256,
	KIN_GROWS_MS = 2000,
};
struct kin;
void kin_free(struct kin *k);

/* What is known of the source of a turn at the pool's provider; NULL: the site belongs to none, or
 * the shape says provider.adaptive = no. */
struct steer *kin_turn(struct pool *p, unsigned turn);
void kin_forget(struct pool *p); /* its provider may be another one */
struct adapt_bounds kin_bounds(const struct pool *p);
/* What a site that is new to the source begins with, where its kin know better than `a`. */
void kin_start(struct steer *kin, const struct adapt_bounds *b, struct adapt *a);
/* The site's own steer has learned something. */
void kin_met(struct steer *kin, struct steer *site);

/* Is the trouble the provider's, and not the site's alone?  Then it counts there, unless it is that
 * of what was on its way when the latest one counted. */
enum kin_answer { KIN_NOT_OURS, KIN_OURS, KIN_KNOWN };
enum kin_answer kin_takes(const struct channel *ch);
/* So many were delivered at the site, and counted there. */
void kin_delivered(const struct channel *ch, unsigned n, bool pressed);

/* ---- its connections ---------------------------------------------------------------------- */

/* One of those that the source may have at the provider; false: they are in use. */
bool kin_sit(struct channel *ch, bool transactional) MUST_CHECK;
void kin_rise(struct channel *ch);
/* Other sites may want its place: it is idle, or has had its turn. */
bool kin_must_give(const struct channel *ch, bool idle);
