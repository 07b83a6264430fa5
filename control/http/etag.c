/* control/http/etag.c - reads lists of entity tags.
 *
 *	field      = "*" / #entity-tag              ; a list may have empty elements
 *	entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE
 *	etagc      = %x21 / %x23-7E / obs-text */
#include "control/http/etag.h"

#include <stdio.h>

static struct slice skip_blanks(struct slice s, bool commas)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || (commas && s.p[0] == ',')))
		s = slice_skip(s, 1);
	return s;
}

static bool is_etagc(char ch)
{
	unsigned char b = (unsigned char)ch;

	return b == 0x21 || (b >= 0x23 && b != 0x7f);
}

/* Takes one entity tag, its quotes included, off the front; false when there is none. */
static bool take(struct slice *s, struct slice *ret_tag, bool *ret_weak)
{
	size_t n = 1;

	*ret_weak = s->n > 1 && s->p[0] == 'W' && s->p[1] == '/';
	if (*ret_weak)
		*s = slice_skip(*s, 2);
	if (!s->n || s->p[0] != '"')
		return false;
	while (n < s->n && is_etagc(s->p[n]))
		n++;
	if (n == s->n || s->p[n] != '"')
		return false;
	*ret_tag = slice_of(s->p, n + 1);
	*s = skip_blanks(slice_skip(*s, n + 1), false);
	return !s->n || s->p[0] == ',';
}

bool etag_matches(struct slice field, int64_t version, bool weak)
{
	struct slice s = skip_blanks(field, true), tag;
	bool is_weak;
	char ours[32];

	(void)snprintf(ours, sizeof(ours), "\"%lld\"", (long long)version);
	if (s.n && s.p[0] == '*')
		return !skip_blanks(slice_skip(s, 1), false).n;
	while (s.n && take(&s, &tag, &is_weak)) {
		if (slice_eq(tag, slice_str(ours)) && (weak || !is_weak))
			return true;
		s = skip_blanks(s, true);
	}
	return false;
}
