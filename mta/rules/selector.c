/* mta/rules/selector.c - text to selector. */
#include "mta/rules/selector.h"

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
	struct slice id, number;
	uint64_t row;

	if (!slice_cut(s, ':', &id, &number) || id_parse(id, &ret->job) < 0)
		return E_SYNTAX;
	if (slice_u64(number, UINT32_MAX, &row) < 0)
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
		if (!slice_strip(&s, slice_str(kinds[i].prefix)))
			continue;
		out.kind = kinds[i].kind;
		int r = s.n ? parse_rest(s, &out) : E_SYNTAX;
		if (r == 0)
			*ret = out;
		return r;
	}
	return E_SYNTAX;
}
