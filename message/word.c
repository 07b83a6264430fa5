/* message/word.c - folding and encoded-words. */
#include "message/word.h"

#include "base/encode.h"

enum {
	LINE_WIDTH = 78,         /* RFC 5322 section 2.1.1 */
	LINE_WIDTH_ENCODED = 76, /* RFC 2047 section 2 */
	WORD_MAX = 75,
	WORD_FRAME = 12, /* =?UTF-8?q??= */
};

size_t word_clean(char *dst, struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n;) {
		unsigned char c = (unsigned char)text.p[i];
		size_t k = utf8_length(slice_skip(text, i));
		if (k == 0) {
			memcpy(dst + n, "\xef\xbf\xbd", 3);
			n += 3;
			i++;
			continue;
		}
		if (c == '\t' || c == '\r' || c == '\n') {
			dst[n++] = ' ';
		} else if (c >= 0x20 && c != 0x7f) {
			memcpy(dst + n, text.p + i, k);
			n += k;
		}
		i += k;
	}
	return n;
}

bool word_is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e ||
		    (s.p[i] == '=' && i + 1 < s.n && s.p[i + 1] == '?'))
			return false;
	return true;
}

/* Spaces and a word, which folding moves to the next line together. */
static size_t unit_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] == ' ')
		n++;
	while (n < s.n && s.p[n] != ' ')
		n++;
	return n;
}

static bool is_foldable(struct slice s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		n = unit_length(slice_skip(s, i));
		if (n + 1 > LINE_WIDTH)
			return false;
	}
	return true;
}

static size_t write_folded(char *dst, struct slice s, unsigned col)
{
	size_t n = 0, k;

	for (size_t i = 0; i < s.n; i += k) {
		k = unit_length(slice_skip(s, i));
		/* The first word may go to a new line only with the space that stands before it. */
		if (col + k > LINE_WIDTH && (i > 0 || col > 1)) {
			memcpy(dst + n, "\r\n ", 3);
			n += i > 0 ? 2 : 3;
			col = i > 0 ? 0 : 1;
		}
		memcpy(dst + n, s.p + i, k);
		n += k;
		col += (unsigned)k;
	}
	return n;
}

static bool is_q_safe(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("!*+-/", c));
}

static size_t q_width(struct slice s)
{
	size_t w = 0;

	for (size_t i = 0; i < s.n; i++)
		w += is_q_safe((unsigned char)s.p[i]) || s.p[i] == ' ' ? 1 : 3;
	return w;
}

static size_t q_write(char *dst, struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (is_q_safe(c)) {
			dst[n++] = (char)c;
		} else if (c == ' ') {
			dst[n++] = '_';
		} else {
			dst[n++] = '=';
			hex_put_upper(dst + n, c);
			n += 2;
		}
	}
	return n;
}

static size_t b_write(char *dst, struct slice s)
{
	struct buf b = { 0 };
	size_t n;

	buf_init(&b, 0);
	b.p = dst;
	b.cap = (s.n / 3 + 1) * 4;
	n = base64_encode(&b, s) < 0 ? 0 : buf_len(&b); /* there is room enough */
	return n;
}

/* How many bytes of s, in whole characters, fit a payload of `room`. */
static size_t take(struct slice s, size_t room, bool q)
{
	size_t n = 0, width = 0, k;

	for (; n < s.n; n += k) {
		k = utf8_length(slice_skip(s, n));
		k = MAX_OF(k, (size_t)1);
		width = q ? width + q_width(slice_of(s.p + n, k)) : (n + k + 2) / 3 * 4;
		if (width > room)
			break;
	}
	return n;
}

size_t word_write_encoded(char *dst, struct slice s, unsigned *col)
{
	bool q = q_width(s) <=
		 2 * s.n; /* Q stays readable in the source, unless most of the text is not Latin */
	size_t n = 0;

	while (s.n) {
		size_t room = LINE_WIDTH_ENCODED - MIN_OF(*col, (unsigned)LINE_WIDTH_ENCODED);
		size_t k = 0;
		room = MIN_OF(room, (size_t)WORD_MAX);
		if (room >= WORD_FRAME + 12) /* 12: one character of 4 bytes */
			k = take(s, room - WORD_FRAME, q);
		if (k == 0) { /* no character fits this line */
			memcpy(dst + n, "\r\n ", 3);
			n += 3;
			*col = 1;
			continue;
		}
		size_t start = n;
		memcpy(dst + n, q ? "=?UTF-8?q?" : "=?UTF-8?b?", 10);
		n += 10;
		n += q ? q_write(dst + n, slice_of(s.p, k)) : b_write(dst + n, slice_of(s.p, k));
		memcpy(dst + n, "?=", 2);
		n += 2;
		*col += (unsigned)(n - start);
		s = slice_skip(s, k);
		if (s.n) /* white space between adjacent encoded-words is not shown */
			*col = LINE_WIDTH_ENCODED;
	}
	return n;
}

size_t word_write(char *dst, struct slice s, unsigned col)
{
	s = slice_trim_set(s, " ");
	if (word_is_plain(s) && is_foldable(s))
		return write_folded(dst, s, col);
	return word_write_encoded(dst, s, &col);
}

int word_put(struct slice text, unsigned col, struct buf *out)
{
	OWNED_MEM char *clean = NULL;
	size_t n;
	int r;

	if (text.n > 65536)
		return E_LIMIT;
	clean = malloc(3 * text.n + 1);
	if (!clean)
		return -ENOMEM;
	n = word_clean(clean, text);
	r = buf_reserve(out, WORD_BOUND(n));
	if (r < 0)
		return r;
	buf_grow(out, word_write(buf_tail(out), slice_of(clean, n), col));
	return 0;
}
