/* mta/egress/egress.h - where mail leaves from: pools of sources (an address and the name it greets
 * with), and how many connections each source has.
 *
 * A job names its pool; each lane gives the name a number.  A name may have no source in the
 * configuration: egress_source() then gives NULL, and the mail waits for a reload that has one.
 * Guarantee: mail leaves from a source of the pool that its job names, or not at all.
 * Owns:    names and numbers are the lane's, until it ends.  Sources belong to the settings in
 *          force; replaced settings stay valid until the engine ends.
 * Threads: the lane's, except the slots, which all lanes share.
 * Limits:  SOURCES_MAX sources; POOLS_MAX names of pools per lane, all others share EGRESS_SURPLUS,
 *          which has no source. */
#pragma once
#include "base/address.h"
#include "base/settings.h"
#include "mta/core/part.h"
#include "mta/core/slots.h"

enum { SOURCES_MAX = 256, POOLS_MAX = 4096, EGRESS_SURPLUS = POOLS_MAX };

struct egress_source {
	const char *pool, *ehlo;
	struct ip ip; /* family 0: whatever the system picks */
	char ip_text[IP_TEXT_MAX];
};
struct egress_options {
	char *source_list;
	int64_t connections; /* per source */
	struct egress_source sources[SOURCES_MAX];
	unsigned n_sources;
};
extern const struct option_set egress_option_set;
extern const struct part egress_part;

struct egress;
struct egress *egress_of(struct lane *l);
/* The number of a pool; an empty name is the pool "default". */
unsigned egress_pool(struct egress *e, struct slice name);
const char *egress_pool_name(const struct egress *e, unsigned pool);
/* The next source of the pool, in turn; *turn is the caller's place.  NULL: the pool has none, and
 * egress_no_source() says why. */
const struct egress_source *egress_source(struct egress *e, unsigned pool, unsigned *turn);
void egress_no_source(const struct egress *e, unsigned pool, char *text, size_t cap);
/* Connections open from a source, on all lanes. */
slot_count *egress_slots(struct egress *e, const struct egress_source *source);
int64_t egress_slots_max(const struct egress *e);
