/* control/http/metrics.c - counters of the API in Prometheus' text format. */
#include <stdatomic.h>

#include "base/clock.h"
#include "control/http/private.h"

enum { ROUTES_MAX = 256, CLASSES = 6 };

static atomic_uint_fast64_t requests[ROUTES_MAX][CLASSES]; /* by status class; 0 is unused */
static atomic_uint_fast64_t micros[ROUTES_MAX];
static atomic_uint_fast64_t unrouted[CLASSES];

void http_metrics_count(const struct call_request *q)
{
	unsigned class = q->reply.status / 100 % CLASSES;

	if (!q->call.route) {
		atomic_fetch_add(&unrouted[class], 1);
		return;
	}
	unsigned n = http_route_number(q->call.route) % ROUTES_MAX;
	atomic_fetch_add(&requests[n][class], 1);
	atomic_fetch_add(&micros[n], (uint64_t)(clock_mono_us() - q->began_us));
}

static void put_route(struct buf *out, unsigned n)
{
	unsigned listeners;
	const struct http_route *row = http_route_at(n, &listeners);
	uint64_t sum = 0;

	for (unsigned class = 1; class < CLASSES; class ++) {
		uint64_t count = atomic_load(&requests[n][class]);

		sum += count;
		if (count)
			buf_putf(out,
				 "postern_http_requests_total{method=\"%s\",route=\"%s\",class=\"%"
				 "uxx\"} %llu\n",
				 row->method, row->path, class, (unsigned long long)count);
	}
	if (sum)
		buf_putf(
		    out,
		    "postern_http_request_microseconds_total{method=\"%s\",route=\"%s\"} %llu\n",
		    row->method, row->path, (unsigned long long)atomic_load(&micros[n]));
}

static void put_guests(struct buf *out, const struct http_server *s)
{
	buf_put(out, SLICE("# TYPE postern_http_connections gauge\n"
			   "# TYPE postern_http_sent_away_total counter\n"));
	for (unsigned i = 0; i < ARRAY_LEN(s->listeners); i++) {
		const struct http_listener *l = &s->listeners[i];
		struct http_guest_counts n;

		if (!l->guests)
			continue;
		n = http_guests_counts(l->guests);
		buf_putf(out, "postern_http_connections{listener=\"%s\"} %llu\n", l->address,
			 (unsigned long long)n.here);
		buf_putf(out,
			 "postern_http_sent_away_total{listener=\"%s\",why=\"no_room\"} %llu\n"
			 "postern_http_sent_away_total{listener=\"%s\",why=\"too_slow\"} %llu\n",
			 l->address, (unsigned long long)n.crowded, l->address,
			 (unsigned long long)n.late);
	}
}

void http_metrics_text(struct buf *out, struct http_server *s)
{
	unsigned queued;

	(void)pthread_mutex_lock(&s->lock);
	queued = s->queued;
	(void)pthread_mutex_unlock(&s->lock);
	buf_putf(out, "# TYPE postern_http_queue gauge\npostern_http_queue %u\n", queued);
	buf_putf(out, "# TYPE postern_http_workers gauge\npostern_http_workers %u\n", s->n_workers);
	put_guests(out, s);
	buf_put(out, SLICE("# TYPE postern_http_requests_total counter\n"
			   "# TYPE postern_http_request_microseconds_total counter\n"));
	for (unsigned n = 0; n < MIN_OF(http_route_count(), (unsigned)ROUTES_MAX); n++)
		put_route(out, n);
	for (unsigned class = 1; class < CLASSES; class ++)
		buf_putf(
		    out,
		    "postern_http_requests_total{method=\"\",route=\"\",class=\"%uxx\"} %llu\n",
		    class, (unsigned long long)atomic_load(&unrouted[class]));
}
