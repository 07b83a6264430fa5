/* mta/egress/assign.c - rules that give mail its pool. */
#include "mta/egress/assign.h"

#include "mta/config/entries.h"
#include "mta/egress/entry.h"

static int read_condition(struct slice word, struct assign_rule *r)
{
	if (slice_strip(&word, SLICE("tenant/")) && !r->of_tenant) {
		r->of_tenant = true;
		return slice_u64(word, UINT64_MAX, &r->tenant) < 0 ? E_SYNTAX : 0;
	}
	if (slice_strip(&word, SLICE("campaign/")) && !r->of_campaign) {
		r->of_campaign = true;
		return slice_u64(word, UINT64_MAX, &r->campaign) < 0 ? E_SYNTAX : 0;
	}
	if (slice_strip(&word, SLICE("stream/")) && !r->stream && word.n) {
		r->stream = must_copy(word);
		return 0;
	}
	return E_SYNTAX;
}

int assign_read(struct slice s, struct assign_rule *ret)
{
	struct slice word = entries_word(&s), next;
	struct assign_rule r = { 0 };
	int err = 0;

	while (err == 0 && (next = entries_word(&s)).n) {
		err = read_condition(word, &r);
		word = next;
	}
	if (err < 0 || (!r.of_tenant && !r.of_campaign && !r.stream) || !entry_is_name(word)) {
		assign_clear(&r);
		return E_SYNTAX;
	}
	r.pool = must_copy(word);
	*ret = r;
	return 0;
}

void assign_clear(struct assign_rule *r)
{
	free((char *)(uintptr_t)r->stream);
	free((char *)(uintptr_t)r->pool);
	*r = (struct assign_rule){ 0 };
}

bool assign_holds(const struct assign_rule *r, const struct assign_subject *s)
{
	return (!r->of_tenant || r->tenant == s->tenant) &&
	       (!r->of_campaign || r->campaign == s->campaign) &&
	       (!r->stream || slice_eq(slice_str(r->stream), s->stream));
}
