/* message/judge/named_time.c - "try again in 5 minutes": when a text asks for the next try.
 *
 * A number counts only with a unit behind it and a word of asking before it, so that "unable to
 * deliver in 840 minutes" names no time. */
#include "message/judge/words.h"

enum { LOOK_BACK = 8, MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* clang-format off */
static const struct {
	const char *word;
	uint32_t s;
} units[] = {
	{ "s", 1 }, { "sec", 1 }, { "secs", 1 }, { "second", 1 }, { "seconds", 1 },
	{ "sekunden", 1 }, { "secondes", 1 }, { "segundos", 1 }, { "secondi", 1 }, { "seconden", 1 },
	{ "m", MINUTE }, { "min", MINUTE }, { "mins", MINUTE }, { "minute", MINUTE }, { "minutes", MINUTE },
	{ "minuten", MINUTE }, { "minutos", MINUTE }, { "minuti", MINUTE }, { "minuut", MINUTE },
	{ "h", HOUR }, { "hr", HOUR }, { "hrs", HOUR }, { "hour", HOUR }, { "hours", HOUR },
	{ "stunde", HOUR }, { "stunden", HOUR }, { "heure", HOUR }, { "heures", HOUR }, { "hora", HOUR },
	{ "horas", HOUR }, { "ora", HOUR }, { "ore", HOUR }, { "uur", HOUR },
	{ "d", DAY }, { "day", DAY }, { "days", DAY }, { "tag", DAY }, { "tagen", DAY }, { "jour", DAY },
	{ "jours", DAY }, { "dia", DAY }, { "dias", DAY }, { "giorno", DAY }, { "giorni", DAY },
};
static const char *const asking[] = {
	"again", "retry", "retries", "retried", "retrying", "try", "trying", "later", "wait", "back", "next",
	"greylisted", "graylisted", "greylisting", "graylisting", "greylist", "resend", "come", "reconnect",
	"erneut", "spater", "nochmal", "warten", "nouveau", "reessayer", "reessayez", "attendre", "nuevo",
	"reintente", "intente", "riprovare", "riprova", "novamente", "tente", "opnieuw",
};
/* clang-format on */

static bool is(const struct judge_words *w, unsigned i, const char *word)
{
	return slice_eq(judge_words_at(w, i), slice_str(word));
}

static uint32_t unit(struct slice word)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (slice_eq(word, slice_str(units[i].word)))
			return units[i].s;
	return 0;
}

static size_t digits(struct slice word)
{
	size_t n = 0;

	while (n < word.n && word.p[n] >= '0' && word.p[n] <= '9')
		n++;
	return n;
}

/* "90s", "2m30s": numbers with their units in one word; 0 when it is anything else. */
static uint32_t in_one_word(struct slice word)
{
	uint64_t number, sum = 0;

	while (word.n) {
		size_t n = digits(word), m = n;
		while (m < word.n && (word.p[m] < '0' || word.p[m] > '9'))
			m++;
		uint32_t s = unit(slice_of(word.p + n, m - n));
		if (!n || n > 6 || !s || slice_u64(slice_of(word.p, n), 999999, &number) < 0)
			return 0;
		sum += number * s;
		word = slice_skip(word, m);
	}
	return (uint32_t)MIN_OF(sum, (uint64_t)30 * DAY);
}

/* "90 seconds", or one word; *ret_words is how many words it took. */
static uint32_t one_part(const struct judge_words *w, unsigned i, unsigned *ret_words)
{
	struct slice word = judge_words_at(w, i);
	uint64_t number;
	uint32_t s;

	*ret_words = 1;
	if (digits(word) < word.n)
		return in_one_word(word);
	if (word.n > 6 || i + 1 == w->n || slice_u64(word, 999999, &number) < 0)
		return 0;
	s = unit(judge_words_at(w, i + 1));
	*ret_words = s && i + 2 < w->n && is(w, i + 2, "s") ? 3 : 2; /* "hour(s)" */
	return (uint32_t)MIN_OF(number * s, (uint64_t)30 * DAY);
}

/* "00:05:00" is three words of two digits. */
static uint32_t by_clock(const struct judge_words *w, unsigned i)
{
	uint32_t s = 0;
	uint64_t n;

	for (unsigned k = i; k < i + 3; k++) {
		struct slice word = k < w->n ? judge_words_at(w, k) : slice_of("", 0);
		if (word.n != 2 || slice_u64(word, 59, &n) < 0)
			return 0;
		s = s * 60 + (uint32_t)n;
	}
	return s;
}

static bool is_asked(const struct judge_words *w, unsigned i)
{
	for (unsigned k = i > LOOK_BACK ? i - LOOK_BACK : 0; k < i; k++)
		for (size_t a = 0; a < ARRAY_LEN(asking); a++)
			if (is(w, k, asking[a]))
				return true;
	return false;
}

/* "wait 5 minutes before ...": the asking may also follow at once. */
static bool is_asked_after(const struct judge_words *w, unsigned i)
{
	for (unsigned k = i; k < i + 4 && k < w->n; k++)
		if (is(w, k, "again") || is(w, k, "erneut") || is(w, k, "nouveau") ||
		    is(w, k, "retry") || is(w, k, "retrying"))
			return true;
	return false;
}

uint32_t judge_words_named_time(const struct judge_words *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		unsigned words, at = i;
		uint32_t s = 0, part;

		while (at < w->n && (part = one_part(w, at, &words)) != 0) {
			s = MIN_OF(s + part, (uint32_t)30 * DAY);
			at += words;
		}
		if (!s && (s = by_clock(w, i)) != 0)
			at = i + 3;
		if (s && (is_asked(w, i) || is_asked_after(w, at)))
			return s;
	}
	return 0;
}
