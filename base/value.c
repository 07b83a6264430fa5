/* base/value.c - looking up a member. */
#include "base/value.h"

const struct value *value_member(const struct value *v, struct slice name)
{
	if (v->type != VALUE_MAP)
		return NULL;
	for (uint32_t i = 0; i < v->count; i++)
		if (slice_eq(v->members[i].name, name))
			return &v->members[i].value;
	return NULL;
}
