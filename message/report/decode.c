/* message/report/decode.c - character sets and HTML become plain UTF-8 text. */
#include <iconv.h>

#include "base/encode.h"
#include "message/report/inside.h"

/* ---- character sets ------------------------------------------------------------------------ */

/* The C library drops a character set that nobody has open; these stay open until the end. */
void decode_prepare(void)
{
	static const char *const names[] = {
		"iso-8859-1",  "iso-8859-2",   "iso-8859-5",   "iso-8859-7",   "iso-8859-9",
		"iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "windows-1254",
		"koi8-r",      "koi8-u",       "iso-2022-jp",  "shift_jis",    "euc-jp",
		"euc-kr",      "iso-2022-kr",  "gb2312",       "gbk",          "gb18030",
		"big5",        "utf-7",        "windows-1256", "tis-620"
	};
	static iconv_t open[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!open[i])
			open[i] = iconv_open("UTF-8", names[i]);
}

static void put_utf8(struct buf *out, struct slice text)
{
	while (text.n) {
		size_t n = utf8_length(text);

		if (n && *text.p)
			buf_put(out, slice_of(text.p, n));
		else
			buf_put(out, SLICE("?"));
		text = slice_skip(text, n ? n : 1);
	}
}

static void convert(struct buf *out, struct slice text, iconv_t from)
{
	char room[4096], *in = (char *)(uintptr_t)text.p, *to;
	size_t left = text.n, space, r = 0;

	while (left) {
		to = room;
		space = sizeof(room);
		r = iconv(from, &in, &left, &to, &space);
		put_utf8(out, slice_of(room, sizeof(room) - space));
		if (r == (size_t)-1 && errno != E2BIG && left) {
			in++;
			left--;
			buf_put(out, SLICE("?"));
		}
	}
}

/* A name of ours is never a path or an option of iconv. */
static bool charset_fits(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return n > 0 && n < 32 && !name[n];
}

void decode_text(struct buf *out, struct slice text, const char *charset)
{
	iconv_t from = (iconv_t)-1;

	if (charset && charset_fits(charset) &&
	    !slice_eq_nocase(slice_str(charset), SLICE("utf-8")) &&
	    !slice_eq_nocase(slice_str(charset), SLICE("us-ascii")))
		from = iconv_open("UTF-8", charset);
	if (from == (iconv_t)-1) {
		put_utf8(out, text);
		return;
	}
	convert(out, text, from);
	(void)iconv_close(from);
}

/* ---- HTML -------------------------------------------------------------------------------- */

static bool tag_is(struct slice tag, const char *const *names)
{
	size_t n = 0;

	while (n < tag.n && n < 12 && tag.p[n] != ' ' && tag.p[n] != '\t' && tag.p[n] != '\r' &&
	       tag.p[n] != '\n' && (n == 0 || tag.p[n] != '/'))
		n++;
	for (; *names; names++)
		if (slice_eq_nocase(slice_of(tag.p, n), slice_str(*names)))
			return true;
	return false;
}

static size_t entity(struct buf *out, struct slice s)
{
	static const struct {
		const char *name, *text;
	} known[] = { { "&lt;", "<" },    { "&gt;", ">" },   { "&amp;", "&" },
		      { "&quot;", "\"" }, { "&nbsp;", " " }, { "&#39;", "'" },
		      { "&#64;", "@" },   { "&#x40;", "@" }, { "&#46;", "." } };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (slice_starts_nocase(s, slice_str(known[i].name))) {
			buf_put(out, slice_str(known[i].text));
			return strlen(known[i].name);
		}
	buf_put(out, SLICE("&"));
	return 1;
}

/* What stands between a <style> or <script> and its end is no text. */
static struct slice skip_hidden(struct slice rest)
{
	const char *end = rest.n ? memmem(rest.p, rest.n, "</", 2) : NULL;

	return end ? slice_skip(rest, (size_t)(end - rest.p)) : slice_of("", 0);
}

static struct slice take_tag(struct buf *out, struct slice rest)
{
	static const char *const lines[] = { "br",   "br/",   "p",      "/p",  "div", "/div",
					     "tr",   "/tr",   "li",     "/li", "h1",  "h2",
					     "h3",   "/h1",   "/h2",    "/h3", "hr",  "pre",
					     "/pre", "table", "/table", NULL };
	static const char *const hidden[] = { "style", "script", "title", NULL };
	struct slice tag = slice_take(&rest, '>');

	tag = slice_skip(tag, 1);
	if (tag_is(tag, lines))
		buf_put(out, SLICE("\n"));
	return tag_is(tag, hidden) ? skip_hidden(rest) : rest;
}

void decode_html(struct buf *out, struct slice rest)
{
	while (rest.n) {
		if (*rest.p == '<') {
			rest = take_tag(out, rest);
		} else if (*rest.p == '&') {
			rest = slice_skip(rest, entity(out, rest));
		} else {
			buf_put(out, slice_of(rest.p, 1));
			rest = slice_skip(rest, 1);
		}
	}
}
