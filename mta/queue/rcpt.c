/* mta/queue/rcpt.c - the slab of recipients, and lists of their numbers. */
#include "mta/queue/rcpt.h"

void slab_free(struct slab *s)
{
	for (size_t i = 0; i < s->n_chunks; i++)
		free(s->chunks[i]);
	free(s->chunks);
	*s = (struct slab){ .free = RCPT_NONE };
}

static void add_chunk(struct slab *s)
{
	if (s->n_chunks == s->cap_chunks) {
		s->cap_chunks = s->cap_chunks ? s->cap_chunks * 2 : 64;
		s->chunks = must_resize(s->chunks, s->cap_chunks * sizeof(struct slab_chunk *));
	}
	s->chunks[s->n_chunks] = must_alloc(sizeof(struct slab_chunk));
	s->chunks[s->n_chunks]->min_expires_s = UINT32_MAX;
	s->n_chunks++;
}

rcpt_ref rcpt_new(struct slab *s)
{
	rcpt_ref ref;

	s->live++;
	if (s->used && s->free != RCPT_NONE) {
		ref = s->free;
		s->free = rcpt_at(s, ref)->next;
	} else {
		if (!s->used)
			s->free = RCPT_NONE;
		ref = s->used++;
		if (ref >> SLAB_BITS == s->n_chunks)
			add_chunk(s);
	}
	*rcpt_at(s, ref) = (struct rcpt){ .next = RCPT_NONE };
	return ref;
}

void rcpt_free(struct slab *s, rcpt_ref ref)
{
	struct rcpt *r = rcpt_at(s, ref);

	assert(r->state != RCPT_FREE);
	r->state = RCPT_FREE;
	r->next = s->free;
	s->free = ref;
	s->live--;
}

void rcpt_set_expiry(struct slab *s, rcpt_ref ref, uint32_t expires_s)
{
	struct slab_chunk *c = s->chunks[ref >> SLAB_BITS];

	rcpt_at(s, ref)->expires_s = expires_s;
	c->min_expires_s = MIN_OF(c->min_expires_s, expires_s);
}

void fifo_append(const struct slab *s, struct fifo *to, struct fifo *from)
{
	if (!from->count)
		return;
	if (to->tail == RCPT_NONE)
		to->head = from->head;
	else
		rcpt_at(s, to->tail)->next = from->head;
	to->tail = from->tail;
	to->count += from->count;
	fifo_init(from);
}

void fifo_push(const struct slab *s, struct fifo *f, rcpt_ref ref)
{
	rcpt_at(s, ref)->next = RCPT_NONE;
	if (f->tail == RCPT_NONE)
		f->head = ref;
	else
		rcpt_at(s, f->tail)->next = ref;
	f->tail = ref;
	f->count++;
}

void fifo_push_front(const struct slab *s, struct fifo *f, rcpt_ref ref)
{
	rcpt_at(s, ref)->next = f->head;
	f->head = ref;
	if (f->tail == RCPT_NONE)
		f->tail = ref;
	f->count++;
}

rcpt_ref fifo_pop(const struct slab *s, struct fifo *f)
{
	rcpt_ref ref = f->head;

	if (ref == RCPT_NONE)
		return RCPT_NONE;
	f->head = rcpt_at(s, ref)->next;
	if (f->head == RCPT_NONE)
		f->tail = RCPT_NONE;
	f->count--;
	return ref;
}

void fifo_join(const struct slab *s, struct fifo *to, struct fifo *from)
{
	if (from->head == RCPT_NONE)
		return;
	if (to->tail == RCPT_NONE)
		to->head = from->head;
	else
		rcpt_at(s, to->tail)->next = from->head;
	to->tail = from->tail;
	to->count += from->count;
	fifo_init(from);
}
