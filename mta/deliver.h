/* mta/deliver.h - one transaction: from the recipients whose turn it is to their verdicts.
 * Blocks:  on the spool's files and the key folder (see shelf.h).
 * Guarantee: content that names a signing domain never leaves unsigned; only submitted mail, whose
 *            domain is a guess from its From, goes as it came when there is no key at all. */
#pragma once
#include "mta/channel.h"

/* Hands the channel its next transaction; false when there is nothing to hand over now. */
bool deliver_next(struct channel *ch);
void deliver_done(struct channel *ch, struct txn *t);
void deliver_abandon(
    struct channel *ch); /* the session is gone without a word: at the lane's end */
