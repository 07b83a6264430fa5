/* control/http/brake.c - a token bucket for each address that logs in or signs up.  In memory, one
 * table per process.  Addresses that share a slot share a bucket (IPv6 by /64), which errs on the
 * strict side. */
#include "base/clock.h"
#include "base/hash.h"
#include "control/http/options.h"
#include "control/http/private.h"

enum { SLOTS = 8192 };

static struct bucket {
	int64_t at_ms; /* when it was last filled; 0: never used, full */
	int64_t milli; /* thousandths of a try */
} buckets[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct bucket *bucket_of(const struct ip *ip)
{
	size_t n = ip->family == AF_INET6 ? 8 : 4;

	return &buckets[hash_keyed(slice_of((const char *)ip->bytes, n)) % SLOTS];
}

bool http_brake_take(const struct app *app, const struct ip *ip, unsigned *ret_wait_s)
{
	const struct http_options *o = http_options(app);
	int64_t most = o->brake_burst * 1000, rate = o->brake_per_minute;
	int64_t now = clock_mono_ms();
	struct bucket *b;
	bool fine;

	(void)pthread_mutex_lock(&lock);
	b = bucket_of(ip);
	if (!b->at_ms)
		b->milli = most;
	else /* rate per minute is rate/60 thousandths per millisecond */
		b->milli = MIN_OF(most, b->milli + (now - b->at_ms) * rate / 60);
	/* Only whole thousandths were added: keep the rest for the next time. */
	if (!b->at_ms || (now - b->at_ms) * rate / 60 > 0)
		b->at_ms = now;
	fine = b->milli >= 1000;
	if (fine)
		b->milli -= 1000;
	*ret_wait_s = fine ? 0 : (unsigned)((1000 - b->milli) * 60 / rate / 1000 + 1);
	(void)pthread_mutex_unlock(&lock);
	return fine;
}

int call_brake(struct call *c)
{
	unsigned wait_s;

	if (http_brake_take(c->app, &c->ip, &wait_s))
		return 0;
	http_reply_header(c, "Retry-After", "%u", wait_s);
	return problem(c, 429, "too_many_requests",
		       "too many attempts from your address: try again in %u s", wait_s);
}
