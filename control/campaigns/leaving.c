/* control/campaigns/leaving.c - a contact is erased, wants no mail any more or has another
 * address: what it was still to get of campaigns ends.
 * What the engine may have is ordered cancelled there, and ends when the engine says so.  The rest
 * ends here. */
#include <stdio.h>

#include "control/campaigns/codes.h"
#include "control/campaigns/leaving.h"
#include "control/campaigns/statements.h"
#include "control/engine/outbox.h"
#include "control/engine/subject.h"

enum { L_CAMPAIGN, L_SEQ, L_NUMBER, L_FIRST };

/* The engine looks at recipients that it has when the rule comes, and at others when they come. */
static int order_cancel(struct app *app, struct db *db, uint32_t org, const struct db_result *rows,
			unsigned i, enum contacts_leaving_why why)
{
	uint64_t first = (uint64_t)db_int(rows, i, L_FIRST);
	struct id128 job = subject_job_of_piece((uint64_t)db_int(rows, i, L_NUMBER), first);
	char id[ID_TEXT_MAX], key[96];

	(void)snprintf(key, sizeof(key), "cancel/rcpt/%s:%llu", id_format(job, id),
		       (unsigned long long)((uint64_t)db_int(rows, i, L_SEQ) - first));
	return outbox_put(app, db, org, OUTBOX_RULE, slice_str(key),
			  why == CONTACT_IS_ERASED ? SLICE(SUBJECT_CONTACT_DELETED)
						   : SLICE(SUBJECT_CONTACT_CHANGED));
}

static int end_here(struct db *db, uint32_t org, const struct db_result *rows, unsigned i,
		    enum contacts_leaving_why why)
{
	int r =
	    db_run(db, NULL, sql_campaigns_leaving_end, p_int(org),
		   p_int(db_int(rows, i, L_CAMPAIGN)), p_int(db_int(rows, i, L_SEQ)),
		   p_int(why == CONTACT_IS_ERASED ? REASON_CONTACT_GONE : REASON_CONTACT_CHANGED));

	return r < 0 ? r : 0;
}

/* The campaigns are locked first, as the cutting of a piece locks them: a recipient is in a piece
 * that we see, or the piece is cut when the contact is gone. */
static int contact_leaves(struct app *app, struct db *db, uint32_t org, uint64_t contact,
			  enum contacts_leaving_why why)
{
	OWNED(db_result) rows = NULL;
	int r = db_run(db, NULL, sql_campaigns_leaving_lock, p_int(org), p_int(contact));

	if (r >= 0)
		r = db_run(db, &rows, sql_campaigns_leaving, p_int(org), p_int(contact));
	for (unsigned i = 0; r >= 0 && i < db_rows(rows); i++)
		r = db_int(rows, i, L_FIRST) ? order_cancel(app, db, org, rows, i, why)
					     : end_here(db, org, rows, i, why);
	return r < 0 ? r : 0;
}

const struct contacts_leaving campaigns_leaving = { contact_leaves };
