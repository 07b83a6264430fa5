/* control/engine/intake_batch.c - gives events to the parts, and moves the cursor over them. */
#include "control/engine/intake_batch.h"

#include <inttypes.h>
#include <stdio.h>

#include "control/engine/intake_part.h"
#include "control/engine/statements.h"

struct intake_batch {
	uint64_t next;
	unsigned events;
	void *parts[]; /* by intake_parts[] */
};

struct intake_batch *intake_batch_new(void)
{
	struct intake_batch *b = must_alloc(sizeof(*b) + intake_parts_n * sizeof(void *));

	for (size_t i = 0; i < intake_parts_n; i++)
		b->parts[i] = intake_parts[i]->open();
	return b;
}

struct intake_batch *intake_batch_free(struct intake_batch *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < intake_parts_n; i++)
		intake_parts[i]->close(b->parts[i]);
	free(b);
	return NULL;
}

void intake_batch_clear(struct intake_batch *b)
{
	for (size_t i = 0; i < intake_parts_n; i++)
		intake_parts[i]->clear(b->parts[i]);
	b->events = 0;
}

uint64_t intake_batch_next(const struct intake_batch *b)
{
	return b->next;
}

unsigned intake_batch_events(const struct intake_batch *b)
{
	return b->events;
}

static void take(struct intake_batch *b, const struct link_event *e)
{
	uint64_t campaign, seq;

	if (!subject_of_event(e, &campaign, &seq))
		return;
	if (e->kind != LINK_ACCEPTED && !subject_has_outcome(e))
		return;
	for (size_t i = 0; i < intake_parts_n; i++)
		intake_parts[i]->take(b->parts[i], e, campaign, seq);
}

int intake_batch_add(struct intake_batch *b, const struct link_frame *frame)
{
	struct link_event e;
	size_t pos = 0;
	int r;

	b->next = frame->events.next;
	b->events += frame->events.n;
	while ((r = link_event_next(frame, &pos, &e)) > 0)
		take(b, &e);
	return r;
}

/* Locks the engine's row: two processes never write the same events. */
enum { E_ID, E_AT };
static int check_cursor(struct db *db, struct slice engine, const char *from, int64_t *ret_id)
{
	OWNED(db_result) res = NULL;
	int n = db_run(db, &res, sql_engine_cursor_lock, p_text(engine), p_str(from));

	if (n < 0)
		return n;
	if (n == 0)
		return E_UNKNOWN;
	*ret_id = db_int(res, 0, E_ID);
	return db_bool(res, 0, E_AT) ? 0 : E_EXISTS;
}

int intake_batch_write(struct intake_batch *b, struct db *db, struct slice engine, uint64_t from)
{
	char at[24], next[24];
	int64_t id = 0;
	int r;

	(void)snprintf(at, sizeof(at), "%" PRIu64, from);
	(void)snprintf(next, sizeof(next), "%" PRIu64, b->next);
	r = check_cursor(db, engine, at, &id);
	for (size_t i = 0; r >= 0 && i < intake_parts_n; i++)
		r = intake_parts[i]->write(b->parts[i], db, id);
	if (r >= 0)
		r = db_run(db, NULL, sql_engine_cursor_move, p_int(id), p_str(next));
	return r < 0 ? r : 0;
}
