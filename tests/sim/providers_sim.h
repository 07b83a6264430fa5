/* tests/sim/providers_sim.h - eight modelled providers, each with a memory and habits of its own.
 *
 *	ration    so many messages a second from each source, more by night; who is refused too
 *	          often gets nothing for a quarter of an hour
 *	doorman   so many connections from each source, more by night; likewise
 *	grey      greylisting of each recipient for five minutes, until a hundred came again;
 *	          slow to take a message
 *	blocker   as ration, but who goes on too long is on a block list for four hours, and
 *	          longer when it goes on still
 *	warmup    a quota by the hour that grows by the fourteenth part of the time; a source that
 *	          is refused too often today has tomorrow what it has today
 *	outage    a rate; six hours of refused connections, later three hours without an answer
 *	tarpit    the more connections, the slower each; beyond six it greets after half a minute
 *	hints     a quota per five minutes; then "try again in 300 seconds" and no other word, and
 *	          who comes earlier waits anew
 *
 * The rates are such that `messages` of them take four fifths of `days` when all of a provider's
 * capacity is used.  Fewer messages mean lower rates and slower hosts, not another habit.
 * Owns:    provider_sim_new() gives; provider_sim_free() takes. */
#pragma once
#include "tests/sim/model_sim.h"

enum provider_kind {
	PROVIDER_RATION,
	PROVIDER_DOORMAN,
	PROVIDER_GREY,
	PROVIDER_BLOCKER,
	PROVIDER_WARMUP,
	PROVIDER_OUTAGE,
	PROVIDER_TARPIT,
	PROVIDER_HINTS,
	PROVIDERS
};
struct provider_facts {
	uint64_t connects, turned_away; /* connections; those that were refused or sent off */
	uint64_t taken, refused;        /* messages */
	unsigned blocks;
	int64_t longest_block_ms, least_block_ms;
};
struct provider_sim;
const char *provider_sim_name(enum provider_kind kind);
struct provider_sim *provider_sim_new(enum provider_kind kind, double messages, double days);
struct provider_sim *provider_sim_free(struct provider_sim *p);
struct model *provider_sim_model(struct provider_sim *p);
const struct provider_facts *provider_sim_facts(const struct provider_sim *p);
