/* spool/state.c - what a record means for the books: who is live, and in which segment. */
#include "spool/inside.h"

void state_gain(struct spool *sp, lsn_t lsn, uint64_t size)
{
	segment_of(sp, lsn)->live++;
	sp->t.live_bytes += size;
}

/* Something whose record is at lsn is no longer needed from there, because of a record that was
 * just appended (or read, in recovery). */
void state_lose(struct spool *sp, lsn_t lsn, uint64_t size)
{
	struct segment *seg = segment_of(sp, lsn);

	seg->live--;
	seg->dead_at = atomic_load(&sp->head);
	sp->t.live_bytes -= size;
}

static void content_ref(struct spool *sp, uint32_t i)
{
	struct kept_content *c = kept_content_at(&sp->t, i);

	if (c->refs++)
		return;
	state_gain(sp, c->lsn, c->size);
	sp->t.live_contents++;
}

static void content_unref(struct spool *sp, uint32_t i)
{
	struct kept_content *c = kept_content_at(&sp->t, i);

	if (--c->refs)
		return;
	state_lose(sp, c->lsn, c->size);
	sp->t.live_contents--;
}

void state_job_live(struct spool *sp, uint32_t i)
{
	struct kept_job *j = kept_job_at(&sp->t, i);

	state_gain(sp, j->lsn, j->size);
	content_ref(sp, j->content);
	sp->t.live_jobs++;
}

void state_job_moved(struct spool *sp, uint32_t i, lsn_t lsn, uint32_t size)
{
	struct kept_job *j = kept_job_at(&sp->t, i);

	state_lose(sp, j->lsn, j->size);
	j->lsn = lsn;
	j->size = size;
	state_gain(sp, lsn, size);
	segment_link_job(sp, i);
}

void state_job_ended(struct spool *sp, uint32_t i)
{
	struct kept_job *j = kept_job_at(&sp->t, i);

	j->state = JOB_DONE;
	kept_job_drop_state(j);
	state_lose(sp, j->lsn, j->size);
	content_unref(sp, j->content);
	j->content = NONE;
	sp->t.live_jobs--;
}

void state_content_moved(struct spool *sp, uint32_t i, lsn_t lsn)
{
	struct kept_content *c = kept_content_at(&sp->t, i);

	state_lose(sp, c->lsn, c->size);
	c->lsn = lsn;
	state_gain(sp, lsn, c->size);
	segment_link_content(sp, i);
}

void state_total(struct totals *t, enum outcome_kind kind)
{
	uint64_t *const total[] = {
		[OUTCOME_DELIVERED] = &t->delivered, [OUTCOME_BOUNCED] = &t->bounced,
		[OUTCOME_EXPIRED] = &t->expired,     [OUTCOME_CANCELLED] = &t->cancelled,
		[OUTCOME_DEFERRED] = &t->deferred,
	};

	++*total[kind];
}

/* The order of the log decides: the last record of a key holds its value.  A removal never needs a
 * copy: what it removes is older and leaves the log first. */
void state_rule(struct spool *sp, struct slice key, struct slice value, lsn_t lsn, uint32_t size)
{
	struct kept_rule *old = kept_rule_find(&sp->t, key), *rule;

	if (value.n) {
		rule = kept_rule_set(&sp->t, key, value);
		rule->lsn = lsn;
		rule->size = size;
		list_push(&segment_of(sp, lsn)->rules, &rule->seg);
		state_gain(sp, lsn, size);
	}
	if (!old)
		return;
	state_lose(sp, old->lsn, old->size);
	kept_rule_drop(&sp->t, old);
}

void state_consumer(struct spool *sp, struct slice name, lsn_t cursor, lsn_t lsn, uint32_t size)
{
	struct kept_consumer *c = kept_consumer_find(&sp->t, name);

	if (c)
		state_lose(sp, c->lsn, c->size);
	if (c && cursor == UINT64_MAX)
		kept_consumer_drop(&sp->t, c);
	if (cursor == UINT64_MAX)
		return;
	c = kept_consumer_set(&sp->t, name, cursor);
	c->lsn = lsn;
	c->size = size;
	state_gain(sp, lsn, size);
}
