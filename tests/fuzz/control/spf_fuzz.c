/* DNS as a text, see tests/unit/control/zone.h.  Laws: a network passes exactly when both its
 * halves do; a verdict has a reason; the questions are bounded; each term of a valid list is valid
 * alone. */
#include "control/domains/spf.h"
#include "control/domains/spf_term.h"
#include "tests/unit/control/zone.h"

/* The record, and ten terms with ten hosts each. */
enum { QUESTIONS_MAX = 1 + 10 * 11 };

static enum spf_verdict verdict(struct slice text, uint8_t last, uint8_t bits)
{
	struct ip_net net = { .ip = { .family = AF_INET, .bytes = { 192, 0, 2, last } }, bits };
	struct zone z = { .text = text };
	OWNED(inquiry) a = inquiry_new((struct inquiry_door){ zone_ask, &z });
	struct spf_result result;

	spf_check(a, &net, SLICE("s.test"), &result);
	assert(result.why[0] && z.asked <= QUESTIONS_MAX);
	return result.verdict;
}

/* ptr is evaluated for single addresses only. */
static bool has_ptr(struct slice s)
{
	for (; s.n; s = slice_skip(s, 1))
		if (slice_starts_nocase(s, SLICE("ptr")))
			return true;
	return false;
}

static void check_ours(struct slice text)
{
	struct zone z = { .text = text };
	OWNED(inquiry) a = inquiry_new((struct inquiry_door){ zone_ask, &z });
	struct spf_result result;

	spf_check_ours(a, SLICE("include:o.test a:m.test ip4:192.0.2.4/30"), SLICE("s.test"),
		       &result);
	assert(result.why[0] && z.asked <= INQUIRY_MOST);
}

static void check_terms(struct slice list)
{
	struct slice bad, same;
	struct spf_term t, again;

	if (spf_terms_check(list, &bad) < 0) {
		assert(bad.n > 0);
		return;
	}
	while (spf_term_next(&list, &t) > 0) {
		same = t.text;
		if (spf_term_next(&same, &again) != 1 || same.n || again.kind != t.kind)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size), first = text;
	bool whole;

	check_terms(slice_take(&first, '\n'));
	whole = verdict(text, 0, 31) == SPF_PASS;
	if (!has_ptr(text))
		assert(whole ==
		       (verdict(text, 0, 32) == SPF_PASS && verdict(text, 1, 32) == SPF_PASS));
	check_ours(text);
	return 0;
}
