/* Law: a rule that is set and taken back leaves nothing behind, whatever its key; and a key whose
 * selector is one is taken, any other is not. */
#include "mta/rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned selects_of(const struct rules *r)
{
	unsigned selects = 0;

	for (unsigned kind = 0; kind < RULE_KINDS; kind++)
		selects |= rules_keys(r, (enum rule_kind)kind);
	return selects;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice key = slice_of(data, size);
	OWNED(rules) r = rules_new();
	bool taken = rules_set(r, key, SLICE("why"));

	assert(taken == (selects_of(r) != 0));
	if (slice_starts_nocase(key, SLICE("hold/")) && memcmp(key.p, "hold/", 5) == 0)
		assert(taken == (rules_check_key(key) == 0));
	if (taken)
		assert(rules_set(r, key, SLICE("")));
	else
		assert(!rules_set(r, key, SLICE("")));
	assert(!selects_of(r));
	return 0;
}
