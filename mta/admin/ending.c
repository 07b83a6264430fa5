/* mta/admin/ending.c - orders end: by release and resume of the same selector, by undo of their
 * number.  A release of something else is an order of its own: it holds against earlier holds. */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "mta/admin/commands.h"

static struct spool *spool_of(struct query *q)
{
	return engine_spool(q->server->engine);
}

static struct orders *orders_here(struct query *q)
{
	return orders_of(q->server->engine);
}

/* ---- what stands ------------------------------------------------------------------------- */

static const char *const rule_kinds[] = { "hold", "cancel", "move" };

static void rule_key(const struct query *q, const char *kind, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "%s/%s", kind, q->what);
}

struct look {
	struct slice key;
	bool found;
};

static int look_at(void *arg, struct slice key, struct slice value)
{
	struct look *look = arg;

	(void)value;
	look->found = look->found || slice_eq(key, look->key);
	return 0;
}

/* A rule of before there were orders, or of the control plane. */
static bool has_rule(struct query *q, const char *kind)
{
	char key[640];
	struct look look = { 0 };

	rule_key(q, kind, key, sizeof(key));
	look.key = slice_str(key);
	(void)!spool_each_rule(spool_of(q), look.key, look_at, &look);
	return look.found;
}

static bool has_any_rule(struct query *q)
{
	for (unsigned i = 0; i < ARRAY_LEN(rule_kinds); i++)
		if (has_rule(q, rule_kinds[i]))
			return true;
	return false;
}

static bool is_resume(const struct query *q)
{
	return strcmp(q->command->name, "resume") == 0;
}

/* Would this command end it? */
static bool ends(const struct query *q, const struct order *o)
{
	if (!orders_may_undo(o) || strcmp(o->what, q->what) != 0)
		return false;
	if (is_resume(q))
		return o->kind == ORDER_SUSPEND;
	return o->kind == ORDER_HOLD || o->kind == ORDER_CANCEL || o->kind == ORDER_MOVE ||
	       o->kind == ORDER_BOUNCE;
}

struct search {
	struct query *q;
	uint64_t id; /* 0: none */
};

static bool take_if_ends(void *arg, const struct order *o)
{
	struct search *s = arg;

	s->id = ends(s->q, o) ? o->id : 0;
	return !s->id;
}

static uint64_t next_to_end(struct query *q)
{
	struct search s = { q, 0 };

	orders_each(orders_here(q), UINT32_MAX, take_if_ends, &s);
	return s.id;
}

/* ---- release and resume ------------------------------------------------------------------ */

int admin_begin_release(struct query *q)
{
	char given[sizeof(q->what)];
	int r;

	memcpy(given, q->what, sizeof(given));
	r = admin_begin_order(q);
	if (r == 0 && (has_any_rule(q) || next_to_end(q)))
		return 0;
	if (r < 0 && r != E_SYNTAX)
		return r;
	/* What an earlier version stored as it was written is released as it is written. */
	memcpy(q->what, given, sizeof(given));
	if (query_selector_as_written(q) == 0 && has_any_rule(q)) {
		q->max = 0;
		return 0;
	}
	memcpy(q->what, given, sizeof(given));
	return admin_begin_order(q);
}

static int name_order(struct query *q, size_t *n, const char *what)
{
	bool first = q->fault[*n - 1] == ':';
	int more =
	    snprintf(q->fault + *n, sizeof(q->fault) - *n, "%s %.80s", first ? "" : ";", what);

	*n = MIN_OF(*n + (size_t)more, sizeof(q->fault) - 1);
	return 0;
}

struct naming {
	struct query *q;
	size_t n;
};

static bool name_hold(void *arg, const struct order *o)
{
	struct naming *naming = arg;

	if (o->end == ORDER_STANDS &&
	    o->kind == (is_resume(naming->q) ? ORDER_SUSPEND : ORDER_HOLD))
		(void)name_order(naming->q, &naming->n, o->what);
	return true;
}

static int name_rule(void *arg, struct slice key, struct slice value)
{
	struct naming *naming = arg;
	char what[100];

	(void)value;
	(void)slice_strip(&key, SLICE("hold/"));
	slice_copy(what, sizeof(what), key);
	return name_order(naming->q, &naming->n, what);
}

static int nothing_to_end(struct query *q)
{
	struct naming naming = { .q = q };

	naming.n = (size_t)snprintf(q->fault, sizeof(q->fault),
				    "nothing that \"%.100s\" names is %s; these stand:", q->what,
				    is_resume(q) ? "suspended by that selector" : "held");
	size_t before = naming.n;
	orders_each(orders_here(q), UINT32_MAX, name_hold, &naming);
	if (!is_resume(q))
		(void)!spool_each_rule(spool_of(q), SLICE("hold/"), name_rule, &naming);
	if (naming.n == before)
		(void)snprintf(q->fault + naming.n, sizeof(q->fault) - naming.n, " none");
	return E_UNKNOWN;
}

static bool see_hold(void *arg, const struct order *o)
{
	bool *seen = arg;

	*seen = o->end == ORDER_STANDS &&
		(o->kind == ORDER_HOLD || o->kind == ORDER_SUSPEND || o->kind == ORDER_BOUNCE);
	return !*seen;
}

/* An order, that is: what the control plane holds no order releases. */
static bool is_any_hold(struct query *q)
{
	bool seen = false;

	orders_each(orders_here(q), UINT32_MAX, see_hold, &seen);
	return seen;
}

static int end_next(struct query *q);

static void one_is_over(struct order_writing *w, int err)
{
	struct query *q = container_of(w, struct query, writing);
	int r = err < 0 ? err : end_next(q);

	if (r < 0)
		query_fail(q, r, q->fault);
}

static void take_back(struct query *q, const char *kind)
{
	char key[640];

	rule_key(q, kind, key, sizeof(key));
	rules_changed(q->server->engine, slice_str(key), slice_of("", 0));
	log_info("rule.changed", kv_str("rule", key), kv_str("reason", ""),
		 kv_str("author", q->asker));
}

static void rules_are_gone(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);
	int r = err;

	for (unsigned i = 0; r == 0 && i < ARRAY_LEN(rule_kinds); i++)
		take_back(q, rule_kinds[i]);
	if (r == 0)
		r = end_next(q);
	if (r < 0)
		query_fail(q, r, q->fault);
}

static int remove_rules(struct query *q)
{
	char key[640];
	lsn_t lsn = 0;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < ARRAY_LEN(rule_kinds); i++) {
		if (!has_rule(q, rule_kinds[i]))
			continue;
		rule_key(q, rule_kinds[i], key, sizeof(key));
		r = spool_put_rule(spool_of(q), slice_str(key), slice_of("", 0), &lsn);
	}
	if (r < 0)
		return r;
	durable_wait_init(&q->wait, rules_are_gone);
	lane_wait_durable(q->server->front, &q->wait, lsn);
	return 0;
}

/* One after the other; when none is left, the lanes count who is still held. */
static int end_next(struct query *q)
{
	uint64_t id = next_to_end(q);
	char by[128];

	if (!id) {
		query_ask_lanes(q);
		return 0;
	}
	query_author(q, by, sizeof(by));
	q->writing.done = one_is_over;
	q->order = id;
	return orders_end(orders_here(q), id, ORDER_RELEASED, by, &q->writing);
}

static void release_is_given(struct order_writing *w, int err)
{
	struct query *q = container_of(w, struct query, writing);

	if (err < 0)
		query_fail(q, err, NULL);
	else
		query_ask_lanes(q);
}

/* A part of what is held goes: a standing order, against the holds of before. */
static int release_some(struct query *q)
{
	q->writing.order.count = q->count;
	q->writing.done = release_is_given;
	return orders_give(orders_here(q), &q->writing);
}

static int report_released(struct query *q)
{
	uint64_t still = MIN_OF(query_held(q), q->count);

	q->count -= still;
	admin_order_report(q);
	branch_int(q->out, "held", (int64_t)still);
	query_answer(q);
	return 0;
}

int admin_finish_release(struct query *q)
{
	bool rules = !is_resume(q) && has_any_rule(q), some = next_to_end(q) != 0;

	if (q->round > 1)
		return report_released(q);
	if (!rules && !some && (is_resume(q) || !query_held(q) || !is_any_hold(q)))
		return nothing_to_end(q);
	if (q->preview)
		return admin_order_preview(q);
	q->count = query_sum(q);
	if (rules)
		return remove_rules(q);
	return some ? end_next(q) : release_some(q);
}

int admin_begin_resume(struct query *q)
{
	int r = query_selector(q);

	q->max = q->preview ? MIN_OF(q->max, 10U) : 0;
	return r;
}

/* ---- undo -------------------------------------------------------------------------------- */

static void is_undone(struct order_writing *w, int err)
{
	struct query *q = container_of(w, struct query, writing);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	branch_int(q->out, "order", (int64_t)w->order.id);
	branch_str(q->out, "kind", order_kind_name(w->order.kind));
	branch_str(q->out, "selector", w->order.what);
	branch_bool(q->out, "undone", true);
	query_answer(q);
}

static int cannot_undo(struct query *q, int r)
{
	struct order o;

	if (r == E_UNKNOWN)
		(void)snprintf(q->fault, sizeof(q->fault),
			       "there is no order %" PRIu64 "; see postern orders list", q->order);
	else if (r == E_CONFLICT && orders_find(orders_here(q), q->order, &o) == 0)
		(void)snprintf(q->fault, sizeof(q->fault), "order %" PRIu64 " (%s %.100s) %s",
			       q->order, order_kind_name(o.kind), o.what,
			       o.end == ORDER_STANDS ? "is being carried out"
						     : "is over: there is nothing to undo");
	return r;
}

int admin_finish_undo(struct query *q)
{
	char by[128];
	int r;

	query_author(q, by, sizeof(by));
	q->writing.done = is_undone;
	r = orders_end(orders_here(q), q->order, ORDER_UNDONE, by, &q->writing);
	return r < 0 ? cannot_undo(q, r) : 0;
}

/* ---- list and show ----------------------------------------------------------------------- */

static void put_number(struct branch *row, const char *name, int64_t n)
{
	if (n)
		branch_int(row, name, n);
}

static void put_text(struct branch *row, const char *name, const char *text)
{
	if (*text)
		branch_str(row, name, text);
}

static const char *state_of(const struct order *o)
{
	if (o->end != ORDER_STANDS)
		return order_end_name(o->end);
	return o->kind == ORDER_BOUNCE && !o->acts ? "grace" : "stands";
}

static void put_order(struct branch *row, const struct order *o)
{
	branch_int(row, "order", (int64_t)o->id);
	branch_str(row, "kind", order_kind_name(o->kind));
	branch_str(row, "selector", o->what);
	branch_str(row, "state", state_of(o));
	branch_str(row, "author", o->author);
	branch_str(row, "reason", o->reason);
	branch_int(row, "count", (int64_t)o->count);
	branch_int(row, "at_ms", o->at_ms);
	branch_int(row, "until_ms", o->until_ms);
	branch_bool(row, "undo", orders_may_undo(o));
	put_number(row, "act_ms", o->act_ms);
	put_number(row, "ended_ms", o->ended_ms);
	put_text(row, "ended_by", o->ended_by);
	put_text(row, "pool", o->pool);
	put_text(row, "text", o->text);
	put_number(row, "per_day", o->per_day);
	put_number(row, "connections", o->connections);
}

static bool list_one(void *arg, const struct order *o)
{
	put_order(branch_map(arg, NULL), o);
	return true;
}

int admin_finish_orders(struct query *q)
{
	orders_each(orders_here(q), q->max, list_one, branch_list(q->out, "orders"));
	query_answer(q);
	return 0;
}

int admin_finish_order_show(struct query *q)
{
	struct order o;
	int r = orders_find(orders_here(q), q->order, &o);

	if (r < 0)
		return cannot_undo(q, r);
	put_order(q->out, &o);
	query_answer(q);
	return 0;
}
