/* The keywords of an EHLO reply that we use. */
#include "mta/smtp/ehlo.h"

static const struct keyword {
	const char *name;
	unsigned bit;
} keywords[] = {
	{ "PIPELINING", EHLO_PIPELINING },
	{ "SIZE", EHLO_SIZE },
	{ "8BITMIME", EHLO_8BITMIME },
	{ "STARTTLS", EHLO_STARTTLS },
	{ "SMTPUTF8", EHLO_SMTPUTF8 },
	{ "ENHANCEDSTATUSCODES", EHLO_ENHANCED },
	{ "CHUNKING", EHLO_CHUNKING },
	{ "REQUIRETLS", EHLO_REQUIRETLS },
	{ "DSN", EHLO_DSN },
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice next_word(struct slice *s)
{
	struct slice word;

	while (s->n && is_space(*s->p))
		*s = slice_skip(*s, 1);
	word = slice_of(s->p, 0);
	while (s->n && !is_space(*s->p)) {
		*s = slice_skip(*s, 1);
		word.n++;
	}
	return word;
}

unsigned ehlo_keyword(struct slice word)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (slice_eq_nocase(word, slice_str(keywords[i].name)))
			return keywords[i].bit;
	return 0;
}

void ehlo_parse(const struct reply *re, struct ehlo *ret)
{
	struct slice line;
	size_t pos = 0;

	*ret = (struct ehlo){ 0 };
	(void)reply_line(re, &pos, &line);
	while (reply_line(re, &pos, &line)) {
		unsigned bit = ehlo_keyword(next_word(&line));

		if (bit == EHLO_SIZE && !(ret->can & EHLO_SIZE) &&
		    slice_u64(next_word(&line), UINT64_MAX, &ret->size_max) < 0)
			ret->size_max = 0;
		ret->can |= bit;
	}
}

void ehlo_ignore(struct ehlo *e, unsigned bits)
{
	e->can &= ~bits;
	if (bits & EHLO_SIZE)
		e->size_max = 0;
}
