/* control/auth/handed.c - tokens made, and sent. */
#include "control/auth/handed.h"

#include "control/auth/statements.h"
#include "control/http/api.h"
#include "control/mail/mail.h"

enum { THREE_DAYS_S = 3 * 86400, HOUR_S = 3600 };

static int make(struct call *c, uint32_t org, uint64_t user, enum auth_token_kind kind, int life_s,
		char token[TOKEN_MAX])
{
	char secret[TOKEN_SECRET_LEN + 1];
	uint8_t hash[TOKEN_HASH_LEN];
	OWNED(db_result) res = NULL;
	int r;

	token_secret(secret);
	token_hash(c->app->token_pepper, slice_str(secret), hash);
	r = db_run(c->db, &res, sql_auth_token_insert, p_int(org), p_int(user), p_int(kind),
		   p_bytes(slice_of((char *)hash, sizeof(hash))), p_int(life_s));
	if (r < 0)
		return r;
	(void)token_format(ID_TOKEN, org, (uint64_t)db_int(res, 0, 0), secret, token);
	return 0;
}

enum { TO_EMAIL, TO_LANGUAGE, TO_INVITER };

static int send_it(struct call *c, uint32_t org, uint64_t user, enum auth_token_kind kind,
		   const char *token)
{
	const bool invited = kind == TOKEN_INVITE;
	OWNED(db_result) res = NULL;
	json_t *values;
	int r = db_run(c->db, &res, sql_auth_token_mail, p_int(org), p_int(user),
		       c->actor.kind == ACTOR_USER ? p_int(c->actor.id) : p_null());

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	const struct mail_to to = { .org = org,
				    .address = db_text(res, 0, TO_EMAIL),
				    .language = db_text(res, 0, TO_LANGUAGE) };
	values = mail_link(c->app, invited ? "invite" : "reset", token);
	if (invited)
		(void)json_object_set_new(values, "inviter", api_text(db_text(res, 0, TO_INVITER)));
	return mail_write(c->app, c->db, invited ? MAIL_INVITE : MAIL_RESET, &to, values);
}

int handed_token(struct call *c, uint32_t org, uint64_t user, enum auth_token_kind kind,
		 char token[TOKEN_MAX])
{
	int r = make(c, org, user, kind, THREE_DAYS_S, token);

	if (r >= 0 && mail_on(c->app)) {
		r = send_it(c, org, user, kind, token);
		explicit_bzero(token, TOKEN_MAX);
	}
	return r;
}

int handed_reset(struct call *c, uint32_t org, uint64_t user)
{
	char token[TOKEN_MAX];
	int r;

	if (!mail_on(c->app))
		return 0;
	r = make(c, org, user, TOKEN_RESET, HOUR_S, token);
	if (r >= 0)
		r = send_it(c, org, user, TOKEN_RESET, token);
	explicit_bzero(token, sizeof(token));
	return r;
}
