/* control/signup/signup_mailed.c - a sign-up that waits for a code sent to its address.  Nothing of
 * the organisation is written before the code comes back. */
#include <stdio.h>

#include "control/auth/mailed_code.h"
#include "control/auth/throttle.h"
#include "control/http/api.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/mail/mail.h"
#include "control/signup/signup.h"
#include "control/signup/statements.h"

enum { LIFE_S = 30 * 60, TOKEN_ID = 1 };

static void about_signup(struct buf *about, uint32_t org)
{
	buf_putf(about, "signup %u", (unsigned)org);
}

/* ---- the first half ---------------------------------------------------------------------- */

struct waiting {
	struct call *c;
	const struct new_org *n;
	const char *hash; /* of the password */
	char secret[TOKEN_SECRET_LEN + 1], code[MAILED_CODE_LEN + 1];
	int64_t expires_ms;
};

static int seal(const struct waiting *w, int *ret_seal, struct buf *sealed)
{
	json_t *who =
	    json_pack("{s:o, s:o, s:o, s:s, s:o}", "organization", api_text(w->n->org_name),
		      "email", api_text(w->n->email), "name", api_text(w->n->name), "hash", w->hash,
		      "profile", w->n->profile ? json_incref(w->n->profile) : json_object());
	char *text = json_dumps(who, JSON_COMPACT);
	struct buf about = { 0 };
	int r;

	json_decref(who);
	if (!text)
		return -ENOMEM;
	about_signup(&about, w->n->ret_org);
	r = secrets_seal(w->c->app->secrets, buf_data(&about), slice_str(text), ret_seal, sealed);
	buf_free(&about);
	explicit_bzero(text, strlen(text));
	free(text);
	return r;
}

static int insert(struct waiting *w, struct slice sealed, int seal_id)
{
	uint8_t secret_hash[TOKEN_HASH_LEN], code_hash[TOKEN_HASH_LEN];
	struct app *app = w->c->app;
	OWNED(db_result) res = NULL;
	int r;

	token_hash(app->token_pepper, slice_str(w->secret), secret_hash);
	mailed_code_hash(app, slice_str(w->secret), slice_str(w->code), code_hash);
	r = db_run(w->c->db, &res, sql_signup_insert, p_int(w->n->ret_org),
		   p_bytes(slice_of((char *)secret_hash, sizeof(secret_hash))),
		   p_bytes(slice_of((char *)code_hash, sizeof(code_hash))), p_bytes(sealed),
		   p_int(seal_id), p_int(LIFE_S));
	if (r < 0)
		return r;
	w->expires_ms = db_int(res, 0, 0);
	return 0;
}

static int put_waiting(struct db *db, void *arg)
{
	struct waiting *w = arg;
	const struct mail_to to = { .org = w->n->ret_org, .address = w->n->email };
	struct buf sealed = { 0 };
	int seal_id = 0, r = seal(w, &seal_id, &sealed);

	if (r >= 0)
		r = insert(w, buf_data(&sealed), seal_id);
	if (r >= 0)
		r = mail_write(w->c->app, db, MAIL_SIGNUP, &to,
			       json_pack("{s:s}", "code", w->code));
	buf_free(&sealed);
	return r;
}

int signup_by_mail(struct call *c, struct new_org *n)
{
	char hash[PASSWORD_HASH_MAX], token[TOKEN_MAX];
	struct waiting w = { .c = c, .n = n, .hash = hash };
	int r;

	if (!mail_on(c->app))
		return problem(
		    c, 503, "mail_off",
		    "this service cannot send mail yet: its operator must set mail.from");
	r = signup_prepare(c, n, hash);
	if (r >= 0)
		r = signup_number(c, &n->ret_org);
	token_secret(w.secret);
	mailed_code_new(w.code);
	if (r >= 0)
		r = db_tx(c->db, n->ret_org, put_waiting, &w);
	if (r < 0)
		return r;
	return http_reply_json(
	    c, 202,
	    json_pack("{s:s, s:o}", "verification",
		      token_format(ID_TOKEN, n->ret_org, TOKEN_ID, w.secret, token), "expires_at",
		      api_time(w.expires_ms)));
}

/* ---- the second half --------------------------------------------------------------------- */

struct confirm_body {
	struct slice verification, code;
};
/* clang-format off */
static const struct body_field confirm_fields[] = {
	{"verification", BODY_LINE, offsetof(struct confirm_body, verification), BODY_REQUIRED, 1, TOKEN_MAX, 0},
	{"code",         BODY_LINE, offsetof(struct confirm_body, code),         BODY_REQUIRED, 1, 20,        0},
};
/* clang-format on */

struct confirming {
	struct call *c;
	struct token token;
	struct slice code;
	bool wrong;
};

enum { W_SECRET, W_CODE, W_TRIES, W_SEALED, W_SEAL };

static int unseal(struct confirming *k, struct db_result *row, json_t **ret)
{
	struct buf about = { 0 }, plain = { 0 };
	json_error_t fault;
	int r;

	about_signup(&about, k->token.org);
	r = secrets_open(k->c->app->secrets, (int)db_int(row, 0, W_SEAL), buf_data(&about),
			 db_bytes(row, 0, W_SEALED), &plain);
	if (r >= 0 && plain.p)
		*ret = json_loadb(plain.p + plain.start, buf_len(&plain), 0, &fault);
	if (plain.p)
		explicit_bzero(plain.p, plain.cap);
	buf_free(&about);
	buf_free(&plain);
	return r < 0 ? r : *ret ? 0 : E_CORRUPT;
}

static struct slice text_of(const json_t *who, const char *name)
{
	return slice_str(json_string_value(json_object_get(who, name)));
}

static int create_org(struct confirming *k, const json_t *who)
{
	struct new_org n = { .org_name = text_of(who, "organization"),
			     .email = text_of(who, "email"),
			     .name = text_of(who, "name"),
			     .profile = json_object_get(who, "profile"),
			     .log_in = true,
			     .ret_org = k->token.org };

	return signup_write(k->c, &n, json_string_value(json_object_get(who, "hash")));
}

/* A wrong code is counted, and this must be committed: the refusal comes after it. */
static int confirm(struct db *db, void *arg)
{
	struct confirming *k = arg;
	OWNED(db_result) row = NULL;
	json_t *who = NULL;
	int r = db_run(db, &row, sql_signup_find, p_int(k->token.org));

	if (r < 0)
		return r;
	k->wrong =
	    r == 0 || k->token.id != TOKEN_ID || db_int(row, 0, W_TRIES) >= MAILED_CODE_TRIES ||
	    !token_right(k->c->app->token_pepper, k->token.secret, db_bytes(row, 0, W_SECRET));
	if (k->wrong)
		return 0;
	k->wrong =
	    !mailed_code_right(k->c->app, k->token.secret, k->code, db_bytes(row, 0, W_CODE));
	if (k->wrong)
		return db_run(db, NULL, sql_signup_tried, p_int(k->token.org));
	r = db_run(db, NULL, sql_signup_end, p_int(k->token.org));
	if (r >= 0)
		r = unseal(k, row, &who);
	if (r >= 0)
		r = create_org(k, who);
	json_decref(who);
	return r;
}

int signup_confirm(struct call *c)
{
	struct confirm_body b = { 0 };
	struct confirming k = { .c = c };
	struct body_seen seen;
	int r = http_body_read(c, confirm_fields, ARRAY_LEN(confirm_fields), &b, &seen);

	if (r < 0)
		return r;
	if (token_parse(b.verification, &k.token) < 0 || k.token.kind != ID_TOKEN)
		return mailed_code_refuse(c);
	k.code = slice_trim(b.code);
	r = db_tx(c->db, k.token.org, confirm, &k);
	return r < 0 ? r : k.wrong ? mailed_code_refuse(c) : 0;
}
