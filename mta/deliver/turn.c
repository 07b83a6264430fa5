/* mta/deliver/turn.c - looking along the lines of a pool for somebody who may go. */
#include "mta/deliver/turn.h"

#include "base/log.h"
#include "mta/deliver/act.h"
#include "mta/deliver/allowed.h"
#include "mta/queue/about.h"
#include "mta/site/way.h"
#include "mta/tlsrpt/tlsrpt.h"

enum { TAKES_MAX = 200, BROKEN_RETRY_S = 3600 };

/* Apart from its caller, since the compiler zeroes large variables of a function on entry. */
static __attribute__((noinline)) bool ask_orders(struct deliverer *dr, rcpt_ref ref,
						 const struct chunk *k, unsigned keys)
{
	char why[RULE_TEXT_MAX];
	struct about a;
	bool bounce;

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

/* An order ends it or holds it. */
static bool ordered_otherwise(struct deliverer *dr, rcpt_ref ref, const struct chunk *k)
{
	unsigned keys = rules_keys(dr->rules, RULE_CANCEL) | rules_keys(dr->rules, RULE_HOLD);

	return keys && ask_orders(dr, ref, k, keys);
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
bool turn_moved_on(struct deliverer *dr, struct pool *p, rcpt_ref ref)
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
void turn_unreadable(struct deliverer *dr, rcpt_ref ref, const char *what, int err)
{
	struct rcpt *r = queue_rcpt(dr->queue, ref);

	log_error("deliver.unreadable", kv_str("what", what), kv_int("job", r->job),
		  kv_int("row", r->row), kv_err("reason", err));
	queue_defer(dr->queue, ref, queue_now_s(dr->queue) + BROKEN_RETRY_S);
}

bool turn_may_go(struct deliverer *dr, rcpt_ref ref, struct chunk *k)
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
		turn_unreadable(dr, ref, "job", r);
		return NULL;
	}
	if (turn_may_go(dr, ref, k))
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

/* Before the others of its pool, or to where its domain's mail goes now. */
void turn_again(struct deliverer *dr, struct pool *p, rcpt_ref ref)
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
bool turn_plan_is_full(struct deliverer *dr, struct channel *ch, rcpt_ref ref)
{
	if (!ch->warmup || warmup_take(ch->warmup))
		return false;
	turn_again(dr, ch->pool, ref);
	return true;
}

static rcpt_ref look_along(struct deliverer *dr, struct channel *ch, bool bulk,
			   struct turn_taken *ret, struct allowed_aside *aside)
{
	struct pool *p = ch->pool;
	unsigned looks = TAKES_MAX;
	bool capped = false;
	rcpt_ref ref;

	while ((ref = whose_turn(ch, bulk, &looks, &ret->line)) != RCPT_NONE) {
		if (turn_moved_on(dr, p, ref) || allowed_later(dr, ch, ref, &ret->lids, aside))
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
		if (!turn_plan_is_full(dr, ch, ref))
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

/* The next recipient that may go, with its job. */
rcpt_ref turn_next(struct deliverer *dr, struct channel *ch, bool bulk, struct turn_taken *ret)
{
	struct allowed_aside aside;
	rcpt_ref ref;

	allowed_begin(&aside);
	ref = look_along(dr, ch, bulk, ret, &aside);
	allowed_end(ch, &aside, ref != RCPT_NONE);
	return ref;
}
