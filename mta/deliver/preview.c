/* mta/deliver/preview.c - building a message that is not sent. */
#include "mta/deliver/preview.h"

#include "mta/deliver/delivery.h"

static rcpt_ref find(const struct queue *q, const struct selector *s)
{
	job_no job;

	if (spool_find_job(q->spool, s->job, &job) < 0)
		return RCPT_NONE;
	for (rcpt_ref ref = 0; ref < q->slab.used; ref++) {
		const struct rcpt *r = rcpt_at(&q->slab, ref);
		if (r->state != RCPT_FREE && r->state != RCPT_DEAD && r->job == job &&
		    (s->kind != SELECT_RCPT || r->row == s->row))
			return ref;
	}
	return RCPT_NONE;
}

static int build(struct deliverer *dr, struct delivery *d, rcpt_ref ref, struct buf *ret)
{
	int r = contents_get(&dr->queue->contents, d->chunk->info.content, false, &d->content);

	if (r == 0)
		r = delivery_build(dr, d, ref, true);
	if (r < 0)
		return r;
	buf_put(ret, d->txn.head);
	buf_put(ret, d->txn.message);
	return 0;
}

int preview_message(struct lane *l, const struct selector *s, struct buf *ret, uint32_t *ret_row)
{
	struct deliverer *dr = lane_state(l, &deliver_part);
	rcpt_ref ref = find(dr->queue, s);
	struct delivery *d;
	struct chunk *k;
	int r;

	if (ref == RCPT_NONE)
		return E_UNKNOWN;
	*ret_row = queue_rcpt(dr->queue, ref)->row;
	r = chunks_get(&dr->queue->chunks, queue_rcpt(dr->queue, ref)->job, &k);
	if (r < 0)
		return r;
	d = delivery_new(dr, k->info.rows > 1);
	d->chunk = k;
	d->content = NULL;
	r = build(dr, d, ref, ret);
	delivery_rest(dr, d);
	return r;
}
