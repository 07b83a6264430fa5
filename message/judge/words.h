/* message/judge/words.h - a reply's text as the words that patterns are compared with.
 *
 * Letters are folded: no case, no accents.  Words are runs of letters, digits and bytes that are no
 * ASCII; an apostrophe joins ("doesnt"), everything else separates.  A mail address is the one word
 * "@", so that nothing is read out of <spam@example.com>, and an IPv4 address the word "ipv4".  Reply
 * codes and enhanced statuses are no words; the first status is kept apart.
 *
 * Names:  judge_words_
 * Owns:   nothing: the words lie in the struct.
 * Fails:  never.
 * Limits: what is longer than JUDGE_TEXT_MAX bytes or JUDGE_WORDS_MAX words is cut there. */
#pragma once
#include "schema/wire/status.h"

enum { JUDGE_TEXT_MAX = 2048, JUDGE_WORDS_MAX = 384 };

struct judge_word {
	uint16_t at, n;
	uint32_t id; /* of a word that some pattern has; 0: none has it */
};
struct judge_words {
	unsigned n;
	struct status status; /* the first that the text names, if any */
	size_t used;
	struct judge_word word[JUDGE_WORDS_MAX];
	char bytes[JUDGE_TEXT_MAX + 8];
};
void judge_words_read(struct judge_words *w, struct slice text);
static inline struct slice judge_words_at(const struct judge_words *w, unsigned i)
{
	return slice_of(w->bytes + w->word[i].at, w->word[i].n);
}
/* One character of the text, folded: what it becomes is in out (at most 4 bytes), the number of
 * these in *ret_n (0: it joins what stands around it, -1: it separates).  Gives the bytes it
 * took. */
size_t judge_words_fold(struct slice s, char out[4], int *ret_n);
/* The enhanced status that s is, whole: "5.7.1". */
bool judge_words_status(struct slice s, struct status *ret);

/* The time that the text names for the next try, in seconds; 0: none. */
uint32_t judge_words_named_time(const struct judge_words *w);
