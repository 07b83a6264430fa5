/* mta/egress/options.c - rows of the options of sources, and entries of egress.sources. */
#include "mta/config/host.h"
#include "mta/egress/egress.h"

enum { SEC = 1000, HOUR = 3600 * 1000 };
#define AT(member) offsetof(struct egress_options, member)

static const struct option rows[] = {
	{ "egress.sources", T_LIST, AT(source_list), 0, 0, "", true,
	  "Source addresses, each \"pool address ehlo-name [weight=N]\"; mail that names no pool "
	  "uses \"default\"." },
	{ "source.connections", T_INT, AT(connections), 1, 1000000, "20000", true,
	  "Most connections at a time per source address." },
	{ "source.backoff_min", T_DURATION, AT(backoff_min), 10, HOUR, "10s", true,
	  "How long a source address that cannot be used is left alone; it doubles up to "
	  "source.backoff_max." },
	{ "source.backoff_max", T_DURATION, AT(backoff_max), 10, HOUR, "5m", true,
	  "Longest time that a source address is left alone." },
};

static int read_source(void *options, struct slice s)
{
	struct egress_options *o = options;

	if (o->n_sources == SOURCES_MAX || entry_read(s, &o->sources[o->n_sources]) < 0)
		return E_SYNTAX;
	return o->sources[o->n_sources++].proxy ? E_SYNTAX : 0; /* there are no proxies yet */
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

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct egress_options *o = options;
	int r = option_entries(
	    f, "egress.sources", o->source_list,
	    "\"pool address ehlo-name [weight=N]\", with an IP address or *, and N from 0 "
	    "to 1000",
	    read_source, o);

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
}

const struct option_set egress_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct egress_options),
	.derive = derive,
	.clear = clear,
};
