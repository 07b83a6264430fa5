/* mta/deliver/deliver.c - one transaction over a channel: to the session and back. */
#include "mta/deliver/deliver.h"

#include <stdio.h>

#include "mta/deliver/act.h"
#include "mta/deliver/delivery.h"
#include "mta/deliver/notice.h"
#include "mta/deliver/turn.h"
#include "mta/deliver/allowed.h"
#include "mta/queue/needs.h"
#include "mta/site/failures.h"
#include "mta/site/own.h"
#include "mta/site/shaping.h"
#include "mta/site/steer.h"
#include "mta/site/suspend.h"
#include "mta/site/tenants.h"
#include "mta/site/trace.h"

enum { REQUEUES_MAX = 3 };

/* ---- over to the session and back -------------------------------------------------------- */

static void add_rcpt(struct deliverer *dr, struct delivery *d, rcpt_ref ref)
{
	struct txn_rcpt *t = &d->rcpts[d->txn.n_rcpts];
	struct wire_dsn asked;

	(void)queue_move(dr->queue, ref, (struct queue_move){ .to = RCPT_IN_FLIGHT });
	d->refs[d->txn.n_rcpts++] = ref;
	t->address = wire_rows_address(d->chunk->rows, queue_rcpt(dr->queue, ref)->row);
	t->verdict.kind = VERDICT_NONE;
	t->verdict.text_n = 0;
	notice_asked(d->chunk, queue_rcpt(dr->queue, ref)->row, !d->content->program, &asked);
	t->notify = (uint8_t)asked.notify;
	t->orcpt = asked.orcpt;
	d->txn.utf8 = d->txn.utf8 || needs_8bit(t->address);
}

/* An address beyond ASCII needs SMTPUTF8; a host without it must still get the others. */
static bool fits(const struct deliverer *dr, const struct delivery *d, rcpt_ref ref)
{
	struct slice a = wire_rows_address(d->chunk->rows, queue_rcpt(dr->queue, ref)->row);

	return needs_8bit(a) == needs_8bit(d->rcpts[0].address);
}

/* Others of the same message at the same site go in the same transaction. */
static void add_same(struct deliverer *dr, struct channel *ch, struct delivery *d,
		     struct line *line)
{
	struct pool *p = ch->pool;
	unsigned most = habits_rcpts(&ch->host->habits, sites_now(dr->sites),
				     shaping_recipients(ch, d->chunk->info.tenant));
	rcpt_ref ref;

	while (d->txn.n_rcpts < most &&
	       (ref = pool_next_same(p, line, d->chunk->job)) != RCPT_NONE) {
		if (turn_moved_on(dr, p, ref) || !turn_may_go(dr, ref, d->chunk))
			continue;
		if (act_sets_aside(dr, ch, ref))
			return;
		if (!fits(dr, d, ref)) { /* it begins the next */
			turn_again(dr, p, ref);
			return;
		}
		if (turn_plan_is_full(dr, ch, ref))
			return;
		add_rcpt(dr, d, ref);
	}
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

static void hand_over(struct deliverer *dr, struct channel *ch, struct delivery *d)
{
	int r;

	if (__builtin_expect(dr->sites->tracing != NULL, 0))
		trace_handed_over(ch, d->chunk, d->refs, d->txn.n_rcpts);
	into_hand(ch, d);
	ch->taken++;
	count_add(&dr->counters.messages, 1);
	count_add(&dr->counters.message_bytes, d->txn.message.n + d->txn.head.n);
	caps_sent(&d->caps);
	if (ch->pool->paced)
		shaping_sent(ch->pool, d->txn.message.n + d->txn.head.n);
	if (ch->own)
		own_sent(ch, d->txn.message.n + d->txn.head.n);
	r = session_send(ch->session, &d->txn);
	if (r == 0)
		return;
	/* Unready after session_can_take(): nothing was said, so no try is lost. */
	out_of_hand(ch, d);
	for (unsigned i = 0; i < d->txn.n_rcpts; i++)
		queue_due(dr->queue, d->refs[i]);
	delivery_rest(dr, d);
}

static bool rate_allows(struct pool *p)
{
	int64_t wait_us;

	if (shaping_may_send(p, &wait_us))
		return true;
	timer_set(p->sites->loop->timers, &p->timer, wait_us / 1000 + 1);
	return false;
}

/* Content, message and signatures; false: they cannot be made, and that was dealt with. */
static bool make(struct deliverer *dr, struct channel *ch, struct delivery *d, rcpt_ref ref)
{
	bool once = d->chunk->info.rows == 1;
	int r = contents_get(&dr->queue->contents, d->chunk->info.content, once, &d->content);

	if (r < 0) {
		turn_unreadable(dr, ref, "content", r);
		return false;
	}
	r = delivery_build(dr, d, ref, session_takes_8bit(ch->session));
	if (r < 0)
		delivery_cannot_build(dr, d, ref, r);
	return r >= 0;
}

bool deliver_next(struct site_loads *l, struct channel *ch)
{
	struct deliverer *dr = container_of(l, struct deliverer, loads);
	struct pool *p = ch->pool;
	bool bulk = ch->bulk || pool_bulk_may_start(p);
	struct delivery *d;
	struct turn_taken turn;
	rcpt_ref ref;

	if (!pool_has(p, bulk) || (p->paced && !rate_allows(p)))
		return false;
	ref = turn_next(dr, ch, bulk, &turn);
	if (ref == RCPT_NONE)
		return false;
	d = delivery_new(dr, turn.chunk->info.rows > 1);
	d->chunk = turn.chunk;
	d->caps = turn.caps;
	if (turn.lids && !allowed_takes(dr, ch, d, ref, turn.lids)) {
		delivery_rest(dr, d);
		return true;
	}
	if (!make(dr, ch, d, ref)) {
		delivery_rest(dr, d);
		return true;
	}
	add_rcpt(dr, d, ref);
	if (d->many && !d->content->program && !d->alone)
		add_same(dr, ch, d, turn.line);
	if (turn.lids)
		lids_sent(ch, turn.lids, queue_flow_of(dr->queue, queue_rcpt(dr->queue, ref)),
			  d->txn.message.n + d->txn.head.n);
	hand_over(dr, ch, d);
	return true;
}

/* The connection ended during a transaction without a verdict: another one, at once. */
static bool untried(const struct channel *ch, const struct txn *t, const struct verdict *v,
		    const struct rcpt *r)
{
	return (v->kind == VERDICT_NONE || (v->kind == VERDICT_DEFERRED && v->site)) &&
	       !t->sent_data && ch->ready_once && r->requeues < REQUEUES_MAX;
}

/* It was not tried. */
static void requeue(struct deliverer *dr, struct pool *p, rcpt_ref ref)
{
	queue_rcpt(dr->queue, ref)->requeues++;
	count_add(&dr->counters.requeued, 1);
	turn_again(dr, p, ref);
}

static struct slice why_of(const struct meaning *m, const struct verdict *v, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "%s: %u %.*s", m->rule, v->code % 1000U,
			 (int)MIN_OF(v->text_n, 120), v->text);

	return slice_of(buf, MIN_OF((size_t)n, cap - 1));
}

static void blocked(struct channel *ch, const struct meaning *m, const struct verdict *v,
		    bool certain)
{
	char why[256];

	suspend_refused(ch, (int64_t)m->action.for_s * 1000, why_of(m, v, why, sizeof(why)),
			certain);
}

static void unwanted(struct channel *ch, uint64_t tenant, const struct meaning *m,
		     const struct verdict *v)
{
	char why[256];

	tenants_refused(ch, tenant, (int64_t)m->action.for_s * 1000,
			why_of(m, v, why, sizeof(why)));
}

/* What the answers of a transaction say about the site. */
struct signs {
	bool delivered, answered, trouble;
	struct steer_reply reply; /* of the trouble */
};

static struct steer_reply reply_of(const struct verdict *v, const struct meaning *m)
{
	return (struct steer_reply){ v->code, verdict_text(v), (int64_t)m->named_s * 1000 };
}

static void note_sign(struct signs *s, const struct verdict *v, const struct meaning *m)
{
	if (v->kind == VERDICT_DELIVERED) {
		s->delivered = true;
	} else if (meaning_is_trouble(m, v)) {
		s->trouble = true;
		s->reply = reply_of(v, m);
	} else if (v->code) {
		s->answered = true;
	}
}

/* A transaction counts once, however many recipients it has. */
static void tell_steer(struct channel *ch, const struct signs *s)
{
	if (s->delivered)
		steer_delivered(ch);
	if (s->trouble)
		steer_trouble(ch, &s->reply);
	else if (s->answered && !s->delivered)
		steer_answered(ch);
}

/* What the answer says of a source that is new to the provider. */
static void note_warmup(struct channel *ch, const struct verdict *v, const struct meaning *m,
			const struct delivery *d, uint32_t row)
{
	enum warmup_result what = WARMUP_TRIED;

	if (v->kind == VERDICT_DELIVERED)
		what = WARMUP_DELIVERED;
	else if (m->class == JUDGE_SPAM_BLOCK || m->action.kind == JUDGE_SUSPEND_SOURCE)
		what = WARMUP_WAS_BLOCKED;
	else if (v->kind == VERDICT_BOUNCED)
		what = WARMUP_WAS_BOUNCED;
	else if (meaning_is_trouble(m, v))
		what = WARMUP_WAS_DEFERRED;
	warmup_note(ch->warmup, what, d->chunk->info.id, row);
}

static void settle(struct deliverer *dr, struct channel *ch, struct delivery *d, unsigned i,
		   const struct outcome_facts *f, struct signs *signs)
{
	const struct verdict *v = &d->rcpts[i].verdict;
	struct meaning m;
	uint32_t row;

	if (untried(ch, &d->txn, v, queue_rcpt(dr->queue, d->refs[i]))) {
		requeue(dr, ch->pool, d->refs[i]);
		return;
	}
	ch->judged = ch->judged || v->code;
	/* It comes to an end: of each such transaction somebody was taken, and a session meets
	 * lock-step once. */
	if (d->rcpts[i].again != AGAIN_NO) {
		turn_again(dr, ch->pool, d->refs[i]);
		return;
	}
	row = queue_rcpt(dr->queue, d->refs[i])->row;
	outcome_verdict(dr, d->refs[i], d->chunk, d->rcpts[i].address, v, f, &m);
	if (ch->warmup)
		note_warmup(ch, v, &m, d, row);
	note_sign(signs, v, &m);
	if (v->kind == VERDICT_DELIVERED) {
		suspend_delivered(ch);
		if (tenants_matter(ch->pool))
			tenants_delivered(ch, d->chunk->info.tenant);
	} else if (m.action.kind == JUDGE_SUSPEND_SOURCE) {
		blocked(ch, &m, v, false);
	} else if (m.action.kind == JUDGE_SUSPEND_TENANT) {
		unwanted(ch, d->chunk->info.tenant, &m, v);
	}
}

/* Before any recipient was named. */
enum site_refusal deliver_refused(struct site_loads *l, struct channel *ch, const struct verdict *v,
				  int64_t *ret_named_ms)
{
	struct deliverer *dr = container_of(l, struct deliverer, loads);
	struct meaning m;

	if (!meaning_of_session(dr, v, slice_str(ch->mx->name), &m))
		return SITE_OTHER;
	*ret_named_ms = (int64_t)m.named_s * 1000;
	if (m.action.kind == JUDGE_SUSPEND_SOURCE) {
		blocked(ch, &m, v, true);
		if (ch->warmup)
			warmup_note(ch->warmup, WARMUP_WAS_BLOCKED, (struct id128){ 0 }, 0);
		return SITE_BLOCKED;
	}
	return m.class == JUDGE_RATE_LIMITED || m.class == JUDGE_POLICY ? SITE_SLOW : SITE_OTHER;
}

void deliver_abandon(struct site_loads *l, struct channel *ch)
{
	struct deliverer *dr = container_of(l, struct deliverer, loads);
	struct delivery *d;

	while ((d = list_first(&ch->hand, struct delivery, link)) != NULL) {
		out_of_hand(ch, d);
		delivery_rest(dr, d);
	}
}

/* Somebody of it is without a delivery: what was said is kept for a while. */
static void keep_transcript(struct deliverer *dr, struct channel *ch, const struct delivery *d)
{
	uint32_t rows[DELIVERY_RCPTS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < d->txn.n_rcpts; i++)
		if (d->rcpts[i].verdict.kind != VERDICT_DELIVERED)
			rows[n++] = queue_rcpt(dr->queue, d->refs[i])->row;
	if (!n)
		return;
	failures_keep(ch, &d->chunk->info.id, rows, n);
	ch->failed_ms = sites_now(dr->sites);
}

static struct outcome_took took_of(const struct channel *ch, const struct txn *t)
{
	struct session_times times;

	session_times(ch->session, &times);
	return (struct outcome_took){ .known = true,
				      .connect_ms = (uint32_t)times.connect_ms,
				      .tls_ms = (uint32_t)times.tls_ms,
				      .transaction_ms = (uint32_t)(times.now_ms - t->began_ms) };
}

void deliver_done(struct site_loads *l, struct channel *ch, struct txn *t)
{
	struct deliverer *dr = container_of(l, struct deliverer, loads);
	struct delivery *d = container_of(t, struct delivery, txn);
	struct conn *c = session_conn(ch->session);
	struct signs signs = { 0 };
	struct outcome_facts f = {
		.host = slice_str(ch->mx->name),
		.ip = slice_of(ch->host->ip_text, ch->host->ip_text_n),
		.source = slice_str(ch->source_text),
		.tls = ch->tls.version,
		.cipher = ch->tls.cipher,
		.policy = ch->policy_name,
		.proof = ch->proof_name,
		.took = took_of(ch, t),
		.flags = (uint16_t)((c && conn_is_tls(c) ? OUTCOME_TLS : 0) |
				    (ch->judged ? OUTCOME_REUSED_CONNECTION : 0)),
		.sent_data = t->sent_data,
		.channel = ch,
		.txn = t,
	};

	out_of_hand(ch, d);
	if (t->answered)
		histogram_note(&dr->census->times.transaction, &census_scale_session,
			       sites_now(dr->sites) - t->began_ms);
	if (!dr->freeing)
		keep_transcript(dr, ch, d); /* before the recipients go */
	/* At the lane's end, what is in hand stays in the spool and is tried after the restart. */
	for (unsigned i = 0; i < t->n_rcpts && !dr->freeing; i++)
		settle(dr, ch, d, i, &f, &signs);
	if (!dr->freeing)
		tell_steer(ch, &signs);
	delivery_rest(dr, d);
}
