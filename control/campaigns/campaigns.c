/* control/campaigns/campaigns.c - /v1/campaigns as documents: made, read, and, until they start,
 * changed or deleted. */
#include <stdio.h>

#include "base/blanks.h"
#include "base/clock.h"
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/campaigns/campaign.h"
#include "control/campaigns/check.h"
#include "control/campaigns/routes.h"
#include "control/campaigns/statements.h"
#include "control/campaigns/trial.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/contract/plain.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/suppression/address.h"
#include "control/templates/templates.h"

enum { LISTS_MAX = 100, FROM_NAME_MAX = 200 };

const char *campaign_word(const struct db_result *r, unsigned i)
{
	int64_t status = db_int(r, i, CC_STATUS);

	if (status == CAMPAIGN_SENDING && db_int(r, i, CC_OPEN) == 0)
		return "completed";
	return campaign_status_name((int)status);
}

static json_t *list_ids(const struct db_result *r, unsigned i, unsigned column)
{
	struct slice text = db_text(r, i, column);
	json_t *numbers = json_loadb(text.p, text.n, 0, NULL), *ids = json_array(), *number;
	size_t k;

	json_array_foreach(numbers, k, number)(void)
	    json_array_append_new(ids, api_id(ID_LIST, (uint64_t)json_integer_value(number)));
	json_decref(numbers);
	return ids;
}

static json_t *document_json(const struct db_result *r, unsigned i)
{
	return json_pack(
	    "{so so ss so so s{so so} so sb so so so ss? ss? so so sI so so}", "id",
	    api_id(ID_CAMPAIGN, (uint64_t)db_int(r, i, CC_ID)), "name",
	    api_text(db_text(r, i, CC_NAME)), "status", campaign_word(r, i), "template",
	    api_id(ID_TEMPLATE, (uint64_t)db_int(r, i, CC_TEMPLATE)), "subject",
	    api_text(db_text(r, i, CC_SUBJECT)), "from", "name",
	    api_text(db_text(r, i, CC_FROM_NAME)), "email", api_text(db_text(r, i, CC_FROM_EMAIL)),
	    "reply_to", api_text(db_text(r, i, CC_REPLY_TO)), "all_contacts",
	    db_bool(r, i, CC_TO_ALL), "lists", list_ids(r, i, CC_LISTS), "exclude_lists",
	    list_ids(r, i, CC_EXCLUDED), "scheduled_at", api_time(db_int(r, i, CC_SCHEDULED)),
	    "unscheduled_because", campaign_unfit_name((int)db_int(r, i, CC_UNFIT)),
	    "paused_because", campaign_pause_name((int)db_int(r, i, CC_PAUSED_BY)), "started_at",
	    api_time(db_int(r, i, CC_STARTED)), "expires_at", api_time(db_int(r, i, CC_EXPIRES)),
	    "audience", (json_int_t)db_int(r, i, CC_AUDIENCE), "created_at",
	    api_time(db_int(r, i, CC_CREATED)), "updated_at", api_time(db_int(r, i, CC_UPDATED)));
}

/* When mail that is not delivered is given up, and the default that this comes from. */
json_t *campaign_json(const struct db_result *r, unsigned i)
{
	json_t *json = document_json(r, i);
	bool own = db_int(r, i, CC_EXPIRES) != 0;

	(void)json_object_set_new(json, "test", json_boolean(db_bool(r, i, CC_TEST)));
	(void)json_object_set_new(json, "ends_at", api_time(db_int(r, i, CC_ENDS)));
	(void)json_object_set_new(json, "life_seconds",
				  own ? json_null() : json_integer(CAMPAIGN_LIFE_MS / 1000));
	return json;
}

int campaign_reply(struct call *c, unsigned status, const struct db_result *row)
{
	http_reply_etag(c, db_int(row, 0, CC_VERSION));
	return http_reply_json(c, status, campaign_json(row, 0));
}

static int load(struct call *c, uint64_t id, bool lock, struct db_result **ret)
{
	int r = db_run(c->db, ret, lock ? sql_campaigns_find_lock : sql_campaigns_find,
		       p_int(c->actor.org), p_int(id));

	return r == 0 ? E_UNKNOWN : r;
}

int campaign_load(struct call *c, bool lock, struct db_result **ret)
{
	uint64_t id;
	int r = call_id(c, 0, ID_CAMPAIGN, &id);

	return r < 0 ? r : load(c, id, lock, ret);
}

/* ---- the body ---------------------------------------------------------------------------- */

struct campaign_body {
	struct slice name, template, subject, reply_to, from_name, from_email;
	uint64_t template_id;
	int64_t expires;
	bool all_contacts;
	json_t *lists, *excluded, *from;
};
enum {
	B_NAME,
	B_TEMPLATE,
	B_SUBJECT,
	B_FROM,
	B_REPLY,
	B_ALL,
	B_LISTS,
	B_EXCLUDED,
	B_EXPIRES,
	B_ROWS
};
#define AT(member) offsetof(struct campaign_body, member)
static const struct body_field campaign_body[B_ROWS] = {
	[B_NAME] = { "name", BODY_NAME, AT(name), 0, 1, 200, 0 },
	[B_TEMPLATE] = { "template", BODY_LINE, AT(template), BODY_NULLABLE, 1, 63, 0 },
	[B_SUBJECT] = { "subject", BODY_NAME, AT(subject), 0, 0, 2000, 0 },
	[B_FROM] = { "from", BODY_OBJECT, AT(from), BODY_RESET, 0, 0, 0 },
	[B_REPLY] = { "reply_to", BODY_NAME, AT(reply_to), 0, 0, 320, 0 },
	[B_ALL] = { "all_contacts", BODY_BOOL, AT(all_contacts), BODY_RESET, 0, 0, 0 },
	[B_LISTS] = { "lists", BODY_LIST, AT(lists), BODY_RESET, 0, LISTS_MAX, 0 },
	[B_EXCLUDED] = { "exclude_lists", BODY_LIST, AT(excluded), BODY_RESET, 0, LISTS_MAX, 0 },
	[B_EXPIRES] = { "expires_at", BODY_TIME, AT(expires), BODY_NULLABLE, 0, 0, 0 },
};

/* What is absent stays as it is, and null is nothing (RFC 7396). */
static void read_from_member(const json_t *from, const char *name, struct slice *out)
{
	const json_t *value = json_object_get(from, name);

	if (value)
		*out = blanks_strip(api_text_of(value));
}

static void read_from(struct call *c, struct campaign_body *b)
{
	const char *name;
	json_t *value;
	struct mailbox box;

	json_object_foreach(b->from, name, value)
	{
		if (strcmp(name, "name") != 0 && strcmp(name, "email") != 0)
			problem_add(c, "/from", "unknown_member", "may hold only name and email");
		else if (!json_is_string(value) && !json_is_null(value))
			problem_add(c, "/from", "wrong_type", "name and email must be strings");
	}
	read_from_member(b->from, "name", &b->from_name);
	read_from_member(b->from, "email", &b->from_email);
	if (plain_length(b->from_name) > FROM_NAME_MAX || !plain_line(b->from_name))
		problem_add(c, "/from/name", "invalid_text",
			    "must be one line of at most %d characters, without controls, also "
			    "those of direction",
			    FROM_NAME_MAX);
	if (b->from_email.n && mailbox_parse(b->from_email, MAILBOX_CONTACT, &box) < 0)
		problem_add(c, "/from/email", "invalid_email",
			    "must be one email address, local@domain");
}

static int read_template(struct call *c, struct campaign_body *b)
{
	int r = templates_find(c, b->template, &b->template_id);

	if (r >= 0 && !b->template_id)
		problem_add(c, "/template", "unknown_template",
			    "there is no template with this id or alias");
	return r;
}

static bool given(struct body_seen seen, unsigned row)
{
	return body_has(seen, row) && !((seen.null >> row) & 1);
}

static int read_campaign(struct call *c, struct campaign_body *b, struct body_seen *seen)
{
	struct mailbox_named reply;
	int r = http_body_read(c, campaign_body, B_ROWS, b, seen);

	if (r < 0)
		return r;
	if (b->from)
		read_from(c, b);
	else if (body_has(*seen, B_FROM))
		b->from_name = b->from_email = SLICE("");
	if (b->reply_to.n && mailbox_named_parse(b->reply_to, MAILBOX_CONTACT, &reply) < 0)
		problem_add(c, "/reply_to", "invalid_email",
			    "must be an email address or \"Name <address>\"");
	if (given(*seen, B_EXPIRES) && b->expires <= clock_wall_ms())
		problem_add(c, "/expires_at", "in_the_past", "must be in the future");
	if (b->template.n)
		r = read_template(c, b);
	return r < 0 ? r : problem_end(c);
}

/* The id of the sender's domain; 0 when it is not one of the organisation's, which the check before
 * sending reports. */
static int find_domain(struct call *c, struct slice email, int64_t *ret)
{
	OWNED(db_result) row = NULL;
	struct mailbox box;
	int r;

	*ret = 0;
	if (!email.n || mailbox_parse(email, MAILBOX_CONTACT, &box) < 0)
		return 0;
	r = db_run(c->db, &row, "SELECT id FROM domains WHERE org_id = $1 AND name = $2",
		   p_int(c->actor.org), p_text(mailbox_domain(&box)));
	if (r > 0)
		*ret = db_int(row, 0, 0);
	return r < 0 ? r : 0;
}

static int put_lists(struct call *c, uint64_t campaign, const json_t *lists, const char *member,
		     bool exclude)
{
	for (size_t i = 0; i < json_array_size(lists); i++) {
		const json_t *item = json_array_get(lists, i);
		OWNED(db_result) put = NULL;
		char pointer[48];
		uint64_t list = 0;
		int r = json_is_string(item)
			    ? ids_in(ID_LIST, slice_str(json_string_value(item)), &list)
			    : E_UNKNOWN;

		if (r >= 0)
			r = db_run(c->db, &put, sql_campaigns_list_put, p_int(c->actor.org),
				   p_int(campaign), p_int(list), p_bool(exclude));
		(void)snprintf(pointer, sizeof(pointer), "/%s/%zu", member, i);
		if (r == 0 || r == E_UNKNOWN)
			problem_add(c, pointer, "unknown_list", "there is no list with this id");
		else if (r < 0)
			return r;
		else if (db_bool(put, 0, 0) != exclude)
			problem_add(c, pointer, "both_sides",
				    "is in lists and in exclude_lists: take it out of one of them");
	}
	return 0;
}

static int change_lists(struct call *c, uint64_t campaign, const struct campaign_body *b,
			struct body_seen seen)
{
	int r = 0;

	if (body_has(seen, B_LISTS))
		r = db_run(c->db, NULL,
			   "DELETE FROM campaign_lists WHERE org_id = $1 AND campaign_id = $2 AND "
			   "NOT exclude",
			   p_int(c->actor.org), p_int(campaign));
	if (r >= 0 && body_has(seen, B_EXCLUDED))
		r = db_run(
		    c->db, NULL,
		    "DELETE FROM campaign_lists WHERE org_id = $1 AND campaign_id = $2 AND exclude",
		    p_int(c->actor.org), p_int(campaign));
	if (r >= 0)
		r = put_lists(c, campaign, b->lists, "lists", false);
	if (r >= 0)
		r = put_lists(c, campaign, b->excluded, "exclude_lists", true);
	return r < 0 ? r : problem_end(c);
}

/* ---- handlers ---------------------------------------------------------------------------- */

static int note(struct call *c, const struct db_result *row, const char *action)
{
	return audit_put_id(c, action, ID_CAMPAIGN, (uint64_t)db_int(row, 0, CC_ID),
			    c->body ? audit_members(c) : NULL);
}

static int list_campaigns(struct call *c)
{
	return page_list(c, campaign_json, sql_campaigns_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

static int create_campaign(struct call *c)
{
	OWNED(db_result) made = NULL;
	OWNED(db_result) row = NULL;
	struct campaign_body b = { 0 };
	struct body_seen seen;
	int64_t domain = 0;
	int r = read_campaign(c, &b, &seen);

	if (r < 0)
		return r;
	if (!b.name.n) {
		problem_add(c, "/name", "required", "is required");
		return problem_end(c);
	}
	r = find_domain(c, b.from_email, &domain);
	if (r >= 0)
		r = db_run(c->db, &made, sql_campaigns_insert, p_int(c->actor.org), p_text(b.name),
			   p_int(b.template_id), p_text(b.subject), p_text(b.from_name),
			   p_text(b.from_email), p_text(b.reply_to), p_int(domain),
			   p_bool(b.all_contacts), p_int(b.expires),
			   p_int(c->actor.kind == ACTOR_USER ? c->actor.id : 0));
	if (r >= 0)
		r = change_lists(c, (uint64_t)db_int(made, 0, 0), &b, seen);
	if (r >= 0)
		r = load(c, (uint64_t)db_int(made, 0, 0), false, &row);
	if (r >= 0)
		r = note(c, row, "campaign.created");
	return r < 0 ? r : campaign_reply(c, 201, row);
}

static int get_campaign(struct call *c)
{
	OWNED(db_result) row = NULL;
	int r = campaign_load(c, false, &row);

	return r < 0 ? r : campaign_reply(c, 200, row);
}

static int lists_text(struct call *c, int64_t id, struct db_result **ret)
{
	return db_run(c->db, ret, sql_campaigns_lists_text, p_int(c->actor.org), p_int(id));
}

/* 1 when other lists are named than before. */
static int replace_lists(struct call *c, int64_t id, const struct campaign_body *b,
			 struct body_seen seen)
{
	OWNED(db_result) before = NULL;
	OWNED(db_result) after = NULL;
	int r = lists_text(c, id, &before);

	if (r >= 0)
		r = change_lists(c, (uint64_t)id, b, seen);
	if (r >= 0)
		r = lists_text(c, id, &after);
	return r < 0 ? r : !slice_eq(db_text(before, 0, 0), db_text(after, 0, 0));
}

/* 1, or 0 when all is as it was. */
static int patch_row(struct call *c, int64_t id, const struct campaign_body *b,
		     struct body_seen seen)
{
	int64_t domain = 0;
	int lists = 0, r = find_domain(c, b->from_email, &domain);

	if (r >= 0)
		r = lists = replace_lists(c, id, b, seen);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_campaigns_update, p_int(c->actor.org), p_int(id),
			   p_opt(b->name), p_opt(b->subject), p_opt(b->reply_to),
			   body_has(seen, B_FROM) ? p_text(b->from_name) : p_null(),
			   body_has(seen, B_FROM) ? p_text(b->from_email) : p_null(), p_int(domain),
			   p_bool(body_has(seen, B_TEMPLATE)), p_int(b->template_id),
			   body_has(seen, B_ALL) ? p_bool(b->all_contacts) : p_null(),
			   p_bool(body_has(seen, B_EXPIRES)), p_int(b->expires), p_bool(lists));
	return r;
}

/* A scheduled campaign goes out by itself, so those who may not send must not change it. */
static int check_scheduled(struct call *c, const struct db_result *row)
{
	if (db_int(row, 0, CC_STATUS) != CAMPAIGN_SCHEDULED)
		return 0;
	if (c->actor.permits & PERMIT_CAMPAIGNS_SEND)
		return trial_check(c, db_bool(row, 0, CC_TEST));
	return problem(
	    c, 403, "missing_permission",
	    "this campaign is scheduled: changing it needs the permission campaigns.send");
}

/* It must not be over before it begins. */
static int check_end(struct call *c, const struct db_result *row, const struct campaign_body *b,
		     struct body_seen seen)
{
	if (given(seen, B_EXPIRES) && db_int(row, 0, CC_STATUS) == CAMPAIGN_SCHEDULED &&
	    b->expires <= db_int(row, 0, CC_SCHEDULED))
		problem_add(c, "/expires_at", "before_start",
			    "must be after scheduled_at: the campaign begins then");
	return problem_end(c);
}

static int patch_campaign(struct call *c)
{
	OWNED(db_result) old = NULL;
	OWNED(db_result) row = NULL;
	struct campaign_body b = { 0 };
	struct body_seen seen;
	int r = campaign_load(c, true, &old);

	if (r >= 0)
		r = call_if_match(c, db_int(old, 0, CC_VERSION));
	if (r < 0)
		return r;
	b.from_name = db_text(old, 0, CC_FROM_NAME);
	b.from_email = db_text(old, 0, CC_FROM_EMAIL);
	r = read_campaign(c, &b, &seen);
	if (r < 0)
		return r;
	if (!seen.present)
		return campaign_reply(c, 200, old);
	if (db_int(old, 0, CC_STATUS) > CAMPAIGN_SCHEDULED)
		return problem(c, 409, "started",
			       "this campaign has started and cannot be changed any more");
	r = check_scheduled(c, old);
	if (r >= 0)
		r = check_end(c, old, &b, seen);
	if (r >= 0)
		r = patch_row(c, db_int(old, 0, CC_ID), &b, seen);
	bool changed = r > 0;
	if (r >= 0)
		r = load(c, (uint64_t)db_int(old, 0, CC_ID), false, &row);
	/* It will start by itself, so what would stop it is told now. */
	if (r >= 0 && db_int(row, 0, CC_STATUS) == CAMPAIGN_SCHEDULED)
		r = campaign_check(c, row, db_int(row, 0, CC_SCHEDULED));
	if (r >= 0 && changed)
		r = note(c, row, "campaign.changed");
	return r < 0 ? r : campaign_reply(c, 200, row);
}

static int delete_campaign(struct call *c)
{
	OWNED(db_result) old = NULL;
	int r = campaign_load(c, true, &old);

	if (r >= 0)
		r = call_if_match(c, db_int(old, 0, CC_VERSION));
	if (r < 0)
		return r;
	if (db_int(old, 0, CC_STARTED))
		return problem(c, 409, "started",
			       "this campaign has started and cannot be deleted, because its "
			       "ledger is kept; cancel it to stop it");
	r = check_scheduled(c, old);
	if (r < 0)
		return r;
	r = db_run(c->db, NULL, "DELETE FROM campaigns WHERE org_id = $1 AND id = $2",
		   p_int(c->actor.org), p_int(db_int(old, 0, CC_ID)));
	if (r >= 0)
		r = note(c, old, "campaign.deleted");
	return r < 0 ? r : http_reply_empty(c, 204);
}

const struct http_route campaigns_routes[] = {
	{ "GET", "/v1/campaigns", AUTH_MEMBER, PERMIT_CAMPAIGNS_READ, 0, 0, list_campaigns },
	{ "POST", "/v1/campaigns", AUTH_MEMBER, PERMIT_CAMPAIGNS_WRITE, ROUTE_IDEMPOTENT, 0,
	  create_campaign },
	{ "GET", "/v1/campaigns/{campaign_id}", AUTH_MEMBER, PERMIT_CAMPAIGNS_READ, 0, 0,
	  get_campaign },
	{ "PATCH", "/v1/campaigns/{campaign_id}", AUTH_MEMBER, PERMIT_CAMPAIGNS_WRITE,
	  ROUTE_IF_MATCH, 0, patch_campaign },
	{ "DELETE", "/v1/campaigns/{campaign_id}", AUTH_MEMBER, PERMIT_CAMPAIGNS_WRITE, 0, 0,
	  delete_campaign },
};
const size_t campaigns_routes_n = ARRAY_LEN(campaigns_routes);
