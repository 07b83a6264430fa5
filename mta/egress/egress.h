/* mta/egress/egress.h - where mail leaves from: pools of sources (an address, the name it greets
 * with, a weight), and which of them work.
 *
 * A job names its pool; each lane gives the name a number.  A name may have no source in the
 * configuration: the mail then waits for a reload that has one.
 * Guarantee: mail leaves from a source of the pool that its job names, or not at all.
 * Owns:    names and numbers are the lane's, until it ends.  Entries belong to the settings in
 *          force; replaced settings stay valid until the engine ends, and so does every struct
 *          source.
 * Threads: the lane's, except struct source (mta/egress/source.h).
 * Limits:  SOURCES_MAX entries; POOLS_MAX names of pools per lane, all others share EGRESS_SURPLUS,
 *          which has no source. */
#pragma once
#include "base/address.h"
#include "base/settings.h"
#include "mta/core/part.h"
#include "mta/egress/assign.h"
#include "mta/egress/entry.h"
#include "mta/egress/source.h"
#include "mta/egress/ordered.h"
#include "mta/egress/turns.h"

enum {
	PROXIES_MAX = 64,
	ASSIGNS_MAX = 256,
	FALLBACKS_MAX = 64,
	CHECK_ZONES_MAX = 32,
	SOURCES_MAX = 256,
	POOLS_MAX = 4096,
	EGRESS_SURPLUS = POOLS_MAX
};

struct egress_fallback {
	const char *pool, *to;
};
struct egress_options {
	char *source_list;
	int64_t connections; /* per address */
	int64_t backoff_min, backoff_max;
	struct egress_source sources[SOURCES_MAX];
	unsigned n_sources;
	char *proxy_list;
	struct proxy proxies[PROXIES_MAX];
	unsigned n_proxies;
	char *assign_list;
	struct assign_rule assigns[ASSIGNS_MAX];
	unsigned n_assigns;
	char *fallback_list;
	struct egress_fallback fallbacks[FALLBACKS_MAX];
	unsigned n_fallbacks;
	char *zone_list, *check_host;
	const char *zones[CHECK_ZONES_MAX]; /* DNS block lists */
	unsigned n_zones;
	struct ip check_ip; /* where a check connects to; check_port 0: nowhere */
	uint16_t check_port;
	bool default_added; /* the last one: no entry names the pool "default" */
};
extern const struct option_set egress_option_set;
extern const struct part egress_part;

struct egress;
struct egress *egress_of(struct lane *l);
/* The number of a pool; an empty name is the pool "default". */
unsigned egress_pool(struct egress *e, struct slice name);
/* The proxy of this name; NULL: there is none, or no name. */
const struct proxy *egress_proxy(const struct egress_options *o, const char *name);
/* The pool of mail whose job names none, by pool.assign; else "default". */
unsigned egress_assigned(struct egress *e, const struct assign_subject *s);
const char *egress_pool_name(const struct egress *e, unsigned pool);
/* Fills in the turns of a site that begins to use the pool: its sources with a weight, and those of
 * the lender, if that is another pool.  Sites begin at different sources, so that many sites with a
 * message each keep to the weights too.  False: there are none, and egress_no_source() says why. */
bool egress_begin_turns(struct egress *e, unsigned pool, unsigned lender, struct turns *t);
/* Source i of those that the pool may use; NULL: past the last. */
const struct source *egress_source(struct egress *e, unsigned pool, unsigned i);
/* The pool that pool.fallback gives; EGRESS_SURPLUS: none. */
unsigned egress_fallback(struct egress *e, unsigned pool);
void egress_no_source(const struct egress *e, unsigned pool, char *text, size_t cap);
/* A connection could not be opened because of the source: err says why.  It fails on all lanes
 * until a look says otherwise; `recovered` is then called on every lane. */
void egress_source_failed(struct egress *e, struct source *source, int err);
/* Others have reached that host of a site or provider, and this source has not: with REACH_SITES of
 * them it fails (mta/site/reach.h). */
void egress_source_missed(struct egress *e, struct source *source, const char *scope,
			  const struct ip *ip, uint16_t port);
/* Sources that fail are looked at now, on this lane. */
void egress_look_now(struct egress *e);
struct egress_news {
	void (*recovered)(struct egress_news *n);
};
void egress_tell(struct egress *e, struct egress_news *n);
/* A host cannot be reached from a source, for a reason of this machine: no route, a filter. */
void egress_no_way(struct egress *e, const struct source *source, const char *to, int err);
int64_t egress_slots_max(const struct egress *e);
void egress_count(struct egress *e, const struct turn *turn); /* a message was handed over */
/* Operators have taken all sources of the pool out of use. */
bool egress_is_off(const struct egress *e, unsigned pool);
/* An operator has disabled it: what leaves from it is given up. */
bool egress_is_disabled(const struct egress *e, const struct source *source);
/* Another number: the sources in force are other ones. */
unsigned egress_changes(const struct egress *e);
/* A rule of mta/egress/ordered.h was written and is durable.  It is in force on all lanes soon
 * after.  Any thread. */
int egress_rule_changed(struct engine *e, struct slice rule_key,
			struct slice rule_value) MUST_CHECK;

/* ---- what an operator sees --------------------------------------------------------------- */

struct egress_fact {
	const struct egress_source *entry;
	const struct source *source; /* NULL: not known yet */
	uint64_t messages;          /* handed over since the start, while the entry was like this */
	struct ordered_order order; /* what an operator ordered of its address */
	int64_t added_ms;           /* when an operator added it; 0: the configuration has it */
	char added_why[ORDERED_TEXT_MAX];
};
/* Entry i of those in force; false: past the last.  The front desk's thread. */
bool egress_fact(struct engine *e, unsigned i, struct egress_fact *ret);
/* What an operator should know about the sources, one sentence each: addresses that are not on this
 * machine, pools that nobody can use, and the like.  It binds each address for a moment. */
void egress_check(const struct egress_options *o, bool ipv4, bool ipv6,
		  void (*warn)(void *arg, const char *text), void *arg);
