/* mta/policy/cache.h - the MTA-STS policies that were fetched, in memory and in a file beside the
 * spool's log: a policy holds until its max_age is over, whatever becomes of its DNS record
 * (RFC 8461 section 3.1).
 *
 *	file  = "postern mta-sts 1" LF entry* "end " number of entries LF
 *	entry = domain SP id SP fetched ms SP mode SP max_age *( SP mx ) LF
 *
 * Guarantee: the file is written beside the old one and takes its place by one rename: after a
 *            crash it is the old or the new one.  What was fetched after it was last written is
 *            fetched again.
 * Owns:      sts_cache_new() gives the caller the cache.  The folder stays the caller's.
 * Blocks:    sts_cache_new() and sts_cache_save() on the disk.
 * Threads:   any; there is a lock.
 * Fails:     a file that is wrong is read as far as it is right, and sts_cache_lost() says so.
 * Limits:    STS_CACHE_MAX policies; the one that was unused for longest leaves first. */
#pragma once
#include "mta/policy/sts.h"
#include "spool/disk.h"

enum { STS_CACHE_MAX = 20000 };
#define STS_CACHE_FILE "mta-sts"

struct sts_cache;
struct sts_cache *sts_cache_free(struct sts_cache *c);
struct sts_cache *sts_cache_new(const struct disk *disk, int dirfd);
bool sts_cache_lost(const struct sts_cache *c); /* a part of the file could not be read */

struct sts_entry {
	struct sts_policy *policy; /* NULL: none is known */
	char id[STS_ID_MAX];
	int64_t fetched_ms, expires_ms; /* wall clock */
	int64_t tried_ms;               /* the last fetch, when it failed; 0 */
	char fault[128];                /* of that fetch */
};
/* With a reference to the policy.  What has expired is none.  False: nothing at all is known. */
bool sts_cache_find(struct sts_cache *c, struct slice domain, int64_t now_ms,
		    struct sts_entry *ret);
/* Takes its own reference. */
void sts_cache_put(struct sts_cache *c, struct slice domain, const char *id,
		   struct sts_policy *policy, int64_t now_ms);
void sts_cache_failed(struct sts_cache *c, struct slice domain, const char *fault, int64_t now_ms);
/* 0 also when nothing has changed since. */
int sts_cache_save(struct sts_cache *c) MUST_CHECK;
