/* mta/orders/orders.c - the numbers of orders, and what happens to them by themselves. */
#include "mta/orders/orders.h"

#include "base/clock.h"
#include "base/log.h"
#include "mta/queue/queue.h"

enum { LOOK_MS = 20, CLOCK_MS = 60 * 1000, PATIENCE_MS = 60 * 1000 };
enum { AGAIN_MS = 500, SWEEP_MS = 5000 };

/* An order, and what the front desk must know of it at any moment. */
struct order_known {
	struct list link; /* the latest first */
	uint64_t id;
	struct order order;
	enum order_kind kind;
	bool over, acts, stays, settled;
	bool writing; /* a change of it waits for the disk */
	int64_t until_ms, act_ms, ended_ms;
	unsigned generation;        /* of the rules, when it began to act */
	uint64_t left;              /* so many were in flight when it was swept */
	int64_t since_ms, again_ms; /* monotonic */
};
struct orders {
	struct lane *front;
	struct engine *engine;
	struct spool *spool;
	struct list all;
	unsigned n_over, n_standing;
	uint64_t last;
	struct timer timer;
	bool stopping;
	struct list changes; /* struct change */
};
/* A change that nobody waits for. */
struct change {
	struct list link;
	struct order_writing writing;
};

struct orders *orders_of(struct engine *e)
{
	return lane_state(engine_front(e), &orders_part);
}

static struct order_known *find_known(struct orders *o, uint64_t id)
{
	struct order_known *k;

	list_each(&o->all, k, struct order_known, link)
		if (k->id == id)
			return k;
	return NULL;
}

/* ---- in the spool ------------------------------------------------------------------------ */

int orders_find(struct orders *o, uint64_t id, struct order *ret)
{
	const struct order_known *k = find_known(o, id);

	if (!k)
		return E_UNKNOWN;
	order_take(ret, &k->order);
	return 0;
}

void orders_each(struct orders *o, unsigned most, bool (*each)(void *arg, const struct order *o),
		 void *arg)
{
	struct order_known *k;

	list_each(&o->all, k, struct order_known, link)
		if (!most-- || !each(arg, &k->order))
			return;
}

static int put(struct orders *o, const struct order *order, lsn_t *ret)
{
	char key[ORDER_KEY_MAX];
	struct buf value;
	int r;

	order_key(order->id, key);
	buf_init(&value, 0);
	order_print(order, &value);
	r = spool_put_rule(o->spool, slice_str(key), buf_data(&value), ret);
	buf_free(&value);
	return r;
}

/* ---- in memory --------------------------------------------------------------------------- */

/* A job, a recipient or a campaign stays cancelled, whatever of it comes later. */
static bool stays(const struct order *order)
{
	const unsigned narrow =
	    SELECTS(SELECT_JOB) | SELECTS(SELECT_RCPT) | SELECTS(SELECT_CAMPAIGN);

	return order->kind == ORDER_CANCEL && (order->until_ms || (order->selector.keys & narrow));
}

static bool sweeps(const struct order_known *k)
{
	return !k->over && (k->kind == ORDER_CANCEL || (k->kind == ORDER_BOUNCE && k->acts));
}

static struct order_known *add_known(struct orders *o, uint64_t id)
{
	struct order_known *k = must_alloc(sizeof(*k));
	struct list *at = o->all.next;

	while (at != &o->all && container_of(at, struct order_known, link)->id > id)
		at = at->next;
	k->id = id;
	list_insert_before(at, &k->link);
	return k;
}

static void note(struct orders *o, const struct order *order)
{
	struct order_known *k = find_known(o, order->id);
	int64_t now = clock_mono_ms();

	if (!k) {
		k = add_known(o, order->id);
	} else if (k->over) {
		o->n_over--;
	} else {
		o->n_standing--;
	}
	if (!sweeps(k)) {
		k->since_ms = now;
		k->again_ms = now + AGAIN_MS;
		k->generation = rules_generation(rules_of(o->engine));
	}
	order_take(&k->order, order);
	k->kind = order->kind;
	k->over = order->end != ORDER_STANDS;
	k->acts = order->acts;
	k->stays = stays(order);
	k->until_ms = order->until_ms;
	k->act_ms = order->act_ms;
	k->ended_ms = order->ended_ms;
	k->writing = false;
	o->n_over += k->over;
	o->n_standing += !k->over;
	o->last = MAX_OF(o->last, order->id);
	timer_set(lane_loop(o->front)->timers, &o->timer, 0);
}

static void take_effect(struct orders *o, const struct order *order)
{
	char key[ORDER_KEY_MAX];
	struct buf value;

	order_key(order->id, key);
	buf_init(&value, 0);
	order_print(order, &value);
	rules_changed(o->engine, slice_str(key), buf_data(&value));
	buf_free(&value);
	log_info(order->end != ORDER_STANDS ? "order.ended"
		 : order->acts              ? "order.acts"
					    : "order.given",
		 kv_int("order", (int64_t)order->id), kv_str("kind", order_kind_name(order->kind)),
		 kv_str("selector", order->what), kv_str("author", order->author),
		 kv_str("reason", order->reason), kv_int("until", order->until_ms),
		 kv_int("recipients", (int64_t)order->count),
		 kv_str("end", order_end_name(order->end)), kv_str("by", order->ended_by));
	note(o, order);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void on_durable(struct durable_wait *wait, int err)
{
	struct order_writing *w = container_of(wait, struct order_writing, wait);
	struct order_known *k = find_known(w->orders, w->order.id);

	if (err == 0)
		take_effect(w->orders, &w->order);
	else if (k)
		k->writing = false;
	w->done(w, err);
}

static int write_order(struct orders *o, struct order_writing *w)
{
	lsn_t lsn = 0;
	int r = put(o, &w->order, &lsn);

	if (r < 0)
		return r;
	w->orders = o;
	durable_wait_init(&w->wait, on_durable);
	lane_wait_durable(o->front, &w->wait, lsn);
	return 0;
}

int orders_give(struct orders *o, struct order_writing *w)
{
	int r;

	if (w->order.end == ORDER_STANDS && o->n_standing >= ORDERS_MAX)
		return E_FULL;
	r = selector_parse(slice_str(w->order.what), &w->order.selector);
	if (r < 0)
		return r;
	w->order.id = o->last + 1;
	w->order.at_ms = clock_wall_ms();
	r = write_order(o, w);
	if (r == 0)
		o->last++; /* two may wait for the disk */
	return r;
}

bool orders_may_undo(const struct order *order)
{
	if (order->end != ORDER_STANDS)
		return false;
	if (order->kind == ORDER_BOUNCE)
		return !order->acts;
	return order->kind != ORDER_CANCEL || stays(order);
}

/* *order is the one of the spool, which is changed and written. */
static int change(struct orders *o, struct order_known *k, struct order_writing *w)
{
	int r;

	if (k->writing)
		return E_CONFLICT;
	r = write_order(o, w);
	k->writing = r == 0;
	return r;
}

static void set_end(struct order *order, enum order_end how, const char *by)
{
	order->end = how;
	order->ended_ms = clock_wall_ms();
	slice_copy(order->ended_by, sizeof(order->ended_by), slice_str(by));
}

int orders_end(struct orders *o, uint64_t id, enum order_end how, const char *by,
	       struct order_writing *w)
{
	struct order_known *k = find_known(o, id);
	struct order order;
	int r = k ? orders_find(o, id, &order) : E_UNKNOWN;

	if (r < 0)
		return r;
	if (!orders_may_undo(&order))
		return E_CONFLICT;
	order_take(&w->order, &order);
	set_end(&w->order, how, by);
	return change(o, k, w);
}

void orders_forget_writing(struct order_writing *w)
{
	if (w->orders)
		lane_wait_cancel(w->orders->front, &w->wait);
}

/* ---- by themselves ----------------------------------------------------------------------- */

static void change_is_made(struct order_writing *w, int err)
{
	struct change *c = container_of(w, struct change, writing);

	(void)err; /* the next look tries again, or the engine ends */
	list_remove(&c->link);
	free(c);
}

/* Ends the order, or lets it act. */
static void change_itself(struct orders *o, struct order_known *k, bool act, enum order_end how)
{
	struct change *c = must_alloc(sizeof(*c));
	struct order order;

	list_init(&c->link);
	c->writing.done = change_is_made;
	if (orders_find(o, k->id, &order) < 0) {
		free(c);
		return;
	}
	order_take(&c->writing.order, &order);
	if (act)
		c->writing.order.acts = true;
	else
		set_end(&c->writing.order, how, "");
	if (change(o, k, &c->writing) == 0)
		list_push(&o->changes, &c->link);
	else
		free(c);
}

static bool is_swept(struct orders *o, const struct order_known *k, uint64_t *ret_left)
{
	bool swept = queue_loading(o->engine) == 0;

	*ret_left = 0;
	for (unsigned i = 0; swept && i < engine_lanes(o->engine); i++) {
		const struct sweep *s = &queue_of(engine_lane(o->engine, i))->sweep;
		unsigned generation = atomic_load(&s->swept_generation);
		swept = (int)(generation - k->generation) >= 0;
		*ret_left += atomic_load(&s->swept_left);
	}
	return swept;
}

static void look_at_sweep(struct orders *o, struct order_known *k)
{
	int64_t now = clock_mono_ms();
	bool swept = is_swept(o, k, &k->left);

	/* Who is in flight is waited for, but not for ever; who was not looked at yet is. */
	if (swept && (!k->left || now - k->since_ms > PATIENCE_MS)) {
		k->settled = k->stays;
		if (!k->stays)
			change_itself(o, k, false, ORDER_DONE);
	} else if (now >= k->again_ms && !queue_loading(o->engine)) {
		/* Who was in flight may be back; after a restart nobody has looked yet. */
		k->again_ms = now + (swept ? AGAIN_MS : SWEEP_MS);
		engine_changed(o->engine);
	}
}

bool orders_are_settled(struct orders *o, uint64_t id, uint64_t *ret_left)
{
	const struct order_known *k = find_known(o, id);

	*ret_left = k ? k->left : 0;
	return !k || k->over || k->settled;
}

static void look_at(struct orders *o, struct order_known *k, int64_t now)
{
	if (k->over || k->writing)
		return;
	if (k->until_ms && k->until_ms <= now)
		change_itself(o, k, false, ORDER_EXPIRED);
	else if (k->kind == ORDER_BOUNCE && !k->acts && k->act_ms <= now)
		change_itself(o, k, true, ORDER_STANDS);
	else if (sweeps(k) && !k->settled)
		look_at_sweep(o, k);
}

/* How long nothing happens by itself; the wall clock may jump meanwhile. */
static int64_t quiet_ms(const struct orders *o, int64_t now)
{
	int64_t wait = INT64_MAX;
	struct order_known *k;

	list_each(&o->all, k, struct order_known, link) {
		if (k->over)
			continue;
		if (k->until_ms)
			wait = MIN_OF(wait, k->until_ms - now);
		if (k->kind == ORDER_BOUNCE && !k->acts)
			wait = MIN_OF(wait, k->act_ms - now);
		if (k->writing || (sweeps(k) && !k->settled))
			wait = MIN_OF(wait, (int64_t)LOOK_MS);
	}
	return wait == INT64_MAX ? wait : MIN_OF(MAX_OF(wait, (int64_t)1), (int64_t)CLOCK_MS);
}

/* The oldest that is over is forgotten, but never the latest order: its number counts. */
static void forget_old(struct orders *o, int64_t now)
{
	const int64_t kept_ms = (int64_t)ORDERS_KEPT_DAYS * 86400000;
	char key[ORDER_KEY_MAX];
	struct list *at = o->all.prev;
	lsn_t unused;

	while (at != &o->all && at != o->all.next) {
		struct order_known *k = container_of(at, struct order_known, link);
		at = at->prev;
		if (!k->over || (o->n_over <= ORDERS_KEPT && k->ended_ms > now - kept_ms))
			continue;
		order_key(k->id, key);
		if (spool_put_rule(o->spool, slice_str(key), slice_of("", 0), &unused) < 0)
			return;
		rules_changed(o->engine, slice_str(key), slice_of("", 0));
		list_remove(&k->link);
		free(k);
		o->n_over--;
	}
}

static void on_timer(struct timer *t)
{
	struct orders *o = container_of(t, struct orders, timer);
	int64_t now = clock_wall_ms(), wait;
	struct order_known *k;

	if (o->stopping)
		return;
	list_each(&o->all, k, struct order_known, link)
		look_at(o, k, now);
	forget_old(o, now);
	wait = quiet_ms(o, now);
	if (wait != INT64_MAX)
		timer_set(lane_loop(o->front)->timers, t, wait);
}

/* ---- the part ---------------------------------------------------------------------------- */

static int load(void *arg, struct slice key, struct slice value)
{
	struct order order;

	if (order_read(key, value, &order) == 0)
		note(arg, &order);
	return 0;
}

static int orders_start(struct lane *front, void **ret_state)
{
	struct orders *o = must_alloc(sizeof(*o));

	o->front = front;
	o->engine = lane_engine(front);
	o->spool = engine_spool(o->engine);
	list_init(&o->all);
	list_init(&o->changes);
	timer_init(&o->timer, on_timer);
	*ret_state = o;
	return spool_each_rule(o->spool, SLICE("order/"), load, o);
}

static void orders_quiet(void *state)
{
	((struct orders *)state)->stopping = true;
}

static void orders_stop(void *state)
{
	struct orders *o = state;
	struct list *l;

	timer_stop(lane_loop(o->front)->timers, &o->timer);
	while ((l = list_pop(&o->changes)) != NULL) {
		orders_forget_writing(&container_of(l, struct change, link)->writing);
		free(container_of(l, struct change, link));
	}
	while ((l = list_pop(&o->all)) != NULL)
		free(container_of(l, struct order_known, link));
	free(o);
}

const struct part orders_part = {
	.name = "orders",
	.front = true,
	.start = orders_start,
	.quiet = orders_quiet,
	.stop = orders_stop,
};
