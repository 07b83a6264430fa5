#include "mta/deliver.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/outcome.h"

enum {
	SPARE_MAX = 256,
	BUFFER_KEPT = 128 * 1024,
	REQUEUES_MAX = 3,
	TAKES_MAX = 200,
	BROKEN_RETRY_S = 3600
};

struct delivery {
	struct txn txn;
	struct list link;
	struct chunk *chunk;
	struct content *content;
	struct buf head, message;
	bool many;
	rcpt_ref one_ref, *refs;
	struct txn_rcpt one, *rcpts;
};

/* ---- memory --------------------------------------------------------------------------------- */

static struct delivery *delivery_new(struct work *w, bool many)
{
	struct list *l = list_pop(many ? &w->spare_many : &w->spare_one);
	struct delivery *d;

	if (l)
		return container_of(l, struct delivery, link);
	d = must_alloc(sizeof(*d));
	list_init(&d->link);
	buf_init(&d->head, 0);
	buf_init(&d->message, 0);
	d->many = many;
	d->refs = many ? must_alloc(DELIVERY_RCPTS_MAX * sizeof(*d->refs)) : &d->one_ref;
	d->rcpts = many ? must_alloc(DELIVERY_RCPTS_MAX * sizeof(*d->rcpts)) : &d->one;
	return d;
}

static void delivery_destroy(struct delivery *d)
{
	buf_free(&d->head);
	buf_free(&d->message);
	if (d->many) {
		free(d->refs);
		free(d->rcpts);
	}
	free(d);
}

static void delivery_rest(struct work *w, struct delivery *d)
{
	if (d->chunk->info.rows == 1)
		shelf_chunk_forget(&w->shelf, d->chunk->job); /* nobody else will read it */
	shelf_chunk_unref(&w->shelf, d->chunk);
	shelf_content_unref(&w->shelf, d->content);
	d->chunk = NULL;
	d->content = NULL;
	if (w->freeing) {
		delivery_destroy(d);
		return;
	}
	buf_shrink(&d->head, BUFFER_KEPT);
	buf_shrink(&d->message, BUFFER_KEPT);
	list_push_front(d->many ? &w->spare_many : &w->spare_one, &d->link);
}

void deliver_init(struct work *w)
{
	list_init(&w->spare_one);
	list_init(&w->spare_many);
}

void deliver_free_spares(struct work *w)
{
	struct list *l;

	while ((l = list_pop(&w->spare_one)) || (l = list_pop(&w->spare_many)))
		delivery_destroy(container_of(l, struct delivery, link));
}

/* ---- may this recipient go now? ------------------------------------------------------------- */

static void own(struct work *w, rcpt_ref ref, enum outcome_kind kind, struct slice text,
		const uint16_t *dsn, uint16_t flags)
{
	struct own_outcome o = { .kind = kind, .text = text, .flags = flags };

	memcpy(o.dsn, dsn, sizeof(o.dsn));
	outcome_own(w, ref, &o);
}

static const uint16_t dsn_expired[3] = { 4, 4, 7 }, dsn_cancelled[3] = { 5, 7, 1 },
		      dsn_keys[3] = { 4, 7, 5 }, dsn_content[3] = { 5, 6, 0 },
		      dsn_system[3] = { 4, 3, 0 };

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
		own(w, ref, OUTCOME_CANCELLED, slice_str(why), dsn_cancelled, 0);
		return true;
	}
	if (rules_match(w->rules, RULE_HOLD, SELECTS_ALL, &s, NULL, 0)) {
		rcpt_become(w, ref, RCPT_HELD);
		fifo_push(&w->slab, &w->held, ref);
		return true;
	}
	if (rules_suppressed(w->rules, k->info.tenant, address)) {
		own(w, ref, OUTCOME_CANCELLED, SLICE("the address is suppressed"), dsn_cancelled,
		    OUTCOME_SUPPRESSED);
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
		own(w, ref, OUTCOME_EXPIRED, SLICE("the message grew too old"), dsn_expired, 0);
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

/* ---- the message ---------------------------------------------------------------------------- */

static int expand(struct work *w, struct delivery *d, const struct rcpt *r)
{
	char id[ID_TEXT_MAX], message_id[ID_TEXT_MAX + 12 + DNS_NAME_MAX];
	const struct wire_job_meta *meta = &d->chunk->meta;
	struct slice domain = meta->message_id_domain.n ? meta->message_id_domain
							: slice_str(w->config->hostname);
	struct wire_row row;
	int64_t start = clock_mono_us();
	int n, err;

	err = wire_rows_get(d->chunk->rows, r->row, &row);
	if (err < 0)
		return err;
	n = snprintf(message_id, sizeof(message_id), "%s.%u@%.*s", id_format(d->chunk->info.id, id),
		     r->row, (int)MIN_OF(domain.n, (size_t)DNS_NAME_MAX), domain.p);
	struct expand_input in = {
		.fields = row.fields,
		.n_fields = row.n_fields,
		.recipient = row.address,
		.message_id = slice_of(message_id, (size_t)n),
		.date_ms = meta->date_ms ? meta->date_ms : d->chunk->info.accepted_ms,
	};
	err = program_expand(d->content->program, &in, &d->message);
	count_add(&w->m->expansions, 1);
	count_add(&w->m->expand_us, (uint64_t)(clock_mono_us() - start));
	d->txn.message = buf_data(&d->message);
	return err;
}

/* Guarantee: the first message of a content, and the first with new keys, is shown to libopendkim before
 * it and any other of them leaves this lane.  E_CONFLICT: it does not verify. */
static int judge(struct work *w, struct delivery *d, struct keyring *keys)
{
	struct slice domain = d->content->meta.sign_domain;
	struct buf whole;
	int r;

	if (keys->judged && (d->content->judged || !d->content->program))
		return 0;
	buf_init(&whole, 0);
	buf_put(&whole, d->txn.head);
	buf_put(&whole, d->txn.message);
	r = sign_verify(keys->keys, keys->n, buf_data(&whole));
	buf_free(&whole);
	count_add(&w->m->judged, 1);
	if (r < 0) {
		log_error("sign.judged-wrong", kv_slice("domain", domain), kv_int("job", d->chunk->job),
			  kv_err("reason", r));
		return E_CONFLICT;
	}
	keys->judged = d->content->judged = true;
	return 0;
}

/* 0, E_UNKNOWN: there is no key; E_CONFLICT as judge(); E_CRYPTO and E_SYNTAX as sign_message() has them. */
static int sign(struct work *w, struct delivery *d)
{
	struct keyring *keys;
	int64_t start;
	int r;

	if (!d->content->meta.sign_domain.n)
		return 0;
	keys = shelf_keys(&w->shelf, w->config->keys_dir, d->content->meta.sign_domain,
			  timers_now(w->loop->timers));
	if (!keys->n && !keys->err && slice_eq(d->chunk->meta.origin, SLICE("smtp")))
		return 0; /* the listener names the domain of From; that it has keys nobody promised
			   */
	if (!keys->n)
		return keys->err < 0 ? keys->err : E_UNKNOWN;
	start = clock_mono_us();
	r = sign_message(keys->keys, keys->n, d->txn.message, clock_wall_ms() / 1000, &d->head);
	count_add(&w->m->signatures, keys->n);
	count_add(&w->m->sign_us, (uint64_t)(clock_mono_us() - start));
	d->txn.head = buf_data(&d->head);
	return r < 0 ? r : judge(w, d, keys);
}

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

static void cannot_build(struct work *w, struct delivery *d, rcpt_ref ref, int err)
{
	char text[320];
	struct slice domain = d->content->meta.sign_domain;

	if (err == E_CONFLICT) {
		(void)snprintf(text, sizeof(text), "the DKIM signature made for %.*s does not verify",
			       (int)MIN_OF(domain.n, (size_t)253), domain.p);
		own(w, ref, OUTCOME_DEFERRED, slice_str(text), dsn_keys, 0);
	} else if (err == E_UNKNOWN || err == E_CRYPTO) {
		(void)snprintf(text, sizeof(text), "no usable DKIM key for %.*s",
			       (int)MIN_OF(domain.n, (size_t)253), domain.p);
		own(w, ref, OUTCOME_DEFERRED, slice_str(text), dsn_keys, 0);
	} else if (err == E_SYNTAX || err == E_LIMIT || err == E_CORRUPT) {
		(void)snprintf(text, sizeof(text), "the message cannot be made: %s", err_text(err));
		own(w, ref, OUTCOME_BOUNCED, slice_str(text), dsn_content, 0);
	} else {
		own(w, ref, OUTCOME_DEFERRED, slice_str(err_text(err)), dsn_system, 0);
	}
}

static int build(struct work *w, struct delivery *d, rcpt_ref ref)
{
	const struct wire_content_meta *meta = &d->content->meta;
	int r = 0;

	d->txn = (struct txn){
		.mail_from = d->chunk->meta.mail_from.n ? d->chunk->meta.mail_from : SLICE(""),
		.head = SLICE(""),
		.message = buf_data(&d->content->bytes),
		.body_8bit = meta->body_8bit,
		.utf8 = meta->utf8,
		.rcpts = d->rcpts,
	};
	if (d->content->program)
		r = expand(w, d, rcpt_at(&w->slab, ref));
	return r < 0 ? r : sign(w, d);
}

/* ---- over to the session and back ----------------------------------------------------------- */

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
	r = build(w, d, ref);
	if (r < 0) {
		cannot_build(w, d, ref, r);
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
