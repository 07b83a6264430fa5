/* control/campaigns/reports.c - what became of a campaign: progress, statistics. */
#include "control/auth/permit.h"
#include "control/campaigns/campaign.h"
#include "control/campaigns/routes.h"
#include "control/campaigns/statements.h"
#include "control/http/api.h"
#include "control/http/reply.h"

/* ---- progress ---------------------------------------------------------------------------- */

enum {
	P_STATUS,
	P_AUDIENCE,
	P_SENDABLE,
	P_NEXT,
	P_STARTED,
	P_DEFERRALS,
	P_MINUTE,
	P_OPEN,
	P_DEFERRED,
	P_DELIVERED,
	P_RETURNED = P_DEFERRED + 6, /* after the states */
};

static json_t *states_json(const struct db_result *r)
{
	static const enum ledger_state order[] = { LEDGER_DEFERRED,   LEDGER_DELIVERED,
						   LEDGER_BOUNCED,    LEDGER_EXPIRED,
						   LEDGER_SUPPRESSED, LEDGER_CANCELLED };
	int64_t open = db_int(r, 0, P_OPEN),
		uncut = db_int(r, 0, P_SENDABLE) + 1 - db_int(r, 0, P_NEXT);
	int64_t waiting =
	    db_int(r, 0, P_STATUS) < CAMPAIGN_SENDING ? 0 : MAX_OF(MIN_OF(open, uncut), 0);
	json_t *states = json_object();

	(void)json_object_set_new(states, "waiting", json_integer(waiting));
	(void)json_object_set_new(states, "queued", json_integer(open - waiting));
	for (unsigned i = 0; i < ARRAY_LEN(order); i++)
		(void)json_object_set_new(states, ledger_state_name(order[i]),
					  json_integer(db_int(r, 0, P_DEFERRED + i)));
	return states;
}

static int get_progress(struct call *c)
{
	OWNED(db_result) row = NULL;
	uint64_t id;
	int r = call_id(c, 0, ID_CAMPAIGN, &id);

	if (r >= 0)
		r = db_run(c->db, &row, sql_campaigns_progress, p_int(c->actor.org), p_int(id));
	if (r == 0)
		return E_UNKNOWN;
	if (r < 0)
		return r;
	bool open = db_int(row, 0, P_OPEN) || db_int(row, 0, P_DEFERRED);
	int64_t status = db_int(row, 0, P_STATUS);
	return http_reply_json(
	    c, 200,
	    json_pack("{so ss sI so sI sI sI so}", "id", api_id(ID_CAMPAIGN, id), "status",
		      status == CAMPAIGN_SENDING && !open ? "completed"
							  : campaign_status_name((int)status),
		      "audience", (json_int_t)db_int(row, 0, P_AUDIENCE), "states",
		      states_json(row), "returned_later", (json_int_t)db_int(row, 0, P_RETURNED),
		      "deferred_attempts", (json_int_t)db_int(row, 0, P_DEFERRALS), "last_minute",
		      (json_int_t)db_int(row, 0, P_MINUTE), "started_at",
		      api_time(status < CAMPAIGN_SENDING ? 0 : db_int(row, 0, P_STARTED))));
}

/* ---- statistics -------------------------------------------------------------------------- */

enum { SERIES_MAX = 2000, REASONS_MAX = 20 };

static const char *const outcome_names[] = { "",        "delivered", "bounced",
					     "expired", "cancelled", "deferred" };
/* The columns of `series` after those of the outcomes, and the first ones of `later`. */
static const char *const later_names[] = { "returned", "delayed", "complaints", "auto_replies",
					   "unsubscribed_by_mail" };

enum { T_AT }; /* and a sum for each outcome, and for each of what came back */

static json_t *set_later(json_t *to, const struct db_result *r, unsigned row, unsigned column)
{
	for (unsigned k = 0; k < ARRAY_LEN(later_names); k++)
		(void)json_object_set_new(to, later_names[k],
					  json_integer(db_int(r, row, column + k)));
	return to;
}

static json_t *series_json(const struct db_result *r)
{
	json_t *series = json_array();

	for (unsigned i = 0; i < db_rows(r); i++) {
		json_t *point = json_object();

		(void)json_object_set_new(point, "at", api_time(db_int(r, i, T_AT)));
		for (unsigned k = 1; k < ARRAY_LEN(outcome_names); k++)
			(void)json_object_set_new(point, outcome_names[k],
						  json_integer(db_int(r, i, k)));
		set_later(point, r, i, ARRAY_LEN(outcome_names));
		(void)json_array_append_new(series, point);
	}
	return series;
}

enum { W_KIND, W_CODE, W_DSN, W_TEXT, W_COUNT };

static json_t *reasons_json(const struct db_result *r)
{
	json_t *reasons = json_array();

	for (unsigned i = 0; i < db_rows(r); i++)
		(void)json_array_append_new(reasons,
					    json_pack("{ss sI so so sI}", "outcome",
						      outcome_names[db_int(r, i, W_KIND)], "code",
						      (json_int_t)db_int(r, i, W_CODE), "status",
						      api_text(db_text(r, i, W_DSN)), "text",
						      api_text(db_text(r, i, W_TEXT)), "count",
						      (json_int_t)db_int(r, i, W_COUNT)));
	return reasons;
}

static int get_stats(struct call *c)
{
	OWNED(db_result) head = NULL;
	OWNED(db_result) series = NULL;
	OWNED(db_result) reasons = NULL;
	OWNED(db_result) left = NULL;
	int r = campaign_load(c, false, &head);
	int64_t id = r < 0 ? 0 : db_int(head, 0, CC_ID);

	if (r >= 0)
		r = db_run(c->db, &series, sql_campaigns_series, p_int(c->actor.org), p_int(id),
			   p_int(SERIES_MAX));
	if (r >= 0)
		r = db_run(c->db, &reasons, sql_campaigns_reasons, p_int(c->actor.org), p_int(id),
			   p_int(REASONS_MAX));
	if (r >= 0)
		r = db_run(c->db, &left, sql_campaigns_later, p_int(c->actor.org), p_int(id));
	if (r < 0)
		return r;
	return http_reply_json(c, 200,
			       json_pack("{sI sI so so so}", "audience",
					 (json_int_t)db_int(head, 0, CC_AUDIENCE), "unsubscribed",
					 (json_int_t)db_int(left, 0, ARRAY_LEN(later_names)),
					 "later", set_later(json_object(), left, 0, 0), "series",
					 series_json(series), "reasons", reasons_json(reasons)));
}

#define REPORT(name) "/v1/campaigns/{campaign_id}/" name
const struct http_route campaigns_report_routes[] = {
	{ "GET", REPORT("progress"), AUTH_MEMBER, PERMIT_CAMPAIGNS_READ, 0, 0, get_progress },
	{ "GET", REPORT("stats"), AUTH_MEMBER, PERMIT_CAMPAIGNS_READ, 0, 0, get_stats },
};
const size_t campaigns_report_routes_n = ARRAY_LEN(campaigns_report_routes);
