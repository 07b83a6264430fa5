/* mta/queue/wheel.c - the ring of seconds. */
#include "mta/queue/wheel.h"

void wheel_init(struct wheel *w, uint32_t now_s)
{
	*w = (struct wheel){ .slots = must_alloc(WHEEL_SLOTS * sizeof(struct fifo)),
			     .now_s = now_s,
			     .redo = WHEEL_SLOTS };
	for (unsigned i = 0; i < WHEEL_SLOTS; i++)
		fifo_init(&w->slots[i]);
	fifo_init(&w->due);
}

void wheel_free(struct wheel *w)
{
	free(w->slots);
}

void wheel_add(struct wheel *w, const struct slab *s, rcpt_ref ref)
{
	uint32_t due = rcpt_at(s, ref)->due_s;

	/* Slots up to now_s were emptied already. */
	if (due <= w->now_s)
		due = w->now_s + 1;
	fifo_push(s, &w->slots[due % WHEEL_SLOTS], ref);
	w->count++;
}

static void pass_slots(struct wheel *w, const struct slab *s, uint32_t now_s)
{
	uint32_t n = now_s > w->now_s ? now_s - w->now_s : 0;

	n = MIN_OF(n, (uint32_t)WHEEL_SLOTS);
	for (uint32_t i = 1; i <= n; i++)
		fifo_join(s, &w->due, &w->slots[(w->now_s + i) % WHEEL_SLOTS]);
	w->now_s = MAX_OF(now_s, w->now_s);
}

/* Before anybody is taken: who goes around again then meets no slot that is still to come. */
static void redo_slots(struct wheel *w, const struct slab *s, unsigned *looks)
{
	for (; *looks && w->redo < WHEEL_SLOTS; --*looks)
		fifo_join(s, &w->due, &w->slots[w->redo++]);
}

rcpt_ref wheel_take(struct wheel *w, const struct slab *s, uint32_t now_s, unsigned *looks)
{
	rcpt_ref ref;

	pass_slots(w, s, now_s);
	redo_slots(w, s, looks);
	for (; *looks && (ref = fifo_pop(s, &w->due)) != RCPT_NONE; --*looks) {
		const struct rcpt *r = rcpt_at(s, ref);
		w->count--;
		if (r->state == RCPT_DEAD || r->due_s <= w->now_s)
			return ref;
		wheel_add(w, s, ref); /* another round */
	}
	return RCPT_NONE;
}

void wheel_redo(struct wheel *w)
{
	w->redo = 0;
}
