/* control/campaigns/halt.c - the worker that pauses campaigns whose domain has been degraded for
 * longer than domains.degraded_grace.  A member resumes them when the domain is verified again. */
#include <stdio.h>

#include "base/log.h"
#include "control/campaigns/background.h"
#include "control/campaigns/due.h"
#include "control/campaigns/statements.h"
#include "control/domains/options.h"
#include "control/campaigns/ledger.h"
#include "control/engine/outbox.h"
#include "control/http/api.h"

enum { HALT_MS = 2000 };
enum { LOCK_DOMAIN, LOCK_NUMBER };

static int halt_order(struct db *db, const struct campaign_due *d, int64_t number)
{
	char key[64];

	(void)snprintf(key, sizeof(key), "hold/campaign/%lld", (long long)number);
	return outbox_put(d->app, db, d->ref.org, OUTBOX_RULE, slice_str(key), SLICE("paused"));
}

static int halt_campaign(struct db *db, void *arg)
{
	const struct campaign_due *d = arg;
	OWNED(db_result) row = NULL;
	int r = db_run(db, &row, sql_campaigns_halt_lock, p_int(d->ref.org), p_int(d->ref.id),
		       p_int(domains_options(d->app)->degraded_grace));

	if (r <= 0)
		return r;
	r = db_run(db, NULL, sql_campaigns_halt, p_int(d->ref.org), p_int(d->ref.id));
	if (r >= 0)
		r = halt_order(db, d, db_int(row, 0, LOCK_NUMBER));
	if (r < 0)
		return r;
	log_warn("campaign.halted", kv_int("campaign", d->ref.id),
		 kv_str("why", campaign_pause_name(PAUSED_BY_DOMAIN)));
	return campaign_note(d->app, db, &d->ref, "campaign.paused",
			     json_pack("{s:s, s:o}", "reason",
				       campaign_pause_name(PAUSED_BY_DOMAIN), "domain",
				       api_text(db_text(row, 0, LOCK_DOMAIN))));
}

static int halt_step(struct worker *w)
{
	OWNED(db_result) found = NULL;
	int r = db_run(w->ingest, &found, sql_campaigns_halt_find,
		       p_int(domains_options(w->app)->degraded_grace));

	if (r >= 0)
		campaign_each_due(w, found, halt_campaign, "campaign.halt");
	return r < 0 ? r : 0;
}

const struct worker_row campaigns_halt_worker = {
	.name = "halt",
	.step = halt_step,
	.idle_ms = HALT_MS,
	.retry_ms = HALT_MS,
	.failed = "halt.failed",
};
