/* control/engine/intake.c - writes the engine's events into the database, exactly once: what they
 * say and how far we have read are one transaction.
 *
 * Guarantee: a crash on either side repeats and loses nothing, because the cursor is taken from the
 *            database, never from the engine. */
#include "base/clock.h"
#include "base/log.h"
#include "control/engine/background.h"
#include "control/engine/carrier.h"
#include "control/engine/intake_batch.h"
#include "control/engine/meet.h"
#include "control/engine/options.h"
#include "control/engine/statements.h"

enum {
	RETRY_MS = 1000,
	WAIT_MS = 100,
	PARTITIONS_MS = 3600 * 1000,
	EVENTS_MOST = 16384, /* a transaction */
	BYTES_MOST = 32 * 1024 * 1024,
	TELL_BYTES =
	    1024 * 1024, /* without events, the engine hears of our cursor only now and then */
};

struct intake {
	struct worker *w;
	struct intake_batch *batch;
	struct numbers *numbers;
	struct carrier *link;
	char engine[64];
	int64_t engine_id; /* engines.id */
	uint64_t at, told; /* in the database; last sent as CURSOR */
	uint64_t request, subscription;
	int64_t partitions_ms;
	bool pending; /* the batch holds frames */
};

/* ---- the cursor -------------------------------------------------------------------------- */

/* One process takes events; the others wait for its lock, which goes with its connection. */
static int become_leader(struct intake *in)
{
	OWNED(db_result) got = NULL;
	int r = db_run(in->w->ingest, &got,
		       "SELECT pg_try_advisory_lock(hashtext('postern intake'), hashtext($1))",
		       p_str(in->engine));

	return r < 0 ? r : db_bool(got, 0, 0) ? 0 : -EAGAIN;
}

static int load_cursor(struct intake *in)
{
	OWNED(db_result) row = NULL;
	int r = db_run(in->w->ingest, &row, sql_engine_cursor_read, p_int(in->engine_id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	return slice_u64(db_text(row, 0, 0), UINT64_MAX, &in->at);
}

static void make_partitions(struct intake *in)
{
	int64_t now = clock_mono_ms();

	if (in->partitions_ms && now - in->partitions_ms < PARTITIONS_MS)
		return;
	in->partitions_ms = now;
	for (int day = 0; day < 3; day++) {
		if (db_run(in->w->ingest, NULL,
			   "SELECT events_make_day((now() AT TIME ZONE 'UTC')::date + $1::int)",
			   p_int(day)) < 0)
			log_warn("intake.partition", kv_int("day", day),
				 kv_str("why", db_error(in->w->ingest)));
	}
}

/* ---- one frame --------------------------------------------------------------------------- */

static int work_write(struct db *db, void *arg)
{
	struct intake *in = arg;

	return intake_batch_write(in->batch, db, in->engine_id, in->at);
}

static int tell(struct intake *in, bool events)
{
	if (!events && in->at - in->told < TELL_BYTES)
		return 0;
	in->told = in->at;
	return carrier_send(
	    in->link,
	    &(struct link_frame){ .type = LINK_CURSOR, .request = ++in->request, .lsn = in->at });
}

/* All that has come is one transaction: the more the database lags, the larger it grows. */
static int write_batch(struct intake *in)
{
	bool events = intake_batch_events(in->batch) > 0;
	int r = db_tx(in->w->ingest, 0, work_write, in);

	if (r < 0) {
		log_warn("intake.write", kv_err("error", r),
			 kv_str("why", db_error(in->w->ingest)));
		return r;
	}
	in->at = intake_batch_next(in->batch);
	in->pending = false;
	intake_batch_clear(in->batch);
	return tell(in, events);
}

static int take_events(struct intake *in, const struct link_frame *f)
{
	int r = intake_batch_add(in->batch, f);

	if (r < 0)
		return r;
	in->pending = true;
	return intake_batch_events(in->batch) >= EVENTS_MOST ||
		       intake_batch_bytes(in->batch) >= BYTES_MOST
		   ? write_batch(in)
		   : 0;
}

/* A new engine's log begins somewhere; from there on nothing is missing. */
static int take_ack(struct intake *in, const struct link_frame *f)
{
	struct link_frame begin = { .type = LINK_EVENTS, .events.next = f->lsn };

	return f->request == in->subscription && in->at == 0 && f->lsn ? take_events(in, &begin)
								       : 0;
}

/* The place up to which we read is not in its log, or no record ends there. */
static int take_error(struct intake *in, const struct link_frame *f)
{
	int code = f->error.code, r = 0;

	if (f->request == in->subscription && (code == E_SYNTAX || code == -EINVAL))
		r = meet_went_back(in->w, in->engine_id);
	return r < 0 ? r : code < 0 ? code : E_DENIED;
}

static int take_frame(struct intake *in, const struct link_frame *f)
{
	switch (f->type) {
	case LINK_EVENTS:
		return take_events(in, f);
	case LINK_ACK:
		return take_ack(in, f);
	case LINK_ERROR:
		log_error("intake.refused", kv_err("error", f->error.code),
			  kv_slice("text", f->error.text));
		return take_error(in, f);
	default:
		return E_SYNTAX;
	}
}

/* ---- a connection ------------------------------------------------------------------------ */

static int begin(struct intake *in)
{
	const struct carrier_options *o = carrier_options(in->w->app);
	int r = meet_engine(in->w, slice_str(o->name), &in->link, &in->engine_id);

	if (r < 0)
		return r;
	slice_copy(in->engine, sizeof(in->engine), slice_str(carrier_welcome(in->link)->engine));
	r = become_leader(in);
	if (r >= 0)
		r = load_cursor(in);
	if (r < 0)
		return r;
	make_partitions(in);
	in->told = in->at;
	log_info("intake.begin", kv_str("engine", in->engine), kv_int("from", in->at));
	in->subscription = ++in->request;
	return carrier_send(in->link, &(struct link_frame){ .type = LINK_SUBSCRIBE,
							    .request = in->subscription,
							    .lsn = in->at });
}

static int go_on(struct intake *in)
{
	struct link_frame f;
	int r = carrier_wait(in->link, WAIT_MS, -1);

	if (r < 0)
		return r;
	while ((r = carrier_next(in->link, &f)) > 0 && !worker_stopping(in->w)) {
		r = take_frame(in, &f);
		if (r < 0)
			return r;
	}
	if (r >= 0 && in->pending)
		r = write_batch(in);
	make_partitions(in);
	return r;
}

static int session(struct intake *in)
{
	int r = begin(in);

	while (r >= 0 && !worker_stopping(in->w))
		r = go_on(in);
	in->link = carrier_free(in->link);
	return r;
}

static int intake_step(struct worker *w)
{
	struct intake *in = w->state;

	intake_batch_clear(in->batch);
	numbers_begin(in->numbers, w->ingest);
	in->pending = false;
	return session(in);
}

static void *intake_begin(struct worker *w)
{
	struct intake *in = must_alloc(sizeof(*in));

	in->w = w;
	in->numbers = numbers_new();
	in->batch = intake_batch_new(w->app, in->numbers);
	return in;
}

static void intake_end(void *state)
{
	struct intake *in = state;

	(void)intake_batch_free(in->batch);
	(void)numbers_free(in->numbers);
	free(in);
}

const struct worker_row intake_worker = {
	.name = "intake",
	.step = intake_step,
	.idle_ms = RETRY_MS,
	.retry_ms = RETRY_MS,
	.failed = "intake.ended",
	.fresh = true, /* and the lock is free */
	.begin = intake_begin,
	.end = intake_end,
};
