/* control/engine/outbox.h - orders for the engine, written in the transaction that decides them.
 * The feeder takes them in the order of seq, hands them over as KEY and RULE frames, and deletes
 * them after the ACK.
 *
 * Guarantee: an order exists exactly when the change that it follows from is committed.
 * Fails:     as control/db/db.h and control/app/secrets.h. */
#pragma once
#include "control/app/app.h"

enum outbox_kind { OUTBOX_KEY = 1, OUTBOX_RULE = 2 };

/* name: "domain selector" for keys, the rule's key for rules.  value: the PEM (sealed here) or the
 * rule's text; empty removes.  db is inside a transaction of org. */
int outbox_put(struct app *app, struct db *db, uint32_t org, enum outbox_kind kind,
	       struct slice name, struct slice value) MUST_CHECK;

/* For the feeder, as cp_ingest: opens what outbox_put() stored in value and seal_id. */
int outbox_open(struct app *app, struct slice name, int seal_id, struct slice stored,
		struct buf *out) MUST_CHECK;
