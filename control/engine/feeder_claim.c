/* control/engine/feeder_claim.c - which campaigns this process feeds: leases in the database, so
 * that any number of processes share the work and a dead one's campaigns are taken over. */
#include "base/clock.h"
#include "base/log.h"
#include "control/engine/feeder.h"
#include "control/engine/options.h"

enum { BROKEN_MS = 30000 };

struct feeder_mail *feeder_find(struct feeder *f, uint32_t org, uint64_t campaign)
{
	for (unsigned i = 0; i < f->n_feeds; i++)
		if (f->feeds[i].campaign == campaign && f->feeds[i].org == org)
			return &f->feeds[i];
	return NULL;
}

static void drop(struct feeder *f, unsigned i)
{
	recipe_free(f->feeds[i].recipe);
	f->feeds[i] = f->feeds[--f->n_feeds];
}

void feeder_drop_all(struct feeder *f)
{
	while (f->n_feeds)
		drop(f, f->n_feeds - 1);
}

/* Campaigns with recipients that are not cut yet, and any whose chunks are in doubt. */
static const char sql_claim[] =
    "UPDATE campaigns SET claimed_by = $1, claimed_until = now() + $2 * interval '1 ms' "
    "WHERE (org_id, id) IN (SELECT c.org_id, c.id FROM campaigns c WHERE (c.org_id, c.id) IN"
    " (SELECT org_id, id FROM campaigns WHERE status = 3 AND next_seq <= sendable"
    "  UNION SELECT org_id, campaign_id FROM campaign_chunks WHERE state <> 3)"
    " AND (c.claimed_until IS NULL OR c.claimed_until < now())"
    " ORDER BY c.started_at, c.id LIMIT $3 FOR UPDATE SKIP LOCKED) "
    "RETURNING org_id, id, status = 3 AND next_seq <= sendable";

static int load_recipe(struct feeder *f, struct feeder_mail *feed)
{
	char why[RECIPE_ERROR_MAX];
	int r;

	db_begin(f->api, feed->org);
	r = recipe_load(&feed->recipe, f->api, feed->org, feed->campaign,
			slice_str(engine_options(f->w->app)->pool), why);
	db_rollback(f->api);
	if (r < 0)
		log_error("feed.recipe", kv_int("campaign", feed->campaign), kv_err("error", r),
			  kv_str("why", why[0] ? why : db_error(f->api)));
	return r;
}

static int send_content(struct feeder *f, struct feeder_mail *feed)
{
	const struct recipe *recipe = feed->recipe;
	struct feeder_flight *flight = feeder_flight_new(f, FLIGHT_CONTENT);
	struct link_frame frame = { .type = LINK_CONTENT };

	if (!flight)
		return -EAGAIN;
	flight->org = feed->org;
	flight->campaign = feed->campaign;
	feed->in_flight++;
	frame.content.id = content_of_campaign(feed->campaign, recipe->version);
	frame.content.meta = buf_data(&recipe->content_meta);
	frame.content.bytes = buf_data(&recipe->bytes);
	return feeder_flight_send(f, flight, &frame);
}

static int take(struct feeder *f, uint32_t org, uint64_t campaign, bool sending)
{
	struct feeder_mail *feed = &f->feeds[f->n_feeds];
	int r;

	*feed = (struct feeder_mail){ .org = org, .campaign = campaign, .sending = sending };
	r = load_recipe(f, feed);
	if (r < 0)
		return 0; /* its lease runs out, and it is tried again then */
	f->n_feeds++;
	log_debug("feed.begin", kv_int("campaign", campaign));
	return send_content(f, feed);
}

int feeder_claim(struct feeder *f)
{
	OWNED(db_result) rows = NULL;
	int r;

	if (f->n_feeds == FEEDS_MAX || f->n_flights > FLIGHTS_MAX / 2)
		return 0;
	r = db_run(f->ingest, &rows, sql_claim, p_str(f->holder), p_int(LEASE_MS),
		   p_int(FEEDS_MAX - f->n_feeds));
	for (int i = 0; r >= 0 && i < (int)db_rows(rows); i++) {
		int e = take(f, (uint32_t)db_int(rows, (unsigned)i, 0),
			     (uint64_t)db_int(rows, (unsigned)i, 1), db_bool(rows, (unsigned)i, 2));
		if (e < 0)
			return e;
	}
	return r;
}

/* Nobody takes up a campaign that the engine refused before BROKEN_MS have passed. */
static int release(struct feeder *f, const struct feeder_mail *feed)
{
	int r = db_run(
	    f->ingest, NULL,
	    "UPDATE campaigns SET claimed_by = '', claimed_until = now() + $4 * interval '1 ms' "
	    "WHERE org_id = $1 AND id = $2 AND claimed_by = $3",
	    p_int(feed->org), p_int(feed->campaign), p_str(f->holder),
	    p_int(feed->broken ? BROKEN_MS : -1));

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
	r = db_run(f->ingest, NULL,
		   "UPDATE campaigns SET claimed_until = now() + $2 * interval '1 ms' WHERE "
		   "claimed_by = $1",
		   p_str(f->holder), p_int(LEASE_MS));
	return r < 0 ? r : 0;
}
