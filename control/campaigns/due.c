/* control/campaigns/due.c - a scheduled campaign at its time: it starts, or goes back to draft with
 * the reason, which the audit and the notices have too. */
#include "control/campaigns/due.h"

#include "base/log.h"
#include "control/auth/audit.h"
#include "control/campaigns/ledger.h"
#include "control/campaigns/recipe.h"
#include "control/campaigns/start.h"
#include "control/campaigns/statements.h"

enum { DUE_TO_ALL, DUE_EXPIRED, DUE_SUSPENDED, DUE_UNVERIFIED, DUE_LOST };

static int due_unfit_row(const struct db_result *due)
{
	if (db_bool(due, 0, DUE_SUSPENDED))
		return UNFIT_SUSPENDED;
	if (db_bool(due, 0, DUE_UNVERIFIED))
		return UNFIT_SENDER;
	if (db_bool(due, 0, DUE_LOST))
		return UNFIT_DOMAIN;
	return db_bool(due, 0, DUE_EXPIRED) ? UNFIT_EXPIRED : UNFIT_NO;
}

/* Why it must not begin, though it is due: an enum campaign_unfit.  E_UNKNOWN: it is not due. */
static int due_unfit(struct db *db, const struct campaign_due *d)
{
	OWNED(db_result) due = NULL;
	OWNED(recipe) recipe = NULL;
	char why[RECIPE_ERROR_MAX];
	struct recipe_terms terms;
	int r = db_run(db, &due, sql_campaigns_due_lock, p_int(d->ref.org), p_int(d->ref.id),
		       p_int(domains_options(d->app)->degraded_grace));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	r = due_unfit_row(due);
	if (r != UNFIT_NO)
		return r;
	recipe_terms_of(&terms, d->app);
	r = recipe_load(&recipe, db, d->ref.org, d->ref.id, &terms, why); /* looked at only */
	if (r == E_UNKNOWN || r == E_SYNTAX || r == E_LIMIT)
		return UNFIT_TEMPLATE;
	if (r >= 0)
		r = campaign_wait_long(db);
	return r < 0 ? r : campaign_reach(db, &d->ref, db_bool(due, 0, DUE_TO_ALL));
}

int campaign_note(struct app *app, struct db *db, const struct campaign_ref *c, const char *action,
		  json_t *detail)
{
	char id[ID_OUT_MAX];
	struct call *call = call_new(app, db, c->org, (struct slice){ 0 });
	int r = audit_put(call, action, ids_out(ID_CAMPAIGN, c->id, id), detail);

	(void)call_free(call);
	return r;
}

static int due_unschedule(struct db *db, const struct campaign_due *d, int unfit)
{
	const char *why = campaign_unfit_name(unfit);
	int r = db_run(db, NULL, sql_campaigns_back_to_draft, p_int(d->ref.org), p_int(d->ref.id),
		       p_int(unfit));

	if (r <= 0)
		return r;
	log_warn("campaign.unfit", kv_int("campaign", d->ref.id), kv_str("why", why));
	return campaign_note(d->app, db, &d->ref, "campaign.unscheduled",
			     json_pack("{s:s}", "reason", why));
}

int campaign_start_due(struct db *db, void *arg)
{
	const struct campaign_due *d = arg;
	int unfit = due_unfit(db, d);

	if (unfit == E_UNKNOWN)
		return 0;
	if (unfit < 0)
		return unfit;
	return unfit == UNFIT_NO ? campaign_start(db, &d->ref) : due_unschedule(db, d, unfit);
}

void campaign_each_due(struct worker *w, const struct db_result *rows, db_work work,
		       const char *event)
{
	enum { ROW_ORG, ROW_ID };

	for (unsigned i = 0; i < db_rows(rows); i++) {
		struct campaign_due d = { { (uint32_t)db_int(rows, i, ROW_ORG),
					    (uint64_t)db_int(rows, i, ROW_ID) },
					  w->app };
		int r = db_tx(w->api, d.ref.org, work, &d);

		if (r < 0)
			log_warn(event, kv_int("campaign", d.ref.id), kv_err("error", r),
				 kv_str("why", db_error(w->api)));
	}
}
