/* control/tracking/leave.c - what the database is told when somebody leaves. */
#include "control/tracking/leave.h"

#include "control/suppression/suppress.h"
#include "control/tracking/statements.h"

/* Tickets of older versions have no address: it is that of the contact now. */
static int find_address(struct db *db, struct leave *l)
{
	OWNED(db_result) row = NULL;
	int r;

	if (l->who.address[0])
		return 0;
	r = db_run(db, &row, sql_tracking_recipient, p_int(l->who.org), p_int(l->who.campaign),
		   p_int(l->who.seq));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	slice_copy(l->who.address, sizeof(l->who.address), db_text(row, 0, 0));
	return 0;
}

static int stop(struct db *db, const struct leave *l, bool known)
{
	struct suppress_address a;
	int r = suppress_address_parse(slice_str(l->who.address), &a);

	if (r >= 0)
		r = suppress_add(db, l->who.org, &a, SUPPRESS_UNSUBSCRIBED, "link",
				 known ? l->who.campaign : 0);
	if (r >= 0)
		r = db_run(db, NULL, sql_tracking_contact_leaves, p_int(l->who.org),
			   p_text(a.normal));
	return r < 0 ? r : 0;
}

int leave_work(struct db *db, void *arg)
{
	struct leave l = *(struct leave *)arg;
	OWNED(db_result) known = NULL;
	int r = find_address(db, &l);

	if (r >= 0)
		r = db_run(db, &known, sql_tracking_unsubscribe, p_int(l.who.org),
			   p_int(l.who.campaign), p_int(l.who.seq), p_bool(l.one_click),
			   p_int(l.at_ms));
	if (r >= 0 && l.who.address[0]) /* else the contact was erased: nothing is left to stop */
		r = stop(db, &l, db_bool(known, 0, 0));
	return r < 0 ? r : 0;
}
