/* mta/deliver/avoid.h - recipients that are to be tried from another source next, because of what
 * was said to the sources that tried them.
 * Owns:    what it keeps; sources outlive it.
 * Threads: the lane's.
 * Limits:  AVOID_MAX recipients, those that were noted first forgotten first; AVOID_SOURCES
 *          sources each, for AVOID_MS; not kept over a restart. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "spool/spool.h"

enum { AVOID_MAX = 16384, AVOID_SOURCES = 4, AVOID_MS = 3600 * 1000 };

struct source;
struct avoided {
	struct map map;
	struct list age; /* the oldest first */
	unsigned n;
};
void avoid_init(struct avoided *a);
void avoid_end(struct avoided *a);
/* False: it avoids as many already, and is tried from any. */
bool avoid_add(struct avoided *a, job_no job, uint32_t row, const struct source *source,
	       int64_t now_ms);
bool avoid_has(const struct avoided *a, job_no job, uint32_t row, const struct source *source,
	       int64_t now_ms);
void avoid_forget(struct avoided *a, job_no job, uint32_t row);
