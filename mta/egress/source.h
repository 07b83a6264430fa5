/* mta/egress/source.h - the addresses that mail leaves from, as all lanes share them: how many
 * connections each has, and whether it works.
 *
 * An address that cannot be bound is our own mistake, and no site pays for it.  It fails for
 * everybody, with one line in the log; it is looked at again after source.backoff_min, then after
 * twice that, up to source.backoff_max, without any mail being risked on it; when it can be bound
 * again, another line says so.
 * Owns:    sources_new() gives the caller the table; a source lives until sources_free(), so that
 *          connections that are left over from earlier options may point to it.
 * Threads: any.  The table has a lock, taken at the start and at a reload; the rest is atomic.
 * Limits:  SOURCES_KNOWN_MAX addresses between two starts. */
#pragma once
#include "base/address.h"
#include "base/buf.h"
#include "mta/core/slots.h"
#include "mta/door/detour.h"

enum { SOURCES_KNOWN_MAX = 4096, REACH_SITES = 3, REACH_NOBODY_MS = 5 * 60 * 1000 };

/* Somebody whom other sources reach and this one does not. */
struct source_miss {
	uint64_t scope; /* a hash of the name of his provider or site */
	struct ip ip;
	uint16_t port;
};
struct source {
	struct ip ip;           /* family 0: whatever the system picks, which never fails */
	char text[IP_TEXT_MAX]; /* "*" then */
	_Atomic(const struct proxy *) proxy; /* the way out of it; NULL: it is on this machine */
	slot_count connections;
	_Atomic int err;           /* why it cannot be used; 0: it can */
	_Atomic int64_t failed_ms; /* since when; wall clock */
	_Atomic int64_t retry_ms;  /* when it is looked at again; wall clock */
	_Atomic int64_t pause_ms;
	/* Whom it missed since it has reached anybody (mta/site/reach.h); under the table's lock,
	 * but that n_missed may become 0 at any time. */
	_Atomic unsigned n_missed;
	int64_t missed_ms; /* the first; monotonic */
	struct source_miss missed[REACH_SITES];
	unsigned looks; /* the next one to be tried */
};
struct sources;
struct sources *sources_new(void);
struct sources *sources_free(struct sources *s); /* takes NULL, gives NULL */
/* The same for the same address.  NULL: the table is full.  *ret_new: it was not known before. */
struct source *sources_get(struct sources *s, const struct ip *ip, bool *ret_new);
/* In the order in which they became known; NULL past the last. */
struct source *sources_at(struct sources *s, unsigned i);

static inline int source_err(const struct source *s)
{
	return atomic_load_explicit(&s->err, memory_order_relaxed);
}
/* Could a connection have it as its source?  Of an address behind a proxy only a try tells. */
int source_look(const struct source *s) MUST_CHECK;
static inline const struct proxy *source_proxy(const struct source *s)
{
	return atomic_load_explicit(&s->proxy, memory_order_relaxed);
}
/* Others reach that host and it does not, at this monotonic time.  True: they are REACH_SITES sites
 * by now, over REACH_NOBODY_MS at least. */
bool source_missed(struct sources *all, struct source *s, const struct source_miss *m,
		   int64_t now_ms);
static inline unsigned source_misses(const struct source *s)
{
	return atomic_load_explicit(&s->n_missed, memory_order_relaxed);
}
/* It has reached somebody: nothing was missed. */
static inline void source_reached(struct source *s)
{
	if (source_misses(s))
		atomic_store(&s->n_missed, 0);
}
/* Whom to try, each in his turn, where only that tells whether it is well.  False: it does not. */
bool source_to_try(struct sources *all, struct source *s, struct source_miss *ret);
/* It cannot be used, for the reason err.  True: this is news. */
bool source_fail(struct source *s, int err, int64_t pause_ms, int64_t now_ms);
/* Its time to be looked at has come, and nobody else looks: then the caller must say how it went,
 * by source_well() or source_still(). */
bool source_claim(struct source *s, int64_t now_ms);
void source_still(struct source *s, int err, int64_t pause_max_ms, int64_t now_ms);
bool source_well(struct source *s); /* true: this is news */
