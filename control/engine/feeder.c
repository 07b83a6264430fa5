/* control/engine/feeder.c - hands mail to the engine: piece after piece while it has room, each
 * marked accepted only after the engine's ACK.
 *
 * Guarantee: on a new connection nothing that the engine may have taken is sent again before the
 *            intake has read all events that were durable by then, because the engine's
 *            EVENT_ACCEPTED marks what it took. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "control/engine/background.h"
#include "control/engine/feeder.h"
#include "control/engine/meet.h"
#include "control/engine/statements.h"
#include "control/engine/subject.h"

enum { RETRY_MS = 500, IDLE_MS = 100, BOOKS_STEP_MS = 20 };

/* E_UNKNOWN: the engine has ended. */
static int books_reached(struct feeder *f, uint64_t durable)
{
	OWNED(db_result) row = NULL;
	char at[24];
	int r;

	(void)snprintf(at, sizeof(at), "%" PRIu64, durable);
	r = db_run(f->w->ingest, &row, sql_engine_cursor_reached, p_int(f->engine), p_str(at));
	return r <= 0 ? r ?: E_UNKNOWN : db_bool(row, 0, 0);
}

int feeder_wait_for_books(struct feeder *f, uint64_t durable)
{
	int r = 0;

	while (r == 0 && !worker_stopping(f->w)) {
		r = books_reached(f, durable);
		if (r == 0)
			worker_pause(f->w, BOOKS_STEP_MS);
	}
	return r < 0 ? r : 0;
}

/* ---- pieces ------------------------------------------------------------------------------ */

/* Rows of contacts that were deleted after the first sending.  The order is given before the job,
 * so that none is tried, and after it, so that the engine looks at what it has just queued.  Nobody
 * waits for the answers: if they are lost, the rows lead nowhere anyway. */
static int cancel_gone(struct feeder *f, struct id128 job)
{
	char id[ID_TEXT_MAX], key[96];
	int r = 0;

	for (unsigned i = 0; i < f->piece.n_gone && r >= 0; i++) {
		struct link_frame frame = { .type = LINK_RULE, .request = ++f->request };

		(void)snprintf(key, sizeof(key), "cancel/rcpt/%s:%u", id_format(job, id),
			       f->piece.gone[i]);
		frame.rule.key = slice_str(key);
		frame.rule.value = SLICE(SUBJECT_CONTACT_DELETED);
		r = carrier_send(f->link, &frame);
	}
	return r;
}

static int send_piece(struct feeder *f, struct feeder_mail *feed)
{
	const struct feeder_content *content = &feed->content;
	struct id128 id = subject_job_of_piece(feed->lease.number, f->piece.first);
	struct link_frame frame = { .type = LINK_JOB };
	struct feeder_flight *flight;
	int r;

	if (buf_len(&f->piece.data) > LINK_FRAME_MAX / 2)
		return E_LIMIT;
	r = cancel_gone(f, id);
	if (r < 0)
		return r;
	flight = feeder_flight_new(f, FLIGHT_JOB);
	if (!flight)
		return -EAGAIN;
	flight->org = feed->lease.org;
	flight->campaign = feed->lease.campaign;
	flight->number = feed->lease.number;
	flight->first = f->piece.first;
	feed->in_flight++;
	frame.job = (struct link_job){
		.id = id,
		.content = subject_content(content->meta, content->bytes),
		.tenant = feed->lease.org,
		.campaign = feed->lease.number,
		.accepted_ms = content->accepted_ms,
		.expires_ms = content->expires_ms,
		.rows = f->piece.rows,
		.meta = content->job_meta,
		.data = buf_data(&f->piece.data),
	};
	r = feeder_flight_send(f, flight, &frame);
	return r < 0 ? r : cancel_gone(f, id);
}

static int hand_over(struct feeder *f, struct feeder_mail *feed)
{
	int r = send_piece(f, feed);

	return r >= 0 ? 1 : r == E_LIMIT ? r : -EIO;
}

/* One piece of one campaign: first those in doubt, then new ones.  1 sent, 0 none, or negative. */
static int feed_step(struct feeder *f, struct feeder_mail *feed)
{
	int r;

	if (!feed->resolved) {
		r = feeder_source->in_doubt(feed->mail, f->w->api, feed->after, &f->piece);
		if (r > 0)
			feed->after = f->piece.first;
		else if (r == 0)
			feed->resolved = true;
		if (r != 0)
			return r < 0 ? r : hand_over(f, feed);
	}
	if (feed->idle)
		return 0;
	r = feed->lease.sending ? feeder_source->next(feed->mail, f->w->api, &f->piece) : 0;
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

/* An error in a campaign's own data ends only its turn: the other tenants' campaigns go on. */
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
			log_warn("feed.step", kv_int("campaign", f->feeds[i].lease.campaign),
				 kv_err("error", r), kv_str("why", db_error(f->w->api)));
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

static int feed_some(struct feeder *f, bool busy)
{
	int r = busy ? 0 : feeder_claim(f);

	return r < 0 ? r : feed_all(f);
}

static int turn(struct feeder *f, bool *busy)
{
	int orders, sent = 0, r;

	r = orders = feeder_outbox_step(f);
	if (r >= 0)
		r = feeder_outbox_dry(f);
	if (r > 0)
		r = sent = feed_some(f, *busy);
	if (r >= 0)
		r = feeder_flight_replies(f, sent || orders ? 0 : IDLE_MS);
	if (r < 0)
		return r;
	*busy = sent || orders || r;
	r = feeder_flight_write_done(f);
	if (r >= 0)
		r = feeder_refused_step(f);
	return r < 0 ? r : feeder_renew(f);
}

static void done_each(struct feeder *f, void (*each)(struct db_column *))
{
	each(&f->done.org), each(&f->done.number);
	each(&f->done.first), each(&f->done.lsn);
	each(&f->done_orders);
}

static void forget(struct feeder *f)
{
	feeder_drop_all(f);
	f->n_flights = 0;
	f->outbox_sent = 0;
	f->outbox_leader = false;
	f->full_until_ms = 0;
	f->refused.org = 0;
	done_each(f, db_column_clear);
}

static int session(struct feeder *f)
{
	bool busy = false;
	int r = meet_engine(f->w, SLICE(""), &f->link, &f->engine);

	if (r >= 0) /* what an earlier connection left: nobody else may hold that name */
		r = feeder_source->release_all(f->w->ingest, f->holder);
	if (r >= 0)
		r = feeder_wait_for_books(f, carrier_welcome(f->link)->durable);
	if (r >= 0)
		r = feeder_outbox_begin(f);
	while (r >= 0 && !worker_stopping(f->w))
		r = turn(f, &busy);
	return r;
}

static int feeder_step(struct worker *w)
{
	struct feeder *f = w->state;
	int r = session(f);

	if (db_connected(w->ingest))
		(void)!feeder_source->release_all(w->ingest, f->holder);
	f->link = carrier_free(f->link);
	forget(f);
	return r;
}

static void *feeder_begin(struct worker *w)
{
	struct feeder *f = must_alloc(sizeof(*f));

	f->w = w;
	buf_init(&f->piece.data, 0);
	done_each(f, db_column_init);
	(void)snprintf(f->holder, sizeof(f->holder), "%ld-%016" PRIx64, (long)getpid(),
		       random_u64());
	return f;
}

static void feeder_end(void *state)
{
	struct feeder *f = state;

	buf_free(&f->piece.data);
	done_each(f, db_column_free);
	free(f);
}

const struct worker_row feeder_worker = {
	.name = "feed",
	.step = feeder_step,
	.idle_ms = RETRY_MS,
	.retry_ms = RETRY_MS,
	.failed = "feed.ended",
	.fresh = true,
	.begin = feeder_begin,
	.end = feeder_end,
};
