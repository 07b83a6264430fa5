/* message/build.c - collects ops, names and literals, then writes the bytes of a program. */
#include "message/build.h"

#include "message/program.h"
#include "message/word.h"

void build_init(struct build *b, bool raw)
{
	*b = (struct build){ .raw = raw };
	b->pool.max = PROGRAM_POOL_MAX;
	b->text.max = PROGRAM_POOL_MAX;
	b->ops.max = PROGRAM_OPS_MAX * sizeof(struct op);
	b->paths.max = PROGRAM_PATHS_MAX * sizeof(uint16_t);
	b->names.max = PROGRAM_NAMES_MAX * sizeof(struct slice);
	b->fields.max = PROGRAM_FIELDS_MAX * sizeof(struct slice);
}

void build_free(struct build *b)
{
	buf_free(&b->text);
	buf_free(&b->ops);
	buf_free(&b->pool);
	buf_free(&b->paths);
	buf_free(&b->fields);
	buf_free(&b->names);
}

struct op *build_op_at(struct build *b, uint32_t i)
{
	assert(i < build_op_count(b));
	return (struct op *)(void *)b->ops.p + i;
}

int build_text(struct build *b, struct slice text)
{
	return buf_append(&b->text, text);
}

static int put_literal(struct build *b)
{
	struct slice text = buf_data(&b->text);
	int r;

	if (b->mode == BUILD_BODY)
		return escape_put_literal(&b->pool, text);
	if (b->mode == BUILD_RAW)
		return buf_append(&b->pool, text);
	r = buf_reserve(&b->pool, 3 * text.n);
	if (r == 0)
		buf_grow(&b->pool, word_clean(buf_tail(&b->pool), text));
	return r;
}

static int append_op(struct build *b, const struct op *op)
{
	int r = buf_append(&b->ops, slice_of(op, sizeof(*op)));

	return r < 0 ? r : (int)build_op_count(b) - 1;
}

static int flush(struct build *b)
{
	struct op op = { .kind = OP_LITERAL,
			 .escape = b->mode == BUILD_HEADER ? LITERAL_TEXT : LITERAL_PLAIN };
	int r;

	if (buf_len(&b->text) == 0)
		return 0;
	op.a = (uint32_t)buf_len(&b->pool);
	r = put_literal(b);
	if (r < 0)
		return r;
	op.b = (uint32_t)buf_len(&b->pool) - op.a;
	buf_clear(&b->text);
	return append_op(b, &op);
}

int build_op(struct build *b, struct op op)
{
	int r = flush(b);

	return r < 0 ? r : append_op(b, &op);
}

static int intern(struct buf *table, struct slice name)
{
	const struct slice *have = (const struct slice *)(void *)table->p;
	size_t n = buf_len(table) / sizeof(*have);
	int r;

	if (name.n > PROGRAM_NAME_MAX)
		return E_LIMIT;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(have[i], name))
			return (int)i;
	r = buf_append(table, slice_of(&name, sizeof(name)));
	return r < 0 ? r : (int)n;
}

int build_field(struct build *b, struct slice name)
{
	return intern(&b->fields, name);
}

int build_path(struct build *b, const struct slice *parts, unsigned n, uint32_t *ret_at)
{
	uint32_t at = (uint32_t)(buf_len(&b->paths) / sizeof(uint16_t));
	int r;

	for (unsigned i = 0; i < n; i++) {
		uint16_t name;
		r = intern(&b->names, parts[i]);
		if (r < 0)
			return r;
		name = (uint16_t)r;
		r = buf_append(&b->paths, slice_of(&name, sizeof(name)));
		if (r < 0)
			return r;
	}
	*ret_at = at;
	return 0;
}

/* ---- the bytes --------------------------------------------------------------------------- */

static void put16(struct buf *out, uint32_t v)
{
	char p[2] = { (char)(v & 0xff), (char)(v >> 8 & 0xff) };

	buf_put(out, slice_of(p, 2));
}

static void put32(struct buf *out, size_t v)
{
	put16(out, (uint32_t)v & 0xffff);
	put16(out, (uint32_t)v >> 16);
}

static void put_strings(struct buf *out, const struct buf *table)
{
	const struct slice *s = (const struct slice *)(void *)table->p;

	for (size_t i = 0; i < buf_len(table) / sizeof(*s); i++) {
		put16(out, (uint32_t)s[i].n);
		buf_put(out, s[i]);
	}
}

static void put_op(struct buf *out, const struct op *op)
{
	char head[4] = { (char)op->kind, (char)op->escape, (char)op->ref, (char)op->n_path };

	buf_put(out, slice_of(head, 4));
	put16(out, op->field);
	put16(out, 0);
	put32(out, op->a);
	put32(out, op->b);
}

int build_finish(struct build *b, struct buf *out)
{
	const uint16_t *path = (const uint16_t *)(void *)b->paths.p;
	size_t n_paths = buf_len(&b->paths) / sizeof(*path);
	struct buf bytes;
	int r = flush(b);

	if (r < 0)
		return r;
	buf_init(&bytes, 0); /* its parts are bounded */
	buf_put(&bytes, SLICE("PPG1"));
	put16(&bytes, b->raw ? PROGRAM_RAW : 0);
	put16(&bytes, build_field_count(b));
	put32(&bytes, buf_len(&b->names) / sizeof(struct slice));
	put32(&bytes, n_paths);
	put32(&bytes, build_op_count(b));
	put32(&bytes, buf_len(&b->pool));
	put_strings(&bytes, &b->fields);
	put_strings(&bytes, &b->names);
	for (size_t i = 0; i < n_paths; i++)
		put16(&bytes, path[i]);
	for (uint32_t i = 0; i < build_op_count(b); i++)
		put_op(&bytes, build_op_at(b, i));
	buf_put(&bytes, buf_data(&b->pool));
	r = buf_append(out, buf_data(&bytes));
	buf_free(&bytes);
	return r;
}
