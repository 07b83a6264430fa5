/* control/platform/orgs.c - how the platform's operators create, list, suspend and resume
 * organisations.  A suspended organisation is held in the engine too, so that queued mail waits. */
#include <stdio.h>

#include "control/auth/audit.h"
#include "control/auth/password.h"
#include "control/signup/signup.h"
#include "control/engine/outbox.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/reply.h"
#include "control/platform/routes.h"
#include "control/platform/statements.h"

enum { ORG_ACTIVE = 1, ORG_SUSPENDED = 2 };

enum { O_ID, O_NAME, O_STATUS, O_NOTE, O_CREATED, O_VERSION };

static json_t *org_json(const struct db_result *res, unsigned i)
{
	return json_pack(
	    "{s:o, s:o, s:s, s:o, s:o, s:I}", "id", api_id(ID_ORG, (uint64_t)db_int(res, i, O_ID)),
	    "name", api_text(db_text(res, i, O_NAME)), "status",
	    db_int(res, i, O_STATUS) == ORG_ACTIVE ? "active" : "suspended", "status_note",
	    api_text(db_text(res, i, O_NOTE)), "created_at", api_time(db_int(res, i, O_CREATED)),
	    "tenant", (json_int_t)db_int(res, i, O_ID));
}

static int get_orgs(struct call *c)
{
	return page_list(c, org_json, sql_platform_page, PAGE_AFTER, PAGE_LIMIT);
}

static int reply_org(struct call *c, uint32_t org, unsigned status)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_platform_find, p_int(org));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	http_reply_etag(c, db_int(res, 0, O_VERSION));
	return http_reply_json(c, status, org_json(res, 0));
}

struct org_change {
	struct call *c;
	uint32_t org;
	unsigned status;
	struct slice name, note;
	int64_t new_status;
};

static int read_org(struct db *db UNUSED, void *arg)
{
	struct org_change *w = arg;

	return reply_org(w->c, w->org, w->status);
}

static int org_param(struct call *c, uint32_t *ret)
{
	uint64_t id;
	int r = call_id(c, 0, ID_ORG, &id);

	if (r < 0 || id == 0 || id > INT32_MAX)
		return E_UNKNOWN;
	*ret = (uint32_t)id;
	return 0;
}

static int get_one(struct call *c)
{
	struct org_change w = { .c = c, .status = 200 };
	int r = org_param(c, &w.org);

	return r < 0 ? r : db_tx(c->db, w.org, read_org, &w);
}

static const struct body_field new_fields[] = { NEW_ORG_FIELDS("name", "admin_") };

static int post_org(struct call *c)
{
	struct new_org n = { .password_pointer = "/admin_password" };
	struct body_seen seen;
	int r = http_body_read(c, new_fields, ARRAY_LEN(new_fields), &n, &seen);

	if (r >= 0)
		r = signup_create(c, &n);
	if (r < 0)
		return r;
	struct org_change w = { .c = c, .org = n.ret_org, .status = 201 };
	return db_tx(c->db, w.org, read_org, &w);
}

/* The rule hold/tenant/<n> stops the engine; an empty value lifts it. */
static int order_hold(struct org_change *w)
{
	char rule[64];

	(void)snprintf(rule, sizeof(rule), "hold/tenant/%u", w->org);
	return outbox_put(w->c->app, w->c->db, w->org, OUTBOX_RULE, slice_str(rule),
			  w->new_status == ORG_SUSPENDED ? SLICE("suspended by the platform")
							 : SLICE(""));
}

static int lock_version(const struct org_change *w)
{
	OWNED(db_result) res = NULL;
	int r = db_run(w->c->db, &res, "SELECT version FROM orgs WHERE org_id = $1 FOR UPDATE",
		       p_int(w->org));

	return r < 0 ? r : r == 0 ? E_UNKNOWN : call_if_match(w->c, db_int(res, 0, 0));
}

static int change_org(struct db *db, void *arg)
{
	struct org_change *w = arg;
	char id[ID_OUT_MAX];
	int r = lock_version(w);

	if (r < 0)
		return r;
	r = db_run(db, NULL, sql_platform_update, p_int(w->org), p_opt(w->name),
		   w->new_status ? p_int(w->new_status) : p_null(), p_opt(w->note));

	if (r <= 0) /* 0: all is as it was, for the row is locked */
		return r < 0 ? r : reply_org(w->c, w->org, 200);
	if (w->new_status)
		r = order_hold(w);
	if (r >= 0)
		r = audit_put_in(w->c, w->org,
				 w->new_status == ORG_SUSPENDED ? "org.suspended"
				 : w->new_status                ? "org.resumed"
								: "org.changed",
				 ids_out(ID_ORG, w->org, id), json_incref(w->c->body));
	return r < 0 ? r : reply_org(w->c, w->org, 200);
}

struct change_body {
	struct slice name, note;
};
/* clang-format off */
static const struct body_field change_fields[] = {
	{"name",        BODY_NAME, offsetof(struct change_body, name), 0, 1, 200,  0},
	{"status_note", BODY_NAME, offsetof(struct change_body, note), 0, 0, 1000, 0},
};
/* clang-format on */
/* clang-format off */
static const struct body_field note_fields[] = {
	{"note", BODY_NAME, offsetof(struct change_body, note), 0, 0, 1000, 0},
};
/* clang-format on */

static int change(struct call *c, const struct body_field *fields, size_t n, int64_t new_status)
{
	struct org_change w = { .c = c, .new_status = new_status };
	struct change_body b = { 0 };
	struct body_seen seen;
	int r = org_param(c, &w.org);

	if (r >= 0)
		r = http_body_read(c, fields, n, &b, &seen);
	if (r < 0)
		return r;
	w.status = 200;
	if (!new_status && !seen.present) /* nothing is changed */
		return db_tx(c->db, w.org, read_org, &w);
	w.name = b.name;
	w.note = b.note.p || !new_status ? b.note : SLICE("");
	return db_tx(c->db, w.org, change_org, &w);
}

static int patch_org(struct call *c)
{
	return change(c, change_fields, ARRAY_LEN(change_fields), 0);
}

static int suspend_org(struct call *c)
{
	return change(c, note_fields, ARRAY_LEN(note_fields), ORG_SUSPENDED);
}

static int resume_org(struct call *c)
{
	return change(c, note_fields, ARRAY_LEN(note_fields), ORG_ACTIVE);
}

/* clang-format off */
const struct http_route platform_routes[] = {
	{"GET",   "/v1/admin/orgs",                  AUTH_PLATFORM, 0, ROUTE_NO_TX, 0, get_orgs },
	{"POST",  "/v1/admin/orgs",                  AUTH_PLATFORM, 0, ROUTE_NO_TX, 0, post_org   },
	{"GET",   "/v1/admin/orgs/{org_id}",         AUTH_PLATFORM, 0, ROUTE_NO_TX, 0, get_one    },
	{"PATCH", "/v1/admin/orgs/{org_id}",         AUTH_PLATFORM, 0, ROUTE_NO_TX, 0, patch_org  },
	{"POST",  "/v1/admin/orgs/{org_id}/suspend", AUTH_PLATFORM, 0, ROUTE_NO_TX, 0, suspend_org},
	{"POST",  "/v1/admin/orgs/{org_id}/resume",  AUTH_PLATFORM, 0, ROUTE_NO_TX, 0, resume_org },
};
/* clang-format on */
const size_t platform_routes_n = ARRAY_LEN(platform_routes);
