/* base/encode.c - base64, hex and UTF-8. */
#include "base/encode.h"

static const char std_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int encode64(struct buf *out, struct slice in, const char *alphabet, bool pad)
{
	const unsigned char *p = (const unsigned char *)in.p;
	int r = buf_reserve(out, (in.n / 3 + 1) * 4);
	char *q;

	if (r < 0)
		return r;
	q = buf_tail(out);
	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = MIN_OF(in.n - i, (size_t)3);
		uint32_t w = (uint32_t)p[i] << 16;
		if (left > 1)
			w |= (uint32_t)p[i + 1] << 8;
		if (left > 2)
			w |= p[i + 2];
		*q++ = alphabet[w >> 18];
		*q++ = alphabet[w >> 12 & 63];
		if (left > 1)
			*q++ = alphabet[w >> 6 & 63];
		else if (pad)
			*q++ = '=';
		if (left > 2)
			*q++ = alphabet[w & 63];
		else if (pad)
			*q++ = '=';
	}
	buf_grow(out, (size_t)(q - buf_tail(out)));
	return 0;
}

static int decode64(struct buf *out, struct slice in, const char *alphabet, bool pad)
{
	uint32_t w = 0;
	unsigned bits = 0;
	int r;

	if (pad) {
		if (in.n % 4)
			return E_SYNTAX;
		for (int k = 0; k < 2 && in.n && in.p[in.n - 1] == '='; k++)
			in.n--;
	}
	if (in.n % 4 == 1)
		return E_SYNTAX;
	r = buf_reserve(out, in.n / 4 * 3 + 3);
	if (r < 0)
		return r;
	char *q = buf_tail(out);
	for (size_t i = 0; i < in.n; i++) {
		const char *at = in.p[i] ? strchr(alphabet, in.p[i]) : NULL;
		if (!at)
			return E_SYNTAX;
		w = w << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*q++ = (char)(w >> bits & 0xff);
		}
	}
	if (w & ((1u << bits) - 1))
		return E_SYNTAX;
	buf_grow(out, (size_t)(q - buf_tail(out)));
	return 0;
}

int base64_encode(struct buf *out, struct slice in)
{
	return encode64(out, in, std_alphabet, true);
}
int base64_decode(struct buf *out, struct slice in)
{
	return decode64(out, in, std_alphabet, true);
}
int base64url_encode(struct buf *out, struct slice in)
{
	return encode64(out, in, url_alphabet, false);
}
int base64url_decode(struct buf *out, struct slice in)
{
	return decode64(out, in, url_alphabet, false);
}

int hex_encode(struct buf *out, struct slice in)
{
	static const char digits[] = "0123456789abcdef";
	int r = buf_reserve(out, in.n * 2);

	if (r < 0)
		return r;
	char *q = buf_tail(out);
	for (size_t i = 0; i < in.n; i++) {
		*q++ = digits[(unsigned char)in.p[i] >> 4];
		*q++ = digits[(unsigned char)in.p[i] & 15];
	}
	buf_grow(out, in.n * 2);
	return 0;
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(struct buf *out, struct slice in)
{
	int r = buf_reserve(out, in.n / 2);

	if (in.n % 2)
		return E_SYNTAX;
	if (r < 0)
		return r;
	char *q = buf_tail(out);
	for (size_t i = 0; i < in.n; i += 2) {
		int hi = hex_digit(in.p[i]), lo = hex_digit(in.p[i + 1]);
		if (hi < 0 || lo < 0)
			return E_SYNTAX;
		*q++ = (char)(hi << 4 | lo);
	}
	buf_grow(out, in.n / 2);
	return 0;
}

int hex_u64(struct slice s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 16)
		return E_SYNTAX;
	for (size_t i = 0; i < s.n; i++) {
		int digit = hex_digit(s.p[i]);
		if (digit < 0 || s.p[i] != ascii_lower(s.p[i]))
			return E_SYNTAX;
		v = v << 4 | (uint64_t)digit;
	}
	*ret = v;
	return 0;
}

size_t utf8_length(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n;
	uint32_t c;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		n = 2;
		c = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		n = 3;
		c = p[0] & 0x0f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		n = 4;
		c = p[0] & 0x07;
	} else {
		return 0;
	}
	if (s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

bool utf8_valid(struct slice s)
{
	while (s.n > 0) {
		size_t n = utf8_length(s);
		if (n == 0)
			return false;
		s = slice_skip(s, n);
	}
	return true;
}

uint32_t utf8_code_point(struct slice s)
{
	const unsigned char *b = (const unsigned char *)s.p;
	size_t n = utf8_length(s);
	uint32_t c = n == 1 ? b[0] : n == 2 ? b[0] & 0x1f : n == 3 ? b[0] & 0x0f : b[0] & 0x07;

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (b[i] & 0x3f);
	return c;
}
