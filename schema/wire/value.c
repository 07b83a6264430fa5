/* schema/wire/value.c - one value both ways, and the arena for decoded trees. */
#include "schema/wire/value.h"

#include "schema/wire/cursor.h"
#include "schema/wire/pack.h"

enum { BLOCK_BYTES = 16 * 1024 };
struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	_Alignas(16) char bytes[];
};
struct wire_arena {
	struct arena_block *blocks;
};

struct wire_arena *wire_arena_new(void)
{
	return must_alloc(sizeof(struct wire_arena));
}

struct wire_arena *wire_arena_free(struct wire_arena *a)
{
	if (!a)
		return NULL;
	for (struct arena_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
	return NULL;
}

/* A peer decides the size, but it is at most 40 bytes per byte sent: cursor.h bounds the counts,
 * and wire_value_get() checks the whole value before anything is allocated. */
void *wire_arena_take(struct wire_arena *a, size_t n)
{
	struct arena_block *b = a->blocks;

	n = (n + 15) & ~(size_t)15;
	if (!b || b->cap - b->used < n) {
		size_t cap = MAX_OF(n, (size_t)BLOCK_BYTES);
		b = malloc(sizeof(*b) + cap);
		if (!b)
			return NULL;
		*b = (struct arena_block){ .next = a->blocks, .cap = cap };
		a->blocks = b;
	}
	b->used += n;
	return b->bytes + b->used - n;
}

static int get_value(struct wire_arena *a, struct cursor *c, struct value *ret);

static int get_list(struct wire_arena *a, struct cursor *c, uint32_t n, struct value *ret)
{
	struct value *items = wire_arena_take(a, (size_t)n * sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		int r = get_value(a, c, &items[i]);
		if (r < 0)
			return r;
	}
	*ret = (struct value){ .type = VALUE_LIST, .count = n, .items = items };
	return 0;
}

static int get_map(struct wire_arena *a, struct cursor *c, uint32_t n, struct value *ret)
{
	struct value_member *members = wire_arena_take(a, (size_t)n * sizeof(*members));

	if (!members)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		int r = cursor_str(c, &members[i].name);
		if (r >= 0)
			r = get_value(a, c, &members[i].value);
		if (r < 0)
			return r;
	}
	*ret = (struct value){ .type = VALUE_MAP, .count = n, .members = members };
	return 0;
}

/* cursor_skip() has bounded the depth of the value, and so the recursion. */
static int get_value(struct wire_arena *a, struct cursor *c, struct value *ret)
{
	struct item it;
	int r = cursor_item(c, &it);

	if (r < 0)
		return r;
	switch (it.type) {
	case ITEM_NIL:
		*ret = (struct value){ .type = VALUE_NULL };
		return 0;
	case ITEM_BOOL:
		*ret = (struct value){ .type = VALUE_BOOL, .b = it.u != 0 };
		return 0;
	case ITEM_UINT:
		if (it.u > INT64_MAX)
			return E_SYNTAX;
		*ret = (struct value){ .type = VALUE_INT, .i = (int64_t)it.u };
		return 0;
	case ITEM_NEGATIVE:
		*ret = (struct value){ .type = VALUE_INT, .i = it.i };
		return 0;
	case ITEM_REAL:
		*ret = (struct value){ .type = VALUE_REAL, .d = it.d };
		return 0;
	case ITEM_STR:
		*ret = (struct value){ .type = VALUE_STRING, .s = slice_of(it.s, it.n) };
		return 0;
	case ITEM_LIST:
		return get_list(a, c, it.n, ret);
	case ITEM_MAP:
		return get_map(a, c, it.n, ret);
	}
	return E_SYNTAX;
}

int wire_value_get(struct wire_arena *a, struct slice *in, struct value *ret)
{
	struct cursor check = cursor_of(*in), c = check;
	struct value v;
	int r = cursor_skip(&check);

	if (r < 0)
		return r;
	r = get_value(a, &c, &v);
	if (r < 0)
		return r;
	*in = slice_of(in->p + (in->n - cursor_left(&c)), cursor_left(&c));
	*ret = v;
	return 0;
}

static void put_value(struct packer *p, const struct value *v, unsigned depth)
{
	if (depth > VALUE_DEPTH_MAX && v->type >= VALUE_LIST) {
		pack_fail(p, E_LIMIT);
		return;
	}
	switch (v->type) {
	case VALUE_NULL:
		pack_nil(p);
		return;
	case VALUE_BOOL:
		pack_bool(p, v->b);
		return;
	case VALUE_INT:
		pack_i64(p, v->i);
		return;
	case VALUE_REAL:
		pack_real(p, v->d);
		return;
	case VALUE_STRING:
		pack_str(p, v->s);
		return;
	case VALUE_LIST:
		pack_array(p, v->count);
		for (uint32_t i = 0; i < v->count; i++)
			put_value(p, &v->items[i], depth + 1);
		return;
	case VALUE_MAP:
		pack_map(p, v->count);
		for (uint32_t i = 0; i < v->count; i++) {
			pack_str(p, v->members[i].name);
			put_value(p, &v->members[i].value, depth + 1);
		}
		return;
	}
	pack_fail(p, -EINVAL);
}

void pack_value(struct packer *p, const struct value *v)
{
	put_value(p, v, 1);
}
