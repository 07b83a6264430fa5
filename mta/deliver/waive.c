/* mta/deliver/waive.c - the field with which a message says that it may go without TLS. */
#include "mta/deliver/waive.h"

#include "message/header.h"
#include "mta/site/way.h"

/* field = "TLS-Required" ":" *WSP "No" ; another value says nothing */
static bool says_no(struct slice message)
{
	struct header_field f;
	size_t pos = 0;

	while (header_next(message, &pos, &f) > 0)
		if (slice_eq_nocase(f.name, SLICE("tls-required")))
			return slice_eq_nocase(slice_trim_set(f.value, " \t\r\n"), SLICE("no"));
	return false;
}

static bool message_waives(struct deliverer *dr, const struct chunk *k)
{
	struct content *c;
	bool no;

	/* REQUIRETLS goes before the field (section 5). */
	if (k->meta.require_tls ||
	    contents_get(&dr->queue->contents, k->info.content, false, &c) < 0)
		return false;
	no = !c->program && says_no(buf_data(&c->bytes));
	contents_unref(&dr->queue->contents, c);
	return no;
}

/* Nothing is gained where the operator demands TLS. */
static struct pool *without_policy(struct deliverer *dr, const struct rcpt *r)
{
	const struct way *w = way_of(queue_domain_of(dr->queue, r));
	struct site *s = w->site ? site_asked(w->site, POLICY_ASKED_NO_TLS, false) : NULL;
	struct pool *p = s ? pool_get(s, queue_flow_of(dr->queue, r)->to_pool) : NULL;

	return p && site_demand(s, 0, (enum tls_word)p->shape.v[SHAPE_TLS]).tls == TLS_MAY ? p
											   : NULL;
}

bool waive_instead(struct deliverer *dr, rcpt_ref ref, const struct decision *d)
{
	const struct rcpt *r = queue_rcpt(dr->queue, ref);
	struct pool *p;
	struct chunk *k;
	bool waives;

	/* Of a host: a message that nobody can sign is 4.7.5 too, and stays so without TLS. */
	if (d->kind != OUTCOME_DEFERRED || d->code || !status_eq(d->status, STATUS(4, 7, 5)) ||
	    d->on_list || !d->host.n)
		return false;
	p = without_policy(dr, r);
	if (!p || chunks_get(&dr->queue->chunks, r->job, &k) < 0)
		return false;
	waives = message_waives(dr, k);
	chunks_unref(&dr->queue->chunks, k);
	if (waives)
		pool_push(p, ref, false);
	return waives;
}
