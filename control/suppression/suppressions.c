/* control/suppression/suppressions.c - /v1/suppressions: which addresses are suppressed and why. */
#include <stdio.h>

#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/suppression/routes.h"
#include "control/suppression/statements.h"
#include "control/suppression/suppress.h"

enum { BATCH_MAX = 5000, WHY_MAX = 500 };

enum { ROW_ID, ROW_EMAIL, ROW_REASON, ROW_SOURCE, ROW_CAMPAIGN, ROW_CREATED, ROW_HARD, ROW_SEQ };

/* Of an erased contact the hash alone is left. */
static json_t *email_json(struct slice email)
{
	return email.n ? api_text(email) : json_null();
}

static json_t *suppression_json(const struct db_result *r, unsigned i)
{
	int64_t seq = db_int(r, i, ROW_SEQ);

	return json_pack("{so so ss ss so so so so}", "id",
			 api_id(ID_SUPPRESSION, (uint64_t)db_int(r, i, ROW_ID)), "email",
			 email_json(db_text(r, i, ROW_EMAIL)), "reason",
			 suppress_reason_name((int)db_int(r, i, ROW_REASON)), "scope",
			 db_bool(r, i, ROW_HARD) ? "all" : "bulk", "source",
			 api_text(db_text(r, i, ROW_SOURCE)), "campaign",
			 api_id(ID_CAMPAIGN, (uint64_t)db_int(r, i, ROW_CAMPAIGN)), "seq",
			 seq ? json_integer(seq) : json_null(), "created_at",
			 api_time(db_int(r, i, ROW_CREATED)));
}

static int list_suppressions(struct call *c)
{
	return page_list(c, suppression_json, sql_suppression_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

static int find(struct call *c, const struct suppress_address *a, struct db_result **ret)
{
	int r = db_run(c->db, ret, sql_suppression_find, p_int(c->actor.org),
		       p_bytes(slice_of(a->hash, sizeof(a->hash))));

	return r == 0 ? E_UNKNOWN : r;
}

struct suppression_body {
	struct slice email;
};
static const struct body_field create_body[] = {
	{ "email", BODY_EMAIL, offsetof(struct suppression_body, email), BODY_REQUIRED, 0, 0, 0 },
};

static int create_suppression(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct suppression_body b = { 0 };
	struct suppress_address a;
	struct body_seen seen;
	int added, r = http_body_read(c, create_body, ARRAY_LEN(create_body), &b, &seen);

	if (r < 0)
		return r;
	if (suppress_address_parse(b.email, &a) < 0) {
		problem_add(c, "/email", "invalid_email",
			    "must be one email address, local@domain");
		return problem_end(c);
	}
	added = r = suppress_add(c->db, c->actor.org, &a, SUPPRESS_MANUAL, "api", 0);
	if (r >= 0)
		r = find(c, &a, &row);
	if (r >= 0 && added)
		r = audit_put(c, "suppression.added", a.normal_text, NULL);
	return r < 0 ? r : http_reply_json(c, added ? 201 : 200, suppression_json(row, 0));
}

static int address_of_path(const struct call *c, struct suppress_address *a)
{
	return suppress_address_parse(call_param(c, 0), a) < 0 ? E_UNKNOWN : 0;
}

static int get_suppression(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct suppress_address a;
	int r = address_of_path(c, &a);

	if (r >= 0)
		r = find(c, &a, &row);
	return r < 0 ? r : http_reply_json(c, 200, suppression_json(row, 0));
}

/* ---- allowing again ---------------------------------------------------------------------- */

static void check_why(struct call *c, struct slice why)
{
	if (!slice_trim(why).n)
		problem_add(c, "/reason", "required",
			    "is required: say why the address may be written to again");
}

/* Guarantee: an address is allowed again by somebody who may, and the audit says who did, why, and
 * what it was suppressed for. */
static int allow(struct call *c, const struct suppress_address *a, struct slice why)
{
	OWNED(db_result) row = NULL;
	int r = db_run(c->db, &row, sql_suppression_find_lock, p_int(c->actor.org),
		       p_bytes(slice_of(a->hash, sizeof(a->hash))));
	int reason = r > 0 ? (int)db_int(row, 0, ROW_REASON) : 0;

	if (r <= 0)
		return r;
	if (suppress_is_optout(reason) && !(c->actor.permits & PERMIT_SUPPRESSIONS_DELETE_OPTOUT))
		return problem(c, 403, "missing_permission",
			       "somebody asked not to be written to (%s): allowing it again needs "
			       "the permission suppressions.delete_optout",
			       suppress_reason_name(reason));
	r = suppress_remove(c->db, c->actor.org, a);
	if (r >= 0 && reason == SUPPRESS_BOUNCE)
		r = db_run(c->db, NULL, sql_suppression_contact_again, p_int(c->actor.org),
			   p_text(a->normal));
	if (r >= 0)
		r = audit_put(c, "suppression.deleted", a->normal_text,
			      json_pack("{so ss so}", "reason", api_text(why), "suppressed_for",
					suppress_reason_name(reason), "suppressed_at",
					api_time(db_int(row, 0, ROW_CREATED))));
	return r < 0 ? r : 1;
}

struct delete_body {
	struct slice reason;
};
static const struct body_field delete_body[] = {
	{ "reason", BODY_NAME, offsetof(struct delete_body, reason), BODY_REQUIRED, 1, WHY_MAX, 0 },
};

static int delete_suppression(struct call *c)
{
	struct delete_body b = { 0 };
	struct suppress_address a;
	struct body_seen seen;
	int r = address_of_path(c, &a);

	if (r >= 0)
		r = http_body_read(c, delete_body, ARRAY_LEN(delete_body), &b, &seen);
	if (r < 0)
		return r;
	check_why(c, b.reason);
	r = problem_end(c);
	if (r >= 0)
		r = allow(c, &a, b.reason);
	if (r == 0)
		return E_UNKNOWN;
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* ---- many at once ------------------------------------------------------------------------ */

struct batch_body {
	json_t *add, *remove;
	struct slice reason;
};
static const struct body_field batch_body[] = {
	{ "add", BODY_LIST, offsetof(struct batch_body, add), 0, 0, BATCH_MAX, 0 },
	{ "remove", BODY_LIST, offsetof(struct batch_body, remove), 0, 0, BATCH_MAX, 0 },
	{ "reason", BODY_NAME, offsetof(struct batch_body, reason), 0, 1, WHY_MAX, 0 },
};

static int change_one(struct call *c, const struct suppress_address *a, const struct slice *why)
{
	return why ? allow(c, a, *why)
		   : suppress_add(c->db, c->actor.org, a, SUPPRESS_MANUAL, "api", 0);
}

/* Adds, or with a reason removes.  Returns how many were changed. */
static int change_all(struct call *c, const json_t *list, const char *member,
		      const struct slice *why)
{
	struct suppress_address a;
	char pointer[48];
	int changed = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		int r;

		if (!json_is_string(item) || suppress_address_parse(api_text_of(item), &a) < 0) {
			(void)snprintf(pointer, sizeof(pointer), "/%s/%zu", member, i);
			problem_add(c, pointer, "invalid_email",
				    "must be one email address, local@domain");
			continue;
		}
		r = change_one(c, &a, why);
		if (r < 0)
			return r;
		changed += r;
	}
	return changed;
}

static int check_removing(struct call *c, const struct batch_body *b)
{
	if (!json_array_size(b->remove))
		return 0;
	if (!(c->actor.permits & PERMIT_SUPPRESSIONS_DELETE))
		return problem(
		    c, 403, "missing_permission",
		    "removing needs the permission suppressions.delete: ask an admin of your "
		    "organisation for it");
	check_why(c, b->reason);
	return problem_end(c);
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, SUPPRESS_HASH_SIZE);
}

/* The hashes of the addresses that are to be added, in order. */
static size_t hashes_of(const json_t *list, uint8_t (*out)[SUPPRESS_HASH_SIZE])
{
	struct suppress_address a;
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		if (suppress_address_parse(api_text_of(json_array_get(list, i)), &a) >= 0)
			memcpy(out[n++], a.hash, SUPPRESS_HASH_SIZE);
	qsort(out, n, sizeof(*out), by_hash);
	return n;
}

/* Nobody can say which of the two is meant. */
static int check_both(struct call *c, const struct batch_body *b)
{
	OWNED_MEM uint8_t(*added)[SUPPRESS_HASH_SIZE] = malloc(BATCH_MAX * sizeof(*added));
	size_t n = added && json_array_size(b->remove) ? hashes_of(b->add, added) : 0;
	struct suppress_address a;
	char pointer[32];

	if (!added)
		return -ENOMEM;
	for (size_t i = 0; n && i < json_array_size(b->remove); i++) {
		if (suppress_address_parse(api_text_of(json_array_get(b->remove, i)), &a) < 0 ||
		    !bsearch(a.hash, added, n, sizeof(*added), by_hash))
			continue;
		(void)snprintf(pointer, sizeof(pointer), "/remove/%zu", i);
		problem_add(c, pointer, "both_sides",
			    "is in add and in remove: take it out of one of them");
	}
	return problem_end(c);
}

static int change_suppressions(struct call *c)
{
	struct batch_body b = { 0 };
	struct body_seen seen;
	int added, removed = 0, r = http_body_read(c, batch_body, ARRAY_LEN(batch_body), &b, &seen);

	if (r >= 0)
		r = check_removing(c, &b);
	if (r >= 0)
		r = check_both(c, &b);
	if (r < 0)
		return r;
	added = r = change_all(c, b.add, "add", NULL);
	if (r >= 0)
		removed = r = change_all(c, b.remove, "remove", &b.reason);
	if (r >= 0)
		r = problem_end(c); /* one bad address, and nothing is changed */
	if (r >= 0 && added)
		r = audit_put(c, "suppressions.added", "", json_pack("{si}", "added", added));
	return r < 0 ? r
		     : http_reply_json(c, 200,
				       json_pack("{si si}", "added", added, "removed", removed));
}

const struct http_route suppression_routes[] = {
	{ "GET", "/v1/suppressions", AUTH_MEMBER, PERMIT_SUPPRESSIONS_READ, 0, 0,
	  list_suppressions },
	{ "POST", "/v1/suppressions", AUTH_MEMBER, PERMIT_SUPPRESSIONS_WRITE, ROUTE_IDEMPOTENT, 0,
	  create_suppression },
	{ "POST", "/v1/suppressions/batch", AUTH_MEMBER, PERMIT_SUPPRESSIONS_WRITE,
	  ROUTE_IDEMPOTENT, 0, change_suppressions },
	{ "GET", "/v1/suppressions/{email}", AUTH_MEMBER, PERMIT_SUPPRESSIONS_READ, 0, 0,
	  get_suppression },
	{ "DELETE", "/v1/suppressions/{email}", AUTH_MEMBER, PERMIT_SUPPRESSIONS_DELETE, 0, 0,
	  delete_suppression },
};
const size_t suppression_routes_n = ARRAY_LEN(suppression_routes);
