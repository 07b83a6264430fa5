/* mta/admin/orders.c - orders are given: first the recipients are counted, then the order is
 * written; it is answered when it is durable and the lanes have been told. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "mta/admin/commands.h"
#include "mta/egress/egress.h"

enum { SWEEP_LOOK_MS = 20, GRACE_MS = 60 * 1000, SAMPLE = 10 };

static int PRINTF(2, 3) refuse(struct query *q, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(q->fault, sizeof(q->fault), format, ap);
	va_end(ap);
	return E_SYNTAX;
}

/* ---- what is asked ----------------------------------------------------------------------- */

static int kind_of(const struct query *q)
{
	for (unsigned k = 0; k < ORDER_KINDS; k++)
		if (strcmp(q->command->name, order_kind_name((enum order_kind)k)) == 0)
			return (int)k;
	return ORDER_KINDS;
}

/* A time in UTC as 2026-11-26T22:00Z, or a duration from now. */
static int read_until(struct query *q, int64_t *ret)
{
	int64_t ms, now = clock_wall_ms();
	struct tm tm = { 0 };
	const char *end;

	*ret = 0;
	if (!*q->until)
		return 0;
	if (option_number(T_DURATION, slice_str(q->until), &ms) == 0 && ms > 0) {
		*ret = now + ms;
		return 0;
	}
	end = strptime(q->until, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!end)
		end = strptime(q->until, "%Y-%m-%dT%H:%MZ", &tm);
	*ret = end && !*end ? (int64_t)timegm(&tm) * 1000 : 0;
	if (*ret <= now)
		return refuse(q, "--until takes a duration such as 2h, or a time to come such as "
				 "2026-11-26T22:00Z");
	return 0;
}

static const struct {
	unsigned refused; /* keys of selectors */
	const char *why;
} limits[ORDER_KINDS] = {
	[ORDER_HOLD] = { SELECTS(SELECT_REPLY), "a hold goes by class/, which is kept over a "
						"restart, not by reply/" },
	[ORDER_RELEASE] = { SELECTS(SELECT_REPLY), "release goes by class/, which is kept over a "
						   "restart, not by reply/" },
	[ORDER_SUSPEND] = { SELECTS(SELECT_REPLY), "suspend goes by class/, which is kept over a "
						   "restart, not by reply/" },
	[ORDER_MOVE] = { SELECTS(SELECT_REPLY), "move goes by class/, which is kept over a "
						"restart, not by reply/" },
	[ORDER_CAP] = { SELECTS_ALL &
			    ~(SELECTS_FLOW | SELECTS(SELECT_PROVIDER) | SELECTS(SELECT_SITE) |
			      SELECTS(SELECT_DOMAIN) | SELECTS(SELECT_POOL)),
			"a cap is for tenant, campaign, stream, domain, provider, site and pool" },
};
enum {
	OF_SOURCES = 1 << SELECT_SOURCE | 1 << SELECT_PROVIDER | 1 << SELECT_SITE | 1 << SELECT_POOL
};

static int check_keys(struct query *q, const struct order *o)
{
	unsigned keys = q->selector.keys;

	if (keys & limits[o->kind].refused)
		return refuse(q, "%s", limits[o->kind].why);
	if (o->kind == ORDER_SUSPEND && (keys & SELECTS(SELECT_SOURCE)) && (keys & ~OF_SOURCES))
		return refuse(q, "a source is suspended as a whole, or for a provider, a site or "
				 "a pool");
	if (o->kind == ORDER_CAP && !o->per_day && !o->connections)
		return refuse(q, "a cap needs --rate or --connections");
	return 0;
}

static int take_grace(struct query *q, struct order *o)
{
	int64_t ms = GRACE_MS;

	if (o->kind != ORDER_BOUNCE)
		return 0;
	if (*q->grace && (option_number(T_DURATION, slice_str(q->grace), &ms) < 0 || ms < 0 ||
			  ms > (int64_t)86400000))
		return refuse(q, "--grace takes a duration of at most a day");
	o->act_ms = clock_wall_ms() + ms;
	return 0;
}

static int take_cap(struct query *q, struct order *o)
{
	if (o->kind != ORDER_CAP)
		return 0;
	if (*q->rate &&
	    (option_number(T_RATE, slice_str(q->rate), &o->per_day) < 0 || o->per_day <= 0))
		return refuse(q, "--rate takes a rate such as 100/m");
	o->connections = (int64_t)q->connections;
	return 0;
}

/* What the order says besides whom it is about. */
static int take_order(struct query *q)
{
	struct order *o = &q->writing.order;
	int r = read_until(q, &o->until_ms);

	o->kind = (enum order_kind)kind_of(q);
	if (r == 0 && *q->until && o->kind == ORDER_RETRY)
		return refuse(q, "a retry is done at once and has no --until");
	if (!order_text_is_good(q->reason) || !order_text_is_good(q->value))
		return refuse(q, "a text has a line break or another control character");
	slice_copy(o->what, sizeof(o->what), slice_str(q->what));
	slice_copy(o->reason, sizeof(o->reason), slice_str(q->reason));
	slice_copy(o->pool, sizeof(o->pool), slice_str(q->pool));
	slice_copy(o->text, sizeof(o->text), o->kind == ORDER_BOUNCE ? q->text : SLICE(""));
	if (!order_text_is_good(o->text))
		return refuse(q, "the text has a line break or another control character");
	query_author(q, o->author, sizeof(o->author));
	if (r == 0)
		r = take_grace(q, o);
	if (r == 0)
		r = take_cap(q, o);
	return r < 0 ? r : check_keys(q, o);
}

int admin_begin_order(struct query *q)
{
	int r = query_selector(q);

	q->max = q->preview ? MIN_OF(q->max, (unsigned)SAMPLE) : 0;
	return r < 0 ? r : take_order(q);
}

static bool has_source(struct query *q, const char *pool)
{
	struct egress_fact f;

	for (unsigned i = 0; egress_fact(q->server->engine, i, &f); i++)
		if (strcmp(f.entry->pool, pool) == 0 && f.entry->weight)
			return true;
	return false;
}

int admin_begin_move(struct query *q)
{
	int r = admin_begin_order(q);

	if (r == 0 && !has_source(q, q->pool)) {
		(void)refuse(q, "no source of pool \"%.100s\" takes mail; see postern sources",
			     q->pool);
		return E_UNKNOWN;
	}
	return r;
}

/* ---- the answer -------------------------------------------------------------------------- */

void admin_order_report(struct query *q)
{
	const struct order *o = &q->writing.order;

	branch_int(q->out, "count", (int64_t)q->count);
	branch_str(q->out, "selector", q->what);
	branch_bool(q->out, "partial", query_is_partial(q));
	if (o->id)
		branch_int(q->out, "order", (int64_t)o->id);
	if (o->until_ms)
		branch_int(q->out, "until_ms", o->until_ms);
	if (o->id && o->kind == ORDER_BOUNCE)
		branch_int(q->out, "act_ms", o->act_ms);
}

int admin_order_preview(struct query *q)
{
	q->count = query_sum(q);
	admin_order_report(q);
	query_join_rows(q, "sample");
	query_answer(q);
	return 0;
}

static void is_given(struct order_writing *w, int err)
{
	struct query *q = container_of(w, struct query, writing);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	admin_order_report(q);
	query_answer(q);
}

static int give(struct query *q, void (*done)(struct order_writing *w, int err))
{
	int r;

	q->count = query_sum(q);
	q->writing.order.count = q->count;
	q->writing.done = done;
	r = orders_give(orders_of(q->server->engine), &q->writing);
	if (r == E_FULL)
		(void)refuse(q, "%d orders stand; undo some of them first", ORDERS_MAX);
	return r;
}

/* hold, suspend, move, cap, bounce. */
int admin_finish_order(struct query *q)
{
	return q->preview ? admin_order_preview(q) : give(q, is_given);
}

/* ---- cancel: answered when the queue was swept ------------------------------------------- */

static void outcomes_are_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	admin_order_report(q);
	branch_int(q->out, "left", (int64_t)q->from);
	query_answer(q);
}

static void look_again(struct timer *t)
{
	struct query *q = container_of(t, struct query, timer);
	struct orders *o = orders_of(q->server->engine);
	uint64_t left;

	if (!orders_are_settled(o, q->writing.order.id, &left)) {
		timer_set(lane_loop(q->server->front)->timers, t, SWEEP_LOOK_MS);
		return;
	}
	q->from = left;
	q->count -= MIN_OF(left, q->count);
	/* The outcomes were appended before the lanes told of their sweeps. */
	durable_wait_init(&q->wait, outcomes_are_durable);
	lane_wait_durable(q->server->front, &q->wait, spool_head(engine_spool(q->server->engine)));
}

static void cancel_is_given(struct order_writing *w, int err)
{
	struct query *q = container_of(w, struct query, writing);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	q->timer.fire = look_again;
	timer_set(lane_loop(q->server->front)->timers, &q->timer, 0);
}

int admin_finish_cancel(struct query *q)
{
	return q->preview ? admin_order_preview(q) : give(q, cancel_is_given);
}

/* ---- the rest ---------------------------------------------------------------------------- */

/* It was done before it is written: a note of who did it. */
int admin_finish_retry(struct query *q)
{
	if (q->preview)
		return admin_order_preview(q);
	q->writing.order.end = ORDER_DONE;
	q->writing.order.ended_ms = clock_wall_ms();
	return give(q, is_given);
}

int admin_finish_reload(struct query *q)
{
	int r = engine_read_again(q->server->engine, q->fault);

	if (r < 0)
		return r;
	branch_bool(q->out, "reloaded", true);
	branch_str(q->out, "needs_restart", q->fault);
	query_answer(q);
	return 0;
}

void admin_lane_flush_dns(struct query *q, struct query_part *p, struct lane *l)
{
	(void)q, (void)p;
	inspect_flush_dns(l);
}

int admin_finish_flush_dns(struct query *q)
{
	branch_bool(q->out, "flushed", true);
	query_answer(q);
	return 0;
}
