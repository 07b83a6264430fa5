/* control/campaigns/start.c - the audience frozen into the ledger. */
#include "control/campaigns/start.h"

#include "base/log.h"
#include "control/campaigns/ledger.h"
#include "control/campaigns/recipe.h"
#include "control/campaigns/statements.h"
#include "control/engine/subject.h"
#include "control/suppression/address.h"

enum { SUM_ALL, SUM_SENDABLE };
enum { REACH_ANY, REACH_SENDABLE };
enum { DUE_TO_ALL, DUE_EXPIRED };

static int wait_long(struct db *db)
{
	int r = db_run(
	    db, NULL,
	    "SELECT set_config('statement_timeout', '0', true), set_config('jit', 'off', true)");

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
	int r = wait_long(db);

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

/* Why it must not begin, though it is due: an enum campaign_unfit. */
static int due_unfit(struct db *db, const struct campaign_ref *c)
{
	OWNED(db_result) due = NULL;
	OWNED(recipe) recipe = NULL;
	char why[RECIPE_ERROR_MAX];
	int r = db_run(db, &due, sql_campaigns_due_lock, p_int(c->org), p_int(c->id));

	if (r <= 0)
		return r < 0 ? r : UNFIT_SENDER;
	if (db_bool(due, 0, DUE_EXPIRED))
		return UNFIT_EXPIRED;
	r = recipe_load(&recipe, db, c->org, c->id, SLICE(""), why); /* looked at only */
	if (r == E_UNKNOWN || r == E_SYNTAX || r == E_LIMIT)
		return UNFIT_TEMPLATE;
	if (r >= 0)
		r = wait_long(db);
	return r < 0 ? r : campaign_reach(db, c, db_bool(due, 0, DUE_TO_ALL));
}

int campaign_start_due(struct db *db, void *arg)
{
	const struct campaign_ref *c = arg;
	int unfit = due_unfit(db, c), r;

	if (unfit < 0)
		return unfit;
	if (unfit == UNFIT_NO)
		return campaign_start(db, c);
	r = db_run(db, NULL, sql_campaigns_back_to_draft, p_int(c->org), p_int(c->id),
		   p_int(unfit));
	if (r > 0)
		log_warn("campaign.unfit", kv_int("campaign", c->id),
			 kv_str("why", campaign_unfit_name(unfit)));
	return r < 0 ? r : 0;
}
