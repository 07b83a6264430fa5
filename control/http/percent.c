/* control/http/percent.c - percent-decoding, one pass. */
#include "control/http/percent.h"

#include "base/encode.h"

/* The next byte of in, which is not empty; -1 for a bad escape. */
static int take_byte(struct slice *in)
{
	int c = (unsigned char)in->p[0], hi, lo;

	if (c != '%') {
		*in = slice_skip(*in, 1);
		return c;
	}
	if (in->n < 3)
		return -1;
	hi = hex_digit(in->p[1]);
	lo = hex_digit(in->p[2]);
	*in = slice_skip(*in, 3);
	return hi < 0 || lo < 0 ? -1 : hi << 4 | lo;
}

int percent_decode(struct slice in, char *out, size_t size, struct slice *ret)
{
	size_t n = 0;

	while (in.n) {
		int c = take_byte(&in);

		if (c <= 0)
			return E_SYNTAX;
		if (n == size)
			return E_LIMIT;
		out[n++] = (char)c;
	}
	if (!utf8_valid(slice_of(out, n)))
		return E_SYNTAX;
	*ret = slice_of(out, n);
	return 0;
}

bool percent_equal(struct slice in, struct slice text)
{
	while (in.n && text.n) {
		if (take_byte(&in) != (unsigned char)text.p[0])
			return false;
		text = slice_skip(text, 1);
	}
	return !in.n && !text.n;
}
