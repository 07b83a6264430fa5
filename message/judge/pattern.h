/* message/judge/pattern.h - what a rule looks for in a text: words in a row.
 *
 *	pattern = [ "^" ] 1*element [ "$" ]            ^ $: at the beginning, at the end of the text
 *	element = words / "[" words "]" / ".." / "..."  [ ]: may be missing
 *	                                               ..: up to 4 words of any kind, ...: up to 10
 *	words   = word *( "|" word )                   one of them
 *	word    = letters, digits, "*" for any part of one word; "@" is an address
 *
 * Owns:   judge_pattern_read() fills the caller's struct, which borrows the text.
 * Fails:  E_SYNTAX, and *ret_wrong says what is expected.
 * Limits: the cost of a match is words of the text x steps of the pattern, whatever either is:
 *         there is no backtracking.  JUDGE_STEPS steps. */
#pragma once
#include "message/judge/words.h"

enum { JUDGE_STEPS = 48, JUDGE_CHOICES = 96, JUDGE_PATTERN_MAX = 1024 };

struct judge_choice {
	struct slice text; /* folded */
	uint32_t id;       /* of a whole word; 0: it has a '*' */
};
struct judge_step {
	bool any, optional;
	uint16_t first, n; /* in choice[] */
};
struct judge_pattern {
	bool from_start, to_end;
	unsigned n, n_choices;
	struct judge_step step[JUDGE_STEPS];
	struct judge_choice choice[JUDGE_CHOICES];
	size_t used;
	char bytes[JUDGE_PATTERN_MAX]; /* of the choices */
};

int judge_pattern_read(struct judge_pattern *p, struct slice text,
		       const char **ret_wrong) MUST_CHECK;
/* The same match with steps and choices that lie elsewhere. */
struct judge_matcher {
	const struct judge_step *step;
	const struct judge_choice *choice;
	unsigned n;
	bool from_start, to_end;
};
bool judge_pattern_matches(const struct judge_matcher *m, const struct judge_words *w);
/* '*' stands for any run of bytes. */
bool judge_pattern_glob(struct slice glob, struct slice s);
