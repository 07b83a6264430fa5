/* mta/deliver/outcome.c - records of outcomes, and what follows from them. */
#include "mta/deliver/outcome.h"

#include <stdio.h>

#include "base/log.h"
#include "mta/deliver/act.h"
#include "mta/deliver/meaning.h"
#include "mta/deliver/outcome_count.h"
#include "mta/deliver/notice.h"
#include "mta/deliver/outcome_log.h"
#include "mta/deliver/retry.h"
#include "mta/deliver/waive.h"
#include "mta/site/way.h"

enum { LATE_MS = 50 };

/* A copy of an outcome that the spool could not take yet. */
struct late {
	struct list link;
	rcpt_ref ref;
	bool on_list;
	struct outcome o;
	char texts[VERDICT_TEXT_MAX + DNS_NAME_MAX + 2 * IP_TEXT_MAX + 896];
};

static const size_t counter_at[] = {
	[OUTCOME_DELIVERED] = offsetof(struct deliver_counters, delivered),
	[OUTCOME_BOUNCED] = offsetof(struct deliver_counters, bounced),
	[OUTCOME_EXPIRED] = offsetof(struct deliver_counters, expired),
	[OUTCOME_CANCELLED] = offsetof(struct deliver_counters, cancelled),
	[OUTCOME_DEFERRED] = offsetof(struct deliver_counters, deferred),
};

/* Reports say why; and for others the last reply is told when no try is left. */
static bool is_worth_keeping(const struct deliverer *dr, const struct chunk *k,
			     const struct rcpt *r, const struct outcome *o)
{
	return o->kind == OUTCOME_DEFERRED &&
	       (o->next_ms >= queue_wall_ms(dr->queue, r->expires_s) ||
		(k && slice_eq(k->meta.origin, SLICE("smtp"))));
}

/* As rcpt.class has it. */
static unsigned class_number(struct slice name)
{
	enum judge_class class;

	return judge_class_parse(name, &class) == 0 ? class + 1U : 0;
}

/* The record is in the log: the recipient goes where it says. */
static void settle(struct deliverer *dr, rcpt_ref ref, const struct outcome *o, bool on_list)
{
	struct rcpt *r = queue_rcpt(dr->queue, ref);
	counter *count = (void *)((char *)&dr->counters + counter_at[o->kind]);

	count_add(count, 1);
	if (o->kind == OUTCOME_DEFERRED) {
		r->attempts = o->attempt;
		r->class = (uint8_t)class_number(o->class);
		r->requeues = 0;
		queue_defer(dr->queue, ref,
			    (uint32_t)(times_of_wall_ms(&dr->queue->times, o->next_ms) / 1000));
		return;
	}
	last_forget(&dr->last, r->job, r->row);
	if (on_list) {
		(void)queue_move(dr->queue, ref, (struct queue_move){ .to = RCPT_DEAD });
	} else {
		queue_end(dr->queue, ref);
	}
}

static void keep_late(struct deliverer *dr, rcpt_ref ref, const struct outcome *o, bool on_list)
{
	struct late *late = must_alloc(sizeof(*late));
	struct slice *texts[] = { &late->o.text,   &late->o.host,   &late->o.ip,   &late->o.source,
				  &late->o.rcpt,   &late->o.class,  &late->o.rule, &late->o.tls,
				  &late->o.cipher, &late->o.policy, &late->o.proof };
	char *at = late->texts;

	late->ref = ref;
	late->on_list = on_list;
	late->o = *o;
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		size_t room = (size_t)(late->texts + sizeof(late->texts) - at);
		size_t n = MIN_OF(texts[i]->n, room);
		memcpy(at, texts[i]->p, n);
		*texts[i] = slice_of(at, n);
		at += n;
	}
	list_push(&dr->late, &late->link);
	timer_set(dr->loop->timers, &dr->late_timer, LATE_MS);
}

/* The next try is kept in whole seconds; what is less than one keeps the class over a restart. */
static void keep_class(struct outcome *o)
{
	if (o->kind == OUTCOME_DEFERRED)
		o->next_ms = o->next_ms / 1000 * 1000 + class_number(o->class);
}

static void put(struct deliverer *dr, rcpt_ref ref, struct outcome *o, bool on_list)
{
	lsn_t lsn;
	int r;

	if (o->kind != OUTCOME_DEFERRED) /* after it the job may have left the spool */
		act_forget(dr, queue_rcpt(dr->queue, ref));
	keep_class(o);
	r = list_empty(&dr->late) ? spool_put_outcome(dr->spool, o, &lsn) : E_FULL;

	if (r == 0 || r == E_CONFLICT) { /* finished already, and counted by whoever did that */
		settle(dr, ref, o, on_list);
		return;
	}
	keep_late(dr, ref, o, on_list);
	if (r != E_FULL)
		engine_fatal(dr->engine, r);
}

static void on_late(struct timer *t)
{
	struct deliverer *dr = container_of(t, struct deliverer, late_timer);
	struct late *late;
	lsn_t lsn;

	while ((late = list_first(&dr->late, struct late, link)) != NULL) {
		int r = spool_put_outcome(dr->spool, &late->o, &lsn);
		if (r < 0 && r != E_CONFLICT) {
			timer_set(dr->loop->timers, t, LATE_MS);
			return;
		}
		list_remove(&late->link);
		settle(dr, late->ref, &late->o, late->on_list);
		free(late);
	}
}

void outcome_init(struct deliverer *dr)
{
	list_init(&dr->late);
	timer_init(&dr->late_timer, on_late);
	last_init(&dr->last);
	avoid_init(&dr->avoided);
}

void outcome_end(struct deliverer *dr)
{
	struct list *l;
	lsn_t lsn;

	timer_stop(dr->loop->timers, &dr->late_timer);
	last_end(&dr->last);
	avoid_end(&dr->avoided);
	while ((l = list_pop(&dr->late)) != NULL) {
		struct late *late = container_of(l, struct late, link);
		if (spool_put_outcome(dr->spool, &late->o, &lsn) < 0)
			log_error("outcome.lost", kv_slice("rcpt", late->o.rcpt),
				  kv_slice("source", late->o.source), kv_int("kind", late->o.kind));
		free(late);
	}
}

static enum outcome_kind kind_of(const struct verdict *v)
{
	switch (v->kind) {
	case VERDICT_DELIVERED:
		return OUTCOME_DELIVERED;
	case VERDICT_BOUNCED:
		return OUTCOME_BOUNCED;
	case VERDICT_NONE:
	case VERDICT_DEFERRED:
		break;
	}
	return OUTCOME_DEFERRED;
}

/* ---- the end of a life ------------------------------------------------------------------- */

#define TOO_OLD "the message expired before it was delivered"
enum { TOO_OLD_MAX = LAST_TEXT_MAX + 64 };

/* The reason, and what the last try ended with: `last`, or else the last answer that its domain
 * gave to anybody. */
static void say_too_old(struct deliverer *dr, const struct rcpt *r, struct slice last,
			struct outcome *o, char *text)
{
	const struct domain *d = queue_domain_of(dr->queue, r);
	int n;

	if (last.n)
		n = snprintf(text, TOO_OLD_MAX, TOO_OLD "; the last try %.*s", (int)last.n, last.p);
	else if (d->reply_ms)
		n = snprintf(text, TOO_OLD_MAX, TOO_OLD "; the last answer of the domain: %u %.*s",
			     d->code, d->reply_n, d->reply);
	else
		n = snprintf(text, TOO_OLD_MAX, TOO_OLD);
	o->text = slice_of(text, MIN_OF((size_t)n, (size_t)TOO_OLD_MAX - 1));
	o->status = STATUS(4, 4, 7);
	o->code = 0;
}

/* Tries end with the life: what would be deferred past it has expired. */
static void expire_instead(struct deliverer *dr, const struct rcpt *r, struct outcome *o,
			   char *text)
{
	char last[LAST_TEXT_MAX];

	if (o->kind != OUTCOME_DEFERRED || queue_wall_ms(dr->queue, r->expires_s) > o->at_ms)
		return;
	o->kind = OUTCOME_EXPIRED;
	o->next_ms = 0;
	say_too_old(dr, r, last_format(o, last), o, text);
}

void outcome_verdict(struct deliverer *dr, rcpt_ref ref, const struct chunk *k,
		     struct slice address, const struct verdict *v, const struct outcome_facts *f,
		     struct meaning *ret)
{
	struct rcpt *r = queue_rcpt(dr->queue, ref);
	int64_t now = clock_wall_ms();
	char why[RULE_TEXT_MAX], too_old[TOO_OLD_MAX];
	bool bounce;
	struct outcome o = {
		.job = r->job,
		.row = r->row,
		.kind = kind_of(v),
		.attempt = (uint16_t)MIN_OF(r->attempts + 1, UINT16_MAX),
		.code = v->code,
		.status = v->status,
		.at_ms = now,
		.flags = f->flags,
		.text = slice_of(v->text, v->text_n),
		.host = f->host,
		.ip = f->ip,
		.source = f->source,
		.rcpt = address,
		.tls = f->tls,
		.cipher = f->cipher,
		.policy = f->policy,
		.proof = f->proof,
		.took = f->took,
	};

	o.took.dns_ms = way_of(queue_domain_of(dr->queue, r))->took_ms;
	queue_look_at_clock(dr->queue);
	meaning_judge(dr, &o, ret);
	if (o.kind == OUTCOME_DEFERRED && queue_ends_now(dr->queue, r, &bounce, why)) {
		/* The order came while it was in flight. */
		o.kind = bounce ? OUTCOME_BOUNCED : OUTCOME_CANCELLED;
		meaning_forget(&o);
		o.text = slice_str(why);
	}
	if (o.kind == OUTCOME_DEFERRED) {
		act_on_reply(dr, ref, k, &o, f, ret);
		o.next_ms = retry_next_ms(dr, ref, &o, ret);
	}
	if (o.kind == OUTCOME_DEFERRED && f->sent_data && v->code == 0)
		count_add(&dr->counters.in_doubt, 1);
	if (o.kind != OUTCOME_DELIVERED)
		queue_note_reply(queue_domain_of(dr->queue, r), o.code, o.status, o.text);
	expire_instead(dr, r, &o, too_old);
	if (is_worth_keeping(dr, k, r, &o))
		last_keep(&dr->last, &o);
	outcome_count(dr, ref, &o, k, f);
	outcome_log(dr, &o, k, f);
	/* First: after the last outcome the message may leave the spool. */
	notice_outcome(dr, k, &o, f->txn && f->txn->dsn);
	put(dr, ref, &o, false);
}

/* A standing cancel also ends recipients that never get a connection. */
static bool ended_instead(struct deliverer *dr, const struct rcpt *r, struct outcome *o, char *why)
{
	bool bounce;

	if ((o->kind != OUTCOME_DEFERRED && o->kind != OUTCOME_BOUNCED) ||
	    !queue_ends_now(dr->queue, r, &bounce, why))
		return false;
	o->kind = bounce ? OUTCOME_BOUNCED : OUTCOME_CANCELLED;
	meaning_forget(o);
	o->text = slice_str(why);
	o->status = STATUS(5, 7, 1);
	o->code = 0;
	return true;
}

/* Log line, notice and record.  If the job cannot be read, the outcome has no address. */
static void tell_and_put(struct deliverer *dr, rcpt_ref ref, struct outcome *o, bool on_list)
{
	struct chunk *k = NULL;

	if (chunks_get(&dr->queue->chunks, queue_rcpt(dr->queue, ref)->job, &k) == 0) {
		o->rcpt = wire_rows_address(k->rows, o->row);
		outcome_log(dr, o, k, NULL);
		notice_outcome(dr, k, o, false);
	}
	outcome_count(dr, ref, o, k, NULL);
	if (is_worth_keeping(dr, k, queue_rcpt(dr->queue, ref), o))
		last_keep(&dr->last, o);
	put(dr, ref, o, on_list);
	chunks_unref(&dr->queue->chunks, k);
}

void outcome_decide(struct queue_ends *e, rcpt_ref ref, const struct decision *d)
{
	struct deliverer *dr = container_of(e, struct deliverer, ends);
	struct rcpt *r = queue_rcpt(dr->queue, ref);
	int64_t now = clock_wall_ms();
	char why[RULE_TEXT_MAX], too_old[TOO_OLD_MAX];
	struct meaning m;
	struct outcome o = {
		.job = r->job,
		.row = r->row,
		.kind = d->kind,
		.status = d->status,
		.attempt = r->attempts,
		.code = d->code,
		.at_ms = now,
		.flags = d->flags,
		.text = d->text,
		.host = d->host,
		.ip = d->ip,
		.source = d->source,
	};

	if (waive_instead(dr, ref, d))
		return;
	queue_look_at_clock(dr->queue);
	meaning_note(dr, &o, &m);
	if (d->ordered)
		meaning_forget(&o);
	else if (!ended_instead(dr, r, &o, why) &&
		 (o.kind == OUTCOME_DEFERRED || o.kind == OUTCOME_BOUNCED)) {
		if (o.kind == OUTCOME_DEFERRED) {
			o.attempt = (uint16_t)MIN_OF(r->attempts + 1, UINT16_MAX);
			o.next_ms = MAX_OF(retry_next_ms(dr, ref, &o, &m),
					   queue_wall_ms(dr->queue, d->not_before_s));
		}
		queue_note_reply(queue_domain_of(dr->queue, r), o.code, o.status, o.text);
	}
	expire_instead(dr, r, &o, too_old);
	if (d->kind == OUTCOME_EXPIRED)
		say_too_old(dr, r, last_text(&dr->last, r->job, r->row), &o, too_old);
	if (d->flags & OUTCOME_SUPPRESSED)
		count_add(&dr->counters.suppressed, 1);
	tell_and_put(dr, ref, &o, d->on_list);
}

void outcome_plain(struct deliverer *dr, rcpt_ref ref, enum outcome_kind kind, struct slice text,
		   struct status status, uint16_t flags)
{
	const struct decision d = { .kind = kind, .text = text, .status = status, .flags = flags };

	outcome_decide(&dr->ends, ref, &d);
}

void outcome_ordered(struct deliverer *dr, rcpt_ref ref, enum outcome_kind kind, struct slice text)
{
	const struct decision d = {
		.kind = kind, .text = text, .status = STATUS(5, 7, 1), .ordered = true
	};

	outcome_decide(&dr->ends, ref, &d);
}
