/* mta/admin/orders.c - what changes: holds, cancels, retries.  Holds and cancels are rules in the
 * log; each is answered when it is durable and the lanes have been told. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/admin/commands.h"
#include "mta/egress/egress.h"

enum { SWEEP_LOOK_MS = 50, SWEEP_PATIENCE_MS = 60 * 1000 };

int admin_begin_order(struct query *q)
{
	return query_selector(q);
}

void admin_lane_matches(struct query *q, struct query_part *p, struct lane *l)
{
	p->count = inspect_matches(l, &q->selector);
}

static struct spool *spool_of(struct query *q)
{
	return engine_spool(q->server->engine);
}

/* ---- one rule, written, durable, in effect ----------------------------------------------- */

static void rule_key(const struct query *q, const char *kind, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "%s/%s", kind, q->what);
}

static int write_rule(struct query *q, const char *kind, const char *value,
		      void (*done)(struct durable_wait *, int))
{
	char key[640];
	lsn_t lsn;
	int r;

	rule_key(q, kind, key, sizeof(key));
	r = spool_put_rule(spool_of(q), slice_str(key), slice_str(value), &lsn);
	if (r < 0)
		return r;
	durable_wait_init(&q->wait, done);
	lane_wait_durable(q->server->front, &q->wait, lsn);
	return 0;
}

static void take_effect(struct query *q, const char *kind, const char *value)
{
	char key[640];

	rule_key(q, kind, key, sizeof(key));
	rules_changed(q->server->engine, slice_str(key), slice_str(value));
	log_info("rule.changed", kv_str("rule", key), kv_str("reason", value),
		 kv_int("recipients", q->count));
}

static void report_count(struct query *q)
{
	branch_int(q->out, "count", (int64_t)q->count);
	branch_str(q->out, "selector", q->what);
}

static int preview(struct query *q)
{
	q->count = query_sum(q);
	report_count(q);
	query_answer(q);
	return 0;
}

struct look {
	struct slice key;
	char *value;
	size_t cap;
	bool found;
};

static int look_at(void *arg, struct slice key, struct slice value)
{
	struct look *look = arg;

	if (!slice_eq(key, look->key))
		return 0;
	look->found = true;
	slice_copy(look->value, look->cap, value);
	return 0;
}

/* Its reason; false: there is no such rule. */
static bool have_rule(struct query *q, const char *kind, char *reason, size_t cap)
{
	char key[640];
	struct look look = { .value = reason, .cap = cap };

	rule_key(q, kind, key, sizeof(key));
	look.key = slice_str(key);
	(void)!spool_each_rule(spool_of(q), look.key, look_at, &look);
	return look.found;
}

/* A rule that stands keeps its reason.  E_EXISTS: another one was given. */
static int settle_reason(struct query *q, const char *kind)
{
	char standing[sizeof(q->reason)];
	bool given = *q->reason;
	int r = 0;

	if (have_rule(q, kind, standing, sizeof(standing))) {
		if (given && strcmp(standing, q->reason) != 0) {
			(void)snprintf(q->fault, sizeof(q->fault),
				       "%.200s stands already: %.200s; release it first to hold it "
				       "for another reason",
				       q->what, standing);
			r = E_EXISTS;
		}
		memcpy(q->reason, standing, sizeof(standing));
		return r;
	}
	if (!given)
		(void)snprintf(q->reason, sizeof(q->reason), "by the operator");
	return 0;
}

/* ---- hold -------------------------------------------------------------------------------- */

static void hold_is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	take_effect(q, "hold", q->reason);
	report_count(q);
	query_answer(q);
}

int admin_finish_hold(struct query *q)
{
	int r;

	if (q->preview)
		return preview(q);
	q->count = query_sum(q);
	r = settle_reason(q, "hold");
	return r < 0 ? r : write_rule(q, "hold", q->reason, hold_is_durable);
}

/* ---- move -------------------------------------------------------------------------------- */

static bool has_source(struct query *q, const char *pool)
{
	const struct egress_options *o =
	    settings_of(engine_settings(q->server->engine), &egress_option_set);

	for (unsigned i = 0; i < o->n_sources; i++)
		if (strcmp(o->sources[i].pool, pool) == 0 && o->sources[i].weight)
			return true;
	return false;
}

int admin_begin_move(struct query *q)
{
	int r = query_selector(q);

	if (r == 0 && !(SELECTS(q->selector.kind) & SELECTS_FLOW)) {
		(void)snprintf(q->fault, sizeof(q->fault),
			       "only all, tenant/N and campaign/N can be moved");
		return E_SYNTAX;
	}
	if (r == 0 && !has_source(q, q->pool)) {
		(void)snprintf(q->fault, sizeof(q->fault),
			       "no source of pool \"%.100s\" takes mail; see postern sources",
			       q->pool);
		return E_UNKNOWN;
	}
	return r;
}

static void move_is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	take_effect(q, "move", q->value);
	report_count(q);
	query_answer(q);
}

/* A move that stands is replaced. */
int admin_finish_move(struct query *q)
{
	if (q->preview)
		return preview(q);
	q->count = query_sum(q);
	(void)snprintf(q->value, sizeof(q->value), "%.120s %.400s", q->pool,
		       *q->reason ? q->reason : "by the operator");
	return write_rule(q, "move", q->value, move_is_durable);
}

/* ---- release: neither held nor cancelled any more ---------------------------------------- */

/* First all it names; once the rule is gone, those that another rule still holds. */
void admin_lane_release(struct query *q, struct query_part *p, struct lane *l)
{
	p->count = q->round == 1 ? inspect_matches(l, &q->selector) : inspect_held(l, &q->selector);
}

static bool stands(struct query *q, char *reason, size_t cap)
{
	return have_rule(q, "hold", reason, cap) || have_rule(q, "cancel", reason, cap) ||
	       have_rule(q, "move", reason, cap);
}

int admin_begin_release(struct query *q)
{
	char given[sizeof(q->what)], reason[sizeof(q->reason)];
	int r;

	memcpy(given, q->what, sizeof(given));
	r = query_selector(q);
	if (r == 0 && stands(q, reason, sizeof(reason)))
		return 0;
	if (r < 0 && r != E_SYNTAX)
		return r;
	/* What an earlier version stored as it was written is released as it is written. */
	memcpy(q->what, given, sizeof(given));
	if (query_selector_as_written(q) == 0 && stands(q, reason, sizeof(reason)))
		return 0;
	memcpy(q->what, given, sizeof(given));
	return query_selector(q);
}

static void release_is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	take_effect(q, "hold", "");
	take_effect(q, "cancel", "");
	take_effect(q, "move", "");
	query_ask_lanes(q);
}

static int remove_rule(struct query *q, const char *kind)
{
	char key[640];
	lsn_t unused;

	rule_key(q, kind, key, sizeof(key));
	return spool_put_rule(spool_of(q), slice_str(key), (struct slice){ 0 }, &unused);
}

static int name_rule(void *arg, struct slice key, struct slice value)
{
	struct query *q = arg;
	size_t n = strlen(q->fault);

	(void)value;
	(void)slice_strip(&key, SLICE("hold/"));
	(void)snprintf(q->fault + n, sizeof(q->fault) - n, " %.*s", (int)MIN_OF(key.n, (size_t)80),
		       key.p);
	return 0;
}

static int nothing_to_release(struct query *q)
{
	(void)snprintf(q->fault, sizeof(q->fault),
		       "no hold has the selector %.100s; these stand:", q->what);
	size_t n = strlen(q->fault);
	(void)!spool_each_rule(spool_of(q), SLICE("hold/"), name_rule, q);
	if (strlen(q->fault) == n)
		(void)snprintf(q->fault + n, sizeof(q->fault) - n, " none");
	return E_UNKNOWN;
}

static int report_released(struct query *q)
{
	uint64_t still = MIN_OF(query_sum(q), q->count);

	q->count -= still;
	report_count(q);
	branch_int(q->out, "held", (int64_t)still);
	query_answer(q);
	return 0;
}

int admin_finish_release(struct query *q)
{
	char reason[sizeof(q->reason)];
	bool held, cancelled, moved;

	if (q->round > 1)
		return report_released(q);
	held = have_rule(q, "hold", reason, sizeof(reason));
	cancelled = have_rule(q, "cancel", reason, sizeof(reason));
	moved = have_rule(q, "move", reason, sizeof(reason));
	if (!held && !cancelled && !moved)
		return nothing_to_release(q);
	if (q->preview)
		return preview(q);
	q->count = query_sum(q);
	int r = cancelled ? remove_rule(q, "cancel") : 0;
	if (r == 0 && moved)
		r = remove_rule(q, "move");
	if (r < 0)
		return r;
	return write_rule(q, "hold", "",
			  release_is_durable); /* after it in the log: durable after it */
}

/* ---- cancel: a rule for as long as the queue is swept ------------------------------------ */

static void report_cancelled(struct query *q, uint64_t left)
{
	branch_int(q->out, "left", (int64_t)left);
	report_count(q);
	query_answer(q);
}

static void lift_is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	take_effect(q, "cancel", "");
	report_cancelled(q, query_sum(q));
}

static void outcomes_are_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0)
		query_fail(q, err, NULL);
	else
		report_cancelled(q, query_sum(q));
}

/* A cancelled job, row or campaign stays cancelled, whatever of it comes later.  A domain or a
 * tenant goes on with its next mail. */
static bool stays(const struct query *q)
{
	return q->selector.kind == SELECT_JOB || q->selector.kind == SELECT_RCPT ||
	       q->selector.kind == SELECT_CAMPAIGN;
}

static void look_again(struct timer *t)
{
	query_ask_lanes(container_of(t, struct query, timer));
}

static void cancel_is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	take_effect(q, "cancel", q->reason);
	q->until_ms = clock_mono_ms() + SWEEP_PATIENCE_MS;
	query_ask_lanes(q);
}

/* Recipients in flight end as their servers say, so the sweep may leave some for now. */
int admin_finish_cancel(struct query *q)
{
	if (q->preview)
		return preview(q);
	if (q->round == 1) {
		q->count = query_sum(q);
		(void)!settle_reason(q, "cancel"); /* who cancels again wants the sweep */
		*q->fault = '\0';
		return write_rule(q, "cancel", q->reason, cancel_is_durable);
	}
	if (query_sum(q) && clock_mono_ms() < q->until_ms) {
		q->timer.fire = look_again;
		timer_set(lane_loop(q->server->front)->timers, &q->timer, SWEEP_LOOK_MS);
		return 0;
	}
	if (!stays(q))
		return write_rule(q, "cancel", "", lift_is_durable);
	/* The outcomes were appended before the lanes gave their counts. */
	durable_wait_init(&q->wait, outcomes_are_durable);
	lane_wait_durable(q->server->front, &q->wait, spool_head(spool_of(q)));
	return 0;
}

/* ---- the rest ---------------------------------------------------------------------------- */

void admin_lane_retry(struct query *q, struct query_part *p, struct lane *l)
{
	p->count = q->preview ? inspect_matches(l, &q->selector) : inspect_retry(l, &q->selector);
}

int admin_finish_retry(struct query *q)
{
	return preview(q);
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
