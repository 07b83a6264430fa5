/* control/campaigns/start.c - the audience frozen into the ledger. */
#include "control/campaigns/start.h"

#include "control/campaigns/ledger.h"
#include "control/campaigns/statements.h"
#include "control/engine/subject.h"
#include "control/suppression/address.h"

enum { SUM_ALL, SUM_SENDABLE };
enum { REACH_ANY, REACH_SENDABLE };

int campaign_wait_long(struct db *db)
{
	int r = db_wait_long(db);

	if (r >= 0)
		r = db_run(db, NULL, "SELECT set_config('jit', 'off', true)");

	return r < 0 ? r : 0;
}

int campaign_reach(struct db *db, const struct campaign_ref *c, bool to_all)
{
	OWNED(db_result) row = NULL;
	int r = db_run(db, &row, sql_campaigns_reach, p_int(c->org), p_int(c->id), p_bool(to_all));

	if (r < 0)
		return r;
	if (db_bool(row, 0, REACH_SENDABLE))
		return UNFIT_NO;
	return db_bool(row, 0, REACH_ANY) ? UNFIT_HELD : UNFIT_EMPTY;
}

static int freeze(struct db *db, const struct campaign_ref *c, bool to_all, int64_t *ret_all,
		  int64_t *ret_sendable)
{
	OWNED(db_result) sums = NULL;
	int r = campaign_wait_long(db);

	if (r >= 0)
		r = db_run(db, &sums, sql_campaigns_freeze, p_int(c->org), p_int(c->id),
			   p_bool(to_all));
	if (r < 0)
		return r;
	*ret_all = db_int(sums, 0, SUM_ALL);
	*ret_sendable = db_int(sums, 0, SUM_SENDABLE);
	return db_run(db, NULL, sql_campaigns_counts_insert, p_int(c->org), p_int(c->id),
		      p_int(*ret_sendable), p_int(*ret_all - *ret_sendable));
}

int campaign_start(struct db *db, const struct campaign_ref *c)
{
	OWNED(db_result) row = NULL;
	int64_t all = 0, sendable = 0;
	int r = db_run(db, &row, sql_campaigns_start_lock, p_int(c->org), p_int(c->id));

	if (r <= 0)
		return r < 0 ? r : E_CONFLICT;
	r = freeze(db, c, db_bool(row, 0, 0), &all, &sendable);
	if (r >= 0 && !sendable)
		r = E_CONFLICT;
	if (r >= 0)
		r = db_run(db, NULL, sql_campaigns_started, p_int(c->org), p_int(c->id), p_int(all),
			   p_int(sendable), p_int(subject_draw_number()));
	return r == 0 ? E_CONFLICT : r < 0 ? r : 0;
}
