/* mta/deliver/deliver.h - one transaction: from the recipients whose turn it is to their verdicts.
 * Blocks:  on the spool's files and the key folder (see mta/queue/chunks.h, keys.h).
 * Guarantee: content that names a signing domain never leaves unsigned; only submitted mail, whose
 *            domain is a guess from its From, goes as it came when there is no key at all. */
#pragma once
#include "mta/deliver/deliverer.h"

/* The functions of struct site_loads. */
bool deliver_next(struct site_loads *l, struct channel *ch);
void deliver_done(struct site_loads *l, struct channel *ch, struct txn *t);
void deliver_abandon(struct site_loads *l, struct channel *ch);
