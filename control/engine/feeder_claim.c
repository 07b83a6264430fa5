/* control/engine/feeder_claim.c - which campaigns this process feeds. */
#include "base/clock.h"
#include "base/log.h"
#include "control/engine/feeder.h"
#include "control/engine/subject.h"

enum { BROKEN_MS = 30000, NO_ROOM_MS = 2000 };

struct feeder_mail *feeder_find(struct feeder *f, uint32_t org, uint64_t campaign)
{
	for (unsigned i = 0; i < f->n_feeds; i++)
		if (f->feeds[i].lease.campaign == campaign && f->feeds[i].lease.org == org)
			return &f->feeds[i];
	return NULL;
}

static void drop(struct feeder *f, unsigned i)
{
	feeder_source->close(f->feeds[i].mail);
	f->feeds[i] = f->feeds[--f->n_feeds];
}

void feeder_drop_all(struct feeder *f)
{
	while (f->n_feeds)
		drop(f, f->n_feeds - 1);
}

static int send_content(struct feeder *f, struct feeder_mail *feed)
{
	struct feeder_flight *flight = feeder_flight_new(f, FLIGHT_CONTENT);
	struct link_frame frame = { .type = LINK_CONTENT };

	if (!flight)
		return -EAGAIN;
	flight->org = feed->lease.org;
	flight->campaign = feed->lease.campaign;
	flight->number = feed->lease.number;
	feed->in_flight++;
	frame.content.id = subject_content(feed->content.meta, feed->content.bytes);
	frame.content.meta = feed->content.meta;
	frame.content.bytes = feed->content.bytes;
	return feeder_flight_send(f, flight, &frame);
}

static int take(struct feeder *f, const struct feeder_lease *lease)
{
	struct feeder_mail *feed = &f->feeds[f->n_feeds];
	int r;

	*feed = (struct feeder_mail){ .lease = *lease };
	r = feeder_source->open(&feed->mail, f->w->app, f->w->api, lease, &feed->content);
	if (r < 0)
		return 0; /* its lease runs out, and it is tried again then */
	f->n_feeds++;
	log_debug("feed.begin", kv_int("campaign", lease->campaign),
		  kv_int("number", lease->number));
	return send_content(f, feed);
}

int feeder_claim(struct feeder *f)
{
	struct feeder_lease leases[FEEDS_MAX];
	int n;

	if (f->n_feeds == FEEDS_MAX || f->n_flights > FLIGHTS_MAX / 2)
		return 0;
	n = feeder_source->claim(f->w->ingest, f->holder, LEASE_MS, FEEDS_MAX - f->n_feeds,
				 f->engine, leases);
	for (int i = 0; i < n; i++) {
		int r = take(f, &leases[i]);

		if (r < 0)
			return r;
	}
	return n;
}

/* After the engine refused a campaign nobody takes it up before BROKEN_MS have passed; while its
 * tenant's queue there is full, before NO_ROOM_MS have. */
static int release(struct feeder *f, const struct feeder_mail *feed)
{
	int pause_ms = feed->no_room ? NO_ROOM_MS : BROKEN_MS;
	int r = feeder_source->release(f->w->ingest, f->holder, &feed->lease,
				       feed->broken && !feed->refused ? pause_ms : -1);

	return r < 0 ? r : 0;
}

/* Ends what is finished, keeps the leases of the rest. */
int feeder_renew(struct feeder *f)
{
	int64_t now = clock_mono_ms();
	int r = 0;

	for (unsigned i = f->n_feeds; i-- > 0 && r >= 0;) {
		struct feeder_mail *feed = &f->feeds[i];

		if (feed->in_flight || !(feed->broken || (feed->resolved && feed->idle)))
			continue;
		r = release(f, feed);
		drop(f, i);
	}
	if (r < 0 || !f->n_feeds || now - f->leased_ms < LEASE_MS / 3)
		return r;
	f->leased_ms = now;
	r = feeder_source->renew(f->w->ingest, f->holder, LEASE_MS);
	return r < 0 ? r : 0;
}
