/* mta/egress/entry.c - entries of pools, as files and orders write them. */
#include "mta/egress/entry.h"

#include "mta/config/entries.h"
#include "mta/egress/turns.h"

/* It goes on the wire as the argument of EHLO. */
static bool is_ehlo_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '<' || s.p[i] == '>')
			return false;
	return s.n && s.n <= 255;
}

/* It stands in keys of rules, in logs and in labels. */
bool entry_is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '/' || s.p[i] == '=')
			return false;
	return s.n && s.n <= ENTRY_NAME_MAX;
}

int entry_address(struct slice s, struct ip *ret)
{
	*ret = (struct ip){ 0 };
	return slice_eq(s, SLICE("*")) ? 0 : ip_parse(s, ret);
}

static int read_words(struct slice s, struct egress_source *e)
{
	bool weighted = false;
	uint64_t weight = 1;
	struct slice word;

	while ((word = entries_word(&s)).n) {
		if (slice_strip(&word, SLICE("weight=")) && !weighted &&
		    slice_u64(word, TURNS_WEIGHT_MAX, &weight) == 0)
			weighted = true;
		else if (slice_strip(&word, SLICE("via=")) && !e->proxy && entry_is_name(word))
			e->proxy = must_copy(word);
		else
			return E_SYNTAX;
	}
	e->weight = (int64_t)weight;
	return 0;
}

int entry_read(struct slice s, struct egress_source *ret)
{
	struct slice pool = entries_word(&s), address = entries_word(&s), ehlo = entries_word(&s);
	struct egress_source e = { 0 };

	if (!entry_is_name(pool) || !is_ehlo_name(ehlo) || entry_address(address, &e.ip) < 0)
		return E_SYNTAX;
	if (read_words(s, &e) < 0 || (e.proxy && !e.ip.family)) {
		entry_clear(&e);
		return E_SYNTAX;
	}
	e.pool = must_copy(pool);
	e.ehlo = must_copy(ehlo);
	if (e.ip.family)
		ip_format(&e.ip, e.ip_text);
	*ret = e;
	return 0;
}

void entry_clear(struct egress_source *e)
{
	free((char *)(uintptr_t)e->pool);
	free((char *)(uintptr_t)e->ehlo);
	free((char *)(uintptr_t)e->proxy);
	*e = (struct egress_source){ 0 };
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool entry_eq(const struct egress_source *a, const struct egress_source *b)
{
	return a->weight == b->weight && ip_eq(&a->ip, &b->ip) && same_text(a->pool, b->pool) &&
	       same_text(a->ehlo, b->ehlo) && same_text(a->proxy, b->proxy);
}
