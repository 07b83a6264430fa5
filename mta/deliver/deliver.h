/* mta/deliver/deliver.h - one transaction: from the recipients whose turn it is to their verdicts.
 * Guarantee: content that names a signing domain never leaves unsigned.  Only submitted mail, whose
 *            domain is a guess from its From field, is sent as it came when there is no key at all.
 * Blocks:  on the spool's files and the key folder (mta/queue/chunks.h, mta/deliver/keys.h).
 * Threads: the lane's. */
#pragma once
#include "mta/deliver/deliverer.h"

/* The functions of struct site_loads. */
bool deliver_next(struct site_loads *l, struct channel *ch);
void deliver_done(struct site_loads *l, struct channel *ch, struct txn *t);
enum site_refusal deliver_refused(struct site_loads *l, struct channel *ch, const struct verdict *v,
				  int64_t *ret_named_ms);
void deliver_abandon(struct site_loads *l, struct channel *ch);
