/* control/returns/list.c - /v1/returns: what came back as mail, of campaigns and of what
 * applications submitted alike. */
#include "control/auth/permit.h"
#include "control/contract/rfc3339.h"
#include "control/http/api.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/returns/routes.h"
#include "control/returns/statements.h"
#include "control/suppression/address.h"
#include "schema/wire/link.h"

static const struct kind_word {
	enum link_event_kind kind;
	const char *name;
} kind_words[] = {
	{ LINK_RETURNED, "returned" },        { LINK_RETURNED_DELAY, "delayed" },
	{ LINK_COMPLAINT, "complaint" },      { LINK_AUTO_REPLY, "auto_reply" },
	{ LINK_UNSUBSCRIBE, "unsubscribed" }, { LINK_RETURNED_OTHER, "other" },
};

enum {
	R_ID,
	R_KIND,
	R_CAMPAIGN,
	R_SEQ,
	R_ROW,
	R_EMAIL,
	R_NAMED,
	R_CLASS,
	R_HARD,
	R_CODE,
	R_DSN,
	R_RULE,
	R_HOST,
	R_IP,
	R_SOURCE,
	R_EVIDENCE,
	R_AT,
	R_LAST,
	R_N,
};

static const char *kind_name(int64_t kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kind_words); i++)
		if ((int64_t)kind_words[i].kind == kind)
			return kind_words[i].name;
	return "other";
}

static int kind_of(struct slice word)
{
	for (size_t i = 0; i < ARRAY_LEN(kind_words); i++)
		if (slice_eq(word, slice_str(kind_words[i].name)))
			return (int)kind_words[i].kind;
	return 0;
}

static json_t *text_or_null(struct slice s)
{
	return s.n ? api_text(s) : json_null();
}

/* Below zero: an application submitted it. */
static const char *origin_name(const struct db_result *r, unsigned i)
{
	if (db_int(r, i, R_CAMPAIGN))
		return "campaign";
	return db_int(r, i, R_SEQ) < 0 ? "submission" : "message";
}

/* Whom it is about. */
static json_t *return_json(const struct db_result *r, unsigned i)
{
	int64_t campaign = db_int(r, i, R_CAMPAIGN), code = db_int(r, i, R_CODE);
	json_t *json = json_pack(
	    "{so ss ss so so so so sI so sI}", "id",
	    api_id(ID_RETURN, (uint64_t)db_int(r, i, R_ID)), "kind",
	    kind_name(db_int(r, i, R_KIND)), "origin", origin_name(r, i), "campaign",
	    api_id(ID_CAMPAIGN, (uint64_t)campaign), "seq",
	    campaign ? json_integer(db_int(r, i, R_SEQ)) : json_null(), "email",
	    text_or_null(db_text(r, i, R_EMAIL)), "at", api_time(db_int(r, i, R_AT)), "count",
	    (json_int_t)db_int(r, i, R_N), "last_at", api_time(db_int(r, i, R_LAST)), "code", code);

	/* What the mail says. */
	(void)json_object_update_new(
	    json,
	    json_pack("{so so sb so so so so so so}", "named", text_or_null(db_text(r, i, R_NAMED)),
		      "class", text_or_null(db_text(r, i, R_CLASS)), "hard",
		      (int)db_bool(r, i, R_HARD), "status", text_or_null(db_text(r, i, R_DSN)),
		      "rule", text_or_null(db_text(r, i, R_RULE)), "reporter",
		      text_or_null(db_text(r, i, R_HOST)), "received_from",
		      text_or_null(db_text(r, i, R_IP)), "came_to",
		      text_or_null(db_text(r, i, R_SOURCE)), "evidence",
		      text_or_null(db_text(r, i, R_EVIDENCE))));
	return json;
}

struct filter {
	int kind;
	int64_t since_ms;
	struct slice class, email;
	struct suppress_address address;
};

static int read_filter(struct call *c, struct filter *f)
{
	struct slice kind = call_query(c, "kind"), since = call_query(c, "since"),
		     address = call_query(c, "address");

	f->class = call_query(c, "class");
	f->kind = kind_of(kind);
	if (kind.n && !f->kind)
		return problem(c, 400, "invalid_filter",
			       "kind must be returned, delayed, complaint, auto_reply, "
			       "unsubscribed or other");
	if (since.n && rfc3339_parse(since, &f->since_ms) < 0)
		return problem(c, 400, "invalid_filter",
			       "since must be a time like 2026-02-03T16:58:38Z");
	f->email = SLICE("");
	if (address.n && suppress_address_parse(address, &f->address) < 0)
		return problem(c, 400, "invalid_filter", "address must be one whole email address");
	if (address.n)
		f->email = f->address.normal;
	return 0;
}

static int list_returns(struct call *c)
{
	struct filter f = { 0 };
	int r = read_filter(c, &f);

	if (r < 0)
		return r;
	if (f.email.n)
		return page_list(c, return_json, sql_returns_page_of_address, p_int(c->actor.org),
				 PAGE_AFTER, PAGE_LIMIT, p_int(f.kind), p_text(f.class),
				 p_int(f.since_ms), p_text(f.email));
	return page_list(c, return_json, sql_returns_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT, p_int(f.kind), p_text(f.class), p_int(f.since_ms));
}

const struct http_route returns_routes[] = {
	{ "GET", "/v1/returns", AUTH_MEMBER, PERMIT_MESSAGES_READ, 0, 0, list_returns },
};
const size_t returns_routes_n = ARRAY_LEN(returns_routes);
