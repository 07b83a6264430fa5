/* mta/reports/reading.c - which mail is read next, by whom, and what becomes of it. */
#include "mta/reports/reading.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/reports/child.h"
#include "mta/reports/facts.h"
#include "mta/reports/forward.h"
#include "mta/reports/options.h"
#include "mta/reports/reader.h"
#include "mta/warmup/warmup.h"

enum {
	FLIGHTS_MAX = 64,
	FLIGHT_BYTES_MAX = 8 * 1024 * 1024,
	AGAIN_MS = 1000,
	LOOK_MS = 1000,
};

/* A mail that the reader has, or had when it died. */
struct held_mail {
	struct list link;
	struct id128 id;
	int64_t at_ms; /* when it came */
	size_t bytes;
	struct buf envelope, message;
};
struct reading_counters {
	counter read, unreadable, started;
};
struct reading_desk {
	struct engine *engine;
	struct note note;
	atomic_bool posted;
	/* the front desk's */
	struct lane *lane;
	struct returnpath *returnpath;
	const struct reports_options *options;
	struct child *child;
	struct child_user child_user;
	struct turn_end over; /* the child is gone: look after it at the end of the turn */
	struct timer again;   /* the log or the system had no room */
	struct timer watch;   /* the reader must answer */
	int64_t heard_ms;
	struct list flights;  /* in the order in which they were given */
	struct list suspects; /* held by a reader that died: each is read alone */
	unsigned n_flights, n_suspects;
	size_t bytes;
	unsigned given; /* to this child */
	bool alone, stopping;
	struct facts facts;
	struct reading_counters counters;
};

static struct spool *spool_of(const struct reading_desk *rd)
{
	return engine_spool(rd->engine);
}

static void flight_free(struct held_mail *f)
{
	list_remove(&f->link);
	buf_free(&f->envelope);
	buf_free(&f->message);
	free(f);
}

static void wait_a_moment(struct reading_desk *rd)
{
	timer_set(lane_loop(rd->lane)->timers, &rd->again, AGAIN_MS);
}

/* ---- what was said ----------------------------------------------------------------------- */

/* The facts go to the log.  Those of a mail that cannot be taken now are read again later. */
static void conclude(struct reading_desk *rd, const struct held_mail *f, const struct said *said)
{
	int r;

	facts_make(&rd->facts, rd->returnpath, f->id, f->at_ms, buf_data(&f->envelope),
		   buf_data(&f->message), said);
	r = forward_maybe(rd->engine, rd->options, f->id, buf_data(&f->envelope),
			  buf_data(&f->message), said);
	if (r == 0)
		r = spool_put_late(spool_of(rd), rd->facts.at, rd->facts.n, NULL);
	if (r == 0) {
		count_add(&rd->counters.read, 1);
		warmup_returned(warmup_of(rd->engine), rd->facts.at, rd->facts.n);
		return;
	}
	if (r != E_FULL)
		log_error("reports.record", kv_err("reason", r));
	if (r != E_UNKNOWN)
		wait_a_moment(rd);
}

static void landed(struct reading_desk *rd, struct held_mail *f)
{
	rd->n_flights--;
	rd->bytes -= f->bytes;
	flight_free(f);
}

static void pump(struct reading_desk *rd);

static bool on_said(struct child_user *u, struct slice answer)
{
	struct reading_desk *rd = container_of(u, struct reading_desk, child_user);
	struct held_mail *f = list_first(&rd->flights, struct held_mail, link);
	OWNED_MEM struct said *said = must_alloc(sizeof(*said));

	if (!f || said_get(answer, said) < 0)
		return false;
	rd->heard_ms = clock_mono_ms();
	conclude(rd, f, said);
	landed(rd, f);
	pump(rd);
	return true;
}

/* ---- a reader that died ------------------------------------------------------------------ */

static void give_up(struct reading_desk *rd, struct held_mail *f)
{
	char id[ID_TEXT_MAX];

	log_error("reports.unreadable", kv_str("mail", id_format(f->id, id)),
		  kv_int("bytes", buf_len(&f->message)));
	count_add(&rd->counters.unreadable, 1);
	conclude(rd, f, NULL);
	landed(rd, f);
}

static void on_over(struct turn_end *t)
{
	struct reading_desk *rd = container_of(t, struct reading_desk, over);
	struct held_mail *f;
	bool blame;

	blame = rd->child && child_ready(rd->child);
	rd->child = child_free(rd->child);
	rd->given = 0;
	if (!blame) {
		log_error("reports.reader",
			  kv_str("reason", "it cannot be started, or ends at once"));
		wait_a_moment(rd);
	}
	if (blame && rd->alone && (f = list_first(&rd->flights, struct held_mail, link)))
		give_up(rd, f);
	while ((f = list_first(&rd->flights, struct held_mail, link))) {
		rd->n_flights--;
		rd->bytes -= f->bytes;
		list_remove(&f->link);
		list_push(&rd->suspects, &f->link);
		rd->n_suspects++;
	}
	pump(rd);
}

static void on_gone(struct child_user *u)
{
	struct reading_desk *rd = container_of(u, struct reading_desk, child_user);

	loop_at_turn_end(lane_loop(rd->lane), &rd->over);
}

static void on_watch(struct timer *t)
{
	struct reading_desk *rd = container_of(t, struct reading_desk, watch);

	if (rd->n_flights && rd->child &&
	    clock_mono_ms() - rd->heard_ms > rd->options->reader_timeout) {
		log_warn("reports.reader-hangs", kv_int("mails", rd->n_flights));
		loop_at_turn_end(lane_loop(rd->lane), &rd->over);
	}
	timer_set(lane_loop(rd->lane)->timers, &rd->watch, LOOK_MS);
}

/* ---- what is read next ------------------------------------------------------------------- */

static bool is_here(const struct list *l, struct id128 id)
{
	struct held_mail *f;

	list_each(l, f, struct held_mail, link)
		if (id_eq(f->id, id))
			return true;
	return false;
}

static bool ready_child(struct reading_desk *rd)
{
	int r;

	if (rd->child)
		return true;
	r = child_start(&rd->child, lane_loop(rd->lane), rd->options->rules, &rd->child_user);
	if (r < 0) {
		log_error("reports.reader", kv_err("reason", r));
		wait_a_moment(rd);
		return false;
	}
	count_add(&rd->counters.started, 1);
	return true;
}

static bool give(struct reading_desk *rd, struct held_mail *f)
{
	if (!ready_child(rd))
		return false;
	rd->given++;
	if (!rd->n_flights)
		rd->heard_ms = clock_mono_ms();
	list_remove(&f->link);
	list_push(&rd->flights, &f->link);
	rd->n_flights++;
	rd->bytes += f->bytes;
	if (child_send(rd->child, buf_data(&f->message)) < 0)
		loop_at_turn_end(lane_loop(rd->lane), &rd->over);
	return true;
}

static void take(struct reading_desk *rd, struct id128 id)
{
	struct held_mail *f = must_alloc(sizeof(*f));
	int r;

	list_init(&f->link);
	f->id = id;
	r = spool_read_late_mail(spool_of(rd), id, &f->at_ms, &f->envelope, &f->message);
	f->bytes = buf_len(&f->message);
	if (r < 0 && r != E_UNKNOWN)
		log_error("reports.unreadable-record", kv_err("reason", r));
	if (r < 0 || !give(rd, f)) {
		flight_free(f);
		if (r < 0 && r != E_UNKNOWN)
			wait_a_moment(rd);
	}
}

static bool has_room(const struct reading_desk *rd)
{
	return rd->given < READER_MAILS && rd->n_flights < FLIGHTS_MAX &&
	       (!rd->n_flights || rd->bytes < FLIGHT_BYTES_MAX);
}

static void pump_new(struct reading_desk *rd)
{
	struct id128 ids[2 * FLIGHTS_MAX];
	unsigned n = spool_late_mails(spool_of(rd), ids, ARRAY_LEN(ids));

	for (unsigned i = 0; i < n && has_room(rd); i++) {
		if (is_here(&rd->flights, ids[i]))
			continue;
		take(rd, ids[i]);
		if (timer_running(&rd->again))
			return;
	}
}

static void pump(struct reading_desk *rd)
{
	struct held_mail *f;

	if (rd->stopping || timer_running(&rd->again) || !list_empty(&rd->over.link))
		return;
	if (rd->given >= READER_MAILS) { /* it ends after so many: a new one goes on */
		if (!rd->n_flights)
			loop_at_turn_end(lane_loop(rd->lane), &rd->over);
		return;
	}
	if (!rd->n_suspects && !rd->n_flights)
		rd->alone = false;
	if (rd->n_suspects)
		rd->alone = true;
	if (!rd->alone && rd->n_flights <= FLIGHTS_MAX / 2) {
		pump_new(rd);
		return;
	}
	if (rd->alone && !rd->n_flights &&
	    (f = list_first(&rd->suspects, struct held_mail, link))) {
		if (give(rd, f))
			rd->n_suspects--;
	}
}

static void on_again(struct timer *t)
{
	pump(container_of(t, struct reading_desk, again));
}

static void on_note(struct note *n, struct lane *l UNUSED)
{
	struct reading_desk *rd = container_of(n, struct reading_desk, note);

	atomic_store(&rd->posted, false);
	pump(rd);
}

void reading_more(struct engine *e)
{
	struct reading_desk *rd = engine_shared(e, &reading_part);

	if (rd && !atomic_exchange(&rd->posted, true))
		lane_post(engine_front(e), &rd->note);
}

/* ---- the part ---------------------------------------------------------------------------- */

static int part_open(struct engine *e, void **ret_shared)
{
	struct reading_desk *rd = must_alloc(sizeof(*rd));

	rd->engine = e;
	rd->note.run = on_note;
	rd->child_user = (struct child_user){ on_said, on_gone };
	list_init(&rd->flights);
	list_init(&rd->suspects);
	list_init(&rd->over.link);
	rd->over.run = on_over;
	*ret_shared = rd;
	return 0;
}

static int part_start(struct lane *l, void **ret_state)
{
	struct reading_desk *rd = engine_shared(lane_engine(l), &reading_part);

	rd->lane = l;
	rd->returnpath = returnpath_of(rd->engine);
	rd->options = settings_of(engine_settings(rd->engine), &reports_option_set);
	timer_init(&rd->again, on_again);
	timer_init(&rd->watch, on_watch);
	timer_set(lane_loop(l)->timers, &rd->watch, LOOK_MS);
	*ret_state = rd;
	reading_more(rd->engine); /* what was left over */
	return 0;
}

/* The rules may be others: a new reader reads them. */
static void part_reload(void *state)
{
	struct reading_desk *rd = state;

	rd->options = settings_of(engine_settings(rd->engine), &reports_option_set);
	if (rd->child && !rd->n_flights)
		loop_at_turn_end(lane_loop(rd->lane), &rd->over);
}

static void part_stop(void *state)
{
	struct reading_desk *rd = state;
	struct held_mail *f;

	rd->stopping = true;
	list_remove(&rd->over.link);
	rd->child = child_free(rd->child);
	while ((f = list_first(&rd->flights, struct held_mail, link)) ||
	       (f = list_first(&rd->suspects, struct held_mail, link)))
		flight_free(f);
	timer_stop(lane_loop(rd->lane)->timers, &rd->again);
	timer_stop(lane_loop(rd->lane)->timers, &rd->watch);
}

static void part_close(void *shared)
{
	free(shared);
}

#define ROW(member, type, help)                                                                    \
	{                                                                                          \
		"reports_" #member, type, help, offsetof(struct reading_counters, member)          \
	}
static const struct counter_row counter_rows[] = {
	ROW(read, COUNTER, "Mails that came back and were read"),
	ROW(unreadable, COUNTER, "Mails that came back and that the reader died of"),
	ROW(started, COUNTER, "Readers started"),
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part reading_part = {
	.name = "reading",
	.front = true,
	.open = part_open,
	.start = part_start,
	.reload = part_reload,
	.stop = part_stop,
	.close = part_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct reading_desk, counters),
};
