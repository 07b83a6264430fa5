#include "mta/rules.h"

static const struct {
	const char *prefix;
	enum selector_kind kind;
} kinds[] = {
	{ "tenant/", SELECT_TENANT }, { "campaign/", SELECT_CAMPAIGN },
	{ "domain/", SELECT_DOMAIN }, { "job/", SELECT_JOB },
	{ "rcpt/", SELECT_RCPT },
};

static int parse_rcpt(struct slice s, struct selector *ret)
{
	const char *colon = memchr(s.p, ':', s.n);
	uint64_t row;

	if (!colon || id_parse(slice_of(s.p, (size_t)(colon - s.p)), &ret->job) < 0)
		return E_SYNTAX;
	if (slice_u64(slice_of(colon + 1, s.n - (size_t)(colon + 1 - s.p)), UINT32_MAX, &row) < 0)
		return E_SYNTAX;
	ret->row = (uint32_t)row;
	return 0;
}

static int parse_rest(struct slice s, struct selector *ret)
{
	switch (ret->kind) {
	case SELECT_TENANT:
	case SELECT_CAMPAIGN:
		return slice_u64(s, UINT64_MAX, &ret->number) < 0 ? E_SYNTAX : 0;
	case SELECT_DOMAIN:
		ret->domain = s;
		return s.n > 0 && s.n < 255 ? 0 : E_SYNTAX;
	case SELECT_JOB:
		return id_parse(s, &ret->job) < 0 ? E_SYNTAX : 0;
	case SELECT_RCPT:
		return s.n ? parse_rcpt(s, ret) : E_SYNTAX;
	case SELECT_ALL:
		break;
	}
	return E_SYNTAX;
}

int selector_parse(struct slice s, struct selector *ret)
{
	struct selector out = { .kind = SELECT_ALL };

	if (slice_eq(s, SLICE("all"))) {
		*ret = out;
		return 0;
	}
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);
		if (s.n <= n || memcmp(s.p, kinds[i].prefix, n) != 0)
			continue;
		out.kind = kinds[i].kind;
		int r = parse_rest(slice_of(s.p + n, s.n - n), &out);
		if (r == 0)
			*ret = out;
		return r;
	}
	return E_SYNTAX;
}
