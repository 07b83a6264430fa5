/* control/campaigns/actions.c - check, send, pause, resume, cancel.  Pause and cancel do not only
 * stop the feeding: they are orders to the engine too, written with the change of state. */
#include <stdio.h>

#include "base/clock.h"
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/campaigns/campaign.h"
#include "control/campaigns/check.h"
#include "control/campaigns/routes.h"
#include "control/campaigns/start.h"
#include "control/campaigns/statements.h"
#include "control/campaigns/trial.h"
#include "control/engine/outbox.h"
#include "control/http/body.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

/* Everything that would make a send at this time pointless or wrong, all at once. */
static int check_campaign(struct call *c, const struct db_result *row, int64_t at)
{
	if (c->actor.suspended)
		return problem(c, 403, "suspended",
			       "your organisation is suspended and cannot send: ask the operator "
			       "of this service");
	return campaign_check(c, row, at);
}

static int check(struct call *c)
{
	OWNED(db_result) row = NULL;
	OWNED(db_result) size = NULL;
	int r = campaign_load(c, false, &row);

	if (r >= 0)
		r = check_campaign(c, row, clock_wall_ms());
	if (r >= 0)
		r = db_run(c->db, &size, sql_campaigns_size, p_int(c->actor.org),
			   p_int(db_int(row, 0, CC_ID)), p_bool(db_bool(row, 0, CC_TO_ALL)));
	if (r < 0)
		return r;
	return http_reply_json(
	    c, 200, json_pack("{sb sI}", "ready", 1, "contacts", (json_int_t)db_int(size, 0, 0)));
}

/* ---- changes of state -------------------------------------------------------------------- */

static int reload(struct call *c, unsigned status)
{
	OWNED(db_result) row = NULL;
	int r = campaign_load(c, false, &row);

	return r < 0 ? r : campaign_reply(c, status, row);
}

static int wrong_state(struct call *c, const struct db_result *row, const char *what)
{
	return problem(c, 409, "wrong_state", "a campaign that is %s cannot be %s",
		       campaign_word(row, 0), what);
}

static int note(struct call *c, const struct db_result *row, const char *action)
{
	return audit_put_id(c, action, ID_CAMPAIGN, (uint64_t)db_int(row, 0, CC_ID), NULL);
}

/* What the audit calls a change to this status. */
static const char *const actions[] = {
	[CAMPAIGN_DRAFT] = "campaign.unscheduled",   [CAMPAIGN_SCHEDULED] = "campaign.scheduled",
	[CAMPAIGN_SENDING] = "campaign.resumed",     [CAMPAIGN_PAUSED] = "campaign.paused",
	[CAMPAIGN_CANCELLED] = "campaign.cancelled",
};

static int set_status(struct call *c, const struct db_result *row, enum campaign_status status)
{
	int r = db_run(c->db, NULL, sql_campaigns_set_status, p_int(c->actor.org),
		       p_int(db_int(row, 0, CC_ID)), p_int(status));

	return r < 0 ? r : note(c, row, actions[status]);
}

static int order(struct call *c, const struct db_result *row, const char *verb, struct slice value)
{
	char key[64];

	if (db_bool(row, 0, CC_TEST))
		return 0; /* no engine knows it */
	(void)snprintf(key, sizeof(key), "%s/campaign/%lld", verb,
		       (long long)db_int(row, 0, CC_NUMBER));
	return outbox_put(c->app, c->db, c->actor.org, OUTBOX_RULE, slice_str(key), value);
}

struct send_body {
	int64_t at;
};
static const struct body_field send_body[] = {
	{ "at", BODY_TIME, offsetof(struct send_body, at), BODY_NULLABLE, 0, 0, 0 },
};

static int schedule(struct call *c, const struct db_result *row, int64_t at)
{
	int r = db_run(c->db, NULL, sql_campaigns_schedule, p_int(c->actor.org),
		       p_int(db_int(row, 0, CC_ID)), p_int(at));

	if (r >= 0)
		r = note(c, row, actions[CAMPAIGN_SCHEDULED]);
	return r < 0 ? r : reload(c, 202);
}

static int send_campaign(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct send_body b = { 0 };
	struct body_seen seen = { 0 };
	int r = campaign_load(c, true, &row);

	if (r >= 0)
		r = call_if_match(c, db_int(row, 0, CC_VERSION));
	if (r >= 0 && c->body)
		r = http_body_read(c, send_body, ARRAY_LEN(send_body), &b, &seen);
	if (r < 0)
		return r;
	if (!seen.present || seen.null)
		b.at = clock_wall_ms();
	if (db_int(row, 0, CC_STATUS) > CAMPAIGN_SCHEDULED)
		return wrong_state(c, row, "sent");
	r = check_campaign(c, row, b.at);
	if (r >= 0 && db_int(row, 0, CC_STATUS) == CAMPAIGN_SCHEDULED)
		r = trial_check(c, db_bool(row, 0, CC_TEST));
	if (r >= 0)
		r = trial_mark(c, (uint64_t)db_int(row, 0, CC_ID));
	if (r < 0)
		return r;
	if (b.at > clock_wall_ms())
		return schedule(c, row, b.at);
	struct campaign_ref ref = { c->actor.org, (uint64_t)db_int(row, 0, CC_ID) };
	r = campaign_start(c->db, &ref);
	if (r >= 0)
		r = note(c, row, "campaign.sent");
	return r < 0 ? r : reload(c, 202);
}

static int pause_campaign(struct call *c)
{
	OWNED(db_result) row = NULL;
	int r = campaign_load(c, true, &row);

	if (r >= 0)
		r = trial_check(c, db_bool(row, 0, CC_TEST));
	if (r < 0)
		return r;
	if (db_int(row, 0, CC_STATUS) == CAMPAIGN_SCHEDULED) {
		r = set_status(c, row, CAMPAIGN_DRAFT);
		return r < 0 ? r : reload(c, 200);
	}
	if (db_int(row, 0, CC_STATUS) != CAMPAIGN_SENDING || !db_int(row, 0, CC_OPEN))
		return wrong_state(c, row, "paused");
	r = set_status(c, row, CAMPAIGN_PAUSED);
	if (r >= 0)
		r = order(c, row, "hold", SLICE("paused"));
	return r < 0 ? r : reload(c, 200);
}

static int resume_campaign(struct call *c)
{
	OWNED(db_result) row = NULL;
	int r = campaign_load(c, true, &row);

	if (r >= 0)
		r = trial_check(c, db_bool(row, 0, CC_TEST));
	if (r < 0)
		return r;
	if (c->actor.suspended)
		return problem(c, 403, "suspended",
			       "your organisation is suspended and cannot send: ask the operator "
			       "of this service");
	if (db_int(row, 0, CC_STATUS) != CAMPAIGN_PAUSED)
		return wrong_state(c, row, "resumed");
	r = campaign_check_sender(c, row);
	if (r >= 0)
		r = problem_end(c);
	if (r < 0)
		return r;
	r = set_status(c, row, CAMPAIGN_SENDING);
	if (r >= 0)
		r = order(c, row, "hold", SLICE(""));
	return r < 0 ? r : reload(c, 200);
}

/* Recipients that are not cut into pieces yet end here.  The engine cancels those that it has, or
 * may have, and reports them. */
static int cancel_rest(struct call *c, const struct db_result *row)
{
	OWNED(db_result) done = NULL;
	int r = db_wait_long(c->db);

	if (r >= 0)
		r = db_run(c->db, &done, sql_campaigns_cancel_waiting, p_int(c->actor.org),
			   p_int(db_int(row, 0, CC_ID)));
	if (r >= 0)
		r = db_run(c->db, NULL, sql_campaigns_cancel_counts, p_int(c->actor.org),
			   p_int(db_int(row, 0, CC_ID)), p_int(db_int(done, 0, 0)));
	if (r >= 0)
		r = db_run(
		    c->db, NULL,
		    "UPDATE campaigns SET next_seq = sendable + 1 WHERE org_id = $1 AND id = $2",
		    p_int(c->actor.org), p_int(db_int(row, 0, CC_ID)));
	return r < 0 ? r : 0;
}

static int cancel_campaign(struct call *c)
{
	OWNED(db_result) row = NULL;
	int r = campaign_load(c, true, &row);

	if (r >= 0)
		r = trial_check(c, db_bool(row, 0, CC_TEST));
	if (r < 0)
		return r;
	int64_t status = db_int(row, 0, CC_STATUS);
	if (status == CAMPAIGN_DRAFT || status == CAMPAIGN_CANCELLED ||
	    (status == CAMPAIGN_SENDING && !db_int(row, 0, CC_OPEN)))
		return wrong_state(c, row, "cancelled");
	r = set_status(c, row, CAMPAIGN_CANCELLED);
	if (r >= 0 && status != CAMPAIGN_SCHEDULED)
		r = cancel_rest(c, row);
	if (r >= 0 && status != CAMPAIGN_SCHEDULED)
		r = order(c, row, "cancel", SLICE("cancelled"));
	if (r >= 0 && status == CAMPAIGN_PAUSED)
		r = order(c, row, "hold", SLICE(""));
	return r < 0 ? r : reload(c, 200);
}

#define ACTION(name) "/v1/campaigns/{campaign_id}/" name
const struct http_route campaigns_action_routes[] = {
	{ "POST", ACTION("check"), AUTH_MEMBER, PERMIT_CAMPAIGNS_READ, ROUTE_NO_BODY, 0, check },
	{ "POST", ACTION("send"), AUTH_MEMBER, PERMIT_CAMPAIGNS_SEND,
	  ROUTE_NO_BODY | ROUTE_IDEMPOTENT, 0, send_campaign },
	{ "POST", ACTION("pause"), AUTH_MEMBER, PERMIT_CAMPAIGNS_SEND,
	  ROUTE_NO_BODY | ROUTE_IDEMPOTENT, 0, pause_campaign },
	{ "POST", ACTION("resume"), AUTH_MEMBER, PERMIT_CAMPAIGNS_SEND,
	  ROUTE_NO_BODY | ROUTE_IDEMPOTENT, 0, resume_campaign },
	{ "POST", ACTION("cancel"), AUTH_MEMBER, PERMIT_CAMPAIGNS_SEND,
	  ROUTE_NO_BODY | ROUTE_IDEMPOTENT, 0, cancel_campaign },
};
const size_t campaigns_action_routes_n = ARRAY_LEN(campaigns_action_routes);
