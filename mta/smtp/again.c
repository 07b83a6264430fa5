/* mta/smtp/again.c - who may go again at once, whatever the reply says: recipients that are too
 * many for one transaction, and those who met a host that offers PIPELINING and cannot do it. */
#include "mta/smtp/session_int.h"

static bool has_words(const struct reply *re, const char *words)
{
	struct slice text;
	size_t pos = 0, n = strlen(words);

	while (reply_line(re, &pos, &text))
		for (size_t i = 0; i + n <= text.n; i++)
			if (slice_eq_nocase(slice_of(text.p + i, n), slice_of(words, n)))
				return true;
	return false;
}

/* ---- too many recipients ----------------------------------------------------------------- */

static bool says_too_many(const struct reply *re)
{
	return (re->status.subject == 5 && re->status.detail == 3) ||
	       has_words(re, "too many recipients");
}

/* 452, and 552 in the words of RFC 821, without a status: they mean it when nobody after is taken
 * either (RFC 5321 section 4.5.3.1.10). */
static bool may_mean_too_many(const struct reply *re)
{
	return (re->code == 452 || re->code == 552) && !status_given(re->status);
}

void again_refused(struct flight *f, unsigned rcpt, const struct reply *re)
{
	struct txn *t = f->txn;
	bool sure = says_too_many(re);

	/* When the host takes nobody at all, the next transaction would fare no better. */
	if (!f->accepted || re->code == 421 || !(sure || may_mean_too_many(re)))
		return;
	if (!sure && !f->unsure)
		f->unsure = (uint16_t)(rcpt + 1);
	t->rcpts[rcpt].again = AGAIN_NEXT_TXN;
	t->rcpts[rcpt].verdict.kind = VERDICT_DEFERRED;
	t->rcpts[rcpt].verdict.status = STATUS(4, 5, 3);
	if (!t->rcpts_taken)
		t->rcpts_taken = f->accepted;
}

void again_accepted(struct flight *f, unsigned rcpt)
{
	struct txn *t = f->txn;

	if (!f->unsure)
		return;
	for (unsigned i = f->unsure - 1U; i < rcpt; i++)
		t->rcpts[i].again = AGAIN_NO;
	t->rcpts_taken = 0;
	f->unsure = 0;
}

/* ---- a host that cannot do PIPELINING ---------------------------------------------------- */

static bool names_pipelining(const struct reply *re)
{
	return has_words(re, "pipelin") || has_words(re, "synchroni");
}

/* Our commands have their order and their syntax.  A host that was never seen to take them in a
 * group and finds fault with that has lost some, or has read several as one. */
bool again_faults_the_order(const struct reply *re)
{
	return (re->code >= 500 && re->code <= 504) ||
	       (re->code / 100 == 5 && re->status.subject == 5 &&
		(re->status.detail <= 2 || re->status.detail == 4));
}

static void give_way(struct session *s, struct txn *t)
{
	t->lock_step = true;
	s->ehlo.can &= ~(unsigned)EHLO_PIPELINING; /* for the rest of this session */
}

bool again_blames_group(struct session *s, struct flight *f, const struct reply *re)
{
	if (!(s->ehlo.can & EHLO_PIPELINING) && !f->txn->lock_step)
		return false;
	if (!names_pipelining(re) && (s->pipelines || !again_faults_the_order(re)))
		return false;
	give_way(s, f->txn);
	return true;
}

void again_group_worked(struct session *s, struct flight *f)
{
	if (!(s->ehlo.can & EHLO_PIPELINING) || f->txn->lock_step)
		return;
	s->pipelines = true;
	f->txn->pipelined = true;
}

void again_all_unjudged(struct flight *f, enum txn_again how)
{
	for (unsigned i = 0; i < f->txn->n_rcpts; i++)
		if (f->txn->rcpts[i].verdict.kind == VERDICT_NONE)
			f->txn->rcpts[i].again = how;
}

/* A host that takes groups otherwise fell silent in the middle of one, or lost all that came behind
 * a dot. */
static bool fell_silent(const struct session *s, const struct flight *f)
{
	return s->timed_out && (f->txn->answered || f->behind);
}

/* Commands of a group were unanswered when the session ended. */
void again_ended(struct session *s, struct flight *f)
{
	struct txn *t = f->txn;

	if (!(s->ehlo.can & EHLO_PIPELINING) || !f->pending || step_is_body(f->next) ||
	    (t->sent_data && !f->flies) || t->no_chunks || s->end.code == 421 ||
	    (s->pipelines && !fell_silent(s, f)))
		return;
	give_way(s, t);
	for (unsigned i = 0; i < t->n_rcpts; i++)
		if (t->rcpts[i].verdict.kind == VERDICT_BOUNCED)
			t->rcpts[i].again = AGAIN_LOCK_STEP;
}
