/* schema/wire/cursor.c - msgpack read in place. */
#include "schema/wire/cursor.h"

#include "base/value.h"

/* A big-endian number of `width` bytes. */
static int take_be(struct cursor *c, unsigned width, uint64_t *ret)
{
	uint64_t u = 0;

	if (cursor_left(c) < width)
		return E_SYNTAX;
	for (unsigned i = 0; i < width; i++)
		u = u << 8 | c->p[i];
	c->p += width;
	*ret = u;
	return 0;
}

static int take_string(struct cursor *c, uint64_t n, struct item *ret)
{
	if (n > cursor_left(c))
		return E_SYNTAX;
	if (n > UINT32_MAX || (c->max_str && n > c->max_str))
		return E_LIMIT;
	*ret = (struct item){ .type = ITEM_STR, .n = (uint32_t)n, .s = (const char *)c->p };
	c->p += n;
	return 0;
}

/* Every entry takes at least a byte, so a count above the bytes left is a lie.  Refusing it here
 * bounds what a reader may allocate for the entries. */
static int take_container(struct cursor *c, enum item_type type, uint64_t n, struct item *ret)
{
	if (n > cursor_left(c) / (type == ITEM_MAP ? 2 : 1))
		return E_SYNTAX;
	*ret = (struct item){ .type = type, .n = (uint32_t)n };
	return 0;
}

static int take_signed(struct cursor *c, unsigned width, struct item *ret)
{
	unsigned shift = 64 - 8 * width;
	uint64_t u;
	int r = take_be(c, width, &u);

	if (r < 0)
		return r;
	int64_t i = (int64_t)(u << shift) >> shift;
	if (i < 0)
		*ret = (struct item){ .type = ITEM_NEGATIVE, .i = i };
	else
		*ret = (struct item){ .type = ITEM_UINT, .u = (uint64_t)i };
	return 0;
}

static int take_real(struct cursor *c, unsigned width, struct item *ret)
{
	uint64_t u;
	int r = take_be(c, width, &u);

	if (r < 0)
		return r;
	*ret = (struct item){ .type = ITEM_REAL };
	if (width == 4) {
		uint32_t bits = (uint32_t)u;
		float f;
		memcpy(&f, &bits, sizeof(f));
		ret->d = (double)f;
	} else {
		memcpy(&ret->d, &u, sizeof(ret->d));
	}
	return 0;
}

/* The formats 0xc0..0xdf of the msgpack specification: their type and the width of the number that
 * follows (0: none). */
enum wide { W_NIL, W_BOOL, W_UINT, W_INT, W_REAL, W_STR, W_LIST, W_MAP, W_REFUSED };
static const struct {
	uint8_t kind, width;
} wide_formats[32] = {
	{ W_NIL, 0 },     { W_REFUSED, 0 }, { W_BOOL, 0 },    { W_BOOL, 0 },    { W_STR, 1 },
	{ W_STR, 2 },     { W_STR, 4 },     { W_REFUSED, 0 }, { W_REFUSED, 0 }, { W_REFUSED, 0 },
	{ W_REAL, 4 },    { W_REAL, 8 },    { W_UINT, 1 },    { W_UINT, 2 },    { W_UINT, 4 },
	{ W_UINT, 8 },    { W_INT, 1 },     { W_INT, 2 },     { W_INT, 4 },     { W_INT, 8 },
	{ W_REFUSED, 0 }, { W_REFUSED, 0 }, { W_REFUSED, 0 }, { W_REFUSED, 0 }, { W_REFUSED, 0 },
	{ W_STR, 1 },     { W_STR, 2 },     { W_STR, 4 },     { W_LIST, 2 },    { W_LIST, 4 },
	{ W_MAP, 2 },     { W_MAP, 4 },
};

static int take_wide(struct cursor *c, uint8_t b, struct item *ret)
{
	unsigned kind = wide_formats[b - 0xc0].kind, width = wide_formats[b - 0xc0].width;
	uint64_t n;
	int r;

	switch (kind) {
	case W_NIL:
		*ret = (struct item){ .type = ITEM_NIL };
		return 0;
	case W_BOOL:
		*ret = (struct item){ .type = ITEM_BOOL, .u = b & 1 };
		return 0;
	case W_INT:
		return take_signed(c, width, ret);
	case W_REAL:
		return take_real(c, width, ret);
	case W_REFUSED:
		return E_SYNTAX;
	default:
		break;
	}
	r = take_be(c, width, &n);
	if (r < 0)
		return r;
	if (kind == W_STR)
		return take_string(c, n, ret);
	if (kind == W_LIST || kind == W_MAP)
		return take_container(c, kind == W_LIST ? ITEM_LIST : ITEM_MAP, n, ret);
	*ret = (struct item){ .type = ITEM_UINT, .u = n };
	return 0;
}

int cursor_item(struct cursor *c, struct item *ret)
{
	uint8_t b;

	if (c->p == c->end)
		return E_SYNTAX;
	b = *c->p++;
	if (b < 0x80) {
		*ret = (struct item){ .type = ITEM_UINT, .u = b };
		return 0;
	}
	if (b >= 0xe0) {
		*ret = (struct item){ .type = ITEM_NEGATIVE, .i = (int8_t)b };
		return 0;
	}
	if (b >= 0xc0)
		return take_wide(c, b, ret);
	if (b >= 0xa0)
		return take_string(c, b & 0x1f, ret);
	return take_container(c, b >= 0x90 ? ITEM_LIST : ITEM_MAP, b & 0x0f, ret);
}

/* left[d]: values still to come in the list or map at depth d.  No recursion, no memory: nested
 * bytes can cost only depth, which is bounded. */
struct cursor_walk {
	uint64_t left[VALUE_DEPTH_MAX + 1];
	bool map[VALUE_DEPTH_MAX + 1];
	unsigned depth;
};

static int walk_item(struct cursor_walk *w, const struct item *it, bool key)
{
	if (key && it->type != ITEM_STR)
		return E_SYNTAX;
	if (it->type == ITEM_UINT && it->u > INT64_MAX)
		return E_SYNTAX;
	if (it->type < ITEM_LIST)
		return 0;
	if (w->depth == VALUE_DEPTH_MAX)
		return E_LIMIT;
	w->depth++;
	w->map[w->depth] = it->type == ITEM_MAP;
	w->left[w->depth] = it->type == ITEM_MAP ? 2 * (uint64_t)it->n : it->n;
	return 0;
}

int cursor_skip(struct cursor *c)
{
	struct cursor_walk w;
	struct item it;

	w.depth = 0;
	w.left[0] = 1;
	w.map[0] = false;
	for (;;) {
		while (w.left[w.depth] == 0) {
			if (w.depth == 0)
				return 0;
			w.depth--;
		}
		bool key = w.map[w.depth] && w.left[w.depth] % 2 == 0;
		w.left[w.depth]--;
		int r = cursor_item(c, &it);
		if (r >= 0)
			r = walk_item(&w, &it, key);
		if (r < 0)
			return r;
	}
}

static int expect(struct cursor *c, enum item_type type, struct item *ret)
{
	int r = cursor_item(c, ret);

	if (r < 0)
		return r;
	return ret->type == type ? 0 : E_SYNTAX;
}

int cursor_list(struct cursor *c, uint32_t *ret_n)
{
	struct item it;
	int r = expect(c, ITEM_LIST, &it);

	if (r < 0)
		return r;
	*ret_n = it.n;
	return 0;
}

int cursor_map(struct cursor *c, uint32_t *ret_n)
{
	struct item it;
	int r = expect(c, ITEM_MAP, &it);

	if (r < 0)
		return r;
	*ret_n = it.n;
	return 0;
}

int cursor_u64(struct cursor *c, uint64_t max, uint64_t *ret)
{
	struct item it;
	int r = expect(c, ITEM_UINT, &it);

	if (r < 0)
		return r;
	if (it.u > max)
		return E_SYNTAX;
	*ret = it.u;
	return 0;
}

int cursor_i64(struct cursor *c, int64_t *ret)
{
	struct item it;
	int r = cursor_item(c, &it);

	if (r < 0)
		return r;
	if (it.type == ITEM_NEGATIVE) {
		*ret = it.i;
		return 0;
	}
	if (it.type != ITEM_UINT || it.u > INT64_MAX)
		return E_SYNTAX;
	*ret = (int64_t)it.u;
	return 0;
}

int cursor_bool(struct cursor *c, bool *ret)
{
	struct item it;
	int r = expect(c, ITEM_BOOL, &it);

	if (r < 0)
		return r;
	*ret = it.u != 0;
	return 0;
}

int cursor_str(struct cursor *c, struct slice *ret)
{
	struct item it;
	int r = expect(c, ITEM_STR, &it);

	if (r < 0)
		return r;
	*ret = slice_of(it.s, it.n);
	return 0;
}
