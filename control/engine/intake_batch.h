/* control/engine/intake_batch.h - the events of one or more frames, sorted into the parts
 * (control/engine/intake_part.h) that one transaction writes.
 *
 * Owns:   intake_batch_new() gives the caller the batch.
 * Blocks: intake_batch_add() as numbers_find(); intake_batch_write() on the database: it runs
 *         inside the caller's transaction and may be run again after a rollback.
 * Fails:  E_SYNTAX on a malformed frame; database errors as in control/db/db.h; E_EXISTS when
 *         another process has already taken these events.
 * Limits: the caller bounds how many frames it adds.  Events about recipients without a tenant or
 *         of mail that applications submitted by SMTP are skipped, and so are those of campaigns
 *         that the database does not know. */
#pragma once
#include "control/app/app.h"
#include "control/engine/numbers.h"
#include "schema/wire/link.h"

struct intake_batch;
struct intake_batch *intake_batch_free(struct intake_batch *b);
DEFINE_OWNED(intake_batch)
/* numbers outlive the batch */
struct intake_batch *intake_batch_new(const struct app *app, struct numbers *numbers);

void intake_batch_clear(struct intake_batch *b);
/* Adds the frame's events; frames are added in the order they came. */
int intake_batch_add(struct intake_batch *b, const struct link_frame *frame) MUST_CHECK;
/* Where the next frame begins; how many events there are, and how long they were. */
uint64_t intake_batch_next(const struct intake_batch *b);
size_t intake_batch_bytes(const struct intake_batch *b);
unsigned intake_batch_events(const struct intake_batch *b);
/* Writes them and moves the cursor of the engine (engines.id) from `from` to
 * intake_batch_next(). */
int intake_batch_write(struct intake_batch *b, struct db *db, int64_t engine,
		       uint64_t from) MUST_CHECK;
