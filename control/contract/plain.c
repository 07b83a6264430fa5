/* control/contract/plain.c - which characters a text may hold, and how many it has. */
#include "control/contract/plain.h"

#include "base/encode.h"

size_t plain_length(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80; /* not the middle of a character */
	return n;
}

bool plain_text(struct slice s, bool lines)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if (b == 0x7f || (b < 0x20 && (!lines || (b != '\n' && b != '\r' && b != '\t'))))
			return false;
	}
	return utf8_valid(s);
}

static bool is_control(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} controls[] = {
		{ 0x00, 0x1f },       { 0x7f, 0x9f },       { 0x61c, 0x61c },
		{ 0x200e, 0x200f },   { 0x2028, 0x2029 },   { 0x202a, 0x202e },
		{ 0x2066, 0x206f },   { 0xfff9, 0xfffb },   { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0001, 0xe0001 },
	};

	/* U+FDD0 to U+FDEF and the last two of every plane are no characters. */
	if ((c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe)
		return true;

	for (size_t i = 0; i < ARRAY_LEN(controls); i++)
		if (c >= controls[i].first && c <= controls[i].last)
			return true;
	return false;
}

bool plain_line(struct slice s)
{
	size_t n;

	for (; s.n; s = slice_skip(s, n)) {
		n = utf8_length(s);
		if (!n || is_control(utf8_code_point(s)))
			return false;
	}
	return true;
}
