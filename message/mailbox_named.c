/* message/mailbox_named.c - a display name with an address, and the first address of a list. */
#include "base/encode.h"
#include "message/mailbox.h"
#include "message/word.h"

enum { LINE_WIDTH = 78, QUOTED_NAME_MAX = 60 };

static bool name_fit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return utf8_valid(s);
}

/* A bare phrase must not hold what RFC 5322 calls specials; a dot is taken (obs-phrase, as in
 * "J. Doe").  A quoted one is unescaped. */
static int parse_name(struct slice s, char *buf, uint16_t *ret_n)
{
	size_t n = 0;

	if (!name_fit(s))
		return E_SYNTAX;
	if (s.n && s.p[0] == '"') {
		if (s.n < 2 || s.p[s.n - 1] != '"')
			return E_SYNTAX;
		s = slice_of(s.p + 1, s.n - 2);
		for (size_t i = 0; i < s.n && n <= MAILBOX_NAME_MAX; i++) {
			if (s.p[i] == '"' || (s.p[i] == '\\' && ++i == s.n))
				return E_SYNTAX;
			buf[n++] = s.p[i];
		}
	} else {
		for (size_t i = 0; i < s.n && n <= MAILBOX_NAME_MAX; i++) {
			if (strchr("()<>[]:;@\\,\"", s.p[i]))
				return E_SYNTAX;
			buf[n++] = s.p[i];
		}
	}
	if (n > MAILBOX_NAME_MAX)
		return E_LIMIT;
	buf[n] = '\0';
	*ret_n = (uint16_t)n;
	return 0;
}

int mailbox_named_parse(struct slice s, unsigned flags, struct mailbox_named *ret)
{
	struct mailbox_named m = { 0 };
	char name[MAILBOX_NAME_MAX + 2];
	size_t open;
	int r;

	s = slice_trim(s);
	if (s.n == 0 || s.p[s.n - 1] != '>') {
		r = mailbox_parse(s, flags, &m.box);
		if (r < 0)
			return r;
		*ret = m;
		return 0;
	}
	/* The last "<": one inside a quoted name or local part does not open the address. */
	for (open = s.n; open > 0 && s.p[open - 1] != '<'; open--)
		;
	if (open == 0)
		return E_SYNTAX;
	r = mailbox_parse(slice_of(s.p + open, s.n - open - 1), flags, &m.box);
	if (r < 0)
		return r;
	r = parse_name(slice_trim(slice_of(s.p, open - 1)), name, &m.name_n);
	if (r < 0)
		return r;
	memcpy(m.name, name, (size_t)m.name_n + 1);
	*ret = m;
	return 0;
}

static bool is_atoms(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!(c >= '0' && c <= '9') && !(ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') &&
		    !(c == ' ' && i > 0 && s.p[i - 1] != ' ') && !strchr("-_+'!/", c))
			return false;
	}
	return s.n == 0 || s.p[s.n - 1] != ' ';
}

/* As bare atoms when they suffice, else as a quoted-string. */
static size_t write_phrase(char *dst, struct slice s)
{
	size_t n = 0;

	if (is_atoms(s)) {
		memcpy(dst, s.p, s.n);
		return s.n;
	}
	dst[n++] = '"';
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			dst[n++] = '\\';
		dst[n++] = s.p[i];
	}
	dst[n++] = '"';
	return n;
}

int mailbox_named_put(const struct mailbox_named *m, unsigned col, struct buf *out)
{
	char text[WORD_BOUND(MAILBOX_NAME_MAX)];
	struct slice name = slice_of(m->name, m->name_n);
	size_t n = 0;
	int r;

	if (m->box.utf8) /* our headers are ASCII */
		return E_SYNTAX;
	if (name.n == 0) {
		r = buf_append(out, mailbox_text(&m->box));
		return r;
	}
	if (!word_is_plain(name) || name.n > QUOTED_NAME_MAX) {
		n = word_write_encoded(text, name, &col);
	} else {
		n = write_phrase(text, name);
		col += (unsigned)n;
	}
	r = buf_append(out, slice_of(text, n));
	if (r < 0)
		return r;
	return buf_printf(out, "%s<%s>", col + 3u + m->box.n > LINE_WIDTH ? "\r\n " : " ",
			  m->box.text);
}

/* ---- the first address of a list, as peers write them ------------------------------------ */

static bool skip_quoted(struct slice s, size_t *i)
{
	for ((*i)++; *i < s.n && s.p[*i] != '"'; (*i)++)
		*i += s.p[*i] == '\\';
	return *i < s.n;
}

/* Comments nest (RFC 5322 section 3.2.2): they are counted, without recursion. */
static bool skip_comment(struct slice s, size_t *i)
{
	size_t depth = 0;

	for (; *i < s.n; (*i)++) {
		if (s.p[*i] == '\\')
			(*i)++;
		else if (s.p[*i] == '(')
			depth++;
		else if (s.p[*i] == ')' && --depth == 0)
			return true;
	}
	return false;
}

struct first {
	char bare[MAILBOX_MAX * 2]; /* candidate without comments and white space */
	size_t n;
	bool angle, done, broken;
};

static void first_add(struct first *f, const char *p, size_t n)
{
	if (f->n + n > sizeof(f->bare)) { /* too long for an address, but a phrase may be long */
		f->n = f->angle ? f->n : 0;
		f->broken = f->broken || f->angle;
		return;
	}
	memcpy(f->bare + f->n, p, n);
	f->n += n;
}

static void first_special(struct first *f, char c)
{
	switch (c) {
	case '<': /* what came before was a phrase */
	case ':': /* ... the name of a group, or inside <> a source route */
		f->n = 0;
		f->angle = f->angle || c == '<';
		break;
	case '>':
		f->done = true;
		break;
	default: /* "," and ";" separate; empty elements are skipped */
		f->done = f->n > 0;
	}
}

/* One step of mailbox_next(): *at is at a byte of s, and stays on the last one that it used. */
static void first_step(struct first *f, struct slice s, size_t *at)
{
	size_t from = *at;
	char c = s.p[from];
	const char *end;

	if (c == '"') {
		f->broken = !skip_quoted(s, at);
		if (!f->broken)
			first_add(f, s.p + from, *at + 1 - from);
	} else if (c == '(') {
		f->broken = !skip_comment(s, at);
	} else if (c == '[') {
		/* an address literal holds colons */
		end = memchr(s.p + from, ']', s.n - from);
		f->broken = !end;
		if (end) {
			*at = (size_t)(end - s.p);
			first_add(f, s.p + from, *at + 1 - from);
		}
	} else if (c == '<' || c == '>' || c == ',' || c == ';' || c == ':') {
		first_special(f, c);
	} else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
		first_add(f, &c, 1);
	}
}

int mailbox_next(struct slice s, size_t *pos, unsigned flags, struct mailbox *ret)
{
	struct first f = { .n = 0 };
	size_t i = *pos;

	for (; i < s.n && !f.done && !f.broken; i++)
		first_step(&f, s, &i);
	*pos = i;
	if (f.broken || (f.angle && !f.done))
		return E_SYNTAX;
	if (!f.n && !f.angle)
		return 0;
	return mailbox_parse(slice_of(f.bare, f.n), flags, ret) < 0 ? E_SYNTAX : 1;
}

int mailbox_first(struct slice s, unsigned flags, struct mailbox *ret)
{
	size_t pos = 0;
	int r = mailbox_next(s, &pos, flags, ret);

	return r == 0 ? E_SYNTAX : r < 0 ? r : 0;
}
