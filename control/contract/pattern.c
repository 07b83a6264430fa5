/* control/contract/pattern.c - does a text fit a pattern: one look into its table per byte. */
#include "control/contract/contract.h"

bool contract_pattern_fits(const struct contract_pattern *pattern, struct slice s)
{
	unsigned state = 0;

	for (size_t i = 0; i < s.n; i++) {
		state = pattern->next[state * pattern->kinds + pattern->kind[(uint8_t)s.p[i]]];
		if (state == CONTRACT_NO_STATE)
			return false;
	}
	return pattern->ends[state];
}
