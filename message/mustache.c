/* message/mustache.c - finds the tags in a template. */
#include "message/mustache.h"

void mustache_init(struct mustache *m, struct slice source)
{
	*m = (struct mustache){ source, 0, SLICE("{{"), SLICE("}}") };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

#define WHITE " \t\r\n"
static bool is_white(char c)
{
	return c && strchr(WHITE, c);
}

/* Offset of needle at or after `from`, or -1. */
static ptrdiff_t find(struct slice s, size_t from, struct slice needle)
{
	const char *at = from < s.n ? memmem(s.p + from, s.n - from, needle.p, needle.n) : NULL;

	return at ? at - s.p : -1;
}

static const char *check_name(struct slice name, bool partial)
{
	bool dot = true; /* as if a line end stood before it */

	if (name.n == 0)
		return "the tag has no name";
	if (name.n > 200)
		return "the name is too long";
	if (!partial && name.n == 1 && name.p[0] == '.')
		return NULL;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if ((c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
		    c == '_' || c == '-' || (unsigned char)c >= 0x80 || (partial && c == '/'))
			dot = false;
		else if (c == '.' && !dot)
			dot = true;
		else
			return "a name may have letters, digits, \"_\" and \"-\", "
			       "its parts joined by one \".\"";
	}
	return dot ? "a name cannot end in \".\"" : NULL;
}

/* "{{=<% %>=}}" */
static const char *set_delimiters(struct mustache *m, struct slice inner)
{
	size_t n = 0, k;

	if (inner.n && inner.p[inner.n - 1] == '=')
		inner.n--;
	else
		return "new delimiters must end in \"=\"";
	inner = slice_trim_set(inner, WHITE);
	while (n < inner.n && !is_white(inner.p[n]))
		n++;
	for (k = n; k < inner.n && is_white(inner.p[k]); k++)
		;
	m->open = slice_of(inner.p, n);
	m->close = slice_skip(inner, k);
	for (size_t i = 0; i < m->close.n; i++)
		if (is_white(m->close.p[i]) || m->close.p[i] == '=')
			return "new delimiters must be two words without \"=\"";
	if (!n || !m->close.n || n > DELIMITER_MAX || m->close.n > DELIMITER_MAX ||
	    memchr(inner.p, '=', n))
		return "new delimiters must be two words without \"=\"";
	return NULL;
}

/* Is there nothing but blanks between the tag and the ends of its line?  Then the
 * line goes with it. */
static void stand_alone(struct mustache *m, struct mustache_tag *t, size_t from, size_t end)
{
	const char *p = m->source.p;
	size_t start = t->at;

	while (start > from && is_blank(p[start - 1]))
		start--;
	if (start > 0 && p[start - 1] != '\n')
		return;
	while (end < m->source.n && is_blank(p[end]))
		end++;
	if (end < m->source.n && p[end] == '\r' && end + 1 < m->source.n && p[end + 1] == '\n')
		end++;
	if (end < m->source.n && p[end] != '\n')
		return;
	t->alone = true;
	t->indent = slice_of(p + start, t->at - start);
	t->literal.n = start - from;
	m->pos = end < m->source.n ? end + 1 : end;
}

static enum tag_kind kind_of(char c)
{
	switch (c) {
	case '#':
		return TAG_SECTION;
	case '^':
		return TAG_INVERTED;
	case '/':
		return TAG_CLOSE;
	case '>':
		return TAG_PARTIAL;
	case '&':
	case '{':
		return TAG_RAW;
	case '!':
	case '=':
		return TAG_NONE;
	default:
		return TAG_SLOT;
	}
}

static const char *read_tag(struct mustache *m, struct mustache_tag *t, size_t from)
{
	size_t inner = t->at + m->open.n, end;
	char mark = inner < m->source.n ? m->source.p[inner] : '\0';
	char closer[DELIMITER_MAX + 1];
	struct slice close = m->close, text;
	const char *why;
	ptrdiff_t at;

	t->kind = kind_of(mark);
	if (mark == '{' || mark == '=') { /* "}}}", "=}}" */
		closer[0] = mark == '{' ? '}' : '=';
		memcpy(closer + 1, close.p, close.n);
		close = slice_of(closer, close.n + 1);
	}
	at = find(m->source, inner + (t->kind != TAG_SLOT), close);
	if (at < 0)
		return "the tag is not closed";
	end = (size_t)at + close.n;
	inner += t->kind != TAG_SLOT;
	text = slice_of(m->source.p + inner, (size_t)at - inner);
	m->pos = end;
	if (mark == '=') {
		why = set_delimiters(m, slice_of(text.p, text.n + 1));
	} else {
		t->name = slice_trim_set(text, WHITE);
		why = mark == '!' ? NULL : check_name(t->name, t->kind == TAG_PARTIAL);
	}
	if (!why && t->kind != TAG_SLOT && t->kind != TAG_RAW)
		stand_alone(m, t, from, end);
	return why;
}

int mustache_next(struct mustache *m, struct mustache_tag *ret, const char **ret_why)
{
	size_t from = m->pos;
	ptrdiff_t at = find(m->source, from, m->open);

	*ret = (struct mustache_tag){ .at = at < 0 ? m->source.n : (size_t)at };
	ret->literal = slice_of(m->source.p + from, ret->at - from);
	if (at < 0) {
		m->pos = m->source.n;
		return 0;
	}
	*ret_why = read_tag(m, ret, from);
	return *ret_why ? E_SYNTAX : 0;
}
