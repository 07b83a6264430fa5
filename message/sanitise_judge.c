/* message/sanitise_judge.c - is this URL, this style sheet, this value fit for mail? */
#include "base/encode.h"
#include "message/sanitise_int.h"

/* A Mustache tag in a value that was read; no text holds these bytes. */
enum { READ_SLOT = 1, READ_OPEN, READ_CLOSE, READ_CUT /* within an entity */, READ_OTHER = 0x80 };

/* ---- reading a value --------------------------------------------------------------------- */

/* The entities of characters that mean something in a URL or in CSS. */
static const struct {
	const char *name;
	char c;
} entities[] = {
	{ "amp", '&' },    { "AMP", '&' },    { "lt", '<' },     { "LT", '<' },
	{ "gt", '>' },     { "GT", '>' },     { "quot", '"' },   { "QUOT", '"' },
	{ "apos", '\'' },  { "colon", ':' },  { "Tab", '\t' },   { "NewLine", '\n' },
	{ "nbsp", ' ' },   { "lpar", '(' },   { "rpar", ')' },   { "sol", '/' },
	{ "bsol", '\\' },  { "period", '.' }, { "comma", ',' },  { "semi", ';' },
	{ "num", '#' },    { "quest", '?' },  { "excl", '!' },   { "ast", '*' },
	{ "midast", '*' }, { "equals", '=' }, { "percnt", '%' }, { "dollar", '$' },
	{ "commat", '@' }, { "plus", '+' },   { "lowbar", '_' }, { "UnderBar", '_' },
	{ "grave", '`' },  { "lcub", '{' },   { "lbrace", '{' }, { "rcub", '}' },
	{ "rbrace", '}' }, { "lsqb", '[' },   { "lbrack", '[' }, { "rsqb", ']' },
	{ "rbrack", ']' }, { "verbar", '|' }, { "vert", '|' },   { "Hat", '^' },
};

static int literal_at(const struct sanitise *z, size_t i, size_t to)
{
	return i < to && z->mark[i] == MARK_TEXT ? (unsigned char)z->s[i] : -1;
}

static bool is_word(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "&#58" at i; 0 when it is none. */
static size_t read_number(const struct sanitise *z, size_t i, size_t to, unsigned *ret)
{
	bool hex = ascii_lower((char)literal_at(z, i + 2, to)) == 'x';
	size_t from = i + 2 + hex, k = from;

	*ret = 0;
	for (;; k++) {
		int c = literal_at(z, k, to);
		int digit = c < 0 ? -1 : hex_digit((char)c);

		if (digit < 0 || (!hex && digit > 9))
			break;
		*ret = MIN_OF(*ret * (hex ? 16 : 10) + (unsigned)digit, 0x110000u);
	}
	if (k == from)
		return 0;
	return k + (literal_at(z, k, to) == ';') - i;
}

static size_t read_named(const struct sanitise *z, size_t i, size_t to, char *ret)
{
	size_t k = i + 1;

	while (is_word(literal_at(z, k, to)))
		k++;
	for (size_t n = 0; n < ARRAY_LEN(entities); n++)
		if (slice_eq(slice_of(z->s + i + 1, k - i - 1), slice_str(entities[n].name))) {
			*ret = entities[n].c;
			return k + (literal_at(z, k, to) == ';') - i;
		}
	return 0;
}

/* Is the entity at i cut by a tag, whose value may complete it? */
static bool is_cut(const struct sanitise *z, size_t i, size_t to)
{
	size_t k = i + 1;

	while (is_word(literal_at(z, k, to)) || literal_at(z, k, to) == '#')
		k++;
	return k < to && z->mark[k] != MARK_TEXT;
}

static void put(struct sanitise *z, char c)
{
	c = ascii_lower(c);
	buf_put(&z->scratch, slice_of(&c, 1));
}

static size_t read_entity(struct sanitise *z, size_t i, size_t to)
{
	unsigned code = 0;
	char c = '&';
	size_t n = 0;

	if (is_cut(z, i, to))
		put(z, READ_CUT);
	if (literal_at(z, i + 1, to) == '#') {
		n = read_number(z, i, to, &code);
		c = code > 0x7e ? (char)READ_OTHER : code < 0x20 ? '\t' : (char)code;
	} else {
		n = read_named(z, i, to, &c);
	}
	put(z, n ? c : '&');
	return n ? n : 1;
}

void sanitise_read(struct sanitise *z, size_t from, size_t to, bool entities_too)
{
	static const char tags[] = {
		[MARK_SLOT] = READ_SLOT, [MARK_OPEN] = READ_OPEN, [MARK_CLOSE] = READ_CLOSE
	};

	buf_clear(&z->scratch);
	for (size_t i = from; i < to;) {
		uint8_t mark = z->mark[i];

		if (mark == MARK_TEXT && z->s[i] == '&' && entities_too) {
			i += read_entity(z, i, to);
			continue;
		}
		if (mark == MARK_TEXT)
			put(z, (unsigned char)z->s[i] < 0x20 ? '\t' : z->s[i]);
		else if (mark <= MARK_CLOSE)
			put(z, tags[mark]);
		i++;
	}
}

/* ---- URLs -------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool scheme_is_fine(const char *scheme, size_t n, struct slice rest, bool image)
{
	static const char *const schemes[] = {
		"http",  "https", "mailto", "tel",      "sms",      "cid",
		"mid",   "ftp",   "geo",    "webcal",   "whatsapp", "tg",
		"viber", "skype", "callto", "facetime", "maps",     "x-apple-data-detectors"
	};

	if (image && n == 4 && memcmp(scheme, "data", 4) == 0)
		return slice_starts_nocase(rest, SLICE("image/"));
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strlen(schemes[i]) == n && memcmp(schemes[i], scheme, n) == 0)
			return true;
	return false;
}

/* A ":" is fine after the name of a scheme that is on the list, and behind a byte that no scheme has.
 * Sections may be kept or left out, so such a byte counts for what follows it in its own piece, and
 * for all that follows when it is outside of sections. */
struct url_reader {
	char scheme[32];
	size_t n; /* letters of the piece so far; more than the room when it is too long */
	unsigned depth;
	bool decided, piece_decided, image;
};

static void url_tag(struct url_reader *u, char tag)
{
	u->n = 0;
	if (tag == READ_SLOT)
		return;
	u->piece_decided = false;
	if (tag == READ_OPEN)
		u->depth++;
	else if (u->depth)
		u->depth--;
}

static void url_decide(struct url_reader *u)
{
	if (u->depth)
		u->piece_decided = true;
	else
		u->decided = true;
}

/* False: it is a ":" that must not be here. */
static bool url_byte(struct url_reader *u, char c, struct slice rest)
{
	if (is_word((unsigned char)c) || c == '+' || c == '-' || c == '.') {
		if (u->n < sizeof(u->scheme))
			u->scheme[u->n] = c;
		u->n++;
		return true;
	}
	if (c == ':' && !u->piece_decided &&
	    (u->n > sizeof(u->scheme) || !scheme_is_fine(u->scheme, u->n, rest, u->image)))
		return false;
	url_decide(u);
	return true;
}

bool sanitise_url_is_fine(struct slice value, bool image)
{
	struct url_reader u = { .image = image };

	for (size_t i = 0; i < value.n && !u.decided; i++) {
		char c = value.p[i];

		if (c == READ_CUT)
			return false;
		if (c >= READ_SLOT && c <= READ_CLOSE)
			url_tag(&u, c);
		else if (!is_blank(c) && !url_byte(&u, c, slice_skip(value, i + 1)))
			return false;
	}
	return true;
}

/* Candidates of srcset: each begins after a comma or white space. */
bool sanitise_set_is_fine(struct slice value)
{
	size_t from = 0;

	for (size_t i = 0; i <= value.n; i++) {
		if (i < value.n && !is_blank(value.p[i]) && value.p[i] != ',')
			continue;
		if (!sanitise_url_is_fine(slice_of(value.p + from, i - from), false))
			return false;
		from = i + 1;
	}
	return true;
}

bool sanitise_equiv_is_fine(struct slice value)
{
	static const char *const fine[] = {
		"content-type", "content-language", "x-ua-compatible",       "content-style-type",
		"cleartype",    "imagetoolbar",     "x-dns-prefetch-control"
	};

	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		if (slice_eq(slice_trim(value), slice_str(fine[i])))
			return true;
	return false;
}

bool sanitise_rel_is_fine(struct slice value)
{
	static const char *const fine[] = { "stylesheet", "icon",         "shortcut",
					    "preconnect", "dns-prefetch", "apple-touch-icon",
					    "canonical",  "alternate",    "author",
					    "license" };
	struct slice word;
	bool any = false;

	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ' && value.p[i] != '\t')
			return false;
	while ((word = slice_take(&value, ' ')).n || value.n) {
		bool found = !word.n;

		for (size_t i = 0; i < ARRAY_LEN(fine); i++)
			found |= slice_eq(word, slice_str(fine[i]));
		if (!found)
			return false;
		any = true;
	}
	return any;
}

/* ---- words that may be cut by sections --------------------------------------------------- */

/* Does the word stand in the value, with some of its sections left out?  The states are the numbers
 * of letters that were found, one bit each. */
static bool has_word(struct slice value, const char *word)
{
	size_t n = strlen(word);
	uint64_t at = 1, outside[16];
	unsigned depth = 0;

	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == READ_OPEN && depth < ARRAY_LEN(outside)) {
			outside[depth++] = at;
		} else if (c == READ_CLOSE && depth) {
			at |= outside[--depth];
		} else if (c > READ_CUT || c < 0) {
			uint64_t next = 1;
			for (size_t k = 0; k < n; k++)
				if ((at >> k & 1) && word[k] == c)
					next |= 1ULL << (k + 1);
			at = next;
		}
		if (at >> n & 1)
			return true;
	}
	return false;
}

static bool has_byte(struct slice s, char c)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == c)
			return true;
	return false;
}

static bool has_sections(struct slice value)
{
	return has_byte(value, READ_OPEN) || has_byte(value, READ_CLOSE);
}

static void drop_blanks(struct buf *b)
{
	char *p = b->p + b->start;
	size_t n = 0;

	for (size_t i = 0; i < buf_len(b); i++)
		if (!is_blank(p[i]))
			p[n++] = p[i];
	b->end = b->start + n;
}

static bool has_script_url(struct slice packed)
{
	static const char *const words[] = { "javascript:", "vbscript:", "livescript:", "mocha:" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (has_word(packed, words[i]))
			return true;
	return false;
}

bool sanitise_harmless(struct slice value)
{
	struct buf packed;
	bool fine;

	buf_init(&packed, 0);
	buf_put(&packed, value);
	drop_blanks(&packed);
	fine = !has_script_url(buf_data(&packed)) &&
	       !slice_starts_nocase(buf_data(&packed), SLICE("data:")) &&
	       !has_byte(value, READ_CUT);
	buf_free(&packed);
	return fine;
}

/* ---- CSS --------------------------------------------------------------------------------- */

/* Without comments, escapes and white space. */
static size_t css_escape(struct slice s, char *ret)
{
	unsigned code = 0;
	size_t n = 0;

	while (n < 6 && n < s.n && hex_digit(s.p[n]) >= 0)
		code = code * 16 + (unsigned)hex_digit(s.p[n++]);
	if (n == 0) {
		*ret = s.n ? s.p[0] : '\\';
		return s.n ? 1 : 0;
	}
	*ret = code > 0x7e ? (char)READ_OTHER : code < 0x20 ? '\t' : ascii_lower((char)code);
	return n + (n < s.n && is_blank(s.p[n]));
}

static size_t css_comment(struct slice s)
{
	for (size_t i = 2; i + 1 < s.n; i++)
		if (s.p[i] == '*' && s.p[i + 1] == '/')
			return i + 2;
	return s.n;
}

static void css_pack(struct buf *out, struct slice s)
{
	while (s.n) {
		char c = s.p[0];
		size_t n = 1;

		if (c == '/' && s.n > 1 && s.p[1] == '*') {
			s = slice_skip(s, css_comment(s));
			continue;
		}
		if (c == '\\')
			n += css_escape(slice_skip(s, 1), &c);
		if (!is_blank(c))
			buf_put(out, slice_of(&c, 1));
		s = slice_skip(s, n);
	}
}

static bool css_ident(char c)
{
	return is_word((unsigned char)c) || c == '-' || c == '_';
}

static bool find(struct slice s, const char *word, size_t *pos)
{
	size_t n = strlen(word);

	for (size_t i = *pos; i + n <= s.n; i++)
		if (memcmp(s.p + i, word, n) == 0) {
			*pos = i + n;
			return true;
		}
	return false;
}

/* The address after url( or @import, without its quotes: as much of it as decides. */
enum { ADDRESS_MAX = 128 };

static struct slice css_address(struct slice s)
{
	size_t n = 0;

	(void)slice_strip(&s, SLICE("url("));
	if (s.n && (s.p[0] == '"' || s.p[0] == '\''))
		s = slice_skip(s, 1);
	while (n < s.n && n < ADDRESS_MAX && !strchr("\"');", s.p[n]))
		n++;
	return slice_of(s.p, n);
}

static bool css_urls_are_fine(struct slice css)
{
	for (size_t pos = 0; find(css, "url(", &pos);) {
		struct slice url = css_address(slice_skip(css, pos));

		if (slice_starts_nocase(url, SLICE("data:")) &&
		    (slice_starts_nocase(url, SLICE("data:font/")) ||
		     slice_starts_nocase(url, SLICE("data:application/font")) ||
		     slice_starts_nocase(url, SLICE("data:application/x-font"))))
			continue;
		if (!sanitise_url_is_fine(url, true))
			return false;
	}
	for (size_t pos = 0; find(css, "@import", &pos);) {
		struct slice url = css_address(slice_skip(css, pos));

		if (!slice_starts_nocase(url, SLICE("http://")) &&
		    !slice_starts_nocase(url, SLICE("https://")) &&
		    !slice_starts_nocase(url, SLICE("//")))
			return false;
	}
	return true;
}

/* behavior: loads code, but for the one that draws VML.  scroll-behavior: is another property. */
static bool css_behaviors_are_fine(struct slice css)
{
	static const char *const names[] = { "behavior:", "behaviour:" };

	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		for (size_t pos = 0; find(css, names[k], &pos);) {
			size_t at = pos - strlen(names[k]);
			struct slice before = slice_of(css.p, at);
			bool other = at && css_ident(css.p[at - 1]);

			if (before.n >= 4 && memcmp(css.p + at - 4, "-ms-", 4) == 0)
				other = false;
			if (!other &&
			    !slice_starts_nocase(slice_skip(css, pos),
						 SLICE("url(#default#vml)")) &&
			    !slice_starts_nocase(slice_skip(css, pos),
						 SLICE("url(#default#ieooui)")))
				return false;
		}
	return true;
}

/* The value of a field must not name a property or a function. */
static bool css_slots_are_fine(struct slice css)
{
	for (size_t i = 0; i < css.n; i++) {
		size_t k = i + 1;

		if (css.p[i] != READ_SLOT)
			continue;
		while (k < css.n && (css_ident(css.p[k]) || css.p[k] == READ_SLOT))
			k++;
		if (k < css.n && (css.p[k] == ':' || css.p[k] == '('))
			return false;
	}
	return true;
}

static bool css_packed_is_fine(struct slice css)
{
	static const char *const never[] = { "expression(", "-moz-binding" };
	static const char *const in_sections[] = { "@import",
						   "behavior:", "behaviour:", "url(data:" };

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (has_word(css, never[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(in_sections) && has_sections(css); i++)
		if (has_word(css, in_sections[i]))
			return false;
	return !has_script_url(css) && css_urls_are_fine(css) && css_behaviors_are_fine(css) &&
	       css_slots_are_fine(css);
}

bool sanitise_css_is_fine(struct slice value)
{
	struct buf packed;
	bool fine;

	if (has_byte(value, READ_CUT))
		return false;
	buf_init(&packed, 0);
	css_pack(&packed, value);
	fine = css_packed_is_fine(buf_data(&packed));
	buf_free(&packed);
	return fine;
}
