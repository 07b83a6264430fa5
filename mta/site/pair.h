/* mta/site/pair.h - from which source to which address the next connection of a pool goes.
 *
 * The best preference comes first (RFC 5321 section 5.1); within it the source whose turn it is;
 * then the addresses of its family in turn.  An address that cannot be reached from a source, for a
 * reason of this machine (no route, a filter), is tried from the others.
 * Guarantee: when no pair is found, `why` blames the one that is at fault, and the site only when
 * none of its addresses is good for anybody.
 * Owns:    nothing; a pair is a value.
 * Threads: the lane's. */
#pragma once
#include "mta/site/pool.h"

struct channel;
struct pair {
	unsigned turn; /* of the pool's turns */
	struct host *host;
	const struct route_host *mx;
};
enum pair_lack {
	PAIR_FOUND,
	PAIR_FULL,      /* the sources that could have all the connections they may have */
	PAIR_NO_SOURCE, /* the configuration has none in the pool */
	PAIR_OFF,       /* operators have taken all of its sources out of use */
	PAIR_FAILING,   /* no source of the pool works */
	PAIR_SUSPENDED, /* those that work are suspended at the provider */
	PAIR_WALLED,    /* ... or left alone after a wall of refusals (mta/site/steer.h) */
	PAIR_WARMUP,    /* ... or new, and have sent what their plans allow today */
	PAIR_FAMILY, /* the site has good addresses, but none of a family of the pool's sources */
	PAIR_NO_WAY, /* ... but none that can be reached from a source of the pool */
	PAIR_SITE,   /* the site has no good address */
	PAIR_TOKEN,  /* the smart host's token is being asked for */
};
enum pair_lack pair_pick(struct pool *p, struct pair *ret);
/* For the channel's race: an address of the other family, as good as its own, from a source that
 * has that family; its own source if it can. */
bool pair_pick_rival(struct pool *p, const struct channel *ch, struct pair *ret);
/* Has the site an address of a family that the source and the shape allow? */
bool pair_fits(const struct pool *p, const struct source *source);
/* Could the source have a connection now? */
bool pair_possible(struct pool *p, unsigned turn);
/* When the first of those that are left alone may be tried, in milliseconds. */
int64_t pair_wait_ms(struct pool *p);
/* A reason in words, for those who wait. */
void pair_explain(const struct pool *p, enum pair_lack why, char *text, size_t cap);
/* The host cannot be reached from the source for a while. */
void pair_cut(struct sites *s, struct host *h, const struct source *source, int err);
void pair_forget_cuts(struct host *h);
