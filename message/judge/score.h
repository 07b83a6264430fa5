/* message/judge/score.h - how well rules do on replies that people have labelled.
 *
 * The text is a table of lines with tabs between the cells; its first line names the columns:
 * reply and hardness (hard, soft), and optionally status, reply_code, provider and reason.  A
 * reason that is the name of a class is compared too.  Rows whose reason is "filtered" count
 * neither way.
 *
 * Owns:   nothing.
 * Fails:  E_SYNTAX with "name:line: what is wrong" in a text of JUDGE_ERROR_MAX bytes. */
#pragma once
#include "message/judge/judge.h"

struct judge_score {
	unsigned n;                      /* rows that count */
	unsigned hits, false_hard, lost; /* hard and called hard; called hard only; labelled only */
	unsigned same;                   /* called as labelled */
	unsigned classes, same_class;    /* rows whose reason is a class; called so */
};
struct judge_row {
	struct judge_reply reply;
	struct slice whole; /* the reply with its code */
	bool hard, class_given;
	enum judge_class class;
};
int judge_score(const struct judge *j, struct slice table, const char *name_for_errors,
		void (*differs)(void *context, const struct judge_row *row,
				const struct judgement *called),
		void *context, struct judge_score *ret, char *error) MUST_CHECK;
/* Of 1000; 1000 when there is nothing to share. */
unsigned judge_score_share(unsigned part, unsigned all);
static inline unsigned judge_score_recall(const struct judge_score *s)
{
	return judge_score_share(s->hits, s->hits + s->lost);
}
static inline unsigned judge_score_precision(const struct judge_score *s)
{
	return judge_score_share(s->hits, s->hits + s->false_hard);
}
/* "312 rows, recall 0.981, precision 0.990, agreement 0.985, classes 0.960 of 300". */
void judge_score_show(const struct judge_score *s, struct buf *out);

/* A reply code, enhanced status and text as people give them; what is none counts as not given. */
void judge_score_ask(struct judge_reply *ret, struct slice code, struct slice status,
		     struct slice text, struct slice provider);
