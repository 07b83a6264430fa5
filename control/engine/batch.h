/* control/engine/batch.h - the events of one or more frames, sorted into the columns that one
 * transaction writes: journal, ledger moves a campaign, accepted chunks, single messages, new
 * suppressions.
 *
 * Owns:   batch_new() gives the caller the batch; the memory is kept from frame to frame.
 * Blocks: batch_write() on the database; it runs inside the caller's transaction and may be run
 *         again after a rollback.
 * Fails:  E_SYNTAX on a frame that is none; database errors as in control/db/db.h; E_EXISTS when
 *         another process has already taken these events.
 * Limits: the caller bounds how many frames it adds.  Events of no tenant (mail submitted by SMTP)
 *         are passed over. */
#pragma once
#include "control/db/db.h"
#include "schema/wire/link.h"

struct batch;
struct batch *batch_free(struct batch *b);
DEFINE_OWNED(batch)
struct batch *batch_new(void);

void batch_clear(struct batch *b);
/* Adds the frame's events; frames are added in the order they came. */
int batch_add(struct batch *b, const struct link_frame *frame) MUST_CHECK;
/* Where the last frame added goes on; how many events there are. */
uint64_t batch_next(const struct batch *b);
unsigned batch_events(const struct batch *b);
/* Writes them and moves the engine's cursor from `from` to batch_next(). */
int batch_write(struct batch *b, struct db *db, struct slice engine, uint64_t from) MUST_CHECK;
