/* control/auth/guessable.c - the cheapest reading of a password, from its front to its end. */
#include "control/auth/guessable.h"

#include <pthread.h>

#include "base/hash.h"

enum {
	LEN_MAX = 256,
	WORD_MIN = 3,
	WORD_MAX = 24,
	SLOTS = 1 << 15, /* above twice the words of the list */
	DIGIT = 33,      /* tenths of bits for a character that belongs to nothing */
	LETTER = 47,
	OTHER = 55,
	KNOWN = 20, /* a word that is about the person */
	YEAR = 70,
	RUN = 45, /* where a run begins, and which way it goes */
};

/* What guesses look like in letters: 0 is o, and 1 is i or l. */
enum guessable_reading { AS_WRITTEN, AS_I, AS_L, READINGS };

static struct {
	const char *word;
	uint16_t rank;
	uint8_t n;
} words[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	struct slice rest = slice_of(guessable_list, guessable_list_n);
	unsigned rank = 0;

	while (rest.n) {
		struct slice word = slice_take(&rest, '\n');
		uint64_t at = hash_keyed(word) % SLOTS;

		if (!word.n || word.n > WORD_MAX || rank > UINT16_MAX / 2)
			continue;
		while (words[at].word)
			at = (at + 1) % SLOTS;
		words[at].word = word.p;
		words[at].n = (uint8_t)word.n;
		words[at].rank = (uint16_t)++rank;
	}
}

/* 0: not in the list. */
static unsigned rank_of(struct slice word)
{
	for (uint64_t at = hash_keyed(word) % SLOTS; words[at].word; at = (at + 1) % SLOTS)
		if (slice_eq(word, slice_of(words[at].word, words[at].n)))
			return words[at].rank;
	return 0;
}

/* Tenths of bits, to within one; x > 0. */
static int log2_of(unsigned x)
{
	int whole = 31 - __builtin_clz(x);
	unsigned rest = whole ? (x - (1U << whole)) * 10U >> whole : 0;

	return whole * 10 + (int)rest;
}

/* ---- the characters ---------------------------------------------------------------------- */

static char lower(char b)
{
	return b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
}

static bool is_digit(char b)
{
	return b >= '0' && b <= '9';
}

static char letter_for(char b, enum guessable_reading as)
{
	static const char signs[] = "0@4358$79+|", letters[] = "oaaesbstgtl";
	const char *at = b ? strchr(signs, b) : NULL;

	if (as == AS_WRITTEN)
		return b;
	if (b == '1' || b == '!')
		return as == AS_I ? 'i' : 'l';
	return at ? letters[at - signs] : b;
}

static int cost_alone(char b)
{
	return is_digit(b) ? DIGIT : lower(b) >= 'a' && lower(b) <= 'z' ? LETTER : OTHER;
}

/* Rows of an American keyboard; their columns are runs too (1qaz). */
static const char *const keys[] = { "1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./" };

static bool key_at(char b, int *ret_x, int *ret_y)
{
	for (int y = 0; b && y < (int)ARRAY_LEN(keys); y++) {
		const char *at = strchr(keys[y], b);

		if (at) {
			*ret_x = (int)(at - keys[y]);
			*ret_y = y;
			return true;
		}
	}
	return false;
}

static bool near_on_keyboard(char a, char b)
{
	int ax, ay, bx, by;

	if (!key_at(a, &ax, &ay) || !key_at(b, &bx, &by))
		return false;
	return abs(ax - bx) <= 1 && abs(ay - by) <= 1;
}

/* From a to b in alphabet or digits, 9 to 0 too; 99: not at all. */
static int step_between(char a, char b)
{
	if (is_digit(a) && is_digit(b))
		return b == '0' && a == '9' ? 1 : a == '0' && b == '9' ? -1 : b - a;
	return is_digit(a) == is_digit(b) ? b - a : 99;
}

/* ---- readings of the piece text[at..at + n) ----------------------------------------------- */

struct guessable_reader {
	char text[READINGS][LEN_MAX];
	char raw[LEN_MAX];
	size_t n;
	int cost[LEN_MAX + 1];
	struct slice about[GUESSABLE_ABOUT_MAX];
	size_t n_about;
};

static void offer(struct guessable_reader *r, size_t at, size_t n, int price)
{
	r->cost[at + n] = MIN_OF(r->cost[at + n], r->cost[at] + price);
}

static int price_of_capitals(const struct guessable_reader *r, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++)
		if (r->raw[i] != r->text[AS_WRITTEN][i])
			return 10;
	return 0;
}

static bool is_about(const struct guessable_reader *r, struct slice piece)
{
	for (size_t i = 0; i < r->n_about; i++)
		for (size_t at = 0; at + piece.n <= r->about[i].n; at++)
			if (slice_eq_nocase(piece, slice_of(r->about[i].p + at, piece.n)))
				return piece.n > WORD_MIN || piece.n == r->about[i].n;
	return false;
}

static void read_words(struct guessable_reader *r, size_t at)
{
	for (size_t n = WORD_MIN; n <= WORD_MAX && at + n <= r->n; n++)
		for (int as = AS_WRITTEN; as < READINGS; as++) {
			struct slice piece = slice_of(r->text[as] + at, n);
			unsigned rank = rank_of(piece);
			int more = price_of_capitals(r, at, n) + (as == AS_WRITTEN ? 0 : 10);

			if (is_about(r, piece))
				offer(r, at, n, KNOWN + more);
			if (rank)
				offer(r, at, n, log2_of(rank) + 10 + more);
		}
}

/* aaaa, abcd, 9876, 2468; and paths over the keyboard. */
static void read_runs(struct guessable_reader *r, size_t at)
{
	const char *s = r->text[AS_WRITTEN] + at;
	size_t most = r->n - at, n = 2;
	int step = most > 1 ? step_between(s[0], s[1]) : 99;

	for (; abs(step) <= 2 && n < most && step_between(s[n - 1], s[n]) == step; n++)
		if (n + 1 >= 3)
			offer(r, at, n + 1, RUN + log2_of((unsigned)n + 1));
	for (n = 1; n < most && near_on_keyboard(s[n - 1], s[n]); n++)
		if (n + 1 >= 3)
			offer(r, at, n + 1, RUN + 5 * (int)(n + 1));
}

/* 1900 to 2049 */
static void read_year(struct guessable_reader *r, size_t at)
{
	const char *s = r->text[AS_WRITTEN] + at;

	if (r->n - at < 4 || !is_digit(s[2]) || !is_digit(s[3]))
		return;
	if ((s[0] == '1' && s[1] == '9') || (s[0] == '2' && s[1] == '0' && s[2] < '5'))
		offer(r, at, 4, YEAR);
}

/* The end of a block that was read costs little when it only says it again. */
static void read_repeats(struct guessable_reader *r, size_t end)
{
	const char *s = r->text[AS_WRITTEN];

	for (size_t block = 1; block <= end; block++)
		for (size_t n = 1; end + n * block <= r->n; n++) {
			if (memcmp(s + end - block, s + end + (n - 1) * block, block) != 0)
				break;
			offer(r, end, n * block, log2_of((unsigned)n) + 10);
		}
}

static void reader_open(struct guessable_reader *r, struct slice password)
{
	r->n = MIN_OF(password.n, (size_t)LEN_MAX);
	for (size_t i = 0; i < r->n; i++) {
		r->raw[i] = password.p[i];
		for (int as = AS_WRITTEN; as < READINGS; as++)
			r->text[as][i] =
			    letter_for(lower(password.p[i]), (enum guessable_reading)as);
		r->cost[i + 1] = INT32_MAX;
	}
}

int guessable_cost(struct slice password, const struct slice *about, size_t n_about)
{
	struct guessable_reader r = { .n_about = MIN_OF(n_about, (size_t)GUESSABLE_ABOUT_MAX) };

	(void)pthread_once(&once, load);
	for (size_t i = 0; i < r.n_about; i++)
		r.about[i] = about[i];
	reader_open(&r, password);
	for (size_t at = 0; at < r.n; at++) {
		offer(&r, at, 1, cost_alone(r.raw[at]));
		read_words(&r, at);
		read_runs(&r, at);
		read_year(&r, at);
		read_repeats(&r, at);
	}
	return r.cost[r.n];
}

bool guessable_password(struct slice password, const struct slice *about, size_t n_about)
{
	return guessable_cost(password, about, n_about) < GUESSABLE_BITS * 10;
}
