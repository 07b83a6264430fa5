/* control/engine/intake_batch.c - gives events to the parts, and moves the cursor over them. */
#include "control/engine/intake_batch.h"

#include <inttypes.h>
#include <stdio.h>

#include "control/engine/intake_part.h"
#include "control/engine/statements.h"

struct intake_batch {
	struct numbers *numbers;
	uint64_t next;
	unsigned events;
	size_t bytes;
	void *parts[]; /* by intake_parts[] */
};

struct intake_batch *intake_batch_new(const struct app *app, struct numbers *numbers)
{
	struct intake_batch *b = must_alloc(sizeof(*b) + intake_parts_n * sizeof(void *));

	b->numbers = numbers;
	for (size_t i = 0; i < intake_parts_n; i++)
		b->parts[i] = intake_parts[i]->open(app);
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
	b->bytes = 0;
}

uint64_t intake_batch_next(const struct intake_batch *b)
{
	return b->next;
}

unsigned intake_batch_events(const struct intake_batch *b)
{
	return b->events;
}

size_t intake_batch_bytes(const struct intake_batch *b)
{
	return b->bytes;
}

static void give_late(struct intake_batch *b, const struct link_event *e,
		      const struct intake_late *who)
{
	for (size_t i = 0; i < intake_parts_n; i++)
		if (intake_parts[i]->late)
			intake_parts[i]->late(b->parts[i], e, who);
}

/* A report about a domain is nobody's until its domain is found; the rest is some recipient's. */
static int take_late(struct intake_batch *b, const struct link_event *e)
{
	struct intake_late who = { 0 };
	uint64_t number;
	int r = 1;

	if (e->kind == LINK_DMARC_REPORT || e->kind == LINK_TLS_REPORT) {
		give_late(b, e, NULL);
		return 0;
	}
	if (!subject_of_late(e, &number, &who.seq, &who.any))
		return 0;
	if (number)
		r = numbers_find_late(b->numbers, e->tenant, number, &who.campaign);
	if (r > 0)
		give_late(b, e, &who);
	return r < 0 ? r : 0;
}

static int take(struct intake_batch *b, const struct link_event *e)
{
	uint64_t number, campaign = 0, seq;
	int r;

	if (subject_is_late(e))
		return take_late(b, e);
	if (!subject_of_event(e, &number, &seq))
		return 0;
	if (e->kind != LINK_ACCEPTED && !subject_has_outcome(e))
		return 0;
	if (number) {
		r = numbers_find(b->numbers, e->tenant, number, &campaign);
		if (r <= 0)
			return r;
	}
	for (size_t i = 0; i < intake_parts_n; i++)
		if (intake_parts[i]->take)
			intake_parts[i]->take(b->parts[i], e, campaign, seq);
	return 0;
}

int intake_batch_add(struct intake_batch *b, const struct link_frame *frame)
{
	struct link_event e;
	size_t pos = 0;
	int r;

	b->next = frame->events.next;
	b->events += frame->events.n;
	b->bytes += frame->events.packed.n;
	while ((r = link_event_next(frame, &pos, &e)) > 0) {
		r = take(b, &e);
		if (r < 0)
			return r;
	}
	return r;
}

/* Locks the engine's row: two processes never write the same events. */
static int check_cursor(struct db *db, int64_t engine, const char *from)
{
	OWNED(db_result) res = NULL;
	int n = db_run(db, &res, sql_engine_cursor_lock, p_int(engine), p_str(from));

	if (n <= 0)
		return n < 0 ? n : E_UNKNOWN;
	return db_bool(res, 0, 0) ? 0 : E_EXISTS;
}

int intake_batch_write(struct intake_batch *b, struct db *db, int64_t engine, uint64_t from)
{
	char at[24], next[24];
	int r;

	(void)snprintf(at, sizeof(at), "%" PRIu64, from);
	(void)snprintf(next, sizeof(next), "%" PRIu64, b->next);
	r = check_cursor(db, engine, at);
	for (size_t i = 0; r >= 0 && i < intake_parts_n; i++)
		r = intake_parts[i]->write(b->parts[i], db, engine);
	if (r >= 0)
		r = db_run(db, NULL, sql_engine_cursor_move, p_int(engine), p_str(next));
	return r < 0 ? r : 0;
}
