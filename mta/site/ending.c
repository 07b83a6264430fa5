/* mta/site/ending.c - why a connection came about late or not at all, or broke: who is to blame. */
#include "mta/site/ending.h"

#include <stdio.h>

#include "base/log.h"
#include "mta/site/pair.h"
#include "mta/site/relay.h"
#include "mta/site/steer.h"

/* This machine has too little of something; it is nobody's fault that mail waits a moment. */
bool ending_is_shortage(const struct channel *ch, int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM ||
	       err == -EAGAIN || (err == -EADDRNOTAVAIL && ch->source->ip.family);
}

/* Others of its source that the site has let in. */
static unsigned others_in(const struct channel *ch, bool same_host)
{
	const struct channel *c;
	unsigned n = 0;

	list_each(&ch->pool->channels, c, struct channel, link)
		if (c != ch && c->source == ch->source && c->ready_once &&
		    (!same_host || c->host == ch->host))
			n++;
	return n;
}

unsigned ending_before(const struct channel *ch)
{
	const struct channel *c;
	unsigned n = 0;

	list_each(&ch->pool->channels, c, struct channel, link)
		n += c != ch && c->source == ch->source && !c->quitting;
	return n;
}

enum { LATE_MS = 5000, LATE_FACTOR = 4 };

/* A host that greets the first connections at once and later ones late has enough of them. */
void ending_look_at_delay(struct channel *ch)
{
	int64_t took = sites_now(ch->pool->sites) - ch->begun_ms, *usual = &ch->host->greets_ms;
	char text[64];
	int n;

	if (!*usual || took < *usual)
		*usual = took + 1;
	if (took < LATE_MS || took < *usual * LATE_FACTOR || !others_in(ch, true))
		return;
	n = snprintf(text, sizeof(text), "it greeted after %d seconds", (int)(took / 1000));
	steer_greeted_late(ch, ch->before,
			   &(struct steer_reply){ .text = slice_of(text, (size_t)n) });
}

/* Opportunistic TLS that fails is worth no more than none (RFC 7435 section 3): the same address is
 * used again without TLS.  The session says so by 4.7.5 without a reply.  This also holds when
 * another connection found it out before: then this failure says nothing new. */
static bool tls_gave_way(struct channel *ch, const struct verdict *v)
{
	struct sites *s = ch->pool->sites;
	int64_t now = sites_now(s);

	if (v->code || !status_eq(v->status, STATUS(4, 7, 5)) || ch->demand.tls != TLS_MAY)
		return false;
	ch->host->clear_until_ms = now + ch->pool->site->shape.v[SHAPE_HOST_BAD];
	log_info("session.tls-failed", kv_str("site", ch->pool->site->name),
		 kv_str("ip", ch->host->ip_text), kv_str("source", ch->source_text),
		 kv_slice("reason", slice_of(v->text, v->text_n)));
	return true;
}

/* The host works, but not as the policy demands; what it says itself is another matter. */
static bool policy_failed(const struct channel *ch, const struct verdict *v)
{
	return !v->code && ch->demand.tls == TLS_MUST &&
	       (status_eq(v->status, STATUS(4, 7, 5)) || v->status.class == 5);
}

/* The address was taken from the machine, and the connection fell silent with it. */
static bool source_is_gone(struct channel *ch, const struct verdict *v)
{
	int r = v->code ? 0 : source_look(ch->source);

	if (r < 0 && !ending_is_shortage(ch, r == -EADDRNOTAVAIL ? 0 : r)) {
		egress_source_failed(ch->pool->sites->egress, ch->source, r);
		return true;
	}
	return false;
}

/* More than the site takes from us: said at its door, or by closing it while others are inside.
 * False: the host itself is in trouble. */
static bool is_too_much(struct channel *ch, const struct verdict *v, enum site_refusal what,
			int64_t named_ms)
{
	const struct steer_reply r = { v->code, verdict_text(v), named_ms };
	unsigned others = ch->ready_once ? 0 : others_in(ch, true);

	if (!ch->pool->shape.v[SHAPE_ADAPTIVE])
		return false;
	if (others)
		steer_crowded(ch, others_in(ch, false), &r);
	else if (what == SITE_SLOW && !ch->ready_once)
		steer_refused(ch, &r);
	else if ((what == SITE_SLOW || ch->judged) && !ch->told)
		steer_trouble(ch, &r);
	else
		return ch->judged;
	return true;
}

/* Between the source and the host stands a proxy, and it is at fault, or may be. */
static bool proxy_failed(struct channel *ch)
{
	struct sites *s = ch->pool->sites;

	if (ch->blame == BLAME_PROXY)
		egress_source_failed(s->egress, ch->source, ch->blame_err);
	else if (ch->blame == BLAME_WAY)
		pair_cut(s, ch->host, ch->source, ch->blame_err);
	return ch->blame != BLAME_HOST;
}

/* False: the connection did not come about, and the host is not blamed for it. */
static bool connected(struct channel *ch, const struct verdict *v)
{
	if (!v->code && status_eq(v->status, STATUS(4, 4, 1)))
		return !reach_missed(ch, E_TIMEOUT);
	reach_made(ch);
	return true;
}

/* A host that greets but then never answers is no better than one that does not greet. */
void ending_judge(struct channel *ch, const struct verdict *v)
{
	struct site_loads *loads = ch->pool->sites->loads;
	bool trouble = v->kind != VERDICT_NONE;
	enum site_refusal what = SITE_OTHER;
	int64_t named_ms = 0;

	if (ch->cut || (!trouble && ch->quitting))
		return; /* we ended it, perhaps before it was open */
	if ((!ch->ready_once && tls_gave_way(ch, v)) || ch->spoilt)
		return;
	if (trouble && (source_is_gone(ch, v) || proxy_failed(ch)))
		return;
	if (trouble && !ch->ready_once && !connected(ch, v))
		return;
	if (trouble && relay_ended(ch, v))
		return;
	if (trouble && v->code)
		what = loads->refused(loads, ch, v, &named_ms);
	if (what == SITE_BLOCKED)
		return; /* our address is not wanted: that is no fault of the host */
	if (!ch->ready_once && policy_failed(ch, v)) {
		site_host_refused(ch->pool->site, ch->host, v, ch->source_text);
		return;
	}
	if (trouble && is_too_much(ch, v, what, named_ms))
		return;
	if (!ch->ready_once || (trouble && !ch->judged))
		site_host_failed(ch->pool->site, ch->host, v, ch->source_text);
}
