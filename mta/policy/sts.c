/* mta/policy/sts.c - records and policies of MTA-STS, read. */
#include "mta/policy/sts.h"

#include "dns/name.h"

static const char *const modes[] = {
	[STS_NONE] = "none",
	[STS_TESTING] = "testing",
	[STS_ENFORCE] = "enforce",
};

const char *sts_mode_name(enum sts_mode m)
{
	return modes[m];
}

int sts_mode_parse(struct slice s, enum sts_mode *ret)
{
	for (unsigned i = 0; i < ARRAY_LEN(modes); i++)
		if (slice_eq(s, slice_str(modes[i]))) {
			*ret = (enum sts_mode)i;
			return 0;
		}
	return E_SYNTAX;
}

/* ---- the record -------------------------------------------------------------------------- */

static bool is_id(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
			return false;
	}
	return s.n > 0 && s.n < STS_ID_MAX;
}

int sts_record_parse(struct slice txt, char *ret_id)
{
	struct slice field, name, value;
	bool found = false;

	field = slice_trim_set(slice_take(&txt, ';'), " \t");
	if (!slice_eq(field, SLICE("v=STSv1")))
		return E_SYNTAX;
	while (txt.n) {
		field = slice_trim_set(slice_take(&txt, ';'), " \t");
		if (!field.n && !txt.n)
			break;
		if (!slice_cut(field, '=', &name, &value) || !name.n)
			return E_SYNTAX;
		if (!slice_eq(name, SLICE("id")) || found)
			continue;
		if (!is_id(value))
			return E_SYNTAX;
		(void)slice_copy(ret_id, STS_ID_MAX, value);
		found = true;
	}
	return found ? 0 : E_SYNTAX;
}

/* ---- a policy ---------------------------------------------------------------------------- */

struct sts_policy *sts_policy_new(enum sts_mode mode, uint32_t max_age_s)
{
	struct sts_policy *p = must_alloc(sizeof(*p));

	atomic_init(&p->refs, 1);
	p->mode = mode;
	p->max_age_s = max_age_s;
	return p;
}

struct sts_policy *sts_policy_ref(struct sts_policy *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

struct sts_policy *sts_policy_unref(struct sts_policy *p)
{
	if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	while (p->n_mx)
		free(p->mx[--p->n_mx]);
	free(p);
	return NULL;
}

int sts_policy_add(struct sts_policy *p, struct slice pattern)
{
	char clean[STS_PATTERN_MAX];
	struct slice name = pattern;
	bool any = slice_strip(&name, SLICE("*."));

	if (name_clean(name, clean + 2) < 0)
		return E_SYNTAX;
	if (p->n_mx == STS_MX_MAX)
		return E_LIMIT;
	memcpy(clean, "*.", 2);
	p->mx[p->n_mx++] = must_copy(slice_str(any ? clean : clean + 2));
	return 0;
}

struct sts_reading {
	struct sts_policy *p;
	bool version, mode, max_age;
};

static int read_pair(struct sts_reading *r, struct slice key, struct slice value)
{
	uint64_t age;

	if (slice_eq(key, SLICE("version")) && !r->version) {
		r->version = true;
		return slice_eq(value, SLICE("STSv1")) ? 0 : E_SYNTAX;
	}
	if (slice_eq(key, SLICE("mode")) && !r->mode) {
		r->mode = true;
		return sts_mode_parse(value, &r->p->mode);
	}
	if (slice_eq(key, SLICE("max_age")) && !r->max_age) {
		r->max_age = true;
		if (slice_u64(value, UINT32_MAX, &age) < 0)
			return E_SYNTAX;
		r->p->max_age_s = (uint32_t)MIN_OF(age, (uint64_t)STS_AGE_MAX_S);
		return 0;
	}
	return slice_eq(key, SLICE("mx")) ? sts_policy_add(r->p, value) : 0;
}

static int read_lines(struct sts_reading *r, struct slice text)
{
	struct slice line, key, value;
	int e = 0;

	while (text.n && e == 0) {
		line = slice_trim_set(slice_take(&text, '\n'), " \t\r");
		if (!line.n)
			continue;
		if (!slice_cut(line, ':', &key, &value))
			return E_SYNTAX;
		e = read_pair(r, slice_trim_set(key, " \t"), slice_trim_set(value, " \t"));
	}
	return e;
}

int sts_policy_parse(struct slice text, struct sts_policy **ret)
{
	struct sts_reading r = { .p = sts_policy_new(STS_NONE, 0) };
	int e = text.n > STS_BYTES_MAX || memchr(text.p ? text.p : "", '\0', text.n)
		    ? E_SYNTAX
		    : read_lines(&r, text);

	if (e == 0 && r.version && r.mode && r.max_age && (r.p->mode == STS_NONE || r.p->n_mx)) {
		*ret = r.p;
		return 0;
	}
	(void)sts_policy_unref(r.p);
	return e < 0 ? e : E_SYNTAX;
}

static bool pattern_names(const char *pattern, struct slice host)
{
	const char *dot;

	if (strncmp(pattern, "*.", 2) != 0)
		return slice_eq_nocase(slice_str(pattern), host);
	dot = memchr(host.p, '.', host.n);
	return dot && dot > host.p &&
	       slice_eq_nocase(slice_str(pattern + 1),
			       slice_of(dot, host.n - (size_t)(dot - host.p)));
}

bool sts_policy_names(const struct sts_policy *p, struct slice host)
{
	for (unsigned i = 0; i < p->n_mx; i++)
		if (pattern_names(p->mx[i], host))
			return true;
	return false;
}
