/* control/campaigns/ledger_settle.c - one campaign after the other, until none is left with an
 * engine that has ended. */
#include "control/campaigns/ledger_settle.h"

#include "base/log.h"
#include "control/campaigns/codes.h"
#include "control/campaigns/statements.h"
#include "control/engine/codes.h"
#include "control/engine/subject.h"

enum { S_ORG, S_ID, S_STATUS, S_NUMBER, S_ENDED };

struct settling {
	int64_t engine;
	bool again;
	int64_t org, campaign, old, number; /* of the campaign in turn */
	enum campaign_status status;
	enum engine_end ended;
};

struct refusal {
	const struct feeder_lease *lease;
	uint64_t first;
};

static int end_refused(struct db *db, const struct feeder_lease *c)
{
	int r = db_run(db, NULL, sql_campaigns_refused_end, p_int(c->org), p_int(c->campaign));

	return r < 0 ? r
		     : db_run(db, NULL, sql_campaigns_settle_accept, p_int(c->org),
			      p_int(c->campaign));
}

static int work_refused(struct db *db, void *arg)
{
	const struct refusal *f = arg;
	const struct feeder_lease *c = f->lease;
	OWNED(db_result) row = NULL;
	int r = db_run(db, &row, sql_campaigns_refused_lock, p_int(c->org), p_int(c->campaign),
		       p_int(c->number));

	if (r <= 0)
		return r;
	if (db_int(row, 0, 0) == CAMPAIGN_CANCELLED)
		return end_refused(db, c);
	return db_run(db, NULL, sql_campaigns_refused, p_int(c->org), p_int(c->campaign),
		      p_int(f->first));
}

int ledger_refused(struct db *ingest, const struct feeder_lease *lease, uint64_t first)
{
	struct refusal f = { lease, first };

	return db_tx(ingest, 0, work_refused, &f);
}

static int feed_again(struct db *db, const struct settling *s)
{
	int n = db_run(db, NULL, sql_campaigns_settle_pieces, p_int(s->org), p_int(s->campaign));

	return n < 0 ? n
		     : db_run(db, NULL, sql_campaigns_settle_forget, p_int(s->org),
			      p_int(s->campaign));
}

static int end_all(struct db *db, const struct settling *s)
{
	bool cancelled = s->status == CAMPAIGN_CANCELLED;
	int r = db_run(db, NULL, sql_campaigns_settle_end, p_int(s->org), p_int(s->campaign),
		       p_int(cancelled ? REASON_CAMPAIGN : REASON_ENGINE_LOST));

	return r < 0 ? r
		     : db_run(db, NULL, sql_campaigns_settle_accept, p_int(s->org),
			      p_int(s->campaign));
}

static int settle_campaign(struct db *db, struct settling *s)
{
	bool again = s->again && s->status != CAMPAIGN_CANCELLED;
	bool pause = s->ended == ENGINE_FORGOT;
	int r;

	s->number = (int64_t)subject_draw_number();
	r = again ? feed_again(db, s) : end_all(db, s);
	if (r >= 0)
		r = db_run(db, NULL, sql_campaigns_settle_order, p_int(s->org), p_int(s->old),
			   p_bytes(SLICE("its spool was lost")));
	if (r >= 0)
		r = db_run(db, NULL, sql_campaigns_settle_campaign, p_int(s->org),
			   p_int(s->campaign), p_int(s->engine), p_int(s->number), p_bool(pause));
	if (r < 0)
		return r;
	log_warn("campaign.settled", kv_int("campaign", s->campaign), kv_int("was", s->old),
		 kv_int("number", s->number), kv_str("its_mail", again ? "is sent again" : "ended"),
		 kv_str("paused", pause ? "events were lost" : "no"));
	return 1;
}

static int work_settle(struct db *db, void *arg)
{
	struct settling *s = arg;
	OWNED(db_result) row = NULL;
	int r = db_wait_long(db);

	if (r >= 0)
		r = db_run(db, NULL, sql_campaigns_settle_done, p_int(s->engine));
	if (r >= 0)
		r = db_run(db, &row, sql_campaigns_settle_next);
	if (r <= 0)
		return r;
	s->org = db_int(row, 0, S_ORG);
	s->campaign = db_int(row, 0, S_ID);
	s->status = (enum campaign_status)db_int(row, 0, S_STATUS);
	s->old = db_int(row, 0, S_NUMBER);
	s->ended = (enum engine_end)db_int(row, 0, S_ENDED);
	return settle_campaign(db, s);
}

int ledger_settle(struct db *ingest, int64_t engine, bool again)
{
	struct settling s = { .engine = engine, .again = again };

	return db_tx(ingest, 0, work_settle, &s);
}
