#include "mta/metrics.h"

#include <inttypes.h>

#include "mta/lane.h"

static const struct {
	const char *name, *type, *help;
	size_t offset;
} rows[] = {
#define ROW(member, kind, help)                                                                    \
	{                                                                                          \
#member, kind, help, offsetof(struct metrics, member)                              \
	}
	ROW(delivered, "counter", "Recipients delivered"),
	ROW(deferred, "counter", "Tries that ended in a delay"),
	ROW(bounced, "counter", "Recipients refused for good"),
	ROW(expired, "counter", "Recipients that grew too old"),
	ROW(cancelled, "counter", "Recipients cancelled"),
	ROW(suppressed, "counter", "Recipients not sent to because they are suppressed"),
	ROW(requeued, "counter", "Recipients whose connection ended before they were tried"),
	ROW(in_doubt, "counter", "Tries whose answer after the final dot was lost"),
	ROW(sessions_opened, "counter", "Delivery connections opened"),
	ROW(sessions_failed, "counter",
	    "Delivery connections that failed before they could be used"),
	ROW(sessions_tls, "counter", "Delivery connections with TLS"),
	ROW(sessions_resumed, "counter", "Delivery connections with a resumed TLS session"),
	ROW(messages, "counter", "Transactions begun"),
	ROW(message_bytes, "counter", "Bytes of messages in transactions begun"),
	ROW(signatures, "counter", "DKIM signatures made"),
	ROW(judged, "counter", "First messages verified by libopendkim"),
	ROW(sign_us, "counter", "Microseconds spent signing"),
	ROW(expansions, "counter", "Messages expanded from a program"),
	ROW(expand_us, "counter", "Microseconds spent expanding"),
	ROW(loaded_jobs, "counter", "Jobs read into the queue"),
	ROW(loaded_rcpts, "counter", "Recipients read into the queue"),
	ROW(route_queries, "counter", "Domains asked for their mail hosts"),
	ROW(site_backoffs, "counter", "Pauses of sites that could not be reached"),
	ROW(sessions_open, "gauge", "Delivery connections open"),
	ROW(in_flight, "gauge", "Recipients in a transaction"),
	ROW(queued_ready, "gauge", "Recipients waiting for a connection"),
	ROW(queued_deferred, "gauge", "Recipients waiting for their next try"),
	ROW(queued_held, "gauge", "Recipients held one by one (by domain, job or recipient)"),
	ROW(queued_routing, "gauge", "Recipients waiting for DNS"),
	ROW(domains, "gauge", "Domains known"),
	ROW(sites, "gauge", "Sites known"),
	ROW(start_jobs_left, "gauge", "Jobs of before the start that lanes have yet to read"),
#undef ROW
};

static uint64_t total(struct engine *e, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < engine_lanes(e); i++) {
		const char *m = (const char *)&engine_lane(e, i)->metrics;
		sum += atomic_load_explicit((const _Atomic uint64_t *)(const void *)(m + offset),
					    memory_order_relaxed);
	}
	return sum;
}

uint64_t metrics_known(struct engine *e)
{
	return total(e, offsetof(struct metrics, queued_ready)) +
	       total(e, offsetof(struct metrics, queued_deferred)) +
	       total(e, offsetof(struct metrics, queued_held)) +
	       total(e, offsetof(struct metrics, queued_routing)) +
	       total(e, offsetof(struct metrics, in_flight));
}

uint64_t metrics_loading(struct engine *e)
{
	return total(e, offsetof(struct metrics, start_jobs_left));
}

static void put(struct buf *out, const char *name, const char *type, const char *help, uint64_t v)
{
	buf_putf(out, "# HELP postern_%s%s %s\n# TYPE postern_%s%s %s\npostern_%s%s %" PRIu64 "\n",
		 name, *type == 'c' ? "_total" : "", help, name, *type == 'c' ? "_total" : "", type,
		 name, *type == 'c' ? "_total" : "", v);
}

static const struct {
	const char *name, *type, *help;
	size_t offset;
} book_rows[] = {
#define ROW(member, kind, help)                                                                    \
	{                                                                                          \
		"spool_" #member, kind, help, offsetof(struct books, member)                       \
	}
	ROW(accepted, "counter", "Recipients accepted, since the log began"),
	ROW(delivered, "counter", "Recipients with a delivered record"),
	ROW(bounced, "counter", "Recipients with a bounced record"),
	ROW(expired, "counter", "Recipients with an expired record"),
	ROW(cancelled, "counter", "Recipients with a cancelled record"),
	ROW(queued, "gauge", "Recipients still owed an outcome"),
	ROW(deferred_attempts, "counter", "Deferred records"),
	ROW(log_bytes, "gauge", "Bytes of the log on disk"),
	ROW(live_bytes, "gauge", "Bytes of the log still needed"),
	ROW(segments, "gauge", "Segment files"),
	ROW(syncs, "counter", "Syncs since the start"),
	ROW(bytes_written, "counter", "Bytes written since the start"),
	ROW(jobs, "gauge", "Live jobs"),
	ROW(contents, "gauge", "Live contents"),
	ROW(rules, "gauge", "Rules"),
	ROW(free_bytes, "gauge", "Free bytes of the file system"),
#undef ROW
};

void metrics_text(struct engine *e, struct buf *out)
{
	struct books b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		put(out, rows[i].name, rows[i].type, rows[i].help, total(e, rows[i].offset));
	spool_books(engine_spool(e), &b);
	for (size_t i = 0; i < ARRAY_LEN(book_rows); i++) {
		uint64_t v;
		memcpy(&v, (const char *)&b + book_rows[i].offset, sizeof(v));
		put(out, book_rows[i].name, book_rows[i].type, book_rows[i].help, v);
	}
	put(out, "spool_refusing", "gauge", "1 when new mail is refused for lack of space",
	    b.refusing);
}
