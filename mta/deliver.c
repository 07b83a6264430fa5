#include "mta/deliver.h"

#include "base/clock.h"
#include "base/log.h"
#include "mta/delivery.h"
#include "mta/outcome.h"

enum { REQUEUES_MAX = 3, TAKES_MAX = 200, BROKEN_RETRY_S = 3600 };

/* ---- may this recipient go now? ---------------------------------------------------------- */

static const uint16_t dsn_expired[3] = { 4, 4, 7 }, dsn_cancelled[3] = { 5, 7, 1 };

static bool ruled_out(struct work *w, rcpt_ref ref, const struct chunk *k, struct slice address)
{
	struct rcpt *r = rcpt_at(&w->slab, ref);
	struct domain *d = domain_at(&w->domains, r->domain);
	struct rule_subject s = {
		.tenant = k->info.tenant,
		.campaign = k->info.campaign,
		.domain = slice_of(d->name, d->name_n),
		.job = k->info.id,
		.row = r->row,
	};
	char why[256];

	if (rules_match(w->rules, RULE_CANCEL, SELECTS_ALL, &s, why, sizeof(why))) {
		outcome_plain(w, ref, OUTCOME_CANCELLED, slice_str(why), dsn_cancelled, 0);
		return true;
	}
	if (rules_match(w->rules, RULE_HOLD, SELECTS_ALL, &s, NULL, 0)) {
		rcpt_become(w, ref, RCPT_HELD);
		fifo_push(&w->slab, &w->held, ref);
		return true;
	}
	if (rules_suppressed(w->rules, k->info.tenant, address)) {
		outcome_plain(w, ref, OUTCOME_CANCELLED, SLICE("the address is suppressed"),
			      dsn_cancelled, OUTCOME_SUPPRESSED);
		return true;
	}
	return false;
}

/* What needs no look at the job: finished meanwhile, too old, or its site has changed. */
static bool moved_on(struct pool *p, rcpt_ref ref)
{
	struct work *w = p->work;
	struct rcpt *r = rcpt_at(&w->slab, ref);

	if (r->state == RCPT_DEAD) {
		rcpt_end(w, ref);
		return true;
	}
	if (r->expires_s <= wall_s()) {
		outcome_plain(w, ref, OUTCOME_EXPIRED, SLICE("the message grew too old"),
			      dsn_expired, 0);
		return true;
	}
	if (domain_at(&w->domains, r->domain)->site != p->site) {
		work_queue(w, ref);
		return true;
	}
	return false;
}

/* Our own trouble with stored bytes: nothing a verdict may come from.  Tried again in an hour. */
static void broken(struct work *w, rcpt_ref ref, const char *what, int err)
{
	struct rcpt *r = rcpt_at(&w->slab, ref);

	log_error("deliver.unreadable", kv_str("what", what), kv_int("job", r->job),
		  kv_int("row", r->row), kv_err("reason", err));
	work_defer(w, ref, wall_s() + BROKEN_RETRY_S);
}

static bool may_go(struct pool *p, rcpt_ref ref, struct chunk *k)
{
	struct work *w = p->work;
	struct slice address = wire_rows_address(k->rows, rcpt_at(&w->slab, ref)->row);

	return !ruled_out(w, ref, k, address);
}

/* The next recipient that may go, with its job. */
static rcpt_ref next_rcpt(struct pool *p, bool bulk, struct chunk **ret_chunk,
			  struct line **ret_line)
{
	struct work *w = p->work;

	for (unsigned n = 0; n < TAKES_MAX; n++) {
		rcpt_ref ref = pool_take(p, bulk, ret_line);
		struct chunk *k;
		int r;
		if (ref == RCPT_NONE)
			return RCPT_NONE;
		if (moved_on(p, ref))
			continue;
		r = shelf_chunk(&w->shelf, rcpt_at(&w->slab, ref)->job, &k);
		if (r < 0) {
			broken(w, ref, "job", r);
			continue;
		}
		if (may_go(p, ref, k)) {
			*ret_chunk = k;
			return ref;
		}
		shelf_chunk_unref(&w->shelf, k);
	}
	pool_pump_soon(p); /* a long run of those that may not go: others' turn first */
	return RCPT_NONE;
}

/* ---- over to the session and back -------------------------------------------------------- */

static bool has_8bit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

static void add_rcpt(struct work *w, struct delivery *d, rcpt_ref ref)
{
	struct txn_rcpt *t = &d->rcpts[d->txn.n_rcpts];

	rcpt_become(w, ref, RCPT_IN_FLIGHT);
	d->refs[d->txn.n_rcpts++] = ref;
	t->address = wire_rows_address(d->chunk->rows, rcpt_at(&w->slab, ref)->row);
	t->verdict.kind = VERDICT_NONE;
	t->verdict.text_n = 0;
	d->txn.utf8 = d->txn.utf8 || has_8bit(t->address);
}

/* Others of the same message at the same site go in the same transaction. */
static void add_same(struct pool *p, struct delivery *d, struct line *line)
{
	struct work *w = p->work;
	rcpt_ref ref;

	while (d->txn.n_rcpts < DELIVERY_RCPTS_MAX &&
	       (ref = fair_take_same(&p->fair, line, d->chunk->job)) != RCPT_NONE)
		if (!moved_on(p, ref) && may_go(p, ref, d->chunk))
			add_rcpt(w, d, ref);
}

static bool is_bulk(const struct delivery *d)
{
	return d->chunk->info.class != CLASS_TRANSACTIONAL;
}

static void into_hand(struct channel *ch, struct delivery *d)
{
	ch->in_hand++;
	if (is_bulk(d) && ch->bulk++ == 0)
		ch->pool->n_bulk++;
	list_push(&ch->hand, &d->link);
}

static void out_of_hand(struct channel *ch, struct delivery *d)
{
	ch->in_hand--;
	if (is_bulk(d) && --ch->bulk == 0)
		ch->pool->n_bulk--;
	list_remove(&d->link);
}

static void hand_over(struct channel *ch, struct delivery *d)
{
	struct work *w = ch->pool->work;
	int r;

	into_hand(ch, d);
	ch->taken++;
	count_add(&w->m->messages, 1);
	count_add(&w->m->message_bytes, d->txn.message.n + d->txn.head.n);
	r = session_send(ch->session, &d->txn);
	if (r == 0)
		return;
	/* It became unready since session_can_take(): nothing was said, so nobody lost a try. */
	out_of_hand(ch, d);
	for (unsigned i = 0; i < d->txn.n_rcpts; i++)
		work_queue(w, d->refs[i]);
	delivery_rest(w, d);
}

static bool rate_allows(struct pool *p)
{
	struct work *w = p->work;
	int64_t wait_us = limits_rate(p->site->shared, w->config->site_rate, clock_mono_us());

	if (wait_us <= 0)
		return true;
	timer_set(w->loop->timers, &p->timer, wait_us / 1000 + 1);
	return false;
}

bool deliver_next(struct channel *ch)
{
	struct pool *p = ch->pool;
	struct work *w = p->work;
	struct delivery *d;
	struct chunk *k;
	struct line *line;
	rcpt_ref ref;
	bool bulk;
	int r;

	bulk = ch->bulk || pool_bulk_may_start(p);
	if (!pool_has(p, bulk) || (w->config->site_rate && !rate_allows(p)))
		return false;
	ref = next_rcpt(p, bulk, &k, &line);
	if (ref == RCPT_NONE)
		return false;
	d = delivery_new(w, k->info.rows > 1);
	d->chunk = k;
	r = shelf_content(&w->shelf, k->info.content, k->info.rows == 1, &d->content);
	if (r < 0) {
		broken(w, ref, "content", r);
		delivery_rest(w, d);
		return true;
	}
	r = delivery_build(w, d, ref);
	if (r < 0) {
		delivery_cannot_build(w, d, ref, r);
		delivery_rest(w, d);
		return true;
	}
	add_rcpt(w, d, ref);
	if (d->many && !d->content->program)
		add_same(p, d, line);
	hand_over(ch, d);
	return true;
}

/* The connection ended under a transaction that had not been judged: another one, at once. */
static bool untried(const struct channel *ch, const struct txn *t, const struct verdict *v,
		    const struct rcpt *r)
{
	return (v->kind == VERDICT_NONE || (v->kind == VERDICT_DEFERRED && v->site)) &&
	       !t->sent_data && ch->ready_once && r->requeues < REQUEUES_MAX;
}

static void settle(struct channel *ch, struct delivery *d, unsigned i,
		   const struct outcome_facts *f)
{
	struct work *w = ch->pool->work;
	struct rcpt *r = rcpt_at(&w->slab, d->refs[i]);
	const struct verdict *v = &d->rcpts[i].verdict;

	if (untried(ch, &d->txn, v, r)) {
		r->requeues++;
		count_add(&w->m->requeued, 1);
		rcpt_become(w, d->refs[i], RCPT_READY);
		if (domain_at(&w->domains, r->domain)->site == ch->pool->site)
			pool_push(ch->pool, d->refs[i], true);
		else
			work_queue(w, d->refs[i]);
		return;
	}
	ch->judged = ch->judged || v->code;
	outcome_verdict(w, d->refs[i], d->chunk, d->rcpts[i].address, v, f);
	if (v->kind == VERDICT_DELIVERED)
		pool_success(ch->pool);
	else if (v->site && v->code)
		pool_congested(ch->pool);
}

void deliver_abandon(struct channel *ch)
{
	struct delivery *d;

	while ((d = list_first(&ch->hand, struct delivery, link)) != NULL) {
		out_of_hand(ch, d);
		delivery_rest(ch->pool->work, d);
	}
}

void deliver_done(struct channel *ch, struct txn *t)
{
	struct delivery *d = container_of(t, struct delivery, txn);
	struct work *w = ch->pool->work;
	struct conn *c = session_conn(ch->session);
	struct outcome_facts f = {
		.host = slice_str(ch->mx->name),
		.ip = slice_of(ch->host->ip_text, ch->host->ip_text_n),
		.source = slice_str(ch->source->ip_text),
		.flags = (uint16_t)((c && conn_is_tls(c) ? OUTCOME_TLS : 0) |
				    (ch->judged ? OUTCOME_REUSED_CONNECTION : 0)),
		.sent_data = t->sent_data,
	};

	out_of_hand(ch, d);
	/* At the lane's end what is in hand stays in the spool as it is and is tried after the
	 * restart. */
	for (unsigned i = 0; i < t->n_rcpts && !w->freeing; i++)
		settle(ch, d, i, &f);
	delivery_rest(w, d);
}
