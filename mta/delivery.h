/* mta/delivery.h - one transaction's memory and message; deliver.c decides who goes and hands over.
 * Owns:    deliveries are kept for reuse, their buffers with them.
 * Blocks:  delivery_build() on the key folder (see shelf.h). */
#pragma once
#include "mta/channel.h"

enum { DELIVERY_RCPTS_MAX = 50 };

struct delivery {
	struct txn txn;
	struct list link;
	struct chunk *chunk;
	struct content *content;
	struct buf head, message;
	bool many;
	rcpt_ref one_ref, *refs;
	struct txn_rcpt one, *rcpts;
};

struct delivery *delivery_new(struct work *w,
			      bool many); /* many: more than one recipient is possible */
void delivery_rest(struct work *w,
		   struct delivery *d); /* gives chunk and content back; d may be lent again */
void delivery_init(struct work *w);
void delivery_free_spares(struct work *w);

/* Message and signatures for one recipient; txn has no recipient yet.  E_UNKNOWN: no key for the
 * domain that should sign; E_CONFLICT: the signature does not verify; E_CRYPTO, E_SYNTAX, E_LIMIT,
 * E_CORRUPT. */
int delivery_build(struct work *w, struct delivery *d, rcpt_ref ref) MUST_CHECK;
/* What becomes of the recipient when delivery_build() gave err. */
void delivery_cannot_build(struct work *w, const struct delivery *d, rcpt_ref ref, int err);
