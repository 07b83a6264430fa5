/* control/contacts/charset.c - recognising and decoding UTF-8, UTF-16 and windows-1252. */
#include "control/contacts/charset.h"

#include "base/encode.h"

enum { REPLACEMENT = 0xfffd, DECODE_STEP = 16 * 1024, TITLE_UNITS = 4, TITLE_BYTES = 16 };

static const char *const names[] = {
	"",
	[CHARSET_UTF8] = "utf-8",
	[CHARSET_UTF16LE] = "utf-16le",
	[CHARSET_UTF16BE] = "utf-16be",
	[CHARSET_WINDOWS_1252] = "windows-1252",
};

const char *charset_name(enum charset c)
{
	return (unsigned)c < ARRAY_LEN(names) ? names[c] : "";
}

/* ---- recognising ------------------------------------------------------------------------- */

struct front {
	unsigned n;
	unsigned char bytes[4];
};

static bool begins(struct slice s, const struct front *with)
{
	return s.n >= with->n && memcmp(s.p, with->bytes, with->n) == 0;
}

/* xlsx and ods (zip), xls, PDF, PNG, gzip, UTF-32. */
static bool is_binary(struct slice head)
{
	static const struct front fronts[] = {
		{ 4, { 'P', 'K', 3, 4 } },     { 4, { 0xd0, 0xcf, 0x11, 0xe0 } },
		{ 4, { '%', 'P', 'D', 'F' } }, { 4, { 0x89, 'P', 'N', 'G' } },
		{ 2, { 0x1f, 0x8b } },         { 4, { 0xff, 0xfe, 0, 0 } },
		{ 4, { 0, 0, 0xfe, 0xff } },
	};

	for (size_t i = 0; i < ARRAY_LEN(fronts); i++)
		if (begins(head, &fronts[i]))
			return true;
	return false;
}

/* Titles are Latin in most files whose names are not: the first characters tell. */
static enum charset by_titles(struct slice head)
{
	unsigned zeros[2] = { 0, 0 };

	for (size_t i = 0; i < 2 * TITLE_UNITS && i < head.n; i++)
		zeros[i & 1] += head.p[i] == '\0';
	if (zeros[0] == 0 && zeros[1] == TITLE_UNITS)
		return CHARSET_UTF16LE;
	return zeros[1] == 0 && zeros[0] == TITLE_UNITS ? CHARSET_UTF16BE : 0;
}

/* Text in UTF-16 that is mostly Latin has a zero in nearly every other byte, and none elsewhere. */
static enum charset by_zeros(struct slice head)
{
	size_t zeros[2] = { 0, 0 }, pairs = MIN_OF(head.n, (size_t)CHARSET_HEAD) / 2;

	for (size_t i = 0; i < 2 * pairs; i++)
		zeros[i & 1] += head.p[i] == '\0';
	if (pairs >= 4 && zeros[0] == 0 && zeros[1] * 10 >= pairs * 7)
		return CHARSET_UTF16LE;
	if (pairs >= 4 && zeros[1] == 0 && zeros[0] * 10 >= pairs * 7)
		return CHARSET_UTF16BE;
	return by_titles(head);
}

static bool has_zero(struct slice s)
{
	return s.n && memchr(s.p, '\0', s.n);
}

static void look_at_head(struct charset_scan *s, struct slice head)
{
	static const struct front utf8 = { 3, { 0xef, 0xbb, 0xbf } };
	static const struct front utf16le = { 2, { 0xff, 0xfe } };
	static const struct front utf16be = { 2, { 0xfe, 0xff } };

	s->begun = true;
	if (is_binary(head))
		s->binary = true;
	else if (begins(head, &utf8))
		s->sure = CHARSET_UTF8;
	else if (begins(head, &utf16le))
		s->sure = CHARSET_UTF16LE;
	else if (begins(head, &utf16be))
		s->sure = CHARSET_UTF16BE;
	else
		s->sure = by_zeros(head);
	/* UTF-16 of other titles, UTF-32 without a mark */
	if (!s->sure && has_zero(slice_of(head.p, MIN_OF(head.n, (size_t)TITLE_BYTES))))
		s->binary = true;
}

static size_t ascii_length(struct slice s)
{
	size_t n = 0;
	uint64_t word;

	for (; n + sizeof(word) <= s.n; n += sizeof(word)) {
		memcpy(&word, s.p + n, sizeof(word));
		if (word & 0x8080808080808080U)
			break;
	}
	while (n < s.n && !(s.p[n] & 0x80))
		n++;
	return n;
}

/* Counts; what may be the front of a character is left unless this is the end.  Returns how much
 * was counted. */
static size_t count(struct charset_scan *s, struct slice in, bool end)
{
	size_t at = 0, n;

	while (at < in.n) {
		at += ascii_length(slice_skip(in, at));
		if (at == in.n || (!end && in.n - at < sizeof(s->carry)))
			break;
		n = utf8_length(slice_skip(in, at));
		s->good += n > 0;
		s->bad += n == 0;
		at += MAX_OF(n, (size_t)1);
	}
	return at;
}

void charset_scan(struct charset_scan *s, struct slice piece)
{
	if (!s->begun)
		look_at_head(s, piece);
	if (s->sure || s->binary)
		return;
	latin_scan(&s->latin, piece);
	while (s->n_carry && piece.n) { /* byte by byte until what was left is counted */
		size_t done;

		s->carry[s->n_carry++] = *piece.p;
		piece = slice_skip(piece, 1);
		done = count(s, slice_of(s->carry, s->n_carry), false);
		memmove(s->carry, s->carry + done, s->n_carry - done);
		s->n_carry -= (unsigned)done;
	}
	if (piece.n) {
		struct slice rest = slice_skip(piece, count(s, piece, false));

		if (rest.n)
			memcpy(s->carry, rest.p, rest.n);
		s->n_carry = (unsigned)rest.n;
	}
}

int charset_scan_end(struct charset_scan *s, enum charset *ret)
{
	bool latin = latin_scan_end(&s->latin);

	if (s->binary)
		return E_SYNTAX;
	(void)count(s, slice_of(s->carry, s->n_carry), true);
	s->n_carry = 0;
	if (!s->sure && (s->latin.shifts || (s->bad > s->good && !latin)))
		return E_UNKNOWN;
	*ret = s->sure ? s->sure : s->bad > s->good ? CHARSET_WINDOWS_1252 : CHARSET_UTF8;
	return 0;
}

/* ---- decoding ---------------------------------------------------------------------------- */

/* 0x80 to 0x9f; the five that are not assigned are the controls of that number, as browsers read
 * them. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
	0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
};

static void put(struct buf *out, uint32_t c)
{
	char b[4];
	size_t n = 0;

	if (c < 0x80) {
		b[n++] = (char)c;
	} else {
		if (c < 0x800) {
			b[n++] = (char)(0xc0 | c >> 6);
		} else {
			if (c < 0x10000) {
				b[n++] = (char)(0xe0 | c >> 12);
			} else {
				b[n++] = (char)(0xf0 | c >> 18);
				b[n++] = (char)(0x80 | (c >> 12 & 0x3f));
			}
			b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		}
		b[n++] = (char)(0x80 | (c & 0x3f));
	}
	memcpy(buf_tail(out), b, n);
	buf_grow(out, n);
}

static uint32_t unit(const struct charset_decoder *d, unsigned at)
{
	const unsigned char *b = d->carry + at;

	return d->from == CHARSET_UTF16LE ? (uint32_t)(b[0] | b[1] << 8)
					  : (uint32_t)(b[0] << 8 | b[1]);
}

/* What the carried bytes stand for, once they are whole. */
static void put_utf16(struct charset_decoder *d, struct buf *out)
{
	uint32_t high, low;

	if (d->n_carry < 2)
		return;
	high = unit(d, 0);
	if (high < 0xd800 || high > 0xdfff) {
		put(out, high);
		d->n_carry = 0;
	} else if (high > 0xdbff) {
		put(out, REPLACEMENT);
		d->n_carry = 0;
	} else if (d->n_carry == 4) {
		low = unit(d, 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			put(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
			d->n_carry = 0;
			return;
		}
		put(out, REPLACEMENT); /* half of a pair; the second unit stands for itself */
		memmove(d->carry, d->carry + 2, 2);
		d->n_carry = 2;
		put_utf16(d, out);
	}
}

static void decode(struct charset_decoder *d, struct slice in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (d->from == CHARSET_WINDOWS_1252) {
			put(out, c >= 0x80 && c < 0xa0 ? windows_1252[c - 0x80] : c);
			continue;
		}
		d->carry[d->n_carry++] = c;
		if (d->n_carry % 2 == 0)
			put_utf16(d, out);
	}
}

int charset_decode(struct charset_decoder *d, struct slice piece, bool last, struct buf *out)
{
	int r = 0;

	if (d->from == CHARSET_UTF8)
		return buf_append(out, piece);
	while (piece.n && r >= 0) {
		struct slice step = slice_of(piece.p, MIN_OF(piece.n, (size_t)DECODE_STEP));

		r = buf_reserve(out, 3 * step.n + 8); /* 3 bytes a unit at most, and one carried */
		if (r >= 0)
			decode(d, step, out);
		piece = slice_skip(piece, step.n);
	}
	if (r < 0 || !last || !d->n_carry)
		return r;
	r = buf_reserve(out, 4);
	if (r >= 0)
		put(out, REPLACEMENT);
	d->n_carry = 0;
	return r;
}
