/* mta/egress/options.c - rows of the options of sources, and entries of egress.sources. */
#include "mta/config/entries.h"
#include "mta/config/host.h"
#include "mta/egress/egress.h"
#include "mta/egress/proxies.h"

enum { SEC = 1000, HOUR = 3600 * 1000 };
#define AT(member) offsetof(struct egress_options, member)

static const struct option rows[] = {
	{ "egress.sources", T_LIST, AT(source_list), 0, 0, "", true,
	  "Source addresses, each \"pool address ehlo-name [weight=N] [via=PROXY]\"; mail that "
	  "names "
	  "no pool uses \"default\"." },
	{ "proxies", T_LIST, AT(proxy_list), 0, 0, "", true,
	  "Proxies that own source addresses, each \"name socks5 address:port [file]\" or \"name "
	  "haproxy address:port\"; the file has \"user:password\"." },
	{ "pool.assign", T_LIST, AT(assign_list), 0, 0, "", true,
	  "Pools of mail that names none, each \"condition ... pool\" with tenant/N, campaign/N or "
	  "stream/NAME; the first that holds counts." },
	{ "pool.fallback", T_LIST, AT(fallback_list), 0, 0, "", true,
	  "Pools whose sources serve another pool while all of its own are suspended, disabled or "
	  "failing at a site, each \"pool other-pool\"." },
	{ "source.connections", T_INT, AT(connections), 1, 1000000, "20000", true,
	  "Most connections at a time per source address." },
	{ "source.backoff_min", T_DURATION, AT(backoff_min), 10, HOUR, "10s", true,
	  "How long a source address that cannot be used is left alone; it doubles up to "
	  "source.backoff_max." },
	{ "source.backoff_max", T_DURATION, AT(backoff_max), 10, HOUR, "5m", true,
	  "Longest time that a source address is left alone." },
	{ "source.check_zones", T_LIST, AT(zone_list), 0, 0, "", true,
	  "DNS block lists that postern source check asks, such as zen.spamhaus.org." },
	{ "source.check_host", T_STR, AT(check_host), 0, 0, "", true,
	  "Address and port of a host that postern source check connects to, such as "
	  "192.0.2.25:25; empty: it does not." },
};

static int read_source(void *options, struct slice s)
{
	struct egress_options *o = options;

	if (o->n_sources == SOURCES_MAX || entry_read(s, &o->sources[o->n_sources]) < 0)
		return E_SYNTAX;
	o->n_sources++;
	return 0;
}

/* Mail that names no pool leaves from somewhere, whatever the list says. */
static int add_default(struct egress_options *o, const char *hostname)
{
	if (o->n_sources == SOURCES_MAX)
		return E_SYNTAX;
	o->sources[o->n_sources++] = (struct egress_source){
		.pool = must_copy(SLICE("default")),
		.ehlo = must_copy(slice_str(hostname)),
		.weight = 1,
	};
	return 0;
}

static int read_proxy(void *options, struct slice s)
{
	struct egress_options *o = options;
	struct proxy *p = &o->proxies[o->n_proxies];

	if (o->n_proxies == PROXIES_MAX || proxies_read(s, p) < 0)
		return E_SYNTAX;
	o->n_proxies++;
	for (unsigned i = 0; i + 1 < o->n_proxies; i++)
		if (strcmp(o->proxies[i].name, p->name) == 0)
			return E_SYNTAX;
	return 0;
}

const struct proxy *egress_proxy(const struct egress_options *o, const char *name)
{
	for (unsigned i = 0; name && i < o->n_proxies; i++)
		if (strcmp(o->proxies[i].name, name) == 0)
			return &o->proxies[i];
	return NULL;
}

static int derive_proxies(struct egress_options *o, struct option_fault *f)
{
	int r = option_entries(f, "proxies", o->proxy_list,
			       "\"name socks5 address:port [file]\" or \"name haproxy "
			       "address:port\", each name once, with a file that has "
			       "\"user:password\" and that not everybody can read",
			       read_proxy, o);

	for (unsigned i = 0; r == 0 && i < o->n_sources; i++)
		if (o->sources[i].proxy && !egress_proxy(o, o->sources[i].proxy))
			r = option_bad(f, "egress.sources", slice_str(o->sources[i].proxy),
				       "the name of one of the proxies");
	return r;
}

static int read_assign(void *options, struct slice s)
{
	struct egress_options *o = options;

	if (o->n_assigns == ASSIGNS_MAX || assign_read(s, &o->assigns[o->n_assigns]) < 0)
		return E_SYNTAX;
	o->n_assigns++;
	return 0;
}

static const char *fallback_of(const struct egress_options *o, const char *pool)
{
	for (unsigned i = 0; i < o->n_fallbacks; i++)
		if (strcmp(o->fallbacks[i].pool, pool) == 0)
			return o->fallbacks[i].to;
	return NULL;
}

/* The chain from here comes back to a pool that it was at. */
static bool leads_back(const struct egress_options *o, const char *pool)
{
	const char *at = pool;

	for (unsigned n = 0; (at = fallback_of(o, at)) != NULL; n++)
		if (n == o->n_fallbacks)
			return true;
	return false;
}

static int read_fallback(void *options, struct slice s)
{
	struct egress_options *o = options;
	struct egress_fallback *f = &o->fallbacks[o->n_fallbacks];
	struct slice pool = entries_word(&s), to = entries_word(&s);

	if (o->n_fallbacks == FALLBACKS_MAX || !to.n || entries_word(&s).n || s.n)
		return E_SYNTAX;
	f->pool = must_copy(pool);
	f->to = must_copy(to);
	o->n_fallbacks++; /* clear() frees it, whatever it is */
	for (unsigned i = 0; i + 1 < o->n_fallbacks; i++)
		if (strcmp(o->fallbacks[i].pool, f->pool) == 0)
			return E_SYNTAX;
	return leads_back(o, f->pool) ? E_SYNTAX : 0;
}

/* As long as a name may be below which an address is looked up. */
enum { ZONE_MAX = 180 };

static int read_zone(void *options, struct slice s)
{
	struct egress_options *o = options;

	if (o->n_zones == CHECK_ZONES_MAX || s.n > ZONE_MAX || memchr(s.p, ' ', s.n))
		return E_SYNTAX;
	o->zones[o->n_zones++] = must_copy(s);
	return 0;
}

static int derive_check(struct egress_options *o, struct option_fault *f)
{
	int r = option_entries(f, "source.check_zones", o->zone_list,
			       "the name of a DNS block list (the list may have 32)", read_zone, o);

	if (r < 0 || !*o->check_host)
		return r;
	if (ip_port_parse(slice_str(o->check_host), &o->check_ip, &o->check_port) < 0)
		return option_bad(f, "source.check_host", slice_str(o->check_host),
				  "an address and a port such as 192.0.2.25:25");
	return 0;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct egress_options *o = options;
	int r = option_entries(
	    f, "egress.sources", o->source_list,
	    "\"pool address ehlo-name [weight=N] [via=PROXY]\", with an IP address or *, and N "
	    "from 0 to 1000",
	    read_source, o);

	if (r == 0)
		r = derive_proxies(o, f);
	if (r == 0)
		r = option_entries(f, "pool.assign", o->assign_list,
				   "tenant/N, campaign/N or stream/NAME, and then a pool (the list "
				   "may have 256)",
				   read_assign, o);
	if (r == 0)
		r = option_entries(f, "pool.fallback", o->fallback_list,
				   "\"pool other-pool\", each pool once, and no way back to a "
				   "pool (the list may have 64)",
				   read_fallback, o);
	if (r == 0)
		r = derive_check(o, f);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < o->n_sources; i++)
		if (strcmp(o->sources[i].pool, "default") == 0)
			return 0;
	o->default_added = true;
	if (add_default(o, host_options(all)->hostname) == 0)
		return 0;
	return option_bad(f, "egress.sources", SLICE(""),
			  "a list with the pool \"default\" or with fewer than 256 entries");
}

static void clear(void *options)
{
	struct egress_options *o = options;

	for (unsigned i = 0; i < o->n_sources; i++)
		entry_clear(&o->sources[i]);
	for (unsigned i = 0; i < o->n_proxies; i++)
		proxies_clear(&o->proxies[i]);
	for (unsigned i = 0; i < o->n_assigns; i++)
		assign_clear(&o->assigns[i]);
	for (unsigned i = 0; i < o->n_fallbacks; i++) {
		free((char *)(uintptr_t)o->fallbacks[i].pool);
		free((char *)(uintptr_t)o->fallbacks[i].to);
	}
	for (unsigned i = 0; i < o->n_zones; i++)
		free((char *)(uintptr_t)o->zones[i]);
}

const struct option_set egress_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct egress_options),
	.derive = derive,
	.clear = clear,
};
