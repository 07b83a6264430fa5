/* control/suppression/suppress.c - suppresses and allows. */
#include "control/suppression/statements.h"
#include "control/suppression/suppress.h"

static const char *const reason_names[] = {
	"",
	[SUPPRESS_MANUAL] = "manual",
	[SUPPRESS_UNSUBSCRIBED] = "unsubscribed",
	[SUPPRESS_BOUNCE] = "hard_bounce",
	[SUPPRESS_COMPLAINT] = "complaint",
	[SUPPRESS_IMPORT] = "import",
};

const char *suppress_reason_name(int reason)
{
	return reason > 0 && reason < (int)ARRAY_LEN(reason_names) ? reason_names[reason] : "";
}

bool suppress_is_optout(int reason)
{
	return reason == SUPPRESS_UNSUBSCRIBED || reason == SUPPRESS_COMPLAINT;
}

/* The engine is told by triggers (schema/sql/0020_senders.sql). */
int suppress_add(struct db *db, uint32_t org, const struct suppress_address *a,
		 enum suppress_reason reason, const char *source, uint64_t campaign)
{
	int n = db_run(db, NULL, sql_suppression_insert, p_int(org),
		       p_bytes(slice_of(a->hash, sizeof(a->hash))), p_text(mailbox_text(&a->box)),
		       p_int(reason), p_str(source), p_int(campaign));
	int r = 0;

	if (n == 0 && reason != SUPPRESS_UNSUBSCRIBED)
		r = db_run(db, NULL, sql_suppression_harden, p_int(org),
			   p_bytes(slice_of(a->hash, sizeof(a->hash))));
	return r < 0 ? r : n;
}

int suppress_remove(struct db *db, uint32_t org, const struct suppress_address *a)
{
	return db_run(db, NULL, "DELETE FROM suppressions WHERE org_id = $1 AND email_hash = $2",
		      p_int(org), p_bytes(slice_of(a->hash, sizeof(a->hash))));
}
