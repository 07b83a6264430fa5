/* control/engine/feeder.c - campaigns into the engine: chunk after chunk while it has room, each
 * marked fed only after the engine's ACK.
 * Guarantee: after a connection begins nothing that may have been taken is sent again before intake
 *            has
 * read all that was durable by then: what the engine took is marked by its own EVENT_ACCEPTED. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "control/engine/feeder.h"
#include "control/engine/options.h"
#include "control/tracking/options.h"

enum { RETRY_MS = 500, OPEN_MS = 5000, IDLE_MS = 100, BOOKS_STEP_MS = 20 };

static int books_reached(struct feeder *f, const char *engine, uint64_t durable)
{
	OWNED(db_result) row = NULL;
	char at[24];
	int r;

	(void)snprintf(at, sizeof(at), "%" PRIu64, durable);
	r = db_run(f->ingest, &row, "SELECT cursor >= $2::numeric FROM engines WHERE name = $1",
		   p_str(engine), p_str(at));
	return r <= 0 ? r : db_bool(row, 0, 0);
}

static int wait_for_books(struct feeder *f)
{
	const struct carrier_welcome *hello = carrier_welcome(f->link);
	int r = 0;

	while (r == 0 && !worker_stopping(f->w)) {
		r = books_reached(f, hello->engine, hello->durable);
		if (r == 0)
			worker_pause(f->w, BOOKS_STEP_MS);
	}
	return r < 0 ? r : 0;
}

/* ---- chunks ------------------------------------------------------------------------------ */

/* Rows of contacts that were deleted after the first sending.  The order is given before the job,
 * so that none is tried, and after it, so that the engine looks at what it has just queued.  Its
 * answers are not waited for: should they be lost, the rows lead nowhere all the same. */
static int cancel_gone(struct feeder *f, struct id128 job)
{
	char id[ID_TEXT_MAX], key[96];
	int r = 0;

	for (unsigned i = 0; i < f->chunk.n_gone && r >= 0; i++) {
		struct link_frame frame = { .type = LINK_RULE, .request = ++f->request };

		(void)snprintf(key, sizeof(key), "cancel/rcpt/%s:%u", id_format(job, id),
			       f->chunk.gone[i]);
		frame.rule.key = slice_str(key);
		frame.rule.value = SLICE("contact deleted");
		r = carrier_send(f->link, &frame);
	}
	return r;
}

static int send_chunk(struct feeder *f, struct feeder_mail *feed)
{
	const struct recipe *recipe = feed->recipe;
	struct id128 id = job_of_chunk(feed->campaign, f->chunk.first);
	struct link_frame frame = { .type = LINK_JOB };
	struct feeder_flight *flight;
	int r;

	if (buf_len(&f->chunk.data) > LINK_FRAME_MAX / 2)
		return E_LIMIT;
	r = cancel_gone(f, id);
	if (r < 0)
		return r;
	flight = feeder_flight_new(f, FLIGHT_JOB);
	if (!flight)
		return -EAGAIN;
	flight->org = feed->org;
	flight->campaign = feed->campaign;
	flight->first = f->chunk.first;
	feed->in_flight++;
	frame.job = (struct link_job){
		.id = id,
		.content = content_of_campaign(feed->campaign, recipe->version),
		.tenant = feed->org,
		.campaign = feed->campaign,
		.accepted_ms = recipe->accepted_ms,
		.expires_ms = recipe->expires_ms,
		.rows = f->chunk.rows,
		.meta = buf_data(&recipe->job_meta),
		.data = buf_data(&f->chunk.data),
	};
	r = feeder_flight_send(f, flight, &frame);
	return r < 0 ? r : cancel_gone(f, id);
}

static int hand_over(struct feeder *f, struct feeder_mail *feed)
{
	int r = send_chunk(f, feed);

	return r >= 0 ? 1 : r == E_LIMIT ? r : -EIO;
}

/* One chunk of one campaign: first those in doubt, then new ones.  1 sent, 0 none, or negative. */
static int feed_step(struct feeder *f, struct feeder_mail *feed)
{
	struct ledger_piece_maker maker = { feed->recipe, &f->key,
					    tracking_options(f->w->app)->public_url };
	int r;

	if (!feed->resolved) {
		r = ledger_piece_in_doubt(f->api, &maker, feed->after, &f->chunk);
		if (r > 0)
			feed->after = f->chunk.first;
		else if (r == 0)
			feed->resolved = true;
		if (r != 0)
			return r < 0 ? r : hand_over(f, feed);
	}
	if (feed->idle)
		return 0;
	r = feed->sending ? ledger_piece_cut(f->api, &maker, &f->chunk) : 0;
	if (r > 0)
		r = hand_over(f, feed);
	else if (r == 0)
		feed->idle = true;
	return r;
}

static bool has_room(const struct feeder *f, const struct feeder_mail *feed)
{
	return !feed->broken && feed->in_flight < JOBS_IN_FLIGHT && f->n_flights < FLIGHTS_MAX &&
	       carrier_unsent(f->link) < UNSENT_MAX && clock_mono_ms() >= f->full_until_ms;
}

/* What lies in the campaign's own data ends its turn alone: the other tenants' campaigns go on. */
static bool own_fault(int err)
{
	return err == E_LIMIT || err == E_SYNTAX || err == E_UNKNOWN;
}

static int feed_all(struct feeder *f)
{
	int sent = 0;

	for (unsigned i = 0; i < f->n_feeds; i++) {
		int r = has_room(f, &f->feeds[i]) ? feed_step(f, &f->feeds[i]) : 0;

		if (r < 0) {
			log_warn("feed.step", kv_int("campaign", f->feeds[i].campaign),
				 kv_err("error", r), kv_str("why", db_error(f->api)));
			if (!own_fault(r))
				return r;
			f->feeds[i].broken = true;
			continue;
		}
		sent += r;
	}
	return sent;
}

/* ---- a connection ------------------------------------------------------------------------ */

static int turn(struct feeder *f, bool *busy)
{
	int orders, sent = 0, r;

	r = orders = feeder_outbox_step(f);
	if (r >= 0 && !*busy)
		r = feeder_claim(f);
	if (r >= 0)
		r = sent = feed_all(f);
	if (r >= 0)
		r = feeder_flight_replies(f, sent || orders ? 0 : IDLE_MS);
	if (r < 0)
		return r;
	*busy = sent || orders || r;
	r = feeder_flight_write_done(f);
	return r < 0 ? r : feeder_renew(f);
}

static void forget(struct feeder *f)
{
	feeder_drop_all(f);
	f->n_flights = 0;
	f->outbox_sent = 0;
	f->outbox_leader = false;
	f->full_until_ms = 0;
	db_column_clear(&f->done_org), db_column_clear(&f->done_campaign);
	db_column_clear(&f->done_first), db_column_clear(&f->done_lsn),
	    db_column_clear(&f->done_orders);
}

/* Leases of our own that an earlier connection left: nobody else may hold that name. */
static int take_back(struct feeder *f)
{
	return db_run(
	    f->ingest, NULL,
	    "UPDATE campaigns SET claimed_by = '', claimed_until = NULL WHERE claimed_by = $1",
	    p_str(f->holder));
}

static int session(struct feeder *f)
{
	bool busy = false;
	int r = carrier_open(&f->link, engine_options(f->w->app)->socket, SLICE(""), OPEN_MS);

	if (r >= 0)
		r = take_back(f);
	if (r >= 0)
		r = wait_for_books(f);
	while (r >= 0 && !worker_stopping(f->w))
		r = turn(f, &busy);
	return r;
}

static void end_session(struct feeder *f)
{
	if (db_connected(f->ingest))
		(void)!take_back(f);
	f->link = carrier_free(f->link);
	f->ingest = db_free(f->ingest);
	f->api = db_free(f->api);
	forget(f);
}

static void feeder_init(struct feeder *f, struct worker *w)
{
	struct db_column *columns[] = { &f->done_org, &f->done_campaign, &f->done_first,
					&f->done_lsn, &f->done_orders };

	f->w = w;
	ledger_piece_init(&f->chunk);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		db_column_init(columns[i]);
	(void)snprintf(f->holder, sizeof(f->holder), "%ld-%016" PRIx64, (long)getpid(),
		       random_u64());
}

static void feeder_end(struct feeder *f)
{
	ledger_piece_free(&f->chunk);
	db_column_free(&f->done_org), db_column_free(&f->done_campaign);
	db_column_free(&f->done_first), db_column_free(&f->done_lsn),
	    db_column_free(&f->done_orders);
}

void feed_run(struct worker *w)
{
	struct feeder *f = must_alloc(sizeof(*f));
	int before = 0, r = worker_ticket_key(w->app, &f->key);

	feeder_init(f, w);
	while (r >= 0 && !worker_stopping(w)) {
		f->ingest = app_db(w->app, APP_INGEST);
		f->api = app_db(w->app, APP_API);
		int e = session(f);

		if (e < 0 && e != before)
			log_warn("feed.ended", kv_err("error", e));
		before = e;
		end_session(f);
		worker_pause(w, RETRY_MS);
	}
	feeder_end(f);
	free(f);
}
