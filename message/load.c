/* message/load.c - reads the bytes of a program and checks all of them. */
#include "message/escape.h"
#include "message/ops.h"
#include "message/program.h"

/* Everything that the expander relies on is checked here, once; it then indexes without checks. */

struct program_reader {
	struct slice rest;
	bool bad;
};

static const char *take(struct program_reader *r, size_t n)
{
	const char *p = r->rest.p;

	if (n > r->rest.n) {
		r->bad = true;
		return NULL;
	}
	r->rest = slice_skip(r->rest, n);
	return p;
}

static void read_strings(struct program_reader *r, struct slice *to, uint32_t n)
{
	for (uint32_t i = 0; i < n && !r->bad; i++) {
		const char *p = take(r, 2);
		size_t len = p ? ops_u16(p) : 0;
		p = take(r, len);
		if (len > PROGRAM_NAME_MAX)
			r->bad = true;
		to[i] = slice_of(p, len);
	}
}

static void read_paths(struct program_reader *r, struct program *p)
{
	const char *at = take(r, 2 * (size_t)p->n_paths);

	for (uint32_t i = 0; at && i < p->n_paths; i++) {
		p->paths[i] = ops_u16(at + 2 * i);
		if (p->paths[i] >= p->n_names)
			r->bad = true;
	}
}

static void read_ops(struct program_reader *r, struct program *p)
{
	const char *at = take(r, PROGRAM_OP * (size_t)p->n_ops);

	for (uint32_t i = 0; at && i < p->n_ops; i++, at += PROGRAM_OP)
		p->ops[i] = (struct op){
			.kind = (uint8_t)at[0],
			.escape = (uint8_t)at[1],
			.ref = (uint8_t)at[2],
			.n_path = (uint8_t)at[3],
			.field = ops_u16(at + 4),
			.a = ops_u32(at + 8),
			.b = ops_u32(at + 12),
		};
}

/* ---- checks; `open` is the stack of what is to be closed --------------------------------- */

enum { OPEN_MAX = PROGRAM_DEPTH_MAX + 4 };

struct checker {
	struct program *p;
	uint32_t i;     /* the op at hand */
	size_t pool_at; /* literals lie one after the other */
	uint32_t open[OPEN_MAX];
	unsigned n_open;
	bool partial; /* after the first routine */
};

static bool line_fits(struct op *op, struct slice s, bool raw)
{
	size_t start = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '\0' || (c == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n') && !raw))
			return false;
		if (c >= 0x80 && !raw && op->escape != LITERAL_TEXT)
			return false;
		if (c != '\n')
			continue;
		if (!raw && (i == 0 || s.p[i - 1] != '\r' || op->escape == LITERAL_TEXT))
			return false;
		if (!op->breaks)
			op->head = i ? (uint32_t)i - 1 : 0;
		op->breaks = true;
		start = i + 1;
	}
	if (!op->breaks)
		op->head = (uint32_t)s.n;
	op->tail = (uint32_t)(s.n - start);
	return true;
}

static bool lines_within(struct slice s, size_t max)
{
	while (s.n) {
		const char *lf = memchr(s.p, '\n', s.n);
		size_t n = lf ? (size_t)(lf - s.p) + 1 : s.n;
		if (n > max)
			return false;
		s = slice_skip(s, n);
	}
	return true;
}

static bool check_literal(struct checker *c, struct op *op)
{
	struct slice s;

	if (op->a != c->pool_at || op->b > c->p->pool.n - c->pool_at || op->escape > LITERAL_TEXT)
		return false;
	s = slice_of(c->p->pool.p + op->a, op->b);
	c->pool_at += op->b;
	return line_fits(op, s, c->p->raw) &&
	       (c->p->raw || op->escape == LITERAL_TEXT || lines_within(s, PROGRAM_LINE_MAX + 2));
}

static bool check_ref(struct checker *c, struct op *op)
{
	const struct program *p = c->p;

	if (op->ref == 0 || op->ref >= REF_KINDS || op->n_path > PROGRAM_PATH_MAX)
		return false;
	if (op->b > p->n_paths || op->n_path > p->n_paths - op->b)
		return false;
	if (op->ref == REF_STACK && op->n_path == 0)
		return false;
	return op->field < p->n_fields || op->field == FIELD_EMAIL || op->field == FIELD_NONE;
}

static bool check_slot(struct checker *c, struct op *op)
{
	return op->escape < ESCAPES && check_ref(c, op);
}

static bool check_open(struct checker *c, struct op *op)
{
	(void)op;
	if (c->n_open == OPEN_MAX)
		return false;
	c->open[c->n_open++] = c->i;
	return true;
}

static bool check_section(struct checker *c, struct op *op)
{
	return check_ref(c, op) && check_open(c, op);
}

static struct op *close_op(struct checker *c)
{
	return c->n_open ? &c->p->ops[c->open[--c->n_open]] : NULL;
}

static bool check_end(struct checker *c, struct op *op)
{
	struct op *section = close_op(c);

	return section && (section->kind == OP_SECTION || section->kind == OP_INVERTED) &&
	       section->a == c->i && op->a == (uint32_t)(section - c->p->ops);
}

static bool check_close(struct checker *c, struct op *op)
{
	struct op *open = close_op(c);

	return open && open->kind + 1 == op->kind;
}

static bool check_call(struct checker *c, struct op *op)
{
	return op->a > 0 && op->a < c->p->n_ops && c->p->ops[op->a - 1].kind == OP_RETURN;
}

static bool check_return(struct checker *c, struct op *op)
{
	(void)op;
	c->partial = true;
	return c->n_open == 0;
}

static bool check_engine(struct checker *c, struct op *op)
{
	(void)c;
	return op->a < ENGINE_VALUES;
}

/* Header texts, groups and bodies do not nest and occur only in the message itself, so the places
 * in the output that they remember always exist. */
static bool check_region(struct checker *c, struct op *op)
{
	return op->a <= 64 && c->n_open == 0 && !c->partial && check_open(c, op);
}

static bool (*const checks[OP_KINDS])(struct checker *c, struct op *op) = {
	[OP_LITERAL] = check_literal,  [OP_SLOT] = check_slot,      [OP_SECTION] = check_section,
	[OP_INVERTED] = check_section, [OP_END] = check_end,        [OP_CALL] = check_call,
	[OP_RETURN] = check_return,    [OP_ENGINE] = check_engine,  [OP_HEADER] = check_region,
	[OP_HEADER_END] = check_close, [OP_GROUP] = check_region,   [OP_GROUP_END] = check_close,
	[OP_BODY] = check_region,      [OP_BODY_END] = check_close,
};

static bool check_ops(struct program *p)
{
	struct checker c = { .p = p };

	for (; c.i < p->n_ops; c.i++) {
		struct op *op = &p->ops[c.i];
		if (op->kind >= OP_KINDS || !checks[op->kind] || !checks[op->kind](&c, op))
			return false;
	}
	return p->n_ops && p->ops[p->n_ops - 1].kind == OP_RETURN && c.pool_at == p->pool.n;
}

static struct program *allocate(uint32_t fields, uint32_t names, uint32_t paths, uint32_t ops)
{
	struct program *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->fields = calloc(fields + 1, sizeof(*p->fields));
	p->names = calloc(names + 1, sizeof(*p->names));
	p->paths = calloc(paths + 1, sizeof(*p->paths));
	p->ops = calloc(ops + 1, sizeof(*p->ops));
	if (!p->fields || !p->names || !p->paths || !p->ops)
		return program_free(p);
	p->n_fields = fields;
	p->n_names = names;
	p->n_paths = paths;
	p->n_ops = ops;
	return p;
}

int program_load(struct program **ret, struct slice bytes)
{
	struct program_reader r = { bytes, false };
	const char *head = take(&r, PROGRAM_HEAD);
	OWNED(program) p = NULL;

	if (!head || memcmp(head, "PPG1", 4) != 0 || ops_u16(head + 4) > PROGRAM_RAW)
		return E_CORRUPT;
	/* No count may claim more than the bytes could hold. */
	if (ops_u16(head + 6) > PROGRAM_FIELDS_MAX || ops_u32(head + 8) > PROGRAM_NAMES_MAX ||
	    ops_u32(head + 12) > PROGRAM_PATHS_MAX || ops_u32(head + 16) > PROGRAM_OPS_MAX ||
	    ops_u32(head + 16) > bytes.n / PROGRAM_OP || ops_u32(head + 20) > PROGRAM_POOL_MAX)
		return E_CORRUPT;
	p = allocate(ops_u16(head + 6), ops_u32(head + 8), ops_u32(head + 12), ops_u32(head + 16));
	if (!p)
		return -ENOMEM;
	p->raw = ops_u16(head + 4) == PROGRAM_RAW;
	read_strings(&r, p->fields, p->n_fields);
	read_strings(&r, p->names, p->n_names);
	read_paths(&r, p);
	read_ops(&r, p);
	p->pool = r.rest;
	if (r.bad || p->pool.n != ops_u32(head + 20) || !check_ops(p))
		return E_CORRUPT;
	*ret = TAKE(p);
	return 0;
}

struct program *program_free(struct program *p)
{
	if (p) {
		free(p->fields);
		free(p->names);
		free(p->paths);
		free(p->ops);
		free(p);
	}
	return NULL;
}

unsigned program_field_count(const struct program *p)
{
	return p->n_fields;
}

struct slice program_field_name(const struct program *p, unsigned i)
{
	assert(i < p->n_fields);
	return p->fields[i];
}
