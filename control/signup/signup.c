/* control/signup/signup.c - an organisation and its first admin in one transaction. */
#include "control/auth/arrival.h"
#include "control/auth/audit.h"
#include "control/auth/password.h"
#include "control/auth/permit.h"
#include "control/auth/throttle.h"
#include "control/auth/options.h"
#include "control/http/call.h"
#include "control/http/problem.h"
#include "control/org/traits.h"
#include "control/signup/routes.h"
#include "control/signup/signup.h"
#include "control/signup/statements.h"
#include "message/mailbox.h"

struct creation {
	struct call *c;
	struct new_org *n;
	const char *hash;
	struct slice email_norm;
};

static int insert_org(struct creation *k)
{
	char *profile = k->n->profile ? json_dumps(k->n->profile, JSON_COMPACT) : NULL;
	int r = db_run(k->c->db, NULL, sql_signup_org_insert, p_int(k->n->ret_org),
		       p_text(k->n->org_name), p_bool(k->n->suspended),
		       p_str(k->n->suspended ? "waiting for the operator's approval" : ""),
		       p_str(profile ? profile : "{}"));

	free(profile);
	return r;
}

static int insert_user(struct creation *k)
{
	OWNED(db_result) res = NULL;
	int r = db_run(k->c->db, &res,
		       "INSERT INTO users (org_id, email, email_norm, name, role, password_hash)"
		       " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
		       p_int(k->n->ret_org), p_text(k->n->email), p_text(k->email_norm),
		       p_text(k->n->name), p_int(ROLE_ADMIN), p_str(k->hash));
	if (r < 0)
		return r;
	k->n->ret_user = (uint64_t)db_int(res, 0, 0);
	return 0;
}

static int create(struct db *db UNUSED, void *arg)
{
	struct creation *k = arg;
	struct call *c = k->c;
	char id[ID_OUT_MAX];
	int r = insert_org(k);

	if (r >= 0)
		r = insert_user(k);
	if (r >= 0)
		r = audit_put_in(c, k->n->ret_org, "org.created",
				 ids_out(ID_ORG, k->n->ret_org, id), NULL);
	if (r >= 0 && k->n->log_in)
		r = arrival_continue_shown(c, k->n->ret_org, k->n->ret_user, 201,
					   (struct login_shown){ true, true });
	return r;
}

int signup_prepare(struct call *c, const struct new_org *n, char hash[PASSWORD_HASH_MAX])
{
	const struct slice about[] = { n->email, n->name, n->org_name };
	int r;

	traits_check(c, n->profile);
	r = problem_end(c);
	if (r >= 0)
		r = password_accept(c, n->password_pointer, n->password, about, ARRAY_LEN(about));

	if (r >= 0 && n->log_in) /* by itself, not by the platform */
		r = throttle_signup(c);
	return r < 0 ? r : password_hash(c->app, n->password, hash);
}

int signup_number(struct call *c, uint32_t *ret)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, "SELECT nextval('orgs_seq')");

	if (r < 0)
		return r;
	*ret = (uint32_t)db_int(res, 0, 0);
	return 0;
}

int signup_write(struct call *c, struct new_org *n, const char *hash)
{
	char norm[MAILBOX_MAX + 2];
	struct creation k = { .c = c, .n = n, .hash = hash };
	struct mailbox box;
	int r = mailbox_parse(n->email, MAILBOX_CONTACT, &box);

	if (r < 0)
		return r;
	k.email_norm = mailbox_normal(&box, norm);
	return create(c->db, &k);
}

struct writing {
	struct call *c;
	struct new_org *n;
	const char *hash;
};

static int write_now(struct db *db UNUSED, void *arg)
{
	struct writing *w = arg;

	return signup_write(w->c, w->n, w->hash);
}

int signup_create(struct call *c, struct new_org *n)
{
	char hash[PASSWORD_HASH_MAX];
	struct writing w = { c, n, hash };
	int r = signup_prepare(c, n, hash);

	if (r >= 0)
		r = signup_number(c, &n->ret_org);
	/* The number is drawn before the row is inserted, so that the policy lets the row in. */
	return r < 0 ? r : db_tx(c->db, n->ret_org, write_now, &w);
}

static const struct body_field signup_fields[] = { NEW_ORG_FIELDS("organization", "") };

static int post_signup(struct call *c)
{
	struct new_org n = {
		.password_pointer = "/password",
		.log_in = true,
		.suspended = strcmp(auth_options(c->app)->signup_verification, "operator") == 0,
	};
	struct body_seen seen;
	int r;

	if (!auth_options(c->app)->signup)
		return problem(
		    c, 403, "signup_closed",
		    "sign-up is closed here: ask the operator of this service for an organisation");
	r = http_body_read(c, signup_fields, ARRAY_LEN(signup_fields), &n, &seen);
	if (r < 0)
		return r;
	return strcmp(auth_options(c->app)->signup_verification, "mail") == 0
		   ? signup_by_mail(c, &n)
		   : signup_create(c, &n);
}

/* clang-format off */
const struct http_route signup_routes[] = {
	{"POST", "/v1/auth/signup",         AUTH_NONE,    0, ROUTE_BRAKED | ROUTE_NO_TX,                 0, post_signup},
	{"POST", "/v1/auth/signup/verify",  AUTH_NONE,    0, ROUTE_BRAKED | ROUTE_NO_TX,                 0, signup_confirm},
};
/* clang-format on */
const size_t signup_routes_n = ARRAY_LEN(signup_routes);
