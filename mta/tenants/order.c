/* mta/tenants/order.c - live orders on limits, as rules of the spool. */
#include "mta/tenants/order.h"

#include <inttypes.h>

int tenant_order_subject(struct slice text, struct tenant_order *ret)
{
	*ret = (struct tenant_order){ .words = tenant_words_empty, .before = tenant_words_empty };
	ret->campaign = slice_strip(&text, SLICE("campaign/"));
	if (!ret->campaign && !slice_strip(&text, SLICE("tenant/")))
		return E_SYNTAX;
	if (slice_u64(text, UINT64_MAX, &ret->number) < 0 || !ret->number)
		return E_SYNTAX;
	return 0;
}

static int read_words(struct slice text, bool campaign, struct tenant_words *ret)
{
	char unused[OPTION_ERROR_MAX];

	return text.n ? tenant_words_read(text, campaign, ret, unused) : 0;
}

static bool take_text(struct slice *rest, char *to, size_t cap)
{
	struct slice line = slice_take(rest, '\n');

	slice_copy(to, cap, line);
	return line.n < cap && !memchr(line.p, '\0', line.n);
}

int tenant_order_read(struct slice rule_key, struct slice rule_value, struct tenant_order *ret)
{
	struct slice words;

	if (!slice_strip(&rule_key, SLICE("limit/")) || tenant_order_subject(rule_key, ret) < 0)
		return E_SYNTAX;
	if (!rule_value.n)
		return 0;
	words = slice_take(&rule_value, '\n');
	if (read_words(words, ret->campaign, &ret->words) < 0 ||
	    !take_text(&rule_value, ret->author, sizeof(ret->author)) ||
	    !take_text(&rule_value, ret->reason, sizeof(ret->reason)))
		return E_SYNTAX;
	return read_words(slice_take(&rule_value, '\n'), ret->campaign, &ret->before);
}

void tenant_order_print(const struct tenant_order *o, struct buf *key, struct buf *value)
{
	buf_putf(key, "limit/%s/%" PRIu64, o->campaign ? "campaign" : "tenant", o->number);
	tenant_words_show(&o->words, value);
	buf_putf(value, "\n%s\n%s\n", o->author, o->reason);
	tenant_words_show(&o->before, value);
}
