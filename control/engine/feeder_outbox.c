/* control/engine/feeder_outbox.c - hands orders (keys, holds, cancels, suppressions) to the engine,
 * as they were decided.  One process does it, so that none overtakes an older one. */
#include "base/log.h"
#include "control/engine/feeder.h"
#include "control/engine/outbox.h"
#include "control/engine/statements.h"

enum { ORDERS_A_STEP = 64 };

static int become_leader(struct feeder *f)
{
	OWNED(db_result) got = NULL;
	int r;

	if (f->outbox_leader)
		return 1;
	r = db_run(f->w->ingest, &got,
		   "SELECT pg_try_advisory_lock(hashtext('postern outbox'), 0)");
	if (r < 0)
		return r;
	f->outbox_leader = db_bool(got, 0, 0);
	return f->outbox_leader;
}

static int send_order(struct feeder *f, int64_t seq, enum outbox_kind kind, struct slice name,
		      struct slice value)
{
	struct link_frame frame = { .type = LINK_RULE, .rule = { name, value } };
	struct feeder_flight *flight;

	if (kind == OUTBOX_KEY) {
		frame = (struct link_frame){ .type = LINK_KEY, .key.pem = value };
		if (!slice_cut(name, ' ', &frame.key.domain, &frame.key.selector))
			return E_SYNTAX;
	}
	flight = feeder_flight_new(f, FLIGHT_ORDER);
	if (!flight)
		return -EAGAIN;
	flight->outbox = seq;
	return feeder_flight_send(f, flight, &frame);
}

enum { O_SEQ, O_KIND, O_NAME, O_VALUE, O_SEAL };

static int open_and_send(struct feeder *f, struct db_result *rows, unsigned i)
{
	struct slice name = db_text(rows, i, O_NAME);
	struct buf value;
	int r;

	buf_init(&value, 0);
	r = outbox_open(f->w->app, name, (int)db_int(rows, i, O_SEAL), db_bytes(rows, i, O_VALUE),
			&value);
	if (r < 0) {
		log_error("outbox.unreadable", kv_slice("name", name), kv_err("error", r));
		r = 0; /* it stays: the key file may come back */
	} else {
		r = send_order(f, db_int(rows, i, O_SEQ), (enum outbox_kind)db_int(rows, i, O_KIND),
			       name, buf_data(&value));
	}
	if (buf_len(&value))
		explicit_bzero((char *)buf_data(&value).p, buf_len(&value));
	buf_free(&value);
	return r;
}

int feeder_outbox_step(struct feeder *f)
{
	OWNED(db_result) rows = NULL;
	int r = become_leader(f);

	if (r <= 0 || f->n_flights > FLIGHTS_MAX - ORDERS_A_STEP - JOBS_IN_FLIGHT)
		return r < 0 ? r : 0;
	r = db_run(f->w->ingest, &rows, sql_engine_outbox_next, p_int(f->outbox_sent),
		   p_int(ORDERS_A_STEP));
	for (unsigned i = 0; r >= 0 && i < db_rows(rows); i++) {
		int e = open_and_send(f, rows, i);
		if (e < 0)
			return e;
		f->outbox_sent = db_int(rows, i, O_SEQ);
	}
	return r;
}

int feeder_outbox_begin(struct feeder *f)
{
	OWNED(db_result) row = NULL;
	int r = db_run(f->w->ingest, &row, sql_engine_outbox_last_rule);

	if (r >= 0)
		f->rules_first = db_int(row, 0, 0);
	return r < 0 ? r : 0;
}

int feeder_outbox_dry(struct feeder *f)
{
	OWNED(db_result) row = NULL;
	int r;

	if (!f->rules_first)
		return 1;
	r = db_run(f->w->ingest, &row, sql_engine_outbox_has_rule, p_int(f->rules_first));
	if (r < 0 || db_bool(row, 0, 0))
		return r < 0 ? r : 0;
	f->rules_first = 0;
	return 1;
}
