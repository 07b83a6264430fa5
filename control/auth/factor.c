/* control/auth/factor.c - second factors in the database. */
#include "control/auth/factor.h"

#include "base/clock.h"
#include "control/auth/mailed_code.h"
#include "control/auth/statements.h"
#include "control/auth/totp.h"
#include "control/auth/warn.h"

static const char *const names[FACTOR_KINDS] = {
	[FACTOR_TOTP] = "totp",
	[FACTOR_MAIL] = "mail",
	[FACTOR_RECOVERY] = "recovery",
};

const char *factor_name(enum factor_kind kind)
{
	return kind > 0 && kind < FACTOR_KINDS ? names[kind] : "none";
}

int factor_parse(struct slice name, enum factor_kind *ret)
{
	for (unsigned i = 1; i < FACTOR_KINDS; i++)
		if (slice_eq(name, slice_str(names[i]))) {
			*ret = (enum factor_kind)i;
			return 0;
		}
	return E_SYNTAX;
}

enum { STATE_TOTP, STATE_MAIL, STATE_REQUIRED, STATE_RECOVERY };

int factor_state(struct call *c, uint32_t org, uint64_t user, struct factors *ret)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_factor_state, p_int(org), p_int(user));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	*ret = (struct factors){ .totp = db_bool(res, 0, STATE_TOTP),
				 .mail = db_bool(res, 0, STATE_MAIL),
				 .required = db_bool(res, 0, STATE_REQUIRED),
				 .recovery = db_int(res, 0, STATE_RECOVERY) };
	return 0;
}

json_t *factor_json(const struct factors *f)
{
	return json_pack("{s:b, s:b, s:I, s:b}", "totp", f->totp, "mail", f->mail,
			 "recovery_codes_left", (json_int_t)f->recovery, "required", f->required);
}

/* ---- an app ------------------------------------------------------------------------------ */

static void about_totp(struct buf *about, uint32_t org, uint64_t user)
{
	buf_putf(about, "totp %u %llu", (unsigned)org, (unsigned long long)user);
}

int factor_new_totp(struct call *c, uint32_t org, uint64_t user, uint8_t *ret_secret)
{
	struct buf about = { 0 }, sealed = { 0 };
	int seal_id = 0, r;

	totp_secret(ret_secret);
	about_totp(&about, org, user);
	r = secrets_seal(c->app->secrets, buf_data(&about),
			 slice_of((char *)ret_secret, TOTP_SECRET_LEN), &seal_id, &sealed);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_auth_totp_wait, p_int(org), p_int(user),
			   p_bytes(buf_data(&sealed)), p_int(seal_id));
	buf_free(&about);
	buf_free(&sealed);
	return r < 0 ? r : 0;
}

enum { APP_SECRET, APP_SEAL, APP_STEP };

/* The step that the code is of, or 0. */
static int look_at(struct call *c, uint32_t org, uint64_t user, struct db_result *row,
		   struct slice code, int64_t *ret_step)
{
	struct buf about = { 0 }, secret = { 0 };
	int r;

	about_totp(&about, org, user);
	r = secrets_open(c->app->secrets, (int)db_int(row, 0, APP_SEAL), buf_data(&about),
			 db_bytes(row, 0, APP_SECRET), &secret);
	if (r >= 0 && buf_len(&secret) != TOTP_SECRET_LEN)
		r = E_CORRUPT;
	if (r >= 0)
		*ret_step = totp_step((const uint8_t *)buf_data(&secret).p, clock_wall_ms(),
				      db_int(row, 0, APP_STEP), code);
	if (secret.p)
		explicit_bzero(secret.p, secret.cap);
	buf_free(&about);
	buf_free(&secret);
	return r < 0 ? r : 0;
}

int factor_try_totp(struct call *c, uint32_t org, uint64_t user, bool pending, struct slice code)
{
	OWNED(db_result) row = NULL;
	int64_t step = 0;
	int r = db_run(c->db, &row, sql_auth_totp_lock, p_int(org), p_int(user), p_bool(pending));

	if (r <= 0)
		return r;
	r = look_at(c, org, user, row, code, &step);
	if (r < 0 || step == 0)
		return r;
	if (pending)
		r = db_run(
		    c->db, NULL,
		    "DELETE FROM user_totp WHERE org_id = $1 AND user_id = $2 AND NOT pending",
		    p_int(org), p_int(user));
	if (r >= 0)
		r = db_run(c->db, NULL, sql_auth_totp_used, p_int(org), p_int(user),
			   p_bool(pending), p_int(step));
	return r < 0 ? r : 1;
}

/* ---- recovery codes ---------------------------------------------------------------------- */

/* Small letters without the dash, or an empty slice. */
static struct slice plain_code(struct slice code, char buf[RECOVERY_LEN])
{
	size_t n = 0;

	for (size_t i = 0; i < code.n; i++) {
		if (code.p[i] == '-' || code.p[i] == ' ')
			continue;
		if (n == RECOVERY_LEN - 1)
			return SLICE("");
		buf[n++] = ascii_lower(code.p[i]);
	}
	return slice_of(buf, n);
}

static void hash_recovery(struct call *c, uint32_t org, uint64_t user, struct slice plain,
			  uint8_t ret[TOKEN_HASH_LEN])
{
	struct buf whose = { 0 };

	buf_putf(&whose, "recovery %u %llu", (unsigned)org, (unsigned long long)user);
	mailed_code_hash(c->app, buf_data(&whose), plain, ret);
	buf_free(&whose);
}

int factor_try_recovery(struct call *c, uint32_t org, uint64_t user, struct slice code)
{
	char buf[RECOVERY_LEN];
	uint8_t hash[TOKEN_HASH_LEN];
	int r;

	hash_recovery(c, org, user, plain_code(code, buf), hash);
	r = db_run(c->db, NULL, sql_auth_recovery_use, p_int(org), p_int(user),
		   p_bytes(slice_of((char *)hash, sizeof(hash))));
	return r < 0 ? r : r > 0;
}

static int add_recovery(struct call *c, uint32_t org, uint64_t user, json_t *list)
{
	char code[RECOVERY_LEN + 1], plain[RECOVERY_LEN];
	uint8_t hash[TOKEN_HASH_LEN];
	int r;

	ids_random(plain, RECOVERY_LEN - 1);
	hash_recovery(c, org, user, slice_of(plain, RECOVERY_LEN - 1), hash);
	r = db_run(c->db, NULL,
		   "INSERT INTO recovery_codes (org_id, user_id, code_hash) VALUES ($1, $2, $3)",
		   p_int(org), p_int(user), p_bytes(slice_of((char *)hash, sizeof(hash))));
	memcpy(code, plain, 5);
	code[5] = '-';
	memcpy(code + 6, plain + 5, 6); /* and its NUL */
	(void)json_array_append_new(list, json_string(code));
	return r < 0 ? r : 0;
}

int factor_new_recovery(struct call *c, uint32_t org, uint64_t user, json_t **ret)
{
	json_t *list = json_array();
	int r = db_run(c->db, NULL, "DELETE FROM recovery_codes WHERE org_id = $1 AND user_id = $2",
		       p_int(org), p_int(user));

	for (unsigned i = 0; i < RECOVERY_CODES && r >= 0; i++)
		r = add_recovery(c, org, user, list);
	if (r < 0) {
		json_decref(list);
		return r;
	}
	*ret = list;
	return 0;
}

/* ---- both -------------------------------------------------------------------------------- */

int factor_remove_all(struct call *c, uint32_t org, uint64_t user)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_auth_factor_remove, p_int(org), p_int(user));

	return r < 0 ? r : db_bool(res, 0, 0);
}

/* The field of the mail that is set, and the same in English for texts with {{change}}. */
static const struct {
	const char *field, *words;
} changes[] = {
	[FACTOR_TOTP_ON] = { "totp_on", "codes of an app are asked for" },
	[FACTOR_TOTP_OFF] = { "totp_off", "codes of an app are no longer asked for" },
	[FACTOR_MAIL_ON] = { "mail_on", "codes by mail are asked for" },
	[FACTOR_MAIL_OFF] = { "mail_off", "codes by mail are no longer asked for" },
	[FACTOR_CODES_NEW] = { "codes_new",
			       "there are new recovery codes, and the old ones are gone" },
	[FACTOR_CODE_USED] = { "code_used", "a recovery code was used to sign in" },
	[FACTOR_ADMIN_REMOVED] = { "admin_removed", "an admin removed your second factor" },
	[FACTOR_OPERATOR_REMOVED] = { "operator_removed",
				      "the operator of the service removed your second factor" },
	[FACTOR_LINKED] = { "linked", "your account in another organisation can be entered from "
				      "this one, and this one from there" },
	[FACTOR_UNLINKED] = { "unlinked", "this account can no longer be entered from your other "
					  "organisations, nor they from here" },
};

int factor_tell(struct call *c, uint32_t org, uint64_t user, enum factor_change change)
{
	return warn_person(
	    c, org, user, MAIL_FACTOR_CHANGED, SLICE(""),
	    json_pack("{s:s, s:s}", changes[change].field, "1", "change", changes[change].words));
}
