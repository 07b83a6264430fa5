/* schema/wire/cursor.h - reading msgpack in place; private to schema/wire.
 *
 * Decoding does not use msgpack-c.  Its unpacker allocates by the counts that the bytes claim, and
 * builds a tree of everything; opening a chunk of rows must cost no more than a walk.  Tests in
 * tests/unit/wire check that msgpack-c reads the same values.
 *
 * Owns:   nothing.
 * Fails:  E_SYNTAX, E_LIMIT (nesting, string length).  Never reads past the end; a failed call may
 *         have moved the cursor.
 * Limits: extension types are refused.  Only cursor_u64 reads integers above INT64_MAX.  A list or
 *         map that claims more entries than bytes are left is refused at its header. */
#pragma once
#include "base/base.h"

struct cursor {
	const uint8_t *p, *end;
	uint32_t max_str; /* longest string accepted; 0: no bound but the bytes */
};
enum item_type {
	ITEM_NIL,
	ITEM_BOOL,
	ITEM_UINT,
	ITEM_NEGATIVE,
	ITEM_REAL,
	ITEM_STR,
	ITEM_LIST,
	ITEM_MAP
};
struct item {
	enum item_type type;
	uint32_t n; /* bytes of a string, entries of a list or map */
	union {
		uint64_t u; /* BOOL, UINT */
		int64_t i;  /* NEGATIVE */
		double d;
		const char *s;
	};
};

static inline struct cursor cursor_of(struct slice s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	return (struct cursor){ p, p + s.n, 0 };
}
static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->p);
}
/* Reads a whole scalar or string, or the header of a list or map. */
int cursor_item(struct cursor *c, struct item *ret) MUST_CHECK;
/* Moves past one value and everything in it.  The value is then known to fit struct value: names of
 * members are strings, integers fit int64_t, nesting is within VALUE_DEPTH_MAX. */
int cursor_skip(struct cursor *c) MUST_CHECK;
int cursor_list(struct cursor *c, uint32_t *ret_n) MUST_CHECK;
int cursor_map(struct cursor *c, uint32_t *ret_n) MUST_CHECK;
int cursor_u64(struct cursor *c, uint64_t max, uint64_t *ret) MUST_CHECK;
int cursor_i64(struct cursor *c, int64_t *ret) MUST_CHECK;
int cursor_bool(struct cursor *c, bool *ret) MUST_CHECK;
int cursor_str(struct cursor *c, struct slice *ret) MUST_CHECK; /* str or bin */
