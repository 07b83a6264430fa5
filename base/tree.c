/* base/tree.c - a tree of values while it grows: an arena, chains of members, one flat value. */
#include "base/tree.h"

struct leaf {
	struct leaf *next;
	struct slice name;
	struct value value; /* of a branch: made by finish() */
	struct branch *branch;
};
struct branch {
	struct tree *tree;
	struct leaf *first, *last;
	uint32_t count;
	bool map;
};
enum { BLOCK_BYTES = 4096 };
struct tree_block {
	struct tree_block *next;
	size_t used, cap;
	_Alignas(16) char bytes[];
};
struct tree {
	struct tree_block *blocks;
	struct branch *root;
	struct value value;
};

static void *take(struct tree *t, size_t n)
{
	struct tree_block *b = t->blocks;

	n = (n + 15) & ~(size_t)15;
	if (!b || b->cap - b->used < n) {
		size_t cap = MAX_OF(n, (size_t)BLOCK_BYTES);
		b = must_alloc(sizeof(*b) + cap);
		b->next = t->blocks;
		b->cap = cap;
		t->blocks = b;
	}
	b->used += n;
	return b->bytes + b->used - n;
}

struct slice tree_copy(struct tree *t, struct slice s)
{
	char *p = take(t, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return slice_of(p, s.n);
}

static struct branch *make_branch(struct tree *t, bool map)
{
	struct branch *b = take(t, sizeof(*b));

	*b = (struct branch){ .tree = t, .map = map };
	return b;
}

struct tree *tree_new(void)
{
	struct tree *t = must_alloc(sizeof(*t));

	t->root = make_branch(t, true);
	return t;
}

struct tree *tree_free(struct tree *t)
{
	if (!t)
		return NULL;
	for (struct tree_block *b = t->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(t);
	return NULL;
}

struct branch *tree_map(struct tree *t)
{
	return t->root;
}

static struct leaf *add(struct branch *b, const char *name)
{
	struct leaf *l = take(b->tree, sizeof(*l));

	assert(b->map == (name != NULL));
	*l = (struct leaf){ .name = name ? tree_copy(b->tree, slice_str(name)) : slice_of("", 0) };
	if (b->last)
		b->last->next = l;
	else
		b->first = l;
	b->last = l;
	b->count++;
	return l;
}

struct branch *branch_map(struct branch *b, const char *name)
{
	return add(b, name)->branch = make_branch(b->tree, true);
}

struct branch *branch_list(struct branch *b, const char *name)
{
	return add(b, name)->branch = make_branch(b->tree, false);
}

void branch_int(struct branch *b, const char *name, int64_t i)
{
	add(b, name)->value = (struct value){ .type = VALUE_INT, .i = i };
}

void branch_bool(struct branch *b, const char *name, bool on)
{
	add(b, name)->value = (struct value){ .type = VALUE_BOOL, .b = on };
}

void branch_slice(struct branch *b, const char *name, struct slice s)
{
	add(b, name)->value = (struct value){ .type = VALUE_STRING, .s = tree_copy(b->tree, s) };
}

void branch_str(struct branch *b, const char *name, const char *s)
{
	branch_slice(b, name, slice_str(s));
}

void branch_value(struct branch *b, const char *name, const struct value *v)
{
	add(b, name)->value = *v;
}

uint32_t branch_count(const struct branch *b)
{
	return b->count;
}

/* Recursion goes as deep as the tree was built. */
static struct value finish(struct branch *b)
{
	size_t i = 0;

	if (b->map) {
		struct value_member *m = take(b->tree, b->count * sizeof(*m));
		for (struct leaf *l = b->first; l; l = l->next)
			m[i++] = (struct value_member){ l->name,
							l->branch ? finish(l->branch) : l->value };
		return (struct value){ .type = VALUE_MAP, .count = b->count, .members = m };
	}
	struct value *items = take(b->tree, b->count * sizeof(*items));
	for (struct leaf *l = b->first; l; l = l->next)
		items[i++] = l->branch ? finish(l->branch) : l->value;
	return (struct value){ .type = VALUE_LIST, .count = b->count, .items = items };
}

const struct value *tree_value(struct tree *t)
{
	t->value = finish(t->root);
	return &t->value;
}
