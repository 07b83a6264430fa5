/* base/blanks.c - which code points are not seen. */
#include "base/blanks.h"

#include "base/encode.h"

struct range {
	uint32_t first, last;
};

/* White_Space of Unicode (PropList.txt) and the controls.  NUL is left to those who refuse it. */
static const struct range blanks[] = {
	{ 0x01, 0x20 },     { 0x7f, 0xa0 },     { 0x1680, 0x1680 },
	{ 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f },
	{ 0x205f, 0x205f }, { 0x2800, 0x2800 }, { 0x3000, 0x3000 },
};
/* Default_Ignorable_Code_Point (DerivedCoreProperties.txt), and the marks of interlinear notes. */
static const struct range marks[] = {
	{ 0xad, 0xad },       { 0x34f, 0x34f },   { 0x61c, 0x61c },     { 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f }, { 0x200b, 0x200f },   { 0x202a, 0x202e },
	{ 0x2060, 0x206f },   { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

/* What can be taken off the ends of a name without a change in how the rest looks. */
static const struct range spaces[] = {
	{ 0x09, 0x0d },     { 0x20, 0x20 },     { 0x85, 0x85 },     { 0xa0, 0xa0 },
	{ 0x1680, 0x1680 }, { 0x2000, 0x200b }, { 0x2028, 0x2029 }, { 0x202f, 0x202f },
	{ 0x205f, 0x2060 }, { 0x2800, 0x2800 }, { 0x3000, 0x3000 }, { 0xfeff, 0xfeff },
};

static bool is_among(uint32_t c, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

static bool is_mark(const char *p, size_t n)
{
	return n > 1 && is_among(utf8_code_point(slice_of(p, n)), marks, ARRAY_LEN(marks));
}

static bool is_unseen(const char *p, size_t n)
{
	return n && (is_among(utf8_code_point(slice_of(p, n)), blanks, ARRAY_LEN(blanks)) ||
		     is_mark(p, n));
}

/* Length of the well-formed character that ends the text; 0 when there is none. */
static size_t last_length(struct slice s)
{
	for (size_t n = 1; n <= MIN_OF(s.n, (size_t)4); n++)
		if (utf8_length(slice_of(s.p + s.n - n, n)) == n)
			return n;
	return 0;
}

static bool is_space(const char *p, size_t n)
{
	return n && is_among(utf8_code_point(slice_of(p, n)), spaces, ARRAY_LEN(spaces));
}

static struct slice cut(struct slice s, bool (*goes)(const char *p, size_t n))
{
	size_t n;

	while (s.n && (n = utf8_length(s)) && goes(s.p, n))
		s = slice_skip(s, n);
	while (s.n && (n = last_length(s)) && goes(s.p + s.n - n, n))
		s.n -= n;
	return s;
}

struct slice blanks_trim(struct slice s)
{
	return cut(s, is_unseen);
}

struct slice blanks_strip(struct slice s)
{
	return cut(s, is_space);
}

bool blanks_is_mark(struct slice s)
{
	return is_mark(s.p, s.n);
}

int blanks_drop_marks(struct slice s, struct buf *out)
{
	int r = 0;

	while (s.n && r >= 0) {
		size_t n = MAX_OF(utf8_length(s), (size_t)1);

		if (!is_mark(s.p, n))
			r = buf_append(out, slice_of(s.p, n));
		s = slice_skip(s, n);
	}
	return r;
}
