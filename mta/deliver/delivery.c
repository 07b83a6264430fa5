/* mta/deliver/delivery.c - the memory of transactions, lent and at rest. */
#include "mta/deliver/delivery.h"

enum { BUFFER_KEPT = 128 * 1024 };

struct delivery *delivery_new(struct deliverer *dr, bool many)
{
	struct list *l = list_pop(many ? &dr->spare_many : &dr->spare_one);
	struct delivery *d;

	if (l)
		return container_of(l, struct delivery, link);
	d = must_alloc(sizeof(*d));
	list_init(&d->link);
	buf_init(&d->head, 0);
	buf_init(&d->message, 0);
	buf_init(&d->recoded, 0);
	d->many = many;
	d->refs = many ? must_alloc(DELIVERY_RCPTS_MAX * sizeof(*d->refs)) : &d->one_ref;
	d->rcpts = many ? must_alloc(DELIVERY_RCPTS_MAX * sizeof(*d->rcpts)) : &d->one;
	return d;
}

static void delivery_destroy(struct delivery *d)
{
	buf_free(&d->head);
	buf_free(&d->message);
	buf_free(&d->recoded);
	if (d->many) {
		free(d->refs);
		free(d->rcpts);
	}
	free(d);
}

void delivery_rest(struct deliverer *dr, struct delivery *d)
{
	caps_leave(&d->caps);
	lids_leave(&d->lids);
	if (d->chunk->info.rows == 1)
		chunks_forget(&dr->queue->chunks, d->chunk->job); /* nobody else will read it */
	chunks_unref(&dr->queue->chunks, d->chunk);
	contents_unref(&dr->queue->contents, d->content);
	d->chunk = NULL;
	d->content = NULL;
	if (dr->freeing) {
		delivery_destroy(d);
		return;
	}
	buf_shrink(&d->head, BUFFER_KEPT);
	buf_shrink(&d->message, BUFFER_KEPT);
	buf_shrink(&d->recoded, BUFFER_KEPT);
	list_push_front(d->many ? &dr->spare_many : &dr->spare_one, &d->link);
}

void delivery_init(struct deliverer *dr)
{
	list_init(&dr->spare_one);
	list_init(&dr->spare_many);
}

void delivery_free_spares(struct deliverer *dr)
{
	struct list *l;

	while ((l = list_pop(&dr->spare_one)) || (l = list_pop(&dr->spare_many)))
		delivery_destroy(container_of(l, struct delivery, link));
}
