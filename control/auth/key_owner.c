/* control/auth/key_owner.c - keys that end with the rights of their owner: asked before, then told
 * of by mail. */
#include "control/auth/key_owner.h"

#include "base/clock.h"
#include "control/auth/audit.h"
#include "control/auth/key.h"
#include "control/auth/profile.h"
#include "control/auth/statements.h"
#include "control/http/api.h"
#include "control/http/problem.h"
#include "control/mail/mail.h"

enum { SHOWN_MAX = 20, ADMINS_MAX = 50 };
enum { LOST_ID, LOST_NAME };
enum { TO_EMAIL, TO_LANGUAGE };

static int refuse(struct call *c, const struct db_result *res, const char *why)
{
	json_t *keys = json_array();

	for (unsigned i = 0; i < MIN_OF(db_rows(res), (unsigned)SHOWN_MAX); i++)
		(void)json_array_append_new(
		    keys, json_pack("{s:o, s:o, s:s}", "id",
				    api_id(ID_KEY, (uint64_t)db_int(res, i, LOST_ID)), "name",
				    api_text(db_text(res, i, LOST_NAME)), "dies_because", why));
	problem_member(c, "keys", keys);
	json_decref(keys);
	return problem(c, 409, "keys_end",
		       "this ends API keys that the member owns: give them another owner with "
		       "PATCH /v1/keys/{key_id}, or repeat the request with ?end_keys=true");
}

/* "a", "b", and how many more: between the quotes of the mail. */
static void name_them(const struct db_result *res, struct buf *out)
{
	for (unsigned i = 0; i < MIN_OF(db_rows(res), (unsigned)SHOWN_MAX); i++) {
		if (i)
			buf_put(out, SLICE("\", \""));
		buf_put(out, db_text(res, i, LOST_NAME));
	}
	if (db_rows(res) > SHOWN_MAX)
		buf_put(out, SLICE("\", \"..."));
}

static json_t *fields(const struct key_ending *e)
{
	char time[RFC3339_MAX];

	return json_pack("{s:o, s:s, s:s}", "key", api_text(e->names), "time",
			 clock_rfc3339(e->at_ms, time), e->why, "1");
}

int key_owner_tell(struct app *app, struct db *db, const struct key_ending *e)
{
	OWNED(db_result) res = NULL;
	int r;

	if (!mail_on(app))
		return 0;
	r = db_run(db, &res, sql_auth_keys_admins, p_int(e->org), p_int(e->owner),
		   p_int(ADMINS_MAX), p_int(PROFILE_MAIL_BIT(MAIL_KEY_ENDS)));
	for (unsigned i = 0; r >= 0 && i < db_rows(res); i++) {
		const struct mail_to to = { .org = e->org,
					    .address = db_text(res, i, TO_EMAIL),
					    .language = db_text(res, i, TO_LANGUAGE) };

		r = mail_write(app, db, MAIL_KEY_ENDS, &to, fields(e));
	}
	return r < 0 ? r : 0;
}

static int tell(struct call *c, uint64_t user, const struct db_result *res, bool demoted)
{
	struct buf names = { 0 };
	int r;

	name_them(res, &names);
	const struct key_ending e = { .org = c->actor.org,
				      .owner = user,
				      .names = buf_data(&names),
				      .at_ms = clock_wall_ms(),
				      .why = demoted ? "demoted" : "removed" };
	r = key_owner_tell(c->app, c->db, &e);
	buf_free(&names);
	for (unsigned i = 0; i < db_rows(res) && r >= 0; i++)
		r = audit_put_id(
		    c, "key.ended", ID_KEY, (uint64_t)db_int(res, i, LOST_ID),
		    json_pack("{s:s}", "because", demoted ? "owner_may_not" : "owner_inactive"));
	return r;
}

static int ends(struct call *c, uint64_t user, uint64_t now, uint64_t then)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_keys_losing, p_int(c->actor.org), p_int(user),
		       p_int(now), p_int(then), p_int(PERMIT_KEYS_WRITE), p_int(KEY_OWNED_MAX));

	if (r <= 0)
		return r;
	if (!slice_eq(call_query(c, KEY_OWNER_QUERY), SLICE("true")))
		return refuse(c, res, then ? "owner_may_not" : "owner_inactive");
	return tell(c, user, res, then != 0);
}

enum { OWNER_ROLE, OWNER_PERMITS };

/* 0 when it is no active member. */
static int load_permits(struct call *c, uint64_t user, uint64_t *ret)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_key_owner_role, p_int(c->actor.org), p_int(user));

	if (r > 0)
		*ret = permit_of_member(db_int(res, 0, OWNER_ROLE), db_int(res, 0, OWNER_PERMITS));
	return r;
}

int key_owner_changes(struct call *c, uint64_t user, const uint64_t *permits, int status)
{
	uint64_t now = 0;
	int r = load_permits(c, user, &now);

	if (r <= 0) /* keys of an inactive member have ended already */
		return r;
	return ends(c, user, now, status && status != USER_ACTIVE ? 0 : permits ? *permits : now);
}

int key_owner_leaves(struct call *c, uint64_t user)
{
	return key_owner_changes(c, user, NULL, USER_DISABLED);
}
