/* message/sevenbit.c - the structure: entities (RFC 2045 section 2.4) and their parts. */
#include "message/sevenbit.h"

#include "base/encode.h"
#include "message/header.h"

enum { LINE_MAX_BYTES = 998, BOUNDARY_MAX = 70 };

enum kind { KIND_LEAF, KIND_PARTS, KIND_DIGEST, KIND_MESSAGE, KIND_SEALED, KIND_BROKEN };

struct entity {
	struct slice all, body;
	struct slice type, coding; /* values of the first such fields; p NULL: there is none */
	bool has_version;
	enum kind kind;
	struct slice boundary; /* of parts, as written between the quotes */
};

static int put_entity(struct buf *out, struct slice all, enum kind usual, bool is_message,
		      unsigned depth);

/* ---- looking ----------------------------------------------------------------------------- */

static bool is_8bit(struct slice s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all >= 0x80;
}

static struct slice take_line(struct slice *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct slice line = slice_of(rest->p, end ? (size_t)(end + 1 - rest->p) : rest->n);

	*rest = slice_skip(*rest, line.n);
	return line;
}

static struct slice without_end(struct slice s)
{
	if (s.n && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static bool needs_work(struct slice s)
{
	if (is_8bit(s))
		return true;
	while (s.n)
		if (without_end(take_line(&s)).n > LINE_MAX_BYTES)
			return true;
	return false;
}

/* ---- the fields of an entity ------------------------------------------------------------- */

/* White space, folds and comments (RFC 5322 section 3.2.2). */
static void skip_cfws(struct slice *s)
{
	unsigned depth = 0;

	while (s->n) {
		char c = *s->p;

		if (c == '(')
			depth++;
		else if (depth && c == ')')
			depth--;
		else if (depth && c == '\\' && s->n > 1)
			*s = slice_skip(*s, 1);
		else if (!depth && !strchr(" \t\r\n", c))
			return;
		*s = slice_skip(*s, 1);
	}
}

static bool is_token_char(char c)
{
	return c > 0x20 && c < 0x7f && !strchr("()<>@,;:\\\"/[]?=", c);
}

static struct slice take_token(struct slice *s)
{
	size_t n = 0;
	struct slice token;

	skip_cfws(s);
	while (n < s->n && is_token_char(s->p[n]))
		n++;
	token = slice_of(s->p, n);
	*s = slice_skip(*s, n);
	skip_cfws(s);
	return token;
}

static bool take_char(struct slice *s, char c)
{
	if (!s->n || *s->p != c)
		return false;
	*s = slice_skip(*s, 1);
	return true;
}

/* A quoted-string without its quotes; n is 0 when it is none, or has an escape. */
static struct slice take_quoted(struct slice *s)
{
	const char *end = s->n > 1 ? memchr(s->p + 1, '"', s->n - 1) : NULL;
	struct slice in;

	if (!end)
		return slice_of("", 0);
	in = slice_of(s->p + 1, (size_t)(end - s->p - 1));
	*s = slice_skip(*s, in.n + 2);
	skip_cfws(s);
	return memchr(in.p, '\\', in.n) ? slice_of("", 0) : in;
}

static struct slice take_value(struct slice *s)
{
	skip_cfws(s);
	return s->n && *s->p == '"' ? take_quoted(s) : take_token(s);
}

/* The boundary among the parameters (RFC 2046 section 5.1.1); n is 0 when there is none. */
static struct slice find_boundary(struct slice params)
{
	while (take_char(&params, ';')) {
		struct slice name = take_token(&params), value;

		if (!take_char(&params, '='))
			break;
		value = take_value(&params);
		if (slice_eq_nocase(name, SLICE("boundary")) && value.n <= BOUNDARY_MAX)
			return value;
	}
	return slice_of("", 0);
}

static enum kind kind_of_multipart(struct entity *e, struct slice sub, struct slice params)
{
	if (slice_eq_nocase(sub, SLICE("signed")) || slice_eq_nocase(sub, SLICE("encrypted")))
		return KIND_SEALED;
	e->boundary = find_boundary(params);
	if (!e->boundary.n)
		return KIND_BROKEN;
	return slice_eq_nocase(sub, SLICE("digest")) ? KIND_DIGEST : KIND_PARTS;
}

static enum kind kind_of(struct entity *e, enum kind usual)
{
	struct slice rest = e->type, type, sub;

	if (!e->type.p)
		return usual;
	type = take_token(&rest);
	sub = take_char(&rest, '/') ? take_token(&rest) : slice_of("", 0);
	if (slice_eq_nocase(type, SLICE("multipart")))
		return kind_of_multipart(e, sub, rest);
	if (slice_eq_nocase(type, SLICE("message")))
		return slice_eq_nocase(sub, SLICE("rfc822")) ? KIND_MESSAGE : KIND_SEALED;
	return KIND_LEAF;
}

static bool names(struct header_field f, const char *name)
{
	return slice_eq_nocase(f.name, slice_str(name));
}

static int read_entity(struct entity *e, struct slice all, enum kind usual)
{
	struct header_field f;
	size_t pos = 0;
	int r;

	*e = (struct entity){ .all = all };
	while ((r = header_next(all, &pos, &f)) > 0) {
		if (is_8bit(f.whole))
			return E_DENIED;
		if (!e->type.p && names(f, "Content-Type"))
			e->type = f.value;
		else if (!e->coding.p && names(f, "Content-Transfer-Encoding"))
			e->coding = f.value;
		else if (names(f, "MIME-Version"))
			e->has_version = true;
	}
	if (r < 0)
		return r;
	e->body = slice_skip(all, pos);
	e->kind = kind_of(e, usual);
	return 0;
}

/* Neither quoted-printable nor base64 nor something we do not know. */
static bool is_plain_coding(const struct entity *e)
{
	static const char *const plain[] = { "7bit", "8bit", "binary" };
	struct slice rest = e->coding, word;

	if (!e->coding.p)
		return true;
	word = take_token(&rest);
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (slice_eq_nocase(word, slice_str(plain[i])))
			return true;
	return false;
}

/* ---- what comes out ---------------------------------------------------------------------- */

/* A message without MIME says nothing of its bytes (RFC 1428 section 3). */
static int put_version(struct buf *out, const struct entity *e)
{
	const char *charset = utf8_valid(e->body) ? "utf-8" : "unknown-8bit";

	if (e->has_version)
		return 0;
	if (e->type.p)
		return buf_append(out, SLICE("MIME-Version: 1.0\r\n"));
	return buf_printf(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=%s\r\n",
			  charset);
}

/* The header with another coding, up to and with the empty line. */
static int put_header(struct buf *out, const struct entity *e, bool is_message, const char *coding)
{
	struct header_field f;
	size_t pos = 0, end = 0;
	int r = 0;

	while (r == 0 && header_next(e->all, &pos, &f) > 0) {
		end = pos;
		if (!names(f, "Content-Transfer-Encoding"))
			r = buf_append(out, f.whole);
	}
	if (r == 0 && is_message)
		r = put_version(out, e);
	if (r == 0)
		r = buf_printf(out, "Content-Transfer-Encoding: %s\r\n", coding);
	return r < 0 ? r
		     : buf_append(out,
				  slice_of(e->all.p + end, (size_t)(e->body.p - e->all.p) - end));
}

static int put_leaf(struct buf *out, const struct entity *e, bool is_message)
{
	bool base64 = sevenbit_wants_base64(e->body);
	int r;

	if (!is_plain_coding(e) || !needs_work(e->body))
		return is_8bit(e->body) ? E_SYNTAX : buf_append(out, e->all);
	r = put_header(out, e, is_message, base64 ? "base64" : "quoted-printable");
	if (r < 0)
		return r;
	return base64 ? sevenbit_append_base64(out, e->body) : sevenbit_append_quoted(out, e->body);
}

enum delimiter { DELIMITER_NONE, DELIMITER_NEXT, DELIMITER_LAST };

static enum delimiter delimiter_of(struct slice line, struct slice boundary)
{
	bool last;

	line = without_end(line);
	if (!slice_strip(&line, SLICE("--")) || !slice_strip(&line, boundary))
		return DELIMITER_NONE;
	last = slice_strip(&line, SLICE("--"));
	if (slice_trim(line).n)
		return DELIMITER_NONE;
	return last ? DELIMITER_LAST : DELIMITER_NEXT;
}

/* Text around the parts, which nobody is shown. */
static int put_around(struct buf *out, struct slice s)
{
	return needs_work(s) ? 0 : buf_append(out, s);
}

/* The line end before a delimiter belongs to the delimiter. */
static int put_part(struct buf *out, struct slice s, enum kind usual, unsigned depth)
{
	struct slice part = without_end(s);
	int r = put_entity(out, part, usual, false, depth + 1);

	return r < 0 ? r : buf_append(out, slice_skip(s, part.n));
}

static int put_parts(struct buf *out, const struct entity *e, unsigned depth)
{
	enum kind usual = e->kind == KIND_DIGEST ? KIND_MESSAGE : KIND_LEAF;
	enum delimiter seen = DELIMITER_NONE, d;
	struct slice rest = e->body, line;
	const char *from = e->body.p;
	int r = 0;

	while (r == 0 && seen != DELIMITER_LAST && rest.n) {
		struct slice piece = slice_of(from, (size_t)(rest.p - from));

		line = take_line(&rest);
		d = delimiter_of(line, e->boundary);
		if (d == DELIMITER_NONE)
			continue;
		r = seen ? put_part(out, piece, usual, depth) : put_around(out, piece);
		if (r == 0)
			r = buf_append(out, line);
		seen = d;
		from = rest.p;
	}
	rest = slice_of(from, (size_t)(e->body.p + e->body.n - from));
	if (r < 0 || seen == DELIMITER_NONE)
		return r < 0 ? r : E_SYNTAX;
	return seen == DELIMITER_LAST ? put_around(out, rest)
				      : put_entity(out, rest, usual, false, depth + 1);
}

/* What holds others is never encoded itself (RFC 2045 section 6.4). */
static int put_holder(struct buf *out, const struct entity *e, bool is_message, unsigned depth)
{
	int r;

	if (!is_plain_coding(e))
		return E_SYNTAX;
	r = put_header(out, e, is_message, "7bit");
	if (r < 0)
		return r;
	return e->kind == KIND_MESSAGE ? put_entity(out, e->body, KIND_LEAF, true, depth + 1)
				       : put_parts(out, e, depth);
}

/* usual: what it is when it has no Content-Type.  is_message: with a MIME-Version of its own. */
static int put_entity(struct buf *out, struct slice all, enum kind usual, bool is_message,
		      unsigned depth)
{
	struct entity e;
	int r;

	if (!needs_work(all))
		return buf_append(out, all);
	if (depth == SEVENBIT_DEPTH)
		return E_LIMIT;
	r = read_entity(&e, all, usual);
	if (r < 0)
		return r;
	if (e.kind == KIND_BROKEN)
		return E_SYNTAX;
	if (e.kind == KIND_SEALED)
		return is_8bit(e.body) ? E_DENIED : buf_append(out, all);
	return e.kind == KIND_LEAF ? put_leaf(out, &e, is_message)
				   : put_holder(out, &e, is_message, depth);
}

int sevenbit_append(struct buf *out, struct slice message)
{
	return put_entity(out, message, KIND_LEAF, true, 0);
}
