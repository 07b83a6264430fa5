/* control/engine/feeder_flight.c - what was sent and is not acknowledged yet; the answers to it. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/engine/feeder.h"

enum { FULL_PAUSE_MS = 1000 };

struct feeder_flight *feeder_flight_new(struct feeder *f, enum feeder_flight_kind kind)
{
	struct feeder_flight *flight;

	if (f->n_flights == FLIGHTS_MAX)
		return NULL;
	flight = &f->flights[f->n_flights++];
	*flight = (struct feeder_flight){ .kind = kind, .request = ++f->request };
	return flight;
}

int feeder_flight_send(struct feeder *f, struct feeder_flight *flight, struct link_frame *frame)
{
	frame->request = flight->request;
	return carrier_send(f->link, frame);
}

/* Answers come in the order of durability, which is nearly that of sending. */
static struct feeder_flight *find(struct feeder *f, uint64_t request)
{
	for (unsigned i = 0; i < f->n_flights; i++)
		if (f->flights[i].request == request)
			return &f->flights[i];
	return NULL;
}

static void landed(struct feeder *f, struct feeder_flight *flight)
{
	size_t behind = (size_t)(&f->flights[f->n_flights] - flight - 1);

	memmove(flight, flight + 1, behind * sizeof(*flight));
	f->n_flights--;
}

static void on_ack(struct feeder *f, const struct feeder_flight *flight, uint64_t lsn)
{
	if (flight->kind == FLIGHT_ORDER)
		db_column_int(&f->done_orders, flight->outbox);
	if (flight->kind != FLIGHT_JOB)
		return;
	db_column_int(&f->done.org, flight->org);
	db_column_u64(&f->done.number, flight->number);
	db_column_u64(&f->done.first, flight->first);
	db_column_u64(&f->done.lsn, lsn);
}

/* The piece stays in doubt in the database and is sent again.  If the engine took it, it only
 * acknowledges it once more. */
static void on_error(struct feeder *f, struct feeder_mail *feed, const struct feeder_flight *flight,
		     const struct link_frame *e)
{
	if (e->error.code == E_FULL)
		f->full_until_ms = clock_mono_ms() + FULL_PAUSE_MS;
	else if (e->error.code != E_NO_ROOM)
		log_error("feed.refused", kv_int("kind", flight->kind),
			  kv_int("campaign", flight->campaign), kv_int("first", flight->first),
			  kv_int("order", flight->outbox), kv_err("error", e->error.code),
			  kv_slice("text", e->error.text));
	if (flight->kind == FLIGHT_ORDER && e->error.code != E_FULL && e->error.code != E_POISONED)
		db_column_int(&f->done_orders, flight->outbox); /* it would be refused for ever */
	if (!feed)
		return;
	if (e->error.code == E_FULL) {
		feed->after = 0;
		feed->resolved = false;
	} else {
		feed->broken = true;
		feed->no_room = e->error.code == E_NO_ROOM;
		if (e->error.code == E_CONFLICT) {
			feed->refused = true;
			f->refused = feed->lease;
			f->refused_first = flight->kind == FLIGHT_JOB ? flight->first : 0;
		}
	}
}

static int on_answer(struct feeder *f, const struct link_frame *frame)
{
	struct feeder_flight *flight = find(f, frame->request);
	struct feeder_mail *feed;

	if (frame->type != LINK_ACK && frame->type != LINK_ERROR)
		return E_SYNTAX;
	if (!flight)
		return 0;
	feed = flight->campaign ? feeder_find(f, flight->org, flight->campaign) : NULL;
	if (feed)
		feed->in_flight--;
	if (frame->type == LINK_ACK)
		on_ack(f, flight, frame->lsn);
	else
		on_error(f, feed, flight, frame);
	landed(f, flight);
	return 0;
}

int feeder_flight_replies(struct feeder *f, int wait_ms)
{
	struct link_frame frame;
	int r = carrier_wait(f->link, wait_ms, -1), some = 0;

	if (r < 0)
		return r;
	while ((r = carrier_next(f->link, &frame)) > 0) {
		r = on_answer(f, &frame);
		if (r < 0)
			return r;
		some = 1;
	}
	return r < 0 ? r : some;
}

static int write_done(struct feeder *f)
{
	struct feeder_done *done = &f->done;
	int r = done->org.n ? feeder_source->accepted(f->w->ingest, done) : 0;

	if (r < 0)
		return r;
	db_column_clear(&done->org), db_column_clear(&done->number);
	db_column_clear(&done->first), db_column_clear(&done->lsn);
	return 0;
}

int feeder_flight_write_done(struct feeder *f)
{
	int r = write_done(f);

	if (r < 0 || !f->done_orders.n)
		return r;
	r = db_run(f->w->ingest, NULL, "DELETE FROM engine_outbox WHERE seq = ANY($1::bigint[])",
		   p_str(db_column_array(&f->done_orders)));
	if (r < 0)
		return r;
	db_column_clear(&f->done_orders);
	return 0;
}
