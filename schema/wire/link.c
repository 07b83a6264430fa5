/* schema/wire/link.c - the frames of link.h: each row of `layouts` is one. */
#include "schema/wire/link.h"

#include "schema/wire/fields.h"

enum { FIELDS_MAX = 12, LENGTH_BYTES = 4 };
struct layout {
	unsigned n;
	struct field fields[FIELDS_MAX];
};
#define F(kind, member)                                                                            \
	{                                                                                          \
		kind, offsetof(struct link_frame, member)                                          \
	}

/* clang-format off */
static const struct layout layouts[] = {
	[LINK_HELLO]     = { 2, { F(F_U64, hello.version), F(F_TEXT, hello.name) } },
	[LINK_WELCOME]   = { 5, { F(F_U64, welcome.version), F(F_TEXT, welcome.engine), F(F_U64, welcome.durable),
				  F(F_U64, welcome.oldest), F(F_U64, welcome.cursor) } },
	[LINK_CONTENT]   = { 4, { F(F_U64, content.id.hi), F(F_U64, content.id.lo), F(F_BYTES, content.meta),
				  F(F_BYTES, content.bytes) } },
	[LINK_JOB]       = { 12, { F(F_U64, job.id.hi), F(F_U64, job.id.lo), F(F_U64, job.content.hi),
				  F(F_U64, job.content.lo), F(F_U64, job.tenant), F(F_U64, job.campaign),
				  F(F_U8, job.class), F(F_I64, job.accepted_ms), F(F_I64, job.expires_ms),
				  F(F_U32, job.rows), F(F_BYTES, job.meta), F(F_BYTES, job.data) } },
	[LINK_RULE]      = { 2, { F(F_TEXT, rule.key), F(F_TEXT, rule.value) } },
	[LINK_KEY]       = { 3, { F(F_TEXT, key.domain), F(F_TEXT, key.selector), F(F_TEXT, key.pem) } },
	[LINK_SUBSCRIBE] = { 1, { F(F_U64, lsn) } },
	[LINK_CURSOR]    = { 1, { F(F_U64, lsn) } },
	[LINK_ACK]       = { 1, { F(F_U64, lsn) } },
	[LINK_FACTS]     = { 2, { F(F_U8, facts.step), F(F_BYTES, facts.packed) } },
	[LINK_ADMIN]     = { 2, { F(F_TEXT, admin.command), F(F_VALUE, admin.args) } },
	[LINK_ERROR]     = { 2, { F(F_INT, error.code), F(F_TEXT, error.text) } },
	[LINK_EVENTS]    = { 2, { F(F_U64, events.next), F(F_EVENTS, events.n) } },
	[LINK_REPORT]    = { 1, { F(F_VALUE, report) } },
};
/* clang-format on */

static const struct layout *layout_of(uint64_t type)
{
	return type < ARRAY_LEN(layouts) && layouts[type].n ? &layouts[type] : NULL;
}

static void write_length(char *at, size_t n)
{
	at[0] = (char)(n >> 24);
	at[1] = (char)(n >> 16);
	at[2] = (char)(n >> 8);
	at[3] = (char)n;
}

int link_put(struct buf *out, const struct link_frame *f)
{
	const struct layout *layout = layout_of(f->type);
	struct packer p;
	size_t body;
	int r;

	if (!layout)
		return -EINVAL;
	pack_begin(&p, out);
	pack_raw(&p, SLICE("\0\0\0\0"));
	pack_array(&p, 2 + layout->n);
	pack_u64(&p, f->type);
	pack_u64(&p, f->request);
	fields_put(&p, layout->fields, layout->n, f);
	body = buf_len(out) - p.before;
	if (body > LINK_FRAME_MAX + LENGTH_BYTES)
		pack_fail(&p, E_LIMIT);
	r = pack_end(&p);
	if (r < 0)
		return r;
	write_length(out->p + out->start + p.before, body - LENGTH_BYTES);
	return 0;
}

int link_split(struct slice in, struct slice *ret_body, size_t *ret_used)
{
	const uint8_t *p = (const uint8_t *)in.p;
	size_t n;

	if (in.n < LENGTH_BYTES)
		return 0;
	n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (n > LINK_FRAME_MAX)
		return E_LIMIT;
	if (in.n - LENGTH_BYTES < n)
		return 0;
	*ret_body = slice_of(in.p + LENGTH_BYTES, n);
	*ret_used = LENGTH_BYTES + n;
	return 1;
}

int link_get(struct slice body, struct wire_arena *arena, struct link_frame *ret)
{
	struct cursor c = cursor_of(body);
	struct link_frame f = { 0 };
	const struct layout *layout;
	uint64_t type;
	uint32_t n;
	int r = cursor_list(&c, &n);

	if (r >= 0)
		r = cursor_u64(&c, UINT64_MAX, &type);
	if (r >= 0)
		r = cursor_u64(&c, UINT64_MAX, &f.request);
	if (r < 0)
		return r;
	layout = layout_of(type);
	if (!layout || n != 2 + layout->n)
		return E_SYNTAX;
	if (type == LINK_ADMIN && body.n > LINK_ADMIN_MAX)
		return E_LIMIT;
	r = fields_get(&c, layout->fields, layout->n, arena, &f);
	if (r < 0)
		return r;
	if (cursor_left(&c))
		return E_SYNTAX;
	if (type == LINK_FACTS && f.facts.packed.n > LINK_FACTS_MAX)
		return E_LIMIT;
	f.type = (enum link_type)type;
	*ret = f;
	return 0;
}
