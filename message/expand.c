/* message/expand.c - runs a program over the values of one recipient. */
#include "message/expand.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "message/escape.h"
#include "message/word.h"

/* Lines of a header have this length at most; a List-Unsubscribe group past it is taken back. */
enum { GROUP_MAX = PROGRAM_LINE_MAX };

struct expand_frame {
	const struct value *top; /* what {{.}} is */
	uint32_t left;           /* items after top */
};

struct run {
	const struct program *p;
	const struct expand_input *in;
	const struct value *root;
	struct value recipient;
	struct sink sink;
	size_t header_at, group_at; /* where the open HEADER or GROUP began in out */
	unsigned header_col;
	bool in_header, in_group;
	unsigned steps, depth, n_calls;
	uint32_t pc;
	struct expand_frame frames[PROGRAM_DEPTH_MAX];
	uint32_t calls[PROGRAM_DEPTH_MAX];
};

static const struct value nothing = { .type = VALUE_NULL };

/* ---- finding values ---------------------------------------------------------------------- */

/* A search through a map costs steps too: the budget bounds the time, not only the ops. */
static const struct value *member(struct run *x, const struct value *v, struct slice name)
{
	if (v->type == VALUE_MAP)
		x->steps += v->count / 8;
	return value_member(v, name);
}

static const struct value *field_value(const struct run *x, uint16_t field)
{
	if (field == FIELD_EMAIL)
		return &x->recipient;
	return field < x->in->n_fields ? &x->in->fields[field] : &nothing;
}

static const struct value *follow(struct run *x, const struct value *v, const uint16_t *path,
				  unsigned n)
{
	for (unsigned i = 0; i < n && v; i++)
		v = member(x, v, x->p->names[path[i]]);
	return v ? v : &nothing;
}

static const struct value *from_stack(struct run *x, const struct op *op, const uint16_t *path)
{
	for (unsigned i = x->depth; i > 0; i--) {
		const struct value *v = member(x, x->frames[i - 1].top, x->p->names[path[0]]);
		if (v)
			return v;
	}
	return field_value(x, op->field);
}

static const struct value *find(struct run *x, const struct op *op)
{
	const uint16_t *path = x->p->paths + op->b;

	switch (op->ref) {
	case REF_FIELD:
		return follow(x, field_value(x, op->field), path, op->n_path);
	case REF_STACK:
		return follow(x, from_stack(x, op, path), path + 1, op->n_path - 1u);
	default:
		return x->depth ? x->frames[x->depth - 1].top : x->root;
	}
}

static bool is_true(const struct value *v)
{
	switch (v->type) {
	case VALUE_NULL:
		return false;
	case VALUE_BOOL:
		return v->b;
	case VALUE_STRING:
		return v->s.n > 0;
	case VALUE_LIST:
		return v->count > 0;
	default:
		return true;
	}
}

enum { NUMBER_MAX = 40 };

static struct slice real_text(double d, char *buf)
{
	int n = 0;

	/* The shortest form that reads back the same. */
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(buf, NUMBER_MAX, "%.*g", digits, d);
		if (strtod(buf, NULL) == d)
			break;
	}
	return slice_of(buf, (size_t)n);
}

/* Text of a value; lists and maps have none. */
static struct slice value_text(const struct value *v, char *buf)
{
	switch (v->type) {
	case VALUE_STRING:
		return v->s;
	case VALUE_BOOL:
		return v->b ? SLICE("true") : SLICE("false");
	case VALUE_INT:
		return slice_of(buf, (size_t)snprintf(buf, NUMBER_MAX, "%" PRId64, v->i));
	case VALUE_REAL:
		return real_text(v->d, buf);
	default:
		return SLICE("");
	}
}

/* ---- ops --------------------------------------------------------------------------------- */

static int put_bytes(struct run *x, struct slice s)
{
	return buf_append(x->sink.out, s);
}

static int do_literal(struct run *x, const struct op *op)
{
	struct sink *s = &x->sink;
	int r = buf_reserve(s->out, op->b + 3u);

	if (r < 0)
		return r;
	if (op->escape == LITERAL_TEXT && !x->in_header)
		return E_CORRUPT;
	if (s->qp && op->b) {
		if (s->col + op->head > QP_WIDTH) {
			memcpy(buf_tail(s->out), "=\r\n", 3);
			buf_grow(s->out, 3);
			s->col = 0;
		}
		s->col = op->breaks ? op->tail : s->col + op->head;
	}
	memcpy(buf_tail(s->out), x->p->pool.p + op->a, op->b);
	buf_grow(s->out, op->b);
	return 0;
}

static int do_slot(struct run *x, const struct op *op)
{
	bool url = op->escape == ESCAPE_LINK || op->escape == ESCAPE_URL_PART;
	char buf[NUMBER_MAX];

	/* A bare header line takes only what cannot hold a line end. */
	if (!x->p->raw && !x->sink.qp && !(x->in_header && op->escape == ESCAPE_HEADER) &&
	    !(x->in_group && url))
		return E_CORRUPT;
	return escape_put(&x->sink, (enum escape)op->escape, value_text(find(x, op), buf));
}

static int do_section(struct run *x, const struct op *op)
{
	const struct value *v = find(x, op);
	struct expand_frame *f;

	if (!is_true(v)) {
		x->pc = op->a + 1;
		return 0;
	}
	if (x->depth == PROGRAM_DEPTH_MAX)
		return E_LIMIT;
	f = &x->frames[x->depth++];
	if (v->type == VALUE_LIST)
		*f = (struct expand_frame){ v->items, v->count - 1 };
	else
		*f = (struct expand_frame){ v, 0 };
	return 0;
}

static int do_inverted(struct run *x, const struct op *op)
{
	if (is_true(find(x, op)))
		x->pc = op->a + 1;
	return 0;
}

static int do_end(struct run *x, const struct op *op)
{
	struct expand_frame *f;

	if (x->p->ops[op->a].kind == OP_INVERTED)
		return 0;
	f = &x->frames[x->depth - 1];
	if (f->left == 0) {
		x->depth--;
		return 0;
	}
	f->top++;
	f->left--;
	x->pc = op->a + 1;
	return 0;
}

static int do_call(struct run *x, const struct op *op)
{
	if (x->n_calls == PROGRAM_DEPTH_MAX)
		return E_LIMIT;
	x->calls[x->n_calls++] = x->pc;
	x->pc = op->a;
	return 0;
}

/* An address or id in a header: bytes that could end the line or the angle brackets were refused at
 * the entrance and are dropped here. */
static int put_token(struct run *x, struct slice s, size_t max)
{
	char *to;
	int r;

	s.n = MIN_OF(s.n, max);
	r = buf_reserve(x->sink.out, s.n);
	if (r < 0)
		return r;
	to = buf_tail(x->sink.out);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] > 0x20 && s.p[i] < 0x7f && s.p[i] != '<' && s.p[i] != '>')
			*to++ = s.p[i];
	buf_grow(x->sink.out, (size_t)(to - buf_tail(x->sink.out)));
	return 0;
}

static bool is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static int do_engine(struct run *x, const struct op *op)
{
	char date[RFC5322_DATE_MAX];

	switch (op->a) {
	case ENGINE_DATE:
		return put_bytes(x, slice_str(clock_rfc5322(x->in->date_ms, date)));
	case ENGINE_TO: /* our headers have no form for an address that is not ASCII */
		if (x->in->recipient.n == 0 || !is_ascii(x->in->recipient))
			return put_bytes(x, SLICE("undisclosed-recipients:;"));
		return put_token(x, x->in->recipient, 320);
	default:
		return put_token(x, x->in->message_id, 320);
	}
}

static int do_header(struct run *x, const struct op *op)
{
	x->header_at = buf_len(x->sink.out);
	x->header_col = op->a;
	x->in_header = true;
	return 0;
}

/* Cuts the text at a whole character; nobody means a longer subject. */
static size_t header_cut(struct slice text)
{
	size_t n = MIN_OF(text.n, (size_t)PROGRAM_HEADER_MAX);

	while (n < text.n && n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* The text lies at the end of out; its encoded form is written after it and moved down. */
static int do_header_end(struct run *x, const struct op *op)
{
	struct buf *out = x->sink.out;
	size_t n = buf_len(out) - x->header_at, k;
	char *text;
	int r;

	(void)op;
	x->in_header = false;
	r = buf_reserve(out, WORD_BOUND(n));
	if (r < 0)
		return r;
	text = buf_tail(out) - n;
	k = word_write(buf_tail(out), slice_of(text, header_cut(slice_of(text, n))), x->header_col);
	memmove(text, buf_tail(out), k);
	out->end = out->end - n + k;
	return 0;
}

static int do_group(struct run *x, const struct op *op)
{
	(void)op;
	x->group_at = buf_len(x->sink.out);
	x->sink.unfit = false;
	x->in_group = true;
	return 0;
}

static int do_group_end(struct run *x, const struct op *op)
{
	struct buf *out = x->sink.out;

	(void)op;
	x->in_group = false;
	if (x->sink.unfit || buf_len(out) - x->group_at > GROUP_MAX)
		out->end = out->start + x->group_at;
	return 0;
}

static int do_body(struct run *x, const struct op *op)
{
	(void)op;
	x->sink.qp = true;
	x->sink.col = 0;
	return 0;
}

static int do_body_end(struct run *x, const struct op *op)
{
	x->sink.qp = false;
	return x->sink.col && op->a ? put_bytes(x, SLICE("\r\n")) : 0;
}

static int (*const doers[OP_KINDS])(struct run *x, const struct op *op) = {
	[OP_LITERAL] = do_literal,       [OP_SLOT] = do_slot,     [OP_SECTION] = do_section,
	[OP_INVERTED] = do_inverted,     [OP_END] = do_end,       [OP_CALL] = do_call,
	[OP_ENGINE] = do_engine,         [OP_HEADER] = do_header, [OP_GROUP] = do_group,
	[OP_HEADER_END] = do_header_end, [OP_BODY] = do_body,     [OP_GROUP_END] = do_group_end,
	[OP_BODY_END] = do_body_end,
};

static int run_ops(struct run *x, size_t start)
{
	for (;;) {
		const struct op *op = &x->p->ops[x->pc++];
		int r;
		if (op->kind == OP_RETURN) {
			if (x->n_calls == 0)
				return 0;
			x->pc = x->calls[--x->n_calls];
			continue;
		}
		if (++x->steps > PROGRAM_STEPS_MAX ||
		    buf_len(x->sink.out) - start > PROGRAM_OUT_MAX)
			return E_LIMIT;
		r = doers[op->kind](x, op);
		if (r < 0)
			return r;
	}
}

int expand_program(const struct program *p, const struct expand_input *in, const struct value *root,
		   struct buf *out)
{
	size_t start = buf_len(out);
	struct run x;
	int r;

	/* The two stacks are not cleared: entries are written before they are read. */
	memset(&x, 0, offsetof(struct run, frames));
	x.p = p;
	x.in = in;
	x.root = root ? root : &nothing;
	x.recipient = (struct value){ .type = VALUE_STRING, .s = in->recipient };
	x.sink.out = out;
	r = run_ops(&x, start);
	if (r < 0)
		out->end = out->start + start;
	return r;
}

int program_expand(const struct program *p, const struct expand_input *in, struct buf *out)
{
	return p->raw ? E_CORRUPT : expand_program(p, in, NULL, out);
}
