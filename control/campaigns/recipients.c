/* control/campaigns/recipients.c - the recipients of a campaign: what became of each, and what came
 * back about them later. */
#include "control/auth/permit.h"
#include "control/campaigns/campaign.h"
#include "control/campaigns/routes.h"
#include "control/campaigns/statements.h"
#include "control/http/api.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { TIMELINE_MAX = 100 }; /* of attempts; the newest */

enum { R_SEQ, R_CONTACT, R_EMAIL, R_STATE, R_REASON, R_CODE, R_ATTEMPTS, R_CHANGED, R_LATER };

static const struct later_word {
	enum ledger_later mark;
	const char *name;
} later_words[] = {
	{ LATER_RETURNED, "returned" },     { LATER_HARD, "returned_hard" },
	{ LATER_DELAYED, "delayed" },       { LATER_COMPLAINT, "complaint" },
	{ LATER_AUTO_REPLY, "auto_reply" }, { LATER_UNSUBSCRIBED, "unsubscribed" },
	{ LATER_OTHER, "other" },
};

static json_t *later_json(int64_t marks)
{
	json_t *words = json_array();

	for (unsigned i = 0; i < ARRAY_LEN(later_words); i++)
		if (marks & later_words[i].mark)
			(void)json_array_append_new(words, json_string(later_words[i].name));
	return words;
}

/* 0: no such word */
static int later_parse(struct slice word)
{
	for (unsigned i = 0; i < ARRAY_LEN(later_words); i++)
		if (slice_eq(word, slice_str(later_words[i].name)))
			return later_words[i].mark;
	return 0;
}

static json_t *recipient_json(const struct db_result *r, unsigned i)
{
	return json_pack("{sI so so ss ss sI sI so so}", "seq", (json_int_t)db_int(r, i, R_SEQ),
			 "contact", api_id(ID_CONTACT, (uint64_t)db_int(r, i, R_CONTACT)), "email",
			 api_text(db_text(r, i, R_EMAIL)), "state",
			 ledger_state_name((int)db_int(r, i, R_STATE)), "reason",
			 ledger_reason_name((int)db_int(r, i, R_REASON)), "code",
			 (json_int_t)db_int(r, i, R_CODE), "attempts",
			 (json_int_t)db_int(r, i, R_ATTEMPTS), "changed_at",
			 api_time(db_int(r, i, R_CHANGED)), "later",
			 later_json(db_int(r, i, R_LATER)));
}

static int list_recipients(struct call *c)
{
	OWNED(db_result) head = NULL;
	struct slice word = call_query(c, "state"), back = call_query(c, "later");
	int state = word.n ? ledger_state_parse(word) : 0, r = campaign_load(c, false, &head);
	int later = back.n ? later_parse(back) : 0;

	if (r >= 0 && word.n && !state)
		return problem(c, 400, "invalid_filter",
			       "state must be waiting, queued, deferred, delivered, bounced, "
			       "expired, suppressed or cancelled");
	if (r >= 0 && back.n && !later)
		return problem(c, 400, "invalid_filter",
			       "later must be returned, returned_hard, delayed, complaint, "
			       "auto_reply, unsubscribed or other");
	return r < 0 ? r
		     : page_list(c, recipient_json, sql_campaigns_recipient_page,
				 p_int(c->actor.org), p_int(db_int(head, 0, CC_ID)), PAGE_AFTER,
				 p_int(state), p_int(later), PAGE_LIMIT);
}

/* ---- one recipient ----------------------------------------------------------------------- */

static const char *event_name(int64_t kind)
{
	static const char *const outcomes[] = { "",        "delivered", "bounced",
						"expired", "cancelled", "deferred" };
	static const char *const late[] = { "returned", "delayed", "complaint", "auto_reply",
					    "unsubscribed" };

	if (kind >= LINK_RETURNED)
		return kind - LINK_RETURNED < (int64_t)ARRAY_LEN(late) ? late[kind - LINK_RETURNED]
								       : "other";
	return kind < (int64_t)ARRAY_LEN(outcomes) ? outcomes[kind] : "";
}

enum {
	E_AT,
	E_KIND,
	E_ATTEMPT,
	E_CODE,
	E_DSN,
	E_TEXT,
	E_HOST,
	E_IP,
	E_SOURCE,
	E_NEXT,
};

static json_t *event_json(const struct db_result *r, unsigned i)
{
	return json_pack(
	    "{so ss sI sI so so so so so so}", "at", api_time(db_int(r, i, E_AT)), "event",
	    event_name(db_int(r, i, E_KIND)), "attempt", (json_int_t)db_int(r, i, E_ATTEMPT),
	    "code", (json_int_t)db_int(r, i, E_CODE), "status", api_text(db_text(r, i, E_DSN)),
	    "text", api_text(db_text(r, i, E_TEXT)), "host", api_text(db_text(r, i, E_HOST)), "ip",
	    api_text(db_text(r, i, E_IP)), "source", api_text(db_text(r, i, E_SOURCE)), "next_at",
	    api_time(db_int(r, i, E_NEXT)));
}

enum {
	B_KIND,
	B_AT,
	B_LAST,
	B_COUNT,
	B_HARD,
	B_CODE,
	B_DSN,
	B_CLASS,
	B_RULE,
	B_HOST,
	B_IP,
	B_TO,
	B_RCPT,
	B_EVIDENCE,
};

static json_t *return_json(const struct db_result *r, unsigned i)
{
	return json_pack(
	    "{so ss sI so so so so so so sb so so so sI so}", "at", api_time(db_int(r, i, B_AT)),
	    "event", event_name(db_int(r, i, B_KIND)), "code", (json_int_t)db_int(r, i, B_CODE),
	    "status", api_text(db_text(r, i, B_DSN)), "text", api_text(db_text(r, i, B_EVIDENCE)),
	    "host", api_text(db_text(r, i, B_HOST)), "ip", api_text(db_text(r, i, B_IP)), "class",
	    api_text(db_text(r, i, B_CLASS)), "rule", api_text(db_text(r, i, B_RULE)), "hard",
	    db_bool(r, i, B_HARD), "to", api_text(db_text(r, i, B_TO)), "recipient",
	    api_text(db_text(r, i, B_RCPT)), "last_at", api_time(db_int(r, i, B_LAST)), "mails",
	    (json_int_t)db_int(r, i, B_COUNT), "source", json_null());
}

/* Both in one row of time, the oldest first; events come with the newest first. */
static json_t *timeline_json(const struct db_result *events, const struct db_result *late)
{
	unsigned n = db_rows(events), k = 0;
	json_t *line = json_array();

	while (n || k < db_rows(late)) {
		bool event = n && (k == db_rows(late) ||
				   db_int(events, n - 1, E_AT) <= db_int(late, k, B_AT));
		json_t *item = event ? event_json(events, n - 1) : return_json(late, k);

		(void)json_array_append_new(line, item);
		if (event)
			n--;
		else
			k++;
	}
	return line;
}

static int get_recipient(struct call *c)
{
	OWNED(db_result) row = NULL;
	OWNED(db_result) events = NULL;
	OWNED(db_result) late = NULL;
	uint64_t id, seq = 0;
	json_t *reply;
	int r = call_id(c, 0, ID_CAMPAIGN, &id);

	if (r >= 0 && slice_u64(call_param(c, 1), INT64_MAX, &seq) < 0)
		return E_UNKNOWN;
	if (r >= 0)
		r = db_run(c->db, &row, sql_campaigns_recipient_find, p_int(c->actor.org),
			   p_int(id), p_int(seq));
	if (r == 0)
		return E_UNKNOWN;
	if (r >= 0)
		r = db_run(c->db, &events, sql_campaigns_recipient_events, p_int(c->actor.org),
			   p_int(id), p_int(seq), p_int(TIMELINE_MAX));
	if (r >= 0)
		r = db_run(c->db, &late, sql_campaigns_recipient_returns, p_int(c->actor.org),
			   p_int(id), p_int(seq));
	if (r < 0)
		return r;
	reply = recipient_json(row, 0);
	(void)json_object_set_new(reply, "timeline", timeline_json(events, late));
	return http_reply_json(c, 200, reply);
}

#define RECIPIENTS "/v1/campaigns/{campaign_id}/recipients"
const struct http_route campaigns_recipient_routes[] = {
	{ "GET", RECIPIENTS, AUTH_MEMBER, PERMIT_CAMPAIGNS_READ, 0, 0, list_recipients },
	{ "GET", RECIPIENTS "/{seq}", AUTH_MEMBER, PERMIT_CAMPAIGNS_READ, 0, 0, get_recipient },
};
const size_t campaigns_recipient_routes_n = ARRAY_LEN(campaigns_recipient_routes);
