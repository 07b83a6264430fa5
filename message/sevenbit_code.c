/* message/sevenbit_code.c - a body as quoted-printable or base64 (RFC 2045 sections 6.7 and
 * 6.8). */
#include "base/encode.h"
#include "message/sevenbit.h"

enum { COLUMN_MAX = 75, BASE64_LINE = 57, AT_ONCE = 4096 };

static bool is_crlf(struct slice s, size_t i)
{
	return i + 1 < s.n && s.p[i] == '\r' && s.p[i + 1] == '\n';
}

static bool is_literal(char c)
{
	return (c >= 0x20 && c < 0x7f && c != '=') || c == '\t';
}

/* Half as much again is what base64 costs, and more than quoted-printable may. */
bool sevenbit_wants_base64(struct slice body)
{
	size_t odd = 0;

	for (size_t i = 0; i < body.n; i++)
		odd += !is_literal(body.p[i]) && !is_crlf(body, i) && !(i && is_crlf(body, i - 1));
	return odd > body.n / 6;
}

/* May the byte at i stand for itself? */
static bool may_stay(struct slice s, size_t i, size_t column)
{
	char c = s.p[i];

	if (!is_literal(c) || (!column && c == '-'))
		return false;
	return (c != ' ' && c != '\t') || (i + 1 < s.n && !is_crlf(s, i + 1));
}

static char *put_coded(char *to, char c)
{
	*to = '=';
	hex_put_upper(to + 1, (unsigned char)c);
	return to + 3;
}

/* The byte at i, behind a soft line break where it needs one. */
static char *put_byte(char *to, struct slice s, size_t i, size_t *column)
{
	if (*column + (may_stay(s, i, *column) ? 1 : 3) > COLUMN_MAX) {
		memcpy(to, "=\r\n", 3);
		to += 3;
		*column = 0;
	}
	if (!may_stay(s, i, *column)) {
		*column += 3;
		return put_coded(to, s.p[i]);
	}
	*to = s.p[i];
	*column += 1;
	return to + 1;
}

int sevenbit_append_quoted(struct buf *out, struct slice body)
{
	size_t column = 0, i = 0;

	while (i < body.n) {
		size_t stop = MIN_OF(body.n, i + AT_ONCE);
		char *to;
		int r = buf_reserve(out, (AT_ONCE + 1) * 6);

		if (r < 0)
			return r;
		for (to = buf_tail(out); i < stop; i++) {
			if (is_crlf(body, i)) {
				memcpy(to, "\r\n", 2);
				to += 2;
				i++;
				column = 0;
			} else {
				to = put_byte(to, body, i, &column);
			}
		}
		buf_grow(out, (size_t)(to - buf_tail(out)));
	}
	return 0;
}

int sevenbit_append_base64(struct buf *out, struct slice body)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < body.n; i += BASE64_LINE) {
		r = base64_encode(out, slice_of(body.p + i, MIN_OF(body.n - i, BASE64_LINE)));
		if (r == 0)
			r = buf_append(out, SLICE("\r\n"));
	}
	return r;
}
