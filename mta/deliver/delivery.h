/* mta/deliver/delivery.h - the memory and the message of one transaction; deliver.c decides who
 * goes, and hands it over.
 * Owns:    deliveries and their buffers, kept for reuse.
 * Blocks:  delivery_build() on the key folder (mta/deliver/keys.h).
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/deliverer.h"
#include "mta/site/caps.h"
#include "mta/site/lids.h"

enum { DELIVERY_RCPTS_MAX = 50 };

struct delivery {
	struct txn txn;
	struct list link;
	struct chunk *chunk;
	struct content *content;
	struct buf head, message, recoded;
	bool many;
	bool alone; /* its return path is that of its recipient: nobody else may go with it */
	char return_path[RETURNPATH_MAX];
	rcpt_ref one_ref, *refs;
	struct txn_rcpt one, *rcpts;
	struct caps_mail caps; /* those that bind it */
	struct lids_seat lids; /* at the limits of its tenant */
};

/* many: it may have more than one recipient. */
struct delivery *delivery_new(struct deliverer *dr, bool many);
/* Gives chunk and content back; d may be lent again. */
void delivery_rest(struct deliverer *dr, struct delivery *d);
void delivery_init(struct deliverer *dr);
void delivery_free_spares(struct deliverer *dr);

/* Message and signatures for one recipient, for a host that takes 8-bit mail or does not; txn has
 * no recipient yet.  E_UNKNOWN: the domain that
 * should sign has no key; E_CONFLICT: the signature does not verify; E_CRYPTO, E_SYNTAX, E_LIMIT,
 * E_CORRUPT. */
int delivery_build(struct deliverer *dr, struct delivery *d, rcpt_ref ref,
		   bool takes_8bit) MUST_CHECK;
/* The return path of the recipient, and where the message names it; nothing without return.hosts.
 * Before the message is signed. */
int delivery_refer(struct deliverer *dr, struct delivery *d, uint32_t row) MUST_CHECK;
/* What becomes of the recipient when delivery_build() gave err. */
void delivery_cannot_build(struct deliverer *dr, const struct delivery *d, rcpt_ref ref, int err);
