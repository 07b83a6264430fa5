/* mta/shape/section.c - sections: whom the rules under them are about. */
#include <inttypes.h>

#include "mta/shape/inside.h"

bool shape_pattern_valid(struct slice pattern)
{
	if (!pattern.n || pattern.n > SHAPE_NAME_MAX)
		return false;
	for (size_t i = 0; i < pattern.n; i++) {
		char c = ascii_lower(pattern.p[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr("-_.*", c))
			return false;
	}
	return true;
}

/* What stands behind the last "*" must be the text's end: most patterns differ there. */
static bool ends_fit(struct slice pattern, struct slice text)
{
	size_t p = pattern.n, t = text.n;

	for (; p && pattern.p[p - 1] != '*'; p--, t--)
		if (!t || ascii_lower(pattern.p[p - 1]) != ascii_lower(text.p[t - 1]))
			return false;
	return p || !t;
}

/* The latest "*" takes one character more whenever what follows it does not fit. */
bool shape_pattern_matches(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;

	if (!ends_fit(pattern, text))
		return false;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.n && ascii_lower(pattern.p[p]) == ascii_lower(text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

/* ---- reading ----------------------------------------------------------------------------- */

static struct slice word(struct slice *rest)
{
	*rest = slice_trim(*rest);
	return slice_take(rest, ' ');
}

static int find_provider(struct shapes *s, struct slice name, unsigned *ret, char *error)
{
	unsigned i = 0;

	while (i < s->n_providers && !slice_eq(name, slice_str(s->providers[i].name)))
		i++;
	*ret = i;
	if (i < s->n_providers)
		return 0;
	if (i == SHAPE_PROVIDERS_MAX)
		return shape_wrong(error, "more than %d providers", SHAPE_PROVIDERS_MAX);
	s->providers = must_resize(s->providers, (i + 1) * sizeof(*s->providers));
	s->providers[i] = (struct shape_provider){ .name = must_copy(name) };
	s->n_providers++;
	return 0;
}

/* Case does not count in names: there is one way to write them. */
static char *copy_lower(struct slice name)
{
	char *s = must_copy(name);

	for (size_t i = 0; i < name.n; i++)
		s[i] = ascii_lower(s[i]);
	return s;
}

static int read_level(struct shapes *s, struct slice *rest, struct shape_section *x, char *error)
{
	static const struct {
		const char *name;
		enum shape_level level;
	} levels[] = { { "provider", SHAPE_OF_PROVIDER },
		       { "site", SHAPE_OF_SITE },
		       { "domain", SHAPE_OF_DOMAIN } };
	struct slice level = word(rest), name;

	if (slice_eq(level, SLICE("default"))) {
		x->level = SHAPE_OF_ALL;
		return 0;
	}
	for (unsigned i = 0; i < ARRAY_LEN(levels); i++) {
		if (!slice_eq(level, slice_str(levels[i].name)))
			continue;
		x->level = levels[i].level;
		name = word(rest);
		if (!shape_pattern_valid(name))
			return shape_wrong(error, "expected a name after \"%s\"", levels[i].name);
		if (x->level != SHAPE_OF_PROVIDER) {
			x->name = copy_lower(name);
			return 0;
		}
		if (memchr(name.p, '*', name.n))
			return shape_wrong(error, "the name of a provider cannot have a \"*\"");
		x->name = copy_lower(name);
		return find_provider(s, slice_str(x->name), &x->provider, error);
	}
	return shape_wrong(error, "expected a section such as [default], [provider gmail], "
				  "[site mx.example.com] or [domain example.com]");
}

static int read_narrowing(struct slice *rest, struct shape_section *x, char *error)
{
	struct slice kind = word(rest), value = word(rest);

	if (slice_eq(kind, SLICE("tenant")) && !x->tenant) {
		if (slice_u64(value, UINT64_MAX, &x->tenant) == 0 && x->tenant)
			return 0;
		return shape_wrong(error, "expected the number of a tenant after \"tenant\"");
	}
	if (slice_eq(kind, SLICE("source")) && !x->source.family) {
		if (ip_parse(value, &x->source) == 0)
			return 0;
		return shape_wrong(error, "expected an IP address after \"source\"");
	}
	if (slice_eq(kind, SLICE("pool")) && !x->pool) {
		if (!shape_pattern_valid(value) || memchr(value.p, '*', value.n))
			return shape_wrong(error, "expected the name of a pool after \"pool\"");
		x->pool = must_copy(value);
		return 0;
	}
	return shape_wrong(
	    error, "\"%.*s\" cannot stand there: expected tenant, source or pool, each once",
	    (int)MIN_OF(kind.n, (size_t)60), kind.p);
}

static bool same(const struct shape_section *a, const struct shape_section *b)
{
	return a->level == b->level && a->tenant == b->tenant &&
	       slice_eq_nocase(slice_str(a->name), slice_str(b->name)) &&
	       slice_eq(slice_str(a->pool), slice_str(b->pool)) &&
	       a->source.family == b->source.family &&
	       (!a->source.family || ip_eq(&a->source, &b->source));
}

static unsigned keep(struct shapes *s, struct shape_section *x)
{
	for (unsigned i = 0; i < s->n_sections; i++)
		if (same(&s->sections[i], x)) {
			free(x->name);
			free(x->pool);
			return i;
		}
	s->sections = must_resize(s->sections, (s->n_sections + 1) * sizeof(*s->sections));
	s->sections[s->n_sections] = *x;
	s->sections[s->n_sections].name_n = x->name ? strlen(x->name) : 0;
	s->asks |= (x->tenant ? SHAPE_ASKS_TENANT : 0U) |
		   (x->source.family ? SHAPE_ASKS_SOURCE : 0U) | (x->pool ? SHAPE_ASKS_POOL : 0U) |
		   (x->level == SHAPE_OF_DOMAIN ? SHAPE_ASKS_DOMAIN : 0U);
	return s->n_sections++;
}

int shape_section_read(struct shapes *s, struct slice text, unsigned *ret, char *error)
{
	struct shape_section x = { 0 };
	int r = read_level(s, &text, &x, error);

	for (text = slice_trim(text); r == 0 && text.n; text = slice_trim(text))
		r = read_narrowing(&text, &x, error);
	if (r < 0) {
		free(x.name);
		free(x.pool);
		return r;
	}
	if (s->n_sections == SHAPE_RULES_MAX)
		return shape_wrong(error, "more than %d sections", SHAPE_RULES_MAX);
	*ret = keep(s, &x);
	return 0;
}

/* ---- use --------------------------------------------------------------------------------- */

void shape_section_show(const struct shape_section *x, struct buf *out)
{
	static const char *const levels[] = { "default", "provider", "site", "domain" };
	char ip[IP_TEXT_MAX];

	buf_putf(out, "[%s%s%s", levels[x->level], x->name ? " " : "", x->name ? x->name : "");
	if (x->tenant)
		buf_putf(out, " tenant %" PRIu64, x->tenant);
	if (x->source.family) {
		ip_format(&x->source, ip);
		buf_putf(out, " source %s", ip);
	}
	if (x->pool)
		buf_putf(out, " pool %s", x->pool);
	buf_put(out, SLICE("]"));
}

bool shape_section_names(const struct shape_section *x, struct slice text)
{
	return shape_pattern_matches(slice_of(x->name, x->name_n), text);
}

static bool level_matches(const struct shape_section *x, const struct shape_subject *q,
			  unsigned provider)
{
	switch (x->level) {
	case SHAPE_OF_ALL:
		return true;
	case SHAPE_OF_PROVIDER:
		return x->provider == provider;
	case SHAPE_OF_DOMAIN:
		return shape_section_names(x, q->domain);
	case SHAPE_OF_SITE:
		break;
	}
	for (unsigned i = 0; i < q->n_mx; i++)
		if (shape_section_names(x, q->mx[i]))
			return true;
	return false;
}

bool shape_section_matches(const struct shape_section *x, const struct shape_subject *q,
			   unsigned provider)
{
	return (!x->tenant || x->tenant == q->tenant) &&
	       (!x->source.family || (q->source.family && ip_eq(&x->source, &q->source))) &&
	       (!x->pool || slice_eq(slice_str(x->pool), q->pool)) && level_matches(x, q, provider);
}

unsigned shape_section_rank(const struct shape_section *x)
{
	return (unsigned)x->level * 8 + (x->tenant ? 4 : 0) + (x->source.family ? 2 : 0) +
	       (x->pool ? 1 : 0);
}
