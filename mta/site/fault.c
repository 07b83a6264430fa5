/* mta/site/fault.c - sources that are gone, proxies that fail, machines short of something. */
#include "mta/site/fault.h"

#include "mta/site/pair.h"

/* This machine has too little of something; it is nobody's fault that mail waits a moment. */
static bool is_shortage(const struct channel *ch, int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM ||
	       err == -EAGAIN || (err == -EADDRNOTAVAIL && ch->source->ip.family);
}

/* Our own trouble, never the site's.  Only a look at the source by itself tells whether it is at
 * fault, or the way from it to this host. */
int fault_not_begun(struct channel *ch, int err)
{
	struct sites *s = ch->pool->sites;
	int r = source_look(ch->source);

	if (r < 0 && !is_shortage(ch, r == -EADDRNOTAVAIL ? 0 : r))
		egress_source_failed(s->egress, ch->source, r);
	else if (is_shortage(ch, err))
		return E_FULL;
	else if (source_proxy(ch->source)) /* it was to be connected to, not the host */
		egress_source_failed(s->egress, ch->source, err);
	else
		pair_cut(s, ch->host, ch->source, err);
	pool_pump_soon(ch->pool);
	return E_CONFLICT;
}

/* The address was taken from the machine, and the connection fell silent with it. */
static bool source_is_gone(struct channel *ch, const struct verdict *v)
{
	int r = v->code ? 0 : source_look(ch->source);

	if (r < 0 && !is_shortage(ch, r == -EADDRNOTAVAIL ? 0 : r)) {
		egress_source_failed(ch->pool->sites->egress, ch->source, r);
		return true;
	}
	return false;
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

bool fault_is_ours(struct channel *ch, const struct verdict *v)
{
	return source_is_gone(ch, v) || proxy_failed(ch);
}
