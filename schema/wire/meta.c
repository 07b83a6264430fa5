/* schema/wire/meta.c - a table for each meta: key on the wire, kind, place in the struct. */
#include "schema/wire/meta.h"

#include "schema/wire/cursor.h"
#include "schema/wire/pack.h"

enum meta_kind { K_BOOL, K_STR, K_I64 };
struct key {
	struct slice name;
	enum meta_kind kind;
	size_t offset;
};
#define CONTENT(key, kind, member)                                                                 \
	{                                                                                          \
		SLICE(key), kind, offsetof(struct wire_content_meta, member)                       \
	}
#define JOB(key, kind, member)                                                                     \
	{                                                                                          \
		SLICE(key), kind, offsetof(struct wire_job_meta, member)                           \
	}

static const struct key content_keys[] = {
	CONTENT("p", K_BOOL, program),
	CONTENT("8", K_BOOL, body_8bit),
	CONTENT("u", K_BOOL, utf8),
	CONTENT("d", K_STR, sign_domain),
};
static const struct key job_keys[] = {
	JOB("f", K_STR, mail_from),
	JOB("e", K_STR, pool),
	JOB("m", K_STR, message_id_domain),
	JOB("o", K_STR, origin),
	JOB("s", K_STR, stream),
	JOB("g", K_STR, tag),
	JOB("x", K_STR, metadata),
	JOB("v", K_STR, envid),
	JOB("h", K_BOOL, return_headers),
	JOB("a", K_BOOL, return_full),
	JOB("q", K_BOOL, require_tls),
	JOB("w", K_BOOL, engaged),
	JOB("t", K_I64, date_ms),
	JOB("b", K_I64, not_before_ms),
};

static bool is_zero(const struct key *k, const void *at)
{
	switch (k->kind) {
	case K_BOOL:
		return !*(const bool *)at;
	case K_STR:
		return ((const struct slice *)at)->n == 0;
	case K_I64:
		return *(const int64_t *)at == 0;
	}
	return true;
}

static void put_one(struct packer *p, const struct key *k, const void *at)
{
	pack_str(p, k->name);
	switch (k->kind) {
	case K_BOOL:
		pack_bool(p, *(const bool *)at);
		return;
	case K_STR:
		pack_str(p, *(const struct slice *)at);
		return;
	case K_I64:
		pack_i64(p, *(const int64_t *)at);
		return;
	}
}

static int put(struct buf *out, const struct key *keys, unsigned n, const void *from)
{
	struct packer p;
	unsigned used = 0;

	for (unsigned i = 0; i < n; i++)
		used += !is_zero(&keys[i], (const char *)from + keys[i].offset);
	pack_begin(&p, out);
	pack_map(&p, used);
	for (unsigned i = 0; i < n; i++) {
		const char *at = (const char *)from + keys[i].offset;
		if (!is_zero(&keys[i], at))
			put_one(&p, &keys[i], at);
	}
	return pack_end(&p);
}

static int get_one(struct cursor *c, const struct key *k, void *at)
{
	switch (k->kind) {
	case K_BOOL:
		return cursor_bool(c, at);
	case K_STR:
		return cursor_str(c, at);
	case K_I64:
		return cursor_i64(c, at);
	}
	return E_SYNTAX;
}

static int get_member(struct cursor *c, const struct key *keys, unsigned n, void *to)
{
	struct slice name;
	int r = cursor_str(c, &name);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < n; i++)
		if (slice_eq(name, keys[i].name))
			return get_one(c, &keys[i], (char *)to + keys[i].offset);
	return cursor_skip(c);
}

static int get(struct slice in, const struct key *keys, unsigned n, void *to)
{
	struct cursor c = cursor_of(in);
	uint32_t members;
	int r = cursor_map(&c, &members);

	for (; r >= 0 && members > 0; members--)
		r = get_member(&c, keys, n, to);
	if (r < 0)
		return r;
	return cursor_left(&c) ? E_SYNTAX : 0;
}

int wire_content_meta_put(struct buf *out, const struct wire_content_meta *m)
{
	return put(out, content_keys, ARRAY_LEN(content_keys), m);
}

int wire_content_meta_get(struct slice in, struct wire_content_meta *ret)
{
	struct wire_content_meta m = { 0 };
	int r = get(in, content_keys, ARRAY_LEN(content_keys), &m);

	if (r < 0)
		return r;
	*ret = m;
	return 0;
}

int wire_job_meta_put(struct buf *out, const struct wire_job_meta *m)
{
	return put(out, job_keys, ARRAY_LEN(job_keys), m);
}

int wire_job_meta_get(struct slice in, struct wire_job_meta *ret)
{
	struct wire_job_meta m = { 0 };
	int r = get(in, job_keys, ARRAY_LEN(job_keys), &m);

	if (r < 0)
		return r;
	*ret = m;
	return 0;
}
