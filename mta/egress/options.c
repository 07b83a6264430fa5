/* mta/egress/options.c - rows of the options of sources, and entries of egress.sources. */
#include "mta/config/entries.h"
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

static int add_source(struct egress_options *o, struct slice pool, const struct ip *ip,
		      struct slice ehlo, uint64_t weight)
{
	struct egress_source *src = &o->sources[o->n_sources];

	if (o->n_sources == SOURCES_MAX)
		return E_SYNTAX;
	src->ip = *ip;
	src->pool = must_copy(pool);
	src->ehlo = must_copy(ehlo);
	src->weight = (int64_t)weight;
	if (ip->family)
		ip_format(ip, src->ip_text);
	o->n_sources++;
	return 0;
}

/* "weight=N"; without it the weight is 1. */
static int read_weight(struct slice *s, uint64_t *ret)
{
	struct slice word = entries_word(s);

	*ret = 1;
	if (!word.n)
		return 0;
	if (!slice_strip(&word, SLICE("weight=")) || slice_u64(word, TURNS_WEIGHT_MAX, ret) < 0)
		return E_SYNTAX;
	return entries_word(s).n ? E_SYNTAX : 0;
}

/* It goes on the wire as the argument of EHLO. */
static bool is_ehlo_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '<' || s.p[i] == '>')
			return false;
	return s.n && s.n <= 255;
}

static int read_source(void *options, struct slice s)
{
	struct slice pool = entries_word(&s), address = entries_word(&s), ehlo = entries_word(&s);
	struct ip ip = { 0 };
	uint64_t weight;

	if (!pool.n || !is_ehlo_name(ehlo) || read_weight(&s, &weight) < 0)
		return E_SYNTAX;
	if (!slice_eq(address, SLICE("*")) && ip_parse(address, &ip) < 0)
		return E_SYNTAX;
	return add_source(options, pool, &ip, ehlo, weight);
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	static const struct ip any = { 0 };
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
	if (add_source(o, SLICE("default"), &any, slice_str(host_options(all)->hostname), 1) == 0)
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
