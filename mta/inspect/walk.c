/* mta/inspect/walk.c - walking the slab. */
#include "mta/inspect/walk.h"

struct walk walk_begin(struct lane *l, const struct selector *s)
{
	struct walk w = { .queue = queue_of(l), .selector = s };
	const struct domain *d;

	if (s->kind == SELECT_DOMAIN) {
		d = queue_find_domain(w.queue, s->domain);
		w.none = !d;
		w.domain = d ? d->index : 0;
	} else if (s->kind == SELECT_JOB || s->kind == SELECT_RCPT) {
		w.none = spool_find_job(w.queue->spool, s->job, &w.job) < 0;
	}
	return w;
}

static bool matches(const struct walk *w, const struct rcpt *r)
{
	if (r->state == RCPT_FREE || r->state == RCPT_DEAD)
		return false;
	switch (w->selector->kind) {
	case SELECT_ALL:
		return true;
	case SELECT_TENANT:
		return queue_flow_of(w->queue, r)->tenant == w->selector->number;
	case SELECT_CAMPAIGN:
		return queue_flow_of(w->queue, r)->campaign == w->selector->number;
	case SELECT_DOMAIN:
		return r->domain == w->domain;
	case SELECT_JOB:
		return r->job == w->job;
	case SELECT_RCPT:
		return r->job == w->job && r->row == w->selector->row;
	}
	return false;
}

struct rcpt *walk_next(struct walk *w, uint32_t looks)
{
	const struct slab *slab = &w->queue->slab;

	while (!w->none && w->next < slab->used && looks--) {
		struct rcpt *r = rcpt_at(slab, w->next++);
		if (matches(w, r))
			return r;
	}
	return NULL;
}

int64_t walk_wall_ms(const struct queue *q, int64_t mono_ms)
{
	return mono_ms - timers_now(q->loop->timers) + clock_wall_ms();
}
