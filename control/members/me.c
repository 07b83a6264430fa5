/* control/members/me.c - the person logged in: profile, password, sessions. */
#include <stdio.h>

#include "control/auth/audit.h"
#include "control/auth/device.h"
#include "control/auth/login_session.h"
#include "control/auth/options.h"
#include "control/auth/password.h"
#include "control/auth/profile.h"
#include "control/auth/statements.h"
#include "control/auth/throttle.h"
#include "control/auth/warn.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/mail/options.h"
#include "control/mail/texts.h"
#include "control/members/routes.h"
#include "control/members/statements.h"

static int get_me(struct call *c)
{
	json_t *user = NULL;
	int r = login_session_user(c, c->actor.org, c->actor.id, &user);

	return r < 0 ? r : http_reply_json(c, 200, user);
}

struct me_body {
	struct slice name, password, current, username, language;
	struct profile more;
};
enum { ME_NAME, ME_PASSWORD, ME_CURRENT, ME_USERNAME, ME_LANGUAGE, ME_PHONE, ME_ZONE, ME_MAILS };
/* clang-format off */
static const struct body_field me_fields[] = {
	[ME_NAME] = {"name", BODY_NAME, offsetof(struct me_body, name), 0, 0, 100, 0},
	[ME_PASSWORD] = {"password", BODY_LINE, offsetof(struct me_body, password), 0, PASSWORD_MIN, PASSWORD_MAX, 0},
	[ME_USERNAME] = {"username", BODY_LINE, offsetof(struct me_body, username), 0, 0, 40, 0},
	[ME_LANGUAGE] = {"language", BODY_LINE, offsetof(struct me_body, language), 0, 0, 15, 0},
	[ME_PHONE] = {"phone", BODY_LINE, offsetof(struct me_body, more.phone), 0, 0, 40, 0},
	[ME_ZONE] = {"time_zone", BODY_LINE, offsetof(struct me_body, more.time_zone), 0, 0, ZONE_MAX, 0},
	[ME_MAILS] = {"notifications", BODY_OBJECT, offsetof(struct me_body, more.notifications), 0, 0, 0, 0},
	[ME_CURRENT] = {"current_password", BODY_LINE, offsetof(struct me_body, current), 0, 1, PASSWORD_MAX, 0},
};
/* clang-format on */

enum { OWN_EMAIL, OWN_NAME, OWN_ORG, OWN_HASH };

/* Guarantee: a changed password ends every other session of its user, and resets not yet used. */
static int change_password(struct call *c, const struct me_body *b)
{
	char hash[PASSWORD_HASH_MAX], id[ID_OUT_MAX];
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_member_about, p_int(c->actor.org), p_int(c->actor.id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	const struct slice about[] = { db_text(res, 0, OWN_EMAIL), db_text(res, 0, OWN_NAME),
				       db_text(res, 0, OWN_ORG) };
	r = password_accept(c, "/password", b->password, about, ARRAY_LEN(about));
	if (r < 0)
		return r;
	/* Those who find a session open must not be able to guess the password with it. */
	r = call_brake(c);
	if (r >= 0)
		r = throttle_session(c);
	if (r < 0)
		return r;
	if (!password_right(c->app, b->current, db_text(res, 0, OWN_HASH))) {
		problem_add(c, "/current_password", "wrong_password",
			    "is not your current password");
		return problem_end(c);
	}
	r = password_hash(c->app, b->password, hash);
	if (r >= 0)
		r = db_run(c->db, NULL,
			   "UPDATE users SET password_hash = $3 WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(c->actor.id), p_str(hash));
	if (r >= 0)
		r = login_session_end_all(c, c->actor.id, c->actor.session);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_auth_tokens_end, p_int(c->actor.org),
			   p_int(c->actor.id));
	if (r >= 0)
		r = warn_person(c, c->actor.org, c->actor.id, MAIL_PASSWORD_CHANGED, SLICE(""),
				NULL);
	return r < 0
		   ? r
		   : audit_put(c, "user.password_changed", ids_out(ID_USER, c->actor.id, id), NULL);
}

static bool is_username(struct slice s)
{
	bool good = true;

	for (size_t i = 0; i < s.n; i++) {
		bool plain = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9');
		good &= plain ||
			(i > 0 && i + 1 < s.n && (s.p[i] == '-' || s.p[i] == '.' || s.p[i] == '_'));
	}
	return good;
}

/* 1, or 0 when all is as it was.  "" is no user name, and the platform's language. */
static int change_profile(struct call *c, const struct me_body *b, struct body_seen seen)
{
	int r;

	if (!is_username(b->username))
		problem_add(c, "/username", "invalid_username",
			    "takes small letters and digits, with . - _ between them");
	if (b->language.n && !mail_texts_speaks(mail_options(c->app)->texts, b->language))
		problem_add(c, "/language", "unknown_language",
			    "is no language that this service writes: see control.conf(5)");
	profile_check(c, &b->more);
	r = problem_end(c);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_members_profile_update, p_int(c->actor.org),
			   p_int(c->actor.id), body_has(seen, ME_NAME) ? p_text(b->name) : p_null(),
			   body_has(seen, ME_USERNAME) ? p_text(b->username) : p_null(),
			   body_has(seen, ME_LANGUAGE) ? p_text(b->language) : p_null());
	if (r == E_EXISTS)
		return problem(c, 409, "username_taken",
			       "another member of your organisation has this user name");
	return r;
}

static int patch_me(struct call *c)
{
	struct me_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, me_fields, ARRAY_LEN(me_fields), &b, &seen);

	if (r >= 0)
		r = login_session_if_match(c, c->actor.id);
	if (r < 0)
		return r;
	if (!seen.present)
		return get_me(c);
	if (body_has(seen, ME_PASSWORD)) {
		if (!body_has(seen, ME_CURRENT))
			problem_add(c, "/current_password", "required",
				    "is required to change the password");
		r = problem_end(c);
		if (r >= 0)
			r = change_password(c, &b);
	}
	bool changed = body_has(seen, ME_PASSWORD);
	if (r >= 0) {
		r = change_profile(c, &b, seen);
		changed = changed || r > 0;
	}
	if (r >= 0) {
		r = profile_write(c, &b.more);
		changed = changed || r > 0;
	}
	if (r >= 0 && changed)
		r = db_run(c->db, NULL,
			   "UPDATE users SET version = version + 1, updated_at = now()"
			   " WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(c->actor.id));
	if (r >= 0 && changed)
		r = audit_put_id(c, "user.changed", ID_USER, c->actor.id, audit_members(c));
	return r < 0 ? r : get_me(c);
}

enum { S_ID, S_CREATED, S_SEEN, S_EXPIRES, S_IP, S_AGENT, S_CURRENT };

static json_t *session_json(const struct db_result *res, unsigned i)
{
	char device[DEVICE_TEXT_MAX];

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b}", "id",
			 api_id(ID_SESSION, (uint64_t)db_int(res, i, S_ID)), "created_at",
			 api_time(db_int(res, i, S_CREATED)), "last_seen_at",
			 api_time(db_int(res, i, S_SEEN)), "expires_at",
			 api_time(db_int(res, i, S_EXPIRES)), "ip", api_text(db_text(res, i, S_IP)),
			 "agent", api_text(db_text(res, i, S_AGENT)), "device",
			 device_text(db_text(res, i, S_AGENT), device), "current",
			 (int)db_int(res, i, S_CURRENT));
}

static int get_sessions(struct call *c)
{
	return page_list(c, session_json, sql_members_session_page, p_int(c->actor.org),
			 p_int(c->actor.id), PAGE_AFTER, PAGE_LIMIT, p_int(c->actor.session),
			 p_int(auth_options(c->app)->session_idle));
}

static int delete_session(struct call *c)
{
	uint64_t id;
	int r = call_id(c, 0, ID_SESSION, &id);

	if (r >= 0)
		r = db_run(c->db, NULL,
			   "DELETE FROM sessions WHERE org_id = $1 AND user_id = $2 AND id = $3",
			   p_int(c->actor.org), p_int(c->actor.id), p_int(id));
	if (r > 0)
		r = audit_put_id(c, "session.ended", ID_SESSION, id, NULL);
	else if (r == 0)
		r = E_UNKNOWN;
	return r < 0 ? r : http_reply_empty(c, 204);
}

static int delete_sessions(struct call *c)
{
	int r = login_session_end_all(c, c->actor.id, c->actor.session);

	if (r >= 0)
		r = audit_put_id(c, "sessions.ended", ID_USER, c->actor.id, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* clang-format off */
const struct http_route members_me_routes[] = {
	{"GET",    "/v1/me",                       AUTH_SESSION, 0, ROUTE_ENROLLING_TOO, 0, get_me         },
	{"PATCH",  "/v1/me",                       AUTH_SESSION, 0, ROUTE_SUSPENDED_TOO, 0, patch_me       },
	{"GET",    "/v1/me/sessions",              AUTH_SESSION, 0, 0,                   0, get_sessions },
	{"DELETE", "/v1/me/sessions",              AUTH_SESSION, 0, ROUTE_SUSPENDED_TOO, 0, delete_sessions},
	{"DELETE", "/v1/me/sessions/{session_id}", AUTH_SESSION, 0, ROUTE_SUSPENDED_TOO, 0, delete_session },
};
/* clang-format on */
const size_t members_me_routes_n = ARRAY_LEN(members_me_routes);
