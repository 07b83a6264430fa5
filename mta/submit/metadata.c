/* mta/submit/metadata.c - the grammar of a flat JSON object. */
#include "mta/submit/metadata.h"

#include "base/encode.h"

static void skip_space(struct slice *s)
{
	while (s->n && strchr(" \t\r\n", *s->p) && *s->p)
		*s = slice_skip(*s, 1);
}

static bool take(struct slice *s, char c)
{
	if (!s->n || *s->p != c)
		return false;
	*s = slice_skip(*s, 1);
	return true;
}

static bool take_escape(struct slice *s)
{
	char c = s->n ? *s->p : '\0';

	if (!c || !strchr("\"\\/bfnrtu", c))
		return false;
	*s = slice_skip(*s, 1);
	for (unsigned i = 0; c == 'u' && i < 4; i++) {
		if (!s->n || hex_digit(*s->p) < 0)
			return false;
		*s = slice_skip(*s, 1);
	}
	return true;
}

static bool take_string(struct slice *s)
{
	if (!take(s, '"'))
		return false;
	while (s->n && *s->p != '"') {
		size_t n = utf8_length(*s);

		if (!n || (unsigned char)*s->p < ' ')
			return false;
		if (take(s, '\\')) {
			if (!take_escape(s))
				return false;
			continue;
		}
		*s = slice_skip(*s, n);
	}
	return take(s, '"');
}

static size_t take_digits(struct slice *s)
{
	size_t n = 0;

	for (; s->n && *s->p >= '0' && *s->p <= '9'; n++)
		*s = slice_skip(*s, 1);
	return n;
}

/* [ "-" ] int [ frac ] [ exp ] */
static bool take_number(struct slice *s)
{
	(void)take(s, '-');
	if (!take(s, '0') && !take_digits(s))
		return false;
	if (take(s, '.') && !take_digits(s))
		return false;
	if (!take(s, 'e') && !take(s, 'E'))
		return true;
	if (!take(s, '+'))
		(void)take(s, '-');
	return take_digits(s) > 0;
}

static bool take_value(struct slice *s)
{
	if (s->n && *s->p == '"')
		return take_string(s);
	return slice_strip(s, SLICE("true")) || slice_strip(s, SLICE("false")) ||
	       slice_strip(s, SLICE("null")) || take_number(s);
}

static bool take_member(struct slice *s)
{
	skip_space(s);
	if (!take_string(s))
		return false;
	skip_space(s);
	if (!take(s, ':'))
		return false;
	skip_space(s);
	if (!take_value(s))
		return false;
	skip_space(s);
	return true;
}

bool metadata_is_good(struct slice s)
{
	unsigned n = 0;

	skip_space(&s);
	if (!take(&s, '{'))
		return false;
	skip_space(&s);
	if (!take(&s, '}')) {
		do {
			if (++n > METADATA_MEMBERS_MAX || !take_member(&s))
				return false;
		} while (take(&s, ','));
		if (!take(&s, '}'))
			return false;
	}
	skip_space(&s);
	return !s.n;
}
