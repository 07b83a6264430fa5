#include "mta/outcome.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/bounce.h"

enum { LATE_MS = 50 };

/* A copy of an outcome whose time has not come. */
struct late {
	struct list link;
	rcpt_ref ref;
	bool on_list;
	struct outcome o;
	char texts[VERDICT_TEXT_MAX + DNS_NAME_MAX + 2 * IP_TEXT_MAX + 512];
};

static const struct {
	const char *event;
	enum log_level level;
	size_t counter;
} kinds[] = {
	[OUTCOME_DELIVERED] = { "rcpt.delivered", LOG_DEBUG, offsetof(struct metrics, delivered) },
	[OUTCOME_BOUNCED] = { "rcpt.bounced", LOG_INFO, offsetof(struct metrics, bounced) },
	[OUTCOME_EXPIRED] = { "rcpt.expired", LOG_INFO, offsetof(struct metrics, expired) },
	[OUTCOME_CANCELLED] = { "rcpt.cancelled", LOG_INFO, offsetof(struct metrics, cancelled) },
	[OUTCOME_DEFERRED] = { "rcpt.deferred", LOG_INFO, offsetof(struct metrics, deferred) },
};

static void log_outcome(struct work *w, const struct outcome *o, struct id128 job)
{
	enum log_level level = kinds[o->kind].level;
	char id[ID_TEXT_MAX], dsn[24];

	if (o->kind == OUTCOME_DELIVERED && w->config->log_deliveries)
		level = LOG_INFO;
	if (!log_enabled(level))
		return;
	(void)snprintf(dsn, sizeof(dsn), "%u.%u.%u", o->status.class, o->status.subject,
		       o->status.detail);
	log_at(level, kinds[o->kind].event, kv_str("job", id_format(job, id)),
	       kv_int("row", o->row), kv_slice("rcpt", o->rcpt), kv_int("attempt", o->attempt),
	       kv_int("code", o->code), kv_str("dsn", dsn), kv_slice("host", o->host),
	       kv_slice("ip", o->ip), kv_int("tls", (o->flags & OUTCOME_TLS) != 0),
	       kv_slice("text", o->text), kv_int("next", o->next_ms));
}

/* The record is in the log: the recipient goes where it says. */
static void settle(struct work *w, rcpt_ref ref, const struct outcome *o, bool on_list)
{
	struct rcpt *r = rcpt_at(&w->slab, ref);
	_Atomic uint64_t *counter = (void *)((char *)w->m + kinds[o->kind].counter);

	count_add(counter, 1);
	if (o->kind == OUTCOME_DEFERRED) {
		r->attempts = o->attempt;
		r->requeues = 0;
		work_defer(w, ref, (uint32_t)(o->next_ms / 1000));
	} else if (on_list) {
		rcpt_become(w, ref, RCPT_DEAD);
	} else {
		rcpt_end(w, ref);
	}
}

static void keep_late(struct work *w, rcpt_ref ref, const struct outcome *o, bool on_list)
{
	struct late *late = must_alloc(sizeof(*late));
	struct slice *texts[] = { &late->o.text, &late->o.host, &late->o.ip, &late->o.source,
				  &late->o.rcpt };
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
	list_push(&w->late, &late->link);
	timer_set(w->loop->timers, &w->late_timer, LATE_MS);
}

static void put(struct work *w, rcpt_ref ref, struct outcome *o, bool on_list)
{
	lsn_t lsn;
	int r = list_empty(&w->late) ? spool_put_outcome(w->spool, o, &lsn) : E_FULL;

	if (r == 0 || r == E_CONFLICT) { /* finished already: whoever did that counted it */
		settle(w, ref, o, on_list);
		return;
	}
	keep_late(w, ref, o, on_list);
	if (r != E_FULL)
		work_fatal(w, r);
}

static void on_late(struct timer *t)
{
	struct work *w = container_of(t, struct work, late_timer);
	struct late *late;
	lsn_t lsn;

	while ((late = list_first(&w->late, struct late, link)) != NULL) {
		int r = spool_put_outcome(w->spool, &late->o, &lsn);
		if (r < 0 && r != E_CONFLICT) {
			timer_set(w->loop->timers, t, LATE_MS);
			return;
		}
		list_remove(&late->link);
		settle(w, late->ref, &late->o, late->on_list);
		free(late);
	}
}

void outcome_init(struct work *w)
{
	list_init(&w->late);
	timer_init(&w->late_timer, on_late);
}

void outcome_free_all(struct work *w)
{
	struct list *l;
	lsn_t lsn;

	timer_stop(w->loop->timers, &w->late_timer);
	while ((l = list_pop(&w->late)) != NULL) {
		struct late *late = container_of(l, struct late, link);
		if (spool_put_outcome(w->spool, &late->o, &lsn) < 0)
			log_error("outcome.lost", kv_slice("rcpt", late->o.rcpt),
				  kv_int("kind", late->o.kind));
		free(late);
	}
}

/* Next try, moved so that the last one is not past the end of its life. */
static int64_t next_try_ms(struct work *w, const struct rcpt *r, int64_t now_ms, unsigned attempt)
{
	int64_t next = now_ms + work_retry_s(w, attempt) * 1000;

	return MIN_OF(next, MAX_OF((int64_t)r->expires_s * 1000, now_ms + 1000));
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

static void tell_sender(struct work *w, const struct chunk *k, const struct outcome *o)
{
	if ((o->kind == OUTCOME_BOUNCED || o->kind == OUTCOME_EXPIRED) &&
	    w->config->bounce_messages)
		bounce_send(w, k, o);
}

void outcome_verdict(struct work *w, rcpt_ref ref, const struct chunk *k, struct slice address,
		     const struct verdict *v, const struct outcome_facts *f)
{
	struct rcpt *r = rcpt_at(&w->slab, ref);
	int64_t now = clock_wall_ms();
	char why[256];
	struct outcome o = {
		.job = r->job,
		.row = r->row,
		.kind = kind_of(v),
		.attempt = (uint16_t)MIN_OF(r->attempts + 1, UINT16_MAX),
		.code = v->code,
		.status = STATUS(v->dsn[0], v->dsn[1], v->dsn[2]),
		.at_ms = now,
		.flags = f->flags,
		.text = slice_of(v->text, v->text_n),
		.host = f->host,
		.ip = f->ip,
		.source = f->source,
		.rcpt = address,
	};

	if (o.kind == OUTCOME_DEFERRED && rules_selects(w->rules, RULE_CANCEL) &&
	    sweep_cancelled(w, r, why, sizeof(why))) { /* the order came while it was in flight */
		o.kind = OUTCOME_CANCELLED;
		o.text = slice_str(why);
	}
	if (o.kind == OUTCOME_DEFERRED)
		o.next_ms = next_try_ms(w, r, now, o.attempt);
	if (o.kind == OUTCOME_DEFERRED && f->sent_data && v->code == 0)
		count_add(&w->m->in_doubt, 1);
	if (o.kind != OUTCOME_DELIVERED)
		domain_note_reply(domain_at(&w->domains, r->domain), o.code, o.status, o.text);
	log_outcome(w, &o, k->info.id);
	tell_sender(w, k, &o); /* first: with the last outcome the message may leave the spool */
	put(w, ref, &o, false);
}

void outcome_own(struct work *w, rcpt_ref ref, const struct own_outcome *own)
{
	struct rcpt *r = rcpt_at(&w->slab, ref);
	int64_t now = clock_wall_ms();
	struct chunk *k = NULL;
	char why[256];
	struct outcome o = {
		.job = r->job,
		.row = r->row,
		.kind = own->kind,
		.attempt = r->attempts,
		.code = own->code,
		.status = STATUS(own->dsn[0], own->dsn[1], own->dsn[2]),
		.at_ms = now,
		.flags = own->flags,
		.text = own->text,
		.host = own->host,
	};

	if ((o.kind == OUTCOME_DEFERRED || o.kind == OUTCOME_BOUNCED) &&
	    rules_selects(w->rules, RULE_CANCEL) && sweep_cancelled(w, r, why, sizeof(why))) {
		/* A standing order also ends who never comes as far as a connection. */
		o.kind = OUTCOME_CANCELLED;
		o.text = slice_str(why);
		o.status = STATUS(5, 7, 1);
		o.code = 0;
	}
	if (o.kind == OUTCOME_DEFERRED) {
		o.attempt = (uint16_t)MIN_OF(r->attempts + 1, UINT16_MAX);
		o.next_ms =
		    MAX_OF(next_try_ms(w, r, now, o.attempt), (int64_t)own->not_before_s * 1000);
	}
	if (o.kind == OUTCOME_DEFERRED || o.kind == OUTCOME_BOUNCED)
		domain_note_reply(domain_at(&w->domains, r->domain), o.code, o.status, o.text);
	if (own->flags & OUTCOME_SUPPRESSED)
		count_add(&w->m->suppressed, 1);
	/* When the job cannot be read the outcome must do without the address. */
	if (shelf_chunk(&w->shelf, r->job, &k) == 0) {
		o.rcpt = wire_rows_address(k->rows, r->row);
		log_outcome(w, &o, k->info.id);
	}
	if (k)
		tell_sender(w, k, &o);
	put(w, ref, &o, own->on_list);
	shelf_chunk_unref(&w->shelf, k);
}

void outcome_plain(struct work *w, rcpt_ref ref, enum outcome_kind kind, struct slice text,
		   const uint16_t dsn[3], uint16_t flags)
{
	struct own_outcome o = { .kind = kind, .text = text, .flags = flags };

	memcpy(o.dsn, dsn, sizeof(o.dsn));
	outcome_own(w, ref, &o);
}
