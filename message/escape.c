/* message/escape.c - values made safe for their place, and quoted-printable. */
#include "message/escape.h"

#include "base/encode.h"

#define BIT(e) (1u << (e))
#define TEXTS (BIT(ESCAPE_TEXT) | BIT(ESCAPE_RAW) | BIT(ESCAPE_HEADER))
#define MARKUP (TEXTS | BIT(ESCAPE_HTML) | BIT(ESCAPE_ATTR))
#define LINKS (BIT(ESCAPE_URL) | BIT(ESCAPE_LINK))
#define URLS (LINKS | BIT(ESCAPE_URL_PART))
#define CSS BIT(ESCAPE_CSS)
#define ALL (MARKUP | URLS | CSS)

/* Where a byte is written as it is.  "=" is in no row that quoted-printable would copy: it takes
 * the slow way.  Rows of RFC 3986 for the URLs. */
/* clang-format off */
static const uint16_t plain[256] = {
	['0' ... '9'] = ALL, ['A' ... 'Z'] = ALL, ['a' ... 'z'] = ALL,
	['-'] = ALL, ['.'] = ALL,
	['_'] = MARKUP | URLS, ['~'] = MARKUP | URLS,
	[' '] = MARKUP | CSS, ['#'] = MARKUP | LINKS | CSS, ['%'] = MARKUP | LINKS | CSS,
	[','] = MARKUP | LINKS | CSS,
	['!'] = MARKUP | LINKS, ['$'] = MARKUP | LINKS, ['('] = MARKUP | LINKS,
	[')'] = MARKUP | LINKS, ['*'] = MARKUP | LINKS, ['+'] = MARKUP | LINKS,
	['/'] = MARKUP | LINKS, [':'] = MARKUP | LINKS, [';'] = MARKUP | LINKS,
	['?'] = MARKUP | LINKS, ['@'] = MARKUP | LINKS, ['['] = MARKUP | LINKS,
	[']'] = MARKUP | LINKS,
	['\\'] = MARKUP, ['^'] = MARKUP, ['`'] = MARKUP, ['{'] = MARKUP, ['|'] = MARKUP,
	['}'] = MARKUP,
	['"'] = TEXTS, ['\''] = TEXTS, ['<'] = TEXTS, ['>'] = TEXTS,
	['&'] = TEXTS | BIT(ESCAPE_LINK),
};
/* clang-format on */

static const struct {
	char c;
	struct slice entity;
} entities[] = {
	{ '&', SLICE("&amp;") },  { '<', SLICE("&lt;") },   { '>', SLICE("&gt;") },
	{ '"', SLICE("&quot;") }, { '\'', SLICE("&#39;") }, { '\n', SLICE("&#10;") },
	{ '\r', SLICE("&#13;") }, { '\t', SLICE("&#9;") },
};

/* One input byte yields at most 9 bytes (U+FFFD percent-encoded or as quoted-printable), and a soft
 * line end of 3 bytes after every 73 or more. */
enum { GROWTH = 12, CHUNK = 512 };

/* ---- writing, room was reserved ---------------------------------------------------------- */

struct pen {
	char *p;
	unsigned col;
	bool qp;
};

static inline void pen_room(struct pen *w, unsigned n)
{
	if (w->qp && w->col + n > QP_WIDTH) {
		memcpy(w->p, "=\r\n", 3);
		w->p += 3;
		w->col = 0;
	}
}

static void pen_hex(struct pen *w, char mark, unsigned char c)
{
	pen_room(w, 3);
	w->p[0] = mark;
	hex_put_upper(w->p + 1, c);
	w->p += 3;
	w->col += 3;
}

static void pen_byte(struct pen *w, char c) /* any byte but a line end */
{
	if (w->qp && (c == '=' || (unsigned char)c < 0x20 || (unsigned char)c > 0x7e)) {
		pen_hex(w, '=', (unsigned char)c);
		return;
	}
	pen_room(w, 1);
	*w->p++ = c;
	w->col++;
}

static void pen_text(struct pen *w, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		pen_byte(w, s.p[i]);
}

static void pen_break(struct pen *w)
{
	if (w->qp)
		*w->p++ = '\r';
	*w->p++ = '\n';
	w->col = 0;
}

/* ---- what a byte becomes that does not stand for itself ---------------------------------- */

static bool pen_entity(struct pen *w, char c)
{
	for (size_t i = 0; i < ARRAY_LEN(entities); i++)
		if (entities[i].c == c) {
			pen_text(w, entities[i].entity);
			return true;
		}
	return false;
}

/* A well-formed character, or U+FFFD for a byte that is part of none.  Returns bytes used. */
static size_t pen_utf8(struct pen *w, enum escape e, struct slice s)
{
	size_t n = utf8_length(s);
	struct slice c = n ? slice_of(s.p, n) : SLICE("\xef\xbf\xbd");

	for (size_t i = 0; i < c.n; i++) {
		if (URLS & BIT(e))
			pen_hex(w, '%', (unsigned char)c.p[i]);
		else if (e != ESCAPE_CSS)
			pen_byte(w, c.p[i]);
	}
	return n ? n : 1;
}

static size_t pen_space(struct pen *w, enum escape e, struct slice s)
{
	size_t n = s.n > 1 && s.p[0] == '\r' && s.p[1] == '\n' ? 2 : 1;

	if (e == ESCAPE_HEADER)
		pen_byte(w, ' ');
	else if (s.p[0] == '\t')
		pen_byte(w, '\t');
	else
		pen_break(w);
	return n;
}

/* Writes the front of s in its escaped form; gives how many bytes of s it used. */
static size_t pen_special(struct pen *w, enum escape e, struct slice s)
{
	unsigned char c = (unsigned char)s.p[0];

	if (c >= 0x80)
		return pen_utf8(w, e, s);
	if (e == ESCAPE_CSS)
		return 1; /* dropped */
	if (e == ESCAPE_URL && c == '&') {
		pen_text(w, SLICE("&amp;"));
		return 1;
	}
	if ((URLS & BIT(e)) && !((LINKS & BIT(e)) && c == '=')) {
		pen_hex(w, '%', c);
		return 1;
	}
	if (c == ' ') { /* the last byte, or one before a byte that is not plain */
		if (w->qp)
			pen_hex(w, '=', ' ');
		else
			pen_byte(w, ' ');
		return 1;
	}
	if (e != ESCAPE_ATTR && (c == '\n' || c == '\r' || c == '\t'))
		return pen_space(w, e, s);
	if ((e == ESCAPE_HTML || e == ESCAPE_ATTR) && pen_entity(w, (char)c))
		return 1;
	if (c >= 0x20 && c != 0x7f)
		pen_byte(w, (char)c);
	return 1;
}

/* Length of the run of plain bytes at the front.  A space counts only when a plain byte follows, so
 * white space never ends a line. */
static size_t run_length(struct slice s, uint16_t bit)
{
	size_t n = 0;

	while (n < s.n && (plain[(unsigned char)s.p[n]] & bit))
		n++;
	return n && s.p[n - 1] == ' ' ? n - 1 : n;
}

static void pen_run(struct pen *w, struct slice s)
{
	while (w->qp && s.n > QP_WIDTH - w->col) {
		size_t n = QP_WIDTH - w->col;
		memcpy(w->p, s.p, n);
		w->p += n;
		s = slice_skip(s, n);
		w->col = QP_WIDTH;
		pen_room(w, 1);
	}
	memcpy(w->p, s.p, s.n);
	w->p += s.n;
	w->col += (unsigned)s.n;
}

/* Uses at least `want` bytes of s, a few more to end a character. */
static size_t pen_value(struct pen *w, enum escape e, struct slice s, size_t want)
{
	size_t i = 0;

	while (i < want) {
		size_t n = run_length(slice_of(s.p + i, want - i), (uint16_t)BIT(e));
		pen_run(w, slice_of(s.p + i, n));
		i += n;
		if (i < want)
			i += pen_special(w, e, slice_skip(s, i));
	}
	return i;
}

bool escape_url_is_fit(struct slice url)
{
	static const struct slice schemes[] = { SLICE("https://"), SLICE("http://"),
						SLICE("mailto:") };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (url.n > schemes[i].n && slice_starts_nocase(url, schemes[i]))
			return true;
	return false;
}

/* URLs are read without the spaces and controls at either end, as the URL standard has it; NUL is
 * among them, which slice_trim_set() does not take. */
static struct slice trim_controls(struct slice s)
{
	while (s.n && (unsigned char)s.p[0] <= 0x20)
		s = slice_skip(s, 1);
	while (s.n && (unsigned char)s.p[s.n - 1] <= 0x20)
		s.n--;
	return s;
}

int escape_put(struct sink *s, enum escape e, struct slice value)
{
	size_t want;
	int r;

	if (LINKS & BIT(e)) {
		value = trim_controls(value);
		if (!escape_url_is_fit(value)) {
			s->unfit = true;
			value = e == ESCAPE_URL ? SLICE("#") : SLICE("");
		}
	}
	for (size_t used = 0; used < value.n;) {
		struct pen w = { .col = s->col, .qp = s->qp };
		want = MIN_OF(value.n - used, (size_t)CHUNK);
		r = buf_reserve(s->out, (want + 4) * GROWTH);
		if (r < 0)
			return r;
		w.p = buf_tail(s->out);
		used += pen_value(&w, e, slice_skip(value, used), want);
		buf_grow(s->out, (size_t)(w.p - buf_tail(s->out)));
		s->col = w.col;
	}
	return 0;
}

int escape_put_literal(struct buf *out, struct slice s)
{
	struct pen w = { .qp = true };
	int r = buf_reserve(out, (s.n + 4) * 4);

	if (r < 0)
		return r;
	w.p = buf_tail(out);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool last = i + 1 == s.n || s.p[i + 1] == '\r' || s.p[i + 1] == '\n';
		if (c == '\r' || c == '\n') {
			i += c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n';
			pen_break(&w);
		} else if ((c == ' ' || c == '\t') && last) {
			pen_hex(&w, '=', (unsigned char)c);
		} else {
			pen_byte(&w, c);
		}
	}
	buf_grow(out, (size_t)(w.p - buf_tail(out)));
	return 0;
}
