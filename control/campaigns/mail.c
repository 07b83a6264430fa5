/* control/campaigns/mail.c - campaigns as mail for the feeder (control/engine/feeder_source.h):
 * leases in the database, so that any number of processes share the work and take over from a dead
 * one; pieces of the ledger; what the engine has accepted. */
#include "base/log.h"
#include "control/campaigns/background.h"
#include "control/campaigns/ledger_piece.h"
#include "control/campaigns/ledger_settle.h"
#include "control/campaigns/statements.h"
#include "control/tracking/options.h"

/* ---- leases ------------------------------------------------------------------------------ */

enum { C_ORG, C_ID, C_SENDING, C_NUMBER };

static int mail_claim(struct db *ingest, const char *holder, int lease_ms, unsigned most,
		      int64_t engine, struct feeder_lease *ret)
{
	OWNED(db_result) rows = NULL;
	int r = db_run(ingest, &rows, sql_campaigns_mail_claim, p_str(holder), p_int(lease_ms),
		       p_int(most), p_int(engine));

	for (unsigned i = 0; r >= 0 && i < db_rows(rows); i++)
		ret[i] = (struct feeder_lease){ .org = (uint32_t)db_int(rows, i, C_ORG),
						.campaign = (uint64_t)db_int(rows, i, C_ID),
						.number = (uint64_t)db_int(rows, i, C_NUMBER),
						.sending = db_bool(rows, i, C_SENDING) };
	return r;
}

static int mail_renew(struct db *ingest, const char *holder, int lease_ms)
{
	return db_run(ingest, NULL,
		      "UPDATE campaigns SET claimed_until = now() + $2 * interval '1 ms' WHERE "
		      "claimed_by = $1",
		      p_str(holder), p_int(lease_ms));
}

static int mail_release(struct db *ingest, const char *holder, const struct feeder_lease *lease,
			int pause_ms)
{
	return db_run(ingest, NULL, sql_campaigns_mail_release, p_int(lease->org),
		      p_int(lease->campaign), p_str(holder), p_int(pause_ms));
}

static int mail_release_all(struct db *ingest, const char *holder)
{
	return db_run(
	    ingest, NULL,
	    "UPDATE campaigns SET claimed_by = '', claimed_until = NULL WHERE claimed_by = $1",
	    p_str(holder));
}

/* ---- content and pieces ------------------------------------------------------------------ */

struct campaign_mail {
	struct recipe *recipe;
	struct ticket_key key;
	struct ledger_piece_maker maker;
};

static void mail_close(void *arg)
{
	struct campaign_mail *mail = arg;

	if (mail)
		recipe_free(mail->recipe);
	free(mail);
}

static int load_recipe(struct campaign_mail *mail, struct app *app, struct db *api,
		       const struct feeder_lease *lease)
{
	char why[RECIPE_ERROR_MAX];
	struct recipe_terms terms;
	int r;

	recipe_terms_of(&terms, app);

	db_begin(api, lease->org);
	r = recipe_load(&mail->recipe, api, lease->org, lease->campaign, &terms, why);
	db_rollback(api);
	if (r < 0)
		log_error("feed.recipe", kv_int("campaign", lease->campaign), kv_err("error", r),
			  kv_str("why", why[0] ? why : db_error(api)));
	return r;
}

static int mail_open(void **ret, struct app *app, struct db *api, const struct feeder_lease *lease,
		     struct feeder_content *ret_content)
{
	struct campaign_mail *mail = must_alloc(sizeof(*mail));
	const struct recipe *recipe;
	int r = ticket_key_load(app, &mail->key);

	if (r >= 0)
		r = load_recipe(mail, app, api, lease);
	if (r < 0) {
		mail_close(mail);
		return r;
	}
	recipe = mail->recipe;
	mail->maker = (struct ledger_piece_maker){ lease->number, recipe, &mail->key,
						   tracking_options(app)->public_url };
	*ret_content = (struct feeder_content){
		.meta = buf_data(&recipe->content_meta),
		.bytes = buf_data(&recipe->bytes),
		.job_meta = buf_data(&recipe->job_meta),
		.accepted_ms = recipe->accepted_ms,
		.expires_ms = recipe->expires_ms,
	};
	*ret = mail;
	return 0;
}

static int mail_next(void *mail, struct db *api, struct feeder_piece *ret)
{
	return ledger_piece_cut(api, &((struct campaign_mail *)mail)->maker, ret);
}

static int mail_in_doubt(void *mail, struct db *api, uint64_t after, struct feeder_piece *ret)
{
	return ledger_piece_in_doubt(api, &((struct campaign_mail *)mail)->maker, after, ret);
}

static int mail_accepted(struct db *ingest, struct feeder_done *done)
{
	return db_run(ingest, NULL, sql_campaigns_mail_accepted, p_str(db_column_array(&done->org)),
		      p_str(db_column_array(&done->number)), p_str(db_column_array(&done->first)),
		      p_str(db_column_array(&done->lsn)));
}

const struct feeder_source campaigns_mail = {
	.claim = mail_claim,
	.renew = mail_renew,
	.release = mail_release,
	.release_all = mail_release_all,
	.open = mail_open,
	.close = mail_close,
	.next = mail_next,
	.in_doubt = mail_in_doubt,
	.accepted = mail_accepted,
	.refused = ledger_refused,
	.settle = ledger_settle,
};
