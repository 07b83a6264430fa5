/* base/value.h - a tree of merge values (null, bool, integer, real, string, list, map), as it comes
 * from msgpack or JSON and goes into a template.
 * Owns:   nothing: whoever makes a tree says where it lives; strings are slices.
 * Limits: whoever makes a tree keeps its depth within VALUE_DEPTH_MAX and bounds its size. */
#pragma once
#include "base/base.h"

enum { VALUE_DEPTH_MAX = 16 };

enum value_type {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_REAL,
	VALUE_STRING,
	VALUE_LIST,
	VALUE_MAP
};

struct value {
	enum value_type type;
	uint32_t count; /* entries of a list or map */
	union {
		bool b;
		int64_t i;
		double d;
		struct slice s;
		const struct value *items;          /* VALUE_LIST */
		const struct value_member *members; /* VALUE_MAP */
	};
};
struct value_member {
	struct slice name;
	struct value value;
};

/* NULL when v is not a map or has no such member. */
const struct value *value_member(const struct value *v, struct slice name);
