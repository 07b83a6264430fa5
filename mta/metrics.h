/* mta/metrics.h - what a lane counts.  Each counter is written by its lane alone and read by
 * anyone. The table in metrics.c names them for Prometheus. */
#pragma once
#include <stdatomic.h>

#include "base/buf.h"

struct metrics {
	_Atomic uint64_t delivered, deferred, bounced, expired, cancelled, suppressed;
	_Atomic uint64_t requeued, in_doubt;
	_Atomic uint64_t sessions_opened, sessions_failed, sessions_tls, sessions_resumed;
	_Atomic uint64_t messages, message_bytes, signatures, sign_us, judged, expansions,
	    expand_us;
	_Atomic uint64_t loaded_jobs, loaded_rcpts, route_queries, site_backoffs;
	/* gauges */
	_Atomic uint64_t sessions_open, in_flight, queued_ready, queued_deferred, queued_held,
	    queued_routing, domains, sites, start_jobs_left;
};

/* One writer: no locked instruction needed. */
static inline void count_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}
static inline void count_sub(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) - n,
			      memory_order_relaxed);
}

struct engine;
/* Prometheus text of all lanes together, and of the spool's books. Any thread. */
void metrics_text(struct engine *e, struct buf *out);
/* Recipients the lanes have in their queues. */
uint64_t metrics_known(struct engine *e);
/* Jobs that were there at the start and that lanes have yet to read; each lane reads all. */
uint64_t metrics_loading(struct engine *e);
