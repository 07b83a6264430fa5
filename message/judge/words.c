/* message/judge/words.c - folds a text and cuts it into words. */
#include "message/judge/words.h"

#include "base/encode.h"

/* U+00C0 to U+017F. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
			    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllll"
			    "nnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static uint32_t code_point(struct slice s, size_t n)
{
	static const unsigned char lead[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (unsigned char)s.p[0] & lead[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
	return c;
}

static bool is_joiner(uint32_t c)
{
	return c == '\'' || c == 0x2019 || c == 0x00ad || c == 0x200b;
}

static bool is_separator(uint32_t c)
{
	return c < 0xc0 || (c >= 0x2000 && c < 0x2070) || (c >= 0x3000 && c < 0x3040) ||
	       (c >= 0xff00 && c < 0xff10) || c == 0xfeff || c == 0xfffd;
}

static int fold_ascii(char c, char *out)
{
	*out = ascii_lower(c);
	return (*out >= 'a' && *out <= 'z') || (*out >= '0' && *out <= '9') ? 1 : -1;
}

/* Cyrillic capitals lie 32 before the small letters, which are one byte value or two further. */
static uint32_t small_letter(uint32_t c)
{
	if (c >= 0x410 && c < 0x430)
		return c + 32;
	return c == 0x401 || c == 0x451 ? 0x435 : c;
}

size_t judge_words_fold(struct slice s, char out[4], int *ret_n)
{
	size_t n = utf8_length(s);
	/* A byte that is no UTF-8 is read as ISO 8859-1. */
	uint32_t c = n ? code_point(s, n) : (unsigned char)s.p[0];

	n = MAX_OF(n, (size_t)1);
	if (is_joiner(c)) {
		*ret_n = 0;
	} else if (c < 0x80) {
		*ret_n = fold_ascii((char)c, out);
	} else if (is_separator(c)) {
		*ret_n = -1;
	} else if (c < 0x180) {
		*ret_n = fold_ascii(latin[c - 0xc0], out);
	} else {
		memcpy(out, s.p, n);
		if (small_letter(c) != c) {
			c = small_letter(c);
			out[0] = (char)(0xc0 | c >> 6);
			out[1] = (char)(0x80 | (c & 0x3f));
		}
		*ret_n = (int)n;
	}
	return n;
}

static void end_word(struct judge_words *w, size_t from)
{
	if (w->used > from && w->n < JUDGE_WORDS_MAX)
		w->word[w->n++] =
		    (struct judge_word){ .at = (uint16_t)from, .n = (uint16_t)(w->used - from) };
}

/* "doesn't", "user's", "we're": an apostrophe joins when at most two letters follow.  It does not in
 * "l'adresse" and "n'existe". */
static bool joins(struct slice after)
{
	size_t n = 0;
	char c;

	while (n < after.n && n < 3 && fold_ascii(after.p[n], &c) > 0)
		n++;
	return n > 0 && n < 3;
}

static void add_words(struct judge_words *w, struct slice s)
{
	size_t from = w->used;
	char c[4];
	int n;

	while (s.n && w->used + sizeof(c) < sizeof(w->bytes)) {
		s = slice_skip(s, judge_words_fold(s, c, &n));
		if (n > 0) {
			memcpy(w->bytes + w->used, c, (size_t)n);
			w->used += (size_t)n;
		} else if (n < 0 || !joins(s)) {
			end_word(w, from);
			from = w->used;
		}
	}
	end_word(w, from);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool judge_words_status(struct slice s, struct status *ret)
{
	uint64_t n[3];
	struct slice part;

	for (unsigned i = 0; i < 3; i++) {
		part = slice_take(&s, '.');
		if (part.n > 3 || slice_u64(part, 999, &n[i]) < 0)
			return false;
	}
	if (s.n || (n[0] != 2 && n[0] != 4 && n[0] != 5))
		return false;
	*ret = STATUS((uint16_t)n[0], (uint16_t)n[1], (uint16_t)n[2]);
	return true;
}

/* "550" alone or "550-" in front of the rest. */
static struct slice without_code(struct slice chunk)
{
	if (chunk.n < 3 || (chunk.p[0] != '4' && chunk.p[0] != '5') || !is_digit(chunk.p[1]) ||
	    !is_digit(chunk.p[2]))
		return chunk;
	if (chunk.n == 3)
		return slice_skip(chunk, 3);
	return chunk.p[3] == '-' ? slice_skip(chunk, 4) : chunk;
}

static bool is_address(struct slice chunk)
{
	const char *at = memchr(chunk.p, '@', chunk.n);

	return at && at > chunk.p && at + 1 < chunk.p + chunk.n;
}

static bool is_ipv4(struct slice chunk)
{
	unsigned parts = 0;
	uint64_t n;

	while (chunk.n) {
		if (slice_u64(slice_take(&chunk, '.'), 255, &n) < 0)
			return false;
		parts++;
	}
	return parts == 4;
}

static void add_word(struct judge_words *w, struct slice word)
{
	if (w->used + word.n > sizeof(w->bytes))
		return;
	memcpy(w->bytes + w->used, word.p, word.n);
	w->used += word.n;
	end_word(w, w->used - word.n);
}

static void add_chunk(struct judge_words *w, struct slice chunk)
{
	struct status status;

	chunk = slice_trim_set(chunk, "#.!?*-");
	chunk = without_code(chunk);
	if (judge_words_status(slice_trim_set(chunk, "#.-"), &status)) {
		if (!status_given(w->status))
			w->status = status;
		return;
	}
	if (is_address(chunk))
		add_word(w, SLICE("@"));
	else if (is_ipv4(chunk))
		add_word(w, SLICE("ipv4"));
	else
		add_words(w, chunk);
}

static size_t chunk_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n && !memchr(" \t\r\n<>()[]{}\",;:=|", s.p[n], 19))
		n++;
	return n;
}

void judge_words_read(struct judge_words *w, struct slice text)
{
	w->n = 0;
	w->used = 0;
	w->status = STATUS(0, 0, 0);
	text.n = MIN_OF(text.n, (size_t)JUDGE_TEXT_MAX);
	while (text.n) {
		size_t n = chunk_length(text);
		if (n)
			add_chunk(w, slice_of(text.p, n));
		text = slice_skip(text, n < text.n ? n + 1 : n);
	}
}
