/* mta/site/steer.h - a source at a site, steered by what the site answers (mta/site/adapt.h has the
 * arithmetic): how many connections it may have there, how many messages per time, or none for now.
 *
 * Trouble is what the site says of our mail as such: 421, rate limited, spam block, policy; and
 * connections beyond the first that are refused, not greeted, or greeted late.  What concerns a
 * recipient alone (no such user, mailbox full) and greylisting slow nobody down.
 *
 * Owns:    a struct steer lives as long as its struct source_limits; all lanes share it.
 * Threads: any.  What a delivery reads is atomic; the lock is taken where something may change. */
#pragma once
#include <pthread.h>

#include "mta/site/adapt.h"
#include "mta/site/limits.h"
#include "mta/site/pool.h"

struct channel;
struct kin;
enum { STEER_WHY_MAX = 160 };

struct steer {
	/* Of adapt, for those who do not take the lock. */
	_Atomic unsigned window, good, patience;
	_Atomic int64_t rate, closed_until_ms; /* monotonic */
	_Atomic bool troubled;
	limits_pace pace;
	slot_count probes; /* connections that show whether a wall is gone */
	pthread_mutex_t lock;
	struct adapt adapt;
	int64_t trouble_ms, since_ms, changed_ms; /* wall clock: the latest; held back since */
	char *why;                                /* the latest reply; NULL: there was none */
	bool dirty;                               /* not yet in the file */
	/* mta/site/kin.h: of one at a provider; at a site: troubles in a row that its kin took */
	struct kin *kin;
	_Atomic unsigned spared;
};
struct steer *steer_free(struct steer *s);
/* What is known of a source in the pool's turns; NULL: the shape says adaptive = no. */
struct steer *steer_turn(struct pool *p, unsigned turn);
/* What is known of the source there, or its beginning, which its kin (may be NULL) may know. */
struct steer *steer_get(struct source_limits *e, const struct adapt_bounds *b, struct steer *kin);
void steer_publish(struct steer *s, const struct adapt_bounds *b); /* with the lock */
/* What was known before, when it was not used yet. */
void steer_restore(struct source_limits *e, const struct adapt *a, struct slice why,
		   int64_t trouble_ms, int64_t since_ms);

/* How many connections the pool's sources may have together. */
unsigned steer_want(struct pool *p);
bool steer_troubled(struct pool *p); /* any of them is held back */
/* May the source open a connection now, or is it left alone? */
bool steer_holds(const struct steer *s);
bool steer_probes(const struct steer *s);
int64_t steer_left_ms(const struct steer *s); /* of the time that it is left alone */
/* The same of the channel's source, here and at the provider. */
bool steer_holds_channel(const struct channel *ch);
/* After a wall one connection at a time is tried.  False: another one is trying. */
bool steer_take_probe(struct channel *ch);
void steer_end_probe(struct channel *ch); /* harmless when it is none */
/* Connections that the source may have; transactional mail may use those that are kept. */
int64_t steer_slots(struct pool *p, const struct steer *s, bool transactional);
/* Until a source may open a connection or send again, in microseconds; 0: one may now. */
int64_t steer_wait_us(struct pool *p);
/* Its rate allows one more message.  Else the pool looks again when it does. */
bool steer_may_send(struct channel *ch);
void steer_sent(struct channel *ch);

void steer_delivered(struct channel *ch);
void steer_answered(struct channel *ch);
/* code and text: the site's reply; named_ms: when it wants to be asked again. */
struct steer_reply {
	unsigned code; /* 0: there was none */
	struct slice text;
	int64_t named_ms;
};
void steer_trouble(struct channel *ch, const struct steer_reply *r);
void steer_refused(struct channel *ch, const struct steer_reply *r); /* before any recipient */
/* A connection was not let in while `had` others are open. */
void steer_crowded(struct channel *ch, unsigned had, const struct steer_reply *r);
/* It was, but late. */
void steer_greeted_late(struct channel *ch, unsigned had, const struct steer_reply *r);
/* An order: what is known of a site (of all: "all") is forgotten; source NULL: of every one.  How
 * many that are. */
unsigned steer_forget(struct limits *l, struct slice site, const struct ip *source);

struct steer_fact {
	unsigned window, connections;
	int64_t rate, closed_until_ms /* wall */, since_ms, trouble_ms;
	bool holds_back;
	char why[STEER_WHY_MAX];
};
/* False: nothing is known. */
bool steer_fact(const struct source_limits *e, struct steer_fact *ret);
