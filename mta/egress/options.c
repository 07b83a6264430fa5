/* mta/egress/options.c - rows of the options of sources, and entries of egress.sources. */
#include "mta/config/entries.h"
#include "mta/config/host.h"
#include "mta/egress/egress.h"

#define AT(member) offsetof(struct egress_options, member)

static const struct option rows[] = {
	{ "egress.sources", T_LIST, AT(source_list), 0, 0, "", true,
	  "Source addresses, each \"pool address ehlo-name\"; mail that names no pool uses "
	  "\"default\"." },
	{ "source.connections", T_INT, AT(connections), 1, 1000000, "20000", true,
	  "Most connections at a time per source address." },
};

static int add_source(struct egress_options *o, struct slice pool, const struct ip *ip,
		      struct slice ehlo)
{
	struct egress_source *src = &o->sources[o->n_sources];

	if (o->n_sources == SOURCES_MAX)
		return E_SYNTAX;
	src->ip = *ip;
	src->pool = must_copy(pool);
	src->ehlo = must_copy(ehlo);
	if (ip->family)
		ip_format(ip, src->ip_text);
	o->n_sources++;
	return 0;
}

static int read_source(void *options, struct slice s)
{
	struct slice pool = entries_word(&s), address = entries_word(&s), ehlo = entries_word(&s);
	struct ip ip = { 0 };

	if (!pool.n || !ehlo.n || entries_word(&s).n)
		return E_SYNTAX;
	if (!slice_eq(address, SLICE("*")) && ip_parse(address, &ip) < 0)
		return E_SYNTAX;
	return add_source(options, pool, &ip, ehlo);
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	static const struct ip any = { 0 };
	struct egress_options *o = options;
	int r =
	    option_entries(f, "egress.sources", o->source_list,
			   "\"pool address ehlo-name\", with an IP address or *", read_source, o);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < o->n_sources; i++)
		if (strcmp(o->sources[i].pool, "default") == 0)
			return 0;
	if (add_source(o, SLICE("default"), &any, slice_str(host_options(all)->hostname)) == 0)
		return 0;
	return option_bad(f, "egress.sources", SLICE(""),
			  "a list with the pool \"default\" or with fewer than 256 entries");
}

static void clear(void *options)
{
	struct egress_options *o = options;

	for (unsigned i = 0; i < o->n_sources; i++) {
		free((char *)(uintptr_t)o->sources[i].pool);
		free((char *)(uintptr_t)o->sources[i].ehlo);
	}
}

const struct option_set egress_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct egress_options),
	.derive = derive,
	.clear = clear,
};
