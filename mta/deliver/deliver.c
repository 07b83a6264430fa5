/* mta/deliver/deliver.c - who goes next over a channel, to the session and back. */
#include "mta/deliver/deliver.h"

#include <stdio.h>

#include "base/log.h"
#include "mta/deliver/act.h"
#include "mta/deliver/delivery.h"
#include "mta/deliver/notice.h"
#include "mta/deliver/outcome.h"
#include "mta/deliver/allowed.h"
#include "mta/queue/about.h"
#include "mta/queue/needs.h"
#include "mta/site/failures.h"
#include "mta/site/own.h"
#include "mta/site/shaping.h"
#include "mta/site/steer.h"
#include "mta/site/suspend.h"
#include "mta/site/tenants.h"
#include "mta/site/trace.h"
#include "mta/site/way.h"
#include "mta/tlsrpt/tlsrpt.h"

enum { REQUEUES_MAX = 3, TAKES_MAX = 200, BROKEN_RETRY_S = 3600 };

/* ---- may this recipient go now? ---------------------------------------------------------- */

/* An order ends it or holds it. */
static bool ordered_otherwise(struct deliverer *dr, rcpt_ref ref, const struct chunk *k)
{
	unsigned keys = rules_keys(dr->rules, RULE_CANCEL) | rules_keys(dr->rules, RULE_HOLD);
	char why[RULE_TEXT_MAX];
	struct about a;
	bool bounce;

	if (!keys)
		return false;
	about_chunk(&a, dr->queue, queue_rcpt(dr->queue, ref), k, keys);
	if (rules_end(dr->rules, &a.s, &bounce, why)) {
		outcome_ordered(dr, ref, bounce ? OUTCOME_BOUNCED : OUTCOME_CANCELLED,
				slice_str(why));
		return true;
	}
	if (!rules_hold(dr->rules, &a.s, NULL))
		return false;
	(void)queue_move(dr->queue, ref, (struct queue_move){ .to = RCPT_HELD });
	return true;
}

static bool ruled_out(struct deliverer *dr, rcpt_ref ref, const struct chunk *k,
		      struct slice address)
{
	if (ordered_otherwise(dr, ref, k))
		return true;
	if (senders_suppressed(dr->senders, k->info.tenant, k->info.class != CLASS_TRANSACTIONAL,
			       address)) {
		outcome_plain(dr, ref, OUTCOME_CANCELLED, SLICE("the address is suppressed"),
			      STATUS(5, 7, 1), OUTCOME_SUPPRESSED);
		return true;
	}
	return false;
}

/* Without a look at the job: has it expired, or has its site or its pool changed? */
static bool moved_on(struct deliverer *dr, struct pool *p, rcpt_ref ref)
{
	struct rcpt *r = queue_rcpt(dr->queue, ref);

	if (r->expires_s <= queue_now_s(dr->queue)) {
		outcome_plain(dr, ref, OUTCOME_EXPIRED, SLICE(""), STATUS(4, 4, 7), 0);
		return true;
	}
	if (way_site(way_of(queue_domain_of(dr->queue, r)), ref) != site_base(p->site) ||
	    (queue_moves_finely(dr->queue) && queue_pool_of(dr->queue, r) != p->index)) {
		queue_due(dr->queue, ref);
		return true;
	}
	return false;
}

/* Our own trouble with stored bytes, so it makes no verdict.  It is tried again in an hour. */
static void broken(struct deliverer *dr, rcpt_ref ref, const char *what, int err)
{
	struct rcpt *r = queue_rcpt(dr->queue, ref);

	log_error("deliver.unreadable", kv_str("what", what), kv_int("job", r->job),
		  kv_int("row", r->row), kv_err("reason", err));
	queue_defer(dr->queue, ref, queue_now_s(dr->queue) + BROKEN_RETRY_S);
}

static bool may_go(struct deliverer *dr, rcpt_ref ref, struct chunk *k)
{
	struct slice address = wire_rows_address(k->rows, queue_rcpt(dr->queue, ref)->row);

	return !ruled_out(dr, ref, k, address);
}

/* Its job, when it may go. */
static struct chunk *job_of(struct deliverer *dr, rcpt_ref ref)
{
	struct chunk *k;
	int r = chunks_get(&dr->queue->chunks, queue_rcpt(dr->queue, ref)->job, &k);

	if (r < 0) {
		broken(dr, ref, "job", r);
		return NULL;
	}
	if (may_go(dr, ref, k))
		return k;
	chunks_unref(&dr->queue->chunks, k);
	return NULL;
}

/* Messages that ask for TLS, or say that it may be missing, have a site of their own beside that of
 * their domain (RFC 8689). */
static void go_where_asked(struct deliverer *dr, struct pool *p, rcpt_ref ref,
			   enum policy_asked asked)
{
	const struct way *w = way_of(queue_domain_of(dr->queue, queue_rcpt(dr->queue, ref)));

	pool_push(pool_get(site_asked(p->site, asked, w->named_securely), p->index), ref, false);
}

/* True: it went to where its demand for TLS holds. */
static bool requires_elsewhere(struct deliverer *dr, struct pool *p, rcpt_ref ref, struct chunk *k)
{
	bool waives = slice_eq(k->meta.origin, SLICE(TLSRPT_ORIGIN));

	if (waives ? p->site->asked == POLICY_ASKED_NO_TLS
		   : k->meta.require_tls == (p->site->asked == POLICY_ASKED_TLS))
		return false;
	go_where_asked(dr, p, ref,
		       waives                ? POLICY_ASKED_NO_TLS
		       : k->meta.require_tls ? POLICY_ASKED_TLS
					     : POLICY_ASKED_NOTHING);
	chunks_unref(&dr->queue->chunks, k);
	return true;
}

/* Who goes next, and what was found out about it. */
struct turn_taken {
	struct chunk *chunk;
	struct line *line;
	struct caps_mail caps;
	const struct lids *lids; /* NULL: its tenant has no limits here */
};

/* Before the others of its pool, or to where its domain's mail goes now. */
static void go_again(struct deliverer *dr, struct pool *p, rcpt_ref ref)
{
	const struct rcpt *r = queue_rcpt(dr->queue, ref);

	if (way_site(way_of(queue_domain_of(dr->queue, r)), ref) == site_base(p->site) &&
	    queue_pool_of(dr->queue, r) == p->index)
		pool_push(p, ref, true);
	else
		queue_due(dr->queue, ref);
}

/* Those who are engaged first, from a new source. */
static rcpt_ref whose_turn(struct channel *ch, bool bulk, unsigned *looks, struct line **ret_line)
{
	return ch->warmup ? pool_next_engaged(ch->pool, bulk, looks, ret_line)
			  : pool_next(ch->pool, bulk, looks, ret_line);
}

/* Another lane was faster: today's plan has no room for one more. */
static bool plan_is_full(struct deliverer *dr, struct channel *ch, rcpt_ref ref)
{
	if (!ch->warmup || warmup_take(ch->warmup))
		return false;
	go_again(dr, ch->pool, ref);
	return true;
}

/* The next recipient that may go, with its job. */
static rcpt_ref next_rcpt(struct deliverer *dr, struct channel *ch, bool bulk,
			  struct turn_taken *ret)
{
	struct pool *p = ch->pool;
	unsigned looks = TAKES_MAX;
	bool capped = false;
	rcpt_ref ref;

	while ((ref = whose_turn(ch, bulk, &looks, &ret->line)) != RCPT_NONE) {
		if (moved_on(dr, p, ref) || allowed_later(dr, ch, ref, &ret->lids))
			continue;
		if (act_sets_aside(dr, ch, ref)) {
			ref = RCPT_NONE; /* it is another source's turn now */
			break;
		}
		ret->chunk = job_of(dr, ref);
		if (!ret->chunk || requires_elsewhere(dr, p, ref, ret->chunk))
			continue;
		if (!caps_take(ch, ref, &ret->caps)) {
			capped = true;
			chunks_unref(&dr->queue->chunks, ret->chunk);
			continue;
		}
		if (!plan_is_full(dr, ch, ref))
			break;
		caps_leave(&ret->caps);
		chunks_unref(&dr->queue->chunks, ret->chunk);
		ref = RCPT_NONE;
		break;
	}
	if (capped)
		caps_looked(p);
	if (!looks && ref == RCPT_NONE)
		pool_pump_soon(p); /* a long run of those that may not go: others first */
	return ref;
}

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
		if (moved_on(dr, p, ref) || !may_go(dr, ref, d->chunk))
			continue;
		if (act_sets_aside(dr, ch, ref))
			return;
		if (!fits(dr, d, ref)) { /* it begins the next */
			go_again(dr, p, ref);
			return;
		}
		if (plan_is_full(dr, ch, ref))
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
		broken(dr, ref, "content", r);
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
	ref = next_rcpt(dr, ch, bulk, &turn);
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
	go_again(dr, p, ref);
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
		go_again(dr, ch->pool, d->refs[i]);
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
