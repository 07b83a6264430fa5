/* mta/deliver/notice.c - is this outcome told to the sender? */
#include "mta/deliver/notice.h"

#include "mta/deliver/bounce.h"

/* Only submission asks, and only in rows that have fields. */
void notice_asked(const struct chunk *k, uint32_t row, bool raw, struct wire_dsn *ret)
{
	struct wire_row r;

	*ret = (struct wire_dsn){ 0 };
	if (raw && wire_rows_n_fields(k->rows, row) && wire_rows_get(k->rows, row, &r) == 0)
		wire_dsn_get(&r, ret);
}

/* The times between one try and the next stand end to end, so one of them has the moment in it.
 * It is the one whose end the record of this try will hold. */
static bool delay_is_new(struct deliverer *dr, const struct chunk *k, const struct outcome *o)
{
	int64_t warn_ms = dr->options->delay_warning, from_ms, due_ms = 0;
	uint16_t attempts = 0;

	if (!warn_ms)
		return false;
	from_ms = MAX_OF(k->info.accepted_ms, k->meta.not_before_ms) + warn_ms;
	if (!spool_row_live(dr->spool, o->job, o->row, &attempts, &due_ms))
		return false;
	return (!attempts || due_ms <= from_ms) && o->next_ms > from_ms;
}

static bool may_be_told(struct deliverer *dr, const struct chunk *k)
{
	return k->meta.mail_from.n && dr->options->bounce_messages &&
	       slice_eq(k->meta.origin, SLICE("smtp"));
}

void notice_outcome(struct deliverer *dr, const struct chunk *k, const struct outcome *o,
		    bool passed)
{
	struct wire_dsn asked;

	if (!may_be_told(dr, k))
		return;
	notice_asked(k, o->row, true, &asked);
	switch (o->kind) {
	case OUTCOME_DELIVERED:
		if ((asked.notify & WIRE_NOTIFY_SUCCESS) && !passed)
			bounce_send(dr, k, o, BOUNCE_RELAYED, &asked);
		return;
	case OUTCOME_BOUNCED:
	case OUTCOME_EXPIRED:
		if (wire_dsn_wants(&asked, WIRE_NOTIFY_FAILURE))
			bounce_send(dr, k, o, BOUNCE_FAILED, &asked);
		return;
	case OUTCOME_DEFERRED:
		if (wire_dsn_wants(&asked, WIRE_NOTIFY_DELAY) && delay_is_new(dr, k, o))
			bounce_send(dr, k, o, BOUNCE_DELAYED, &asked);
		return;
	case OUTCOME_CANCELLED:
		return;
	}
}
