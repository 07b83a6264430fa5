/* mta/tlsrpt/part.c - the life of the room: lanes count, the first one reports what is due, the
 * front desk keeps the file. */
#include "base/clock.h"
#include "base/log.h"
#include "mta/tlsrpt/outgoing.h"

enum { LOOK_MS = 5 * 1000 };

/* ---- what lanes share -------------------------------------------------------------------- */

static int tlsrpt_open(struct engine *e, void **ret_shared)
{
	const struct disk *disk;
	int dirfd = spool_folder(engine_spool(e), &disk);
	struct results *r = results_new(disk, dirfd);

	if (results_lost(r))
		log_warn("tls-report.unreadable", kv_str("file", RESULTS_FILE));
	*ret_shared = r;
	return 0;
}

static void save(struct results *r)
{
	int e = results_save(r);

	if (e < 0)
		log_warn("tls-report.not-saved", kv_err("reason", e));
}

static void tlsrpt_close(void *shared)
{
	save(shared);
	(void)results_free(shared);
}

struct results *tlsrpt_results(struct engine *e)
{
	return engine_shared(e, &tlsrpt_part);
}

/* ---- a lane's ---------------------------------------------------------------------------- */

struct tlsrpt *tlsrpt_of(struct lane *l)
{
	return lane_state(l, &tlsrpt_part);
}

void tlsrpt_note(struct tlsrpt *t, const struct results_session *s)
{
	if (!t->options->on || !s->facts->reports)
		return;
	if (results_note(t->results, s, clock_wall_ms()))
		count_add(&t->counters.tls_report_sessions, 1);
	else
		count_add(&t->counters.tls_report_sessions_dropped, 1);
}

static void on_timer(struct timer *timer)
{
	struct tlsrpt *t = container_of(timer, struct tlsrpt, timer);
	int64_t now = clock_wall_ms();
	char domain[DNS_NAME_MAX];

	if (!t->options->on)
		return;
	count_add(&t->counters.tls_reports_given_up, results_roll(t->results, now));
	while (t->n_outgoing < OUTGOING_MAX && !engine_stopping(lane_engine(t->lane)) &&
	       results_due(t->results, now, domain))
		outgoing_begin(t, domain);
	timer_set(lane_loop(t->lane)->timers, timer, LOOK_MS);
}

static void tlsrpt_reload(void *state)
{
	struct tlsrpt *t = state;

	t->options = settings_of(engine_settings(lane_engine(t->lane)), &tlsrpt_option_set);
	t->policies->reports = t->options->on;
	if (t->options->on && lane_index(t->lane) == 0 && !timer_running(&t->timer))
		timer_set(lane_loop(t->lane)->timers, &t->timer, LOOK_MS);
}

static int tlsrpt_start(struct lane *l, void **ret_state)
{
	struct tlsrpt *t = must_alloc(sizeof(*t));

	t->lane = l;
	t->policies = policies_of(l);
	t->results = tlsrpt_results(lane_engine(l));
	list_init(&t->outgoing);
	timer_init(&t->timer, on_timer);
	tlsrpt_reload(t);
	*ret_state = t;
	return 0;
}

static void tlsrpt_stop(void *state)
{
	struct tlsrpt *t = state;

	timer_stop(lane_loop(t->lane)->timers, &t->timer);
	policies_end_fetching(t->policies->shared);
	outgoing_end_all(t);
	free(t);
}

#define ROW(member, type, help) COUNTER_ROW(tlsrpt_counters, member, type, help)
static const struct counter_row counter_rows[] = {
	ROW(tls_report_sessions, COUNTER, "Sessions counted for reports about TLS"),
	ROW(tls_report_sessions_dropped, COUNTER,
	    "Sessions not counted for reports about TLS: too many domains or policies"),
	ROW(tls_reports_mailed, COUNTER, "Reports about TLS that were put into the queue"),
	ROW(tls_reports_posted, COUNTER, "Reports about TLS that a host took over HTTPS"),
	ROW(tls_report_tries_failed, COUNTER, "Tries to hand over a report about TLS that failed"),
	ROW(tls_reports_given_up, COUNTER, "Reports about TLS that were not handed over in time"),
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part tlsrpt_part = {
	.name = "tlsrpt",
	.open = tlsrpt_open,
	.start = tlsrpt_start,
	.reload = tlsrpt_reload,
	.stop = tlsrpt_stop,
	.close = tlsrpt_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct tlsrpt, counters),
};

/* ---- the keeper of the file -------------------------------------------------------------- */

struct tlsrpt_keeper {
	struct lane *front;
	struct timer timer;
};

static void on_keeper_timer(struct timer *timer)
{
	struct tlsrpt_keeper *k = container_of(timer, struct tlsrpt_keeper, timer);

	save(tlsrpt_results(lane_engine(k->front)));
	timer_set(lane_loop(k->front)->timers, timer, RESULTS_SAVE_MS);
}

static void keeper_reload(void *state)
{
	struct tlsrpt_keeper *k = state;
	const struct tlsrpt_options *o =
	    settings_of(engine_settings(lane_engine(k->front)), &tlsrpt_option_set);

	if (o->on && !timer_running(&k->timer))
		timer_set(lane_loop(k->front)->timers, &k->timer, RESULTS_SAVE_MS);
}

static int keeper_start(struct lane *front, void **ret_state)
{
	struct tlsrpt_keeper *k = must_alloc(sizeof(*k));

	k->front = front;
	timer_init(&k->timer, on_keeper_timer);
	keeper_reload(k);
	*ret_state = k;
	return 0;
}

static void keeper_stop(void *state)
{
	struct tlsrpt_keeper *k = state;

	timer_stop(lane_loop(k->front)->timers, &k->timer);
	free(k);
}

const struct part tlsrpt_keeper_part = {
	.name = "tlsrpt-keeper",
	.front = true,
	.start = keeper_start,
	.reload = keeper_reload,
	.stop = keeper_stop,
};
