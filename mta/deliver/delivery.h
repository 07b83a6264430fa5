/* mta/deliver/delivery.h - one transaction's memory and message; deliver.c decides who goes and
 * hands over.
 * Owns:    deliveries are kept for reuse, their buffers with them.
 * Blocks:  delivery_build() on the key folder (see keys.h). */
#pragma once
#include "mta/deliver/deliverer.h"

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

struct delivery *delivery_new(struct deliverer *dr,
			      bool many); /* many: more than one recipient is possible */
void delivery_rest(struct deliverer *dr,
		   struct delivery *d); /* gives chunk and content back; d may be lent again */
void delivery_init(struct deliverer *dr);
void delivery_free_spares(struct deliverer *dr);

/* Message and signatures for one recipient; txn has no recipient yet.  E_UNKNOWN: no key for the
 * domain that should sign; E_CONFLICT: the signature does not verify; E_CRYPTO, E_SYNTAX, E_LIMIT,
 * E_CORRUPT. */
int delivery_build(struct deliverer *dr, struct delivery *d, rcpt_ref ref) MUST_CHECK;
/* What becomes of the recipient when delivery_build() gave err. */
void delivery_cannot_build(struct deliverer *dr, const struct delivery *d, rcpt_ref ref, int err);
