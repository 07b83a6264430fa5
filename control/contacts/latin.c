/* control/contacts/latin.c - counting what does not fit into Western words. */
#include "control/contacts/latin.h"

enum { RUN = 3, ESCAPE = 0x1b, NO_BREAK_SPACE = 0xa0 };

static bool is_small(unsigned char b)
{
	return (b >= 'a' && b <= 'z') || (b >= 0xdf && b != 0xf7) || b == 0x9a || b == 0x9c ||
	       b == 0x9e;
}

static bool is_capital(unsigned char b)
{
	return (b >= 'A' && b <= 'Z') || (b >= 0xc0 && b <= 0xde && b != 0xd7) || b == 0x8a ||
	       b == 0x8c || b == 0x8e || b == 0x9f;
}

static bool is_letter(unsigned char b)
{
	return is_small(b) || is_capital(b);
}

static bool among(unsigned char b, const unsigned char *set)
{
	while (*set && *set != b)
		set++;
	return *set;
}
/* Is the byte one of these? */
#define AMONG(b, ...) among((b), (const unsigned char[]){ __VA_ARGS__, 0 })

static bool is_sign(unsigned char b)
{
	return (b > 0xa0 && b < 0xc0) || b == 0x80 || b == 0xd7 || b == 0xf7;
}

/* An accented letter that ISO 8859-1 has too. */
static bool is_accented(unsigned char b)
{
	return b >= 0xc0 && is_letter(b);
}

/* Signs stand between words and numbers.  Only quotes touch quotes and accented letters. */
static bool is_sign_misfit(unsigned char before, unsigned char b, unsigned char after)
{
	bool quote = AMONG(b, 0xa1, 0xab, 0xbb, 0xbf);
	bool left = is_accented(before), right = is_accented(after);

	if (is_sign(before) && !(quote && AMONG(before, 0xa1, 0xab, 0xbb, 0xbf)))
		return true;
	if (is_sign(after) && !(quote && AMONG(after, 0xa1, 0xab, 0xbb, 0xbf)))
		return true;
	if (quote)
		return AMONG(b, 0xa1, 0xbf) && is_letter(before);
	if (AMONG(b, 0xaa, 0xad, 0xb0, 0xb4, 0xb7, 0xba)) /* ordinals, soft hyphen, dots */
		return left && right;
	if (b == 0xa3) /* the pound */
		return is_letter(after);
	return left || right || (is_letter(before) && is_letter(after));
}

/* Is the byte, which is no ASCII, in the wrong place between the two others? */
static bool is_misfit(unsigned char before, unsigned char b, unsigned char after)
{
	bool left = is_letter(before), right = is_letter(after);

	if (is_sign(b))
		return is_sign_misfit(before, b, after);
	if (AMONG(b, 0x81, 0x8d, 0x8f, 0x90, 0x9d)) /* not assigned */
		return true;
	if (AMONG(b, 0x82, 0x84)) /* low quotes */
		return left;
	if (AMONG(b, 0x83, 0x86, 0x87, 0x88, 0x89, 0x98)) /* florin, daggers, accents, per mille */
		return left || right;
	if (b < 0xa0 && is_capital(b))
		return is_small(before) || (left && is_small(after));
	if (is_letter(b) || AMONG(b, 0x91, 0x92))
		return false;
	return left && right;
}

static void take(struct latin_scan *s, unsigned char after)
{
	unsigned char b = s->last;

	if (b == ESCAPE && (after == '$' || after == '('))
		s->shifts = true;
	if (b >= 0x80 && b != NO_BREAK_SPACE) {
		s->high++;
		s->misfits += is_misfit(s->before, b, after);
	}
	s->run = b >= 0x80 && is_letter(b) ? s->run + 1 : 0;
	if (s->run == RUN)
		s->in_runs += RUN;
	else if (s->run > RUN)
		s->in_runs++;
	s->before = b;
	s->last = after;
}

void latin_scan(struct latin_scan *s, struct slice piece)
{
	for (size_t i = 0; i < piece.n; i++)
		take(s, (unsigned char)piece.p[i]);
}

bool latin_scan_end(struct latin_scan *s)
{
	take(s, '\n');
	return !s->shifts && (s->misfits == 0 || s->misfits * 3 < s->high) &&
	       s->in_runs * 2 <= s->high;
}
