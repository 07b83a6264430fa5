/* mta/egress/turns.h - whose turn it is among the sources of a pool at one site, message by
 * message: stride scheduling (Waldspurger and Weihl, 1995).
 *
 * Each source has a pass; the one with the lowest goes next, and then its pass grows by its stride,
 * which is the inverse of its weight.  After any number of messages two sources are less than one
 * message of each from their ratio, so that one of n is less than n messages from its share.
 * Connections do not change that: a connection from another source waits until its turn comes.
 * A source that does not use its turn for TURNS_PATIENCE_MS (it connects slowly, or its messages
 * take long) is not waited for, until it takes a message; then it may catch up by
 * TURNS_CATCH_UP messages.
 * Owns:    turns_begin() allocates, turns_end() frees; both are cheap for a pool of one source.
 * Threads: the lane's. */
#pragma once
#include "base/base.h"

enum {
	TURN_NONE = UINT32_MAX,
	TURNS_WEIGHT_MAX = 1000,
	TURNS_PATIENCE_MS = 1000,
	TURNS_CATCH_UP = 16,
	TURNS_PER_CHANGE = 5, /* messages of a connection that makes room for another source */
};

struct egress_source;
struct source;
struct warmup_pair;
struct turn {
	const struct egress_source *entry;
	struct source *source;
	uint64_t stride, pass;
	unsigned number;            /* of the entry (mta/egress/numbered.h) */
	unsigned channels, opening; /* at this site; opening are those that were never ready */
	bool out;                   /* it is not waited for */
	bool tried;                 /* of turns_next_untried() */
	int64_t useless_until_ms;   /* the user's: nobody who waits may go from it */
	void *known;                /* the user's: what it knows of the source at the site */
	void *kin;                  /* likewise, at the site's provider */
	struct warmup_pair *warmup; /* likewise: the plan of a new source; NULL: it has none */
};
struct turns {
	struct turn *at;
	unsigned n;
	int64_t since_ms; /* somebody else waits for the first since then; 0: nobody */
	bool crowded;     /* the first has no connection, and none may be opened */
};
/* The entries' sources, strides and first passes are the caller's to fill in. */
struct turn *turns_begin(struct turns *t, unsigned n);
void turns_end(struct turns *t);
uint64_t turns_stride(int64_t weight);
/* Whose turn it is; TURN_NONE: nobody is waited for. */
unsigned turns_first(const struct turns *t);
bool turns_may_take(const struct turns *t, unsigned i);
/* It may not, but it would: the time of those that are waited for begins. */
void turns_refused(struct turns *t, int64_t now_ms);
void turns_took(struct turns *t, unsigned i);
/* It lets the others go first: each of them has a turn before its next. */
void turns_yield(struct turns *t, unsigned i);
/* It is no longer waited for. */
void turns_pass_over(struct turns *t, unsigned i);
/* Something has changed: those that were passed over count again. */
void turns_wait_for_all(struct turns *t);
/* The first has not used its turn for so long that it is to be passed over. */
bool turns_is_late(const struct turns *t, int64_t now_ms);
/* For whom to open a connection: the lowest pass, as it will be when those that are opening have
 * taken a message each.  Every call gives another one, until TURN_NONE; start with begin. */
unsigned turns_next_untried(struct turns *t, bool begin);
