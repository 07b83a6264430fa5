/* schema/wire/fields.c - one field of each kind, packed and read. */
#include "schema/wire/fields.h"

#include "schema/wire/link_event.h"

static void put_field(struct packer *p, enum field_kind kind, const void *at)
{
	switch (kind) {
	case F_U8:
		pack_u64(p, *(const uint8_t *)at);
		return;
	case F_U16:
		pack_u64(p, *(const uint16_t *)at);
		return;
	case F_U32:
		pack_u64(p, *(const uint32_t *)at);
		return;
	case F_U64:
		pack_u64(p, *(const uint64_t *)at);
		return;
	case F_I64:
		pack_i64(p, *(const int64_t *)at);
		return;
	case F_INT:
		pack_i64(p, *(const int *)at);
		return;
	case F_TEXT:
		pack_str(p, *(const struct slice *)at);
		return;
	case F_BYTES:
		pack_bin(p, *(const struct slice *)at);
		return;
	case F_VALUE:
		pack_value(p, at);
		return;
	case F_EVENTS:
		link_events_put(p, at);
		return;
	}
}

void fields_put(struct packer *p, const struct field *fields, unsigned n, const void *from)
{
	for (unsigned i = 0; i < n; i++)
		put_field(p, fields[i].kind, (const char *)from + fields[i].offset);
}

static int get_unsigned(struct cursor *c, enum field_kind kind, void *at)
{
	static const uint64_t max[] = {
		[F_U8] = UINT8_MAX, [F_U16] = UINT16_MAX, [F_U32] = UINT32_MAX, [F_U64] = UINT64_MAX
	};
	uint64_t u;
	int r = cursor_u64(c, max[kind], &u);

	if (r < 0)
		return r;
	if (kind == F_U8)
		*(uint8_t *)at = (uint8_t)u;
	else if (kind == F_U16)
		*(uint16_t *)at = (uint16_t)u;
	else if (kind == F_U32)
		*(uint32_t *)at = (uint32_t)u;
	else
		*(uint64_t *)at = u;
	return 0;
}

static int get_int(struct cursor *c, int *ret)
{
	int64_t i;
	int r = cursor_i64(c, &i);

	if (r < 0)
		return r;
	if (i < INT32_MIN || i > INT32_MAX)
		return E_SYNTAX;
	*ret = (int)i;
	return 0;
}

static int get_tree(struct cursor *c, struct wire_arena *arena, struct value *ret)
{
	struct slice in = slice_of(c->p, cursor_left(c));
	int r = wire_value_get(arena, &in, ret);

	if (r < 0)
		return r;
	c->p = (const uint8_t *)in.p;
	return 0;
}

static int get_field(struct cursor *c, enum field_kind kind, struct wire_arena *arena, void *at)
{
	switch (kind) {
	case F_U8:
	case F_U16:
	case F_U32:
	case F_U64:
		return get_unsigned(c, kind, at);
	case F_I64:
		return cursor_i64(c, at);
	case F_INT:
		return get_int(c, at);
	case F_TEXT:
	case F_BYTES:
		return cursor_str(c, at);
	case F_VALUE:
		return get_tree(c, arena, at);
	case F_EVENTS:
		return link_events_get(c, at);
	}
	return E_SYNTAX;
}

int fields_get(struct cursor *c, const struct field *fields, unsigned n, struct wire_arena *arena,
	       void *to)
{
	for (unsigned i = 0; i < n; i++) {
		int r = get_field(c, fields[i].kind, arena, (char *)to + fields[i].offset);
		if (r < 0)
			return r;
	}
	return 0;
}
