/* base/tree.h - a tree of values while it is being built: reports of the engine, documents of the
 * command line.  Names and texts are copied.
 * Owns:   tree_new() gives the caller the tree and all that hangs on it; tree_free() ends it.
 * Fails:  never: all allocations are small and our own.
 * Limits: whoever builds a tree bounds its size.
 *
 *	struct tree *t = tree_new();
 *	struct branch *row = branch_map(branch_list(tree_map(t), "rows"), NULL);
 *	branch_int(row, "queued", 5);
 *	... tree_value(t) is {"rows": [{"queued": 5}]} */
#pragma once
#include "base/value.h"

struct tree;
struct branch; /* a map or a list; members of a list have no name (NULL) */
struct tree *tree_free(struct tree *t);
DEFINE_OWNED(tree)
struct tree *tree_new(void);
struct branch *tree_map(struct tree *t); /* the root */

struct branch *branch_map(struct branch *b, const char *name);
struct branch *branch_list(struct branch *b, const char *name);
void branch_int(struct branch *b, const char *name, int64_t i);
void branch_bool(struct branch *b, const char *name, bool on);
void branch_str(struct branch *b, const char *name, const char *s);
void branch_slice(struct branch *b, const char *name, struct slice s);
/* Not copied: what v points to must outlive the tree. */
void branch_value(struct branch *b, const char *name, const struct value *v);
uint32_t branch_count(const struct branch *b);
struct slice tree_copy(struct tree *t, struct slice s); /* lives as long as the tree */
/* Valid until tree_free or the next change; may be taken again. */
const struct value *tree_value(struct tree *t);
