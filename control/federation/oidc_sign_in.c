/* control/federation/oidc_sign_in.c - the request to the provider, and its answer. */
#include "control/federation/oidc_sign_in.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "control/federation/id_token.h"
#include "control/federation/jws.h"
#include "control/federation/oidc.h"
#include "control/http/api.h"

enum { DERIVED_LEN = 43, LABEL_MAX = 80, TOKEN_VALUE_MAX = 8192 };

/* ---- what follows from the journey ---------------------------------------------------------- */

static void base64url(char ret[DERIVED_LEN + 1], const uint8_t *bytes)
{
	struct buf out = { 0 };

	if (base64url_encode(&out, slice_of((const char *)bytes, MAC_LEN)) < 0)
		abort();
	slice_copy(ret, DERIVED_LEN + 1, buf_data(&out));
	buf_free(&out);
}

static void derive(const struct call *c, const struct journey *j, const char *what,
		   char ret[DERIVED_LEN + 1])
{
	char label[LABEL_MAX];
	uint8_t mac[MAC_LEN];

	(void)snprintf(label, sizeof(label), "oidc %s:%s", what, j->secret);
	secrets_mac(c->app->token_pepper, slice_str(label), mac);
	base64url(ret, mac);
}

static void challenge_of(const char *verifier, char ret[DERIVED_LEN + 1])
{
	uint8_t hash[MAC_LEN];

	secrets_sha256(slice_str(verifier), hash);
	base64url(ret, hash);
}

/* ---- asking --------------------------------------------------------------------------------- */

static void put_escaped(struct buf *out, const char *s)
{
	for (; *s; s++) {
		char hex[3] = { '%' };

		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr("-._~", *s)) {
			buf_put(out, slice_of(s, 1));
			continue;
		}
		hex_put_upper(hex + 1, (unsigned char)*s);
		buf_put(out, slice_of(hex, sizeof(hex)));
	}
}

static void put_pair(struct buf *out, const char *name, const char *value)
{
	buf_putf(out, "&%s=", name);
	put_escaped(out, value);
}

void oidc_sign_in_url(const struct call *c, const struct federation_provider *p,
		      const struct oidc_party *party, const struct journey *j, const char *state,
		      struct buf *out)
{
	const char *endpoint = oidc_party_endpoint(party, "authorization_endpoint");
	const json_t *max_age = json_object_get(p->config, "max_age");
	const char *prompt = federation_config_text(p->config, "prompt");
	const char *domain = federation_config_text(p->config, "hosted_domain");
	char verifier[DERIVED_LEN + 1], value[DERIVED_LEN + 1], uri[OIDC_URI_MAX];

	buf_putf(out, "%s%sresponse_type=code", endpoint, strchr(endpoint, '?') ? "&" : "?");
	put_pair(out, "client_id", federation_config_text(p->config, "client_id"));
	put_pair(out, "redirect_uri", oidc_redirect_uri(c->app, p->org, p->id, uri));
	put_pair(out, "scope", federation_config_text(p->config, "scopes"));
	put_pair(out, "state", state);
	derive(c, j, "nonce", value);
	put_pair(out, "nonce", value);
	derive(c, j, "verifier", verifier);
	challenge_of(verifier, value);
	put_pair(out, "code_challenge", value);
	put_pair(out, "code_challenge_method", "S256");
	if (*prompt)
		put_pair(out, "prompt", prompt);
	if (max_age)
		buf_putf(out, "&max_age=%lld", (long long)json_integer_value(max_age));
	if (*domain)
		put_pair(out, "hd", domain);
	explicit_bzero(verifier, sizeof(verifier));
}

/* ---- the code ------------------------------------------------------------------------------- */

struct redeeming {
	const struct call *c;
	const struct federation_provider *p;
	struct oidc_party *party;
	const struct journey *j;
	char *why;
	char issuer[OIDC_ISSUER_MAX + 1];
};

static int fail(const struct redeeming *k, int code, const char *why)
{
	slice_copy(k->why, FEDERATION_WHY_MAX, slice_str(why));
	return code;
}

/* RFC 6749 section 2.3.1: both are escaped before they are encoded. */
static void put_basic(const struct redeeming *k, struct buf *secret, struct buf *out)
{
	struct buf pair = { 0 }, encoded = { 0 };

	put_escaped(&pair, federation_config_text(k->p->config, "client_id"));
	buf_put(&pair, SLICE(":"));
	put_escaped(&pair, buf_cstr(secret));
	if (base64_encode(&encoded, buf_data(&pair)) < 0)
		abort();
	buf_putf(out, "Basic %s", buf_cstr(&encoded));
	explicit_bzero(pair.p, pair.cap);
	explicit_bzero(encoded.p, encoded.cap);
	buf_free(&pair);
	buf_free(&encoded);
}

static void put_form(const struct redeeming *k, struct slice code, struct buf *out)
{
	char verifier[DERIVED_LEN + 1], uri[OIDC_URI_MAX];
	OWNED_MEM char *text = must_copy(code);

	buf_put(out, SLICE("grant_type=authorization_code"));
	put_pair(out, "code", text);
	put_pair(out, "redirect_uri", oidc_redirect_uri(k->c->app, k->p->org, k->p->id, uri));
	derive(k->c, k->j, "verifier", verifier);
	put_pair(out, "code_verifier", verifier);
	explicit_bzero(verifier, sizeof(verifier));
}

/* In a header, unless it is configured otherwise or the provider takes it in the body only. */
static bool is_basic(const struct redeeming *k)
{
	static const char list[] = "token_endpoint_auth_methods_supported";
	const char *chosen = federation_config_text(k->p->config, "token_auth");

	if (*chosen)
		return strcmp(chosen, "client_secret_basic") == 0;
	return oidc_party_lists(k->party, list, "client_secret_basic", true) ||
	       !oidc_party_lists(k->party, list, "client_secret_post", false);
}

/* Without a secret PKCE has to do. */
static void put_client(const struct redeeming *k, struct buf *form, struct buf *header)
{
	bool basic = is_basic(k);
	struct buf secret = { 0 };

	buf_put(&secret, buf_data(&k->p->secret));
	if (buf_len(&secret) && basic)
		put_basic(k, &secret, header);
	else
		put_pair(form, "client_id", federation_config_text(k->p->config, "client_id"));
	if (buf_len(&secret) && !basic)
		put_pair(form, "client_secret", buf_cstr(&secret));
	if (secret.p)
		explicit_bzero(secret.p, secret.cap);
	buf_free(&secret);
}

static int ask_tokens(const struct redeeming *k, struct slice code, json_t **ret)
{
	struct buf form = { 0 }, header = { 0 };
	int r;

	put_form(k, code, &form);
	put_client(k, &form, &header);
	const struct federation_request q = {
		.org = k->p->org,
		.url = oidc_party_endpoint(k->party, "token_endpoint"),
		.form = buf_data(&form),
		.authorization = buf_len(&header) ? buf_cstr(&header) : NULL,
	};
	r = federation_fetch_json(k->c->app, &q, k->why, ret);
	explicit_bzero(form.p, form.cap);
	if (header.p)
		explicit_bzero(header.p, header.cap);
	buf_free(&form);
	buf_free(&header);
	return r;
}

/* ---- the token ------------------------------------------------------------------------------ */

/* Keys change: one that is not known is looked for once more. */
static int open_token(const struct redeeming *k, const json_t *tokens, json_t **ret)
{
	struct slice token = api_text_of(json_object_get(tokens, "id_token"));
	int r = jws_open(token, k->party->keys, ret);

	if (r == E_UNKNOWN) {
		r = oidc_party_renew(k->c->app, k->p->org, k->issuer, k->party, k->why);
		if (r < 0)
			return r;
		r = jws_open(token, k->party->keys, ret);
	}
	return r == E_SYNTAX    ? fail(k, r, "id_token is absent, or no signed object")
	       : r == E_DENIED  ? fail(k, r, "id_token: wrong algorithm or signature")
	       : r == E_UNKNOWN ? fail(k, r, "id_token is signed with an unknown key")
				: r;
}

static int check_token(const struct redeeming *k, const json_t *claims)
{
	const json_t *max_age = json_object_get(k->p->config, "max_age");
	char nonce[DERIVED_LEN + 1];
	const char *why;
	const struct id_token_terms t = {
		.issuer = k->issuer,
		.client_id = federation_config_text(k->p->config, "client_id"),
		.nonce = nonce,
		.hosted_domain = federation_config_text(k->p->config, "hosted_domain"),
		.max_age = max_age ? json_integer_value(max_age) : -1,
		.now = clock_wall_ms() / 1000,
	};
	int r;

	derive(k->c, k->j, "nonce", nonce);
	r = id_token_check(claims, &t, &why);
	return r < 0 ? fail(k, r, why) : 0;
}

/* ---- the person ----------------------------------------------------------------------------- */

static int ask_userinfo(const struct redeeming *k, const json_t *tokens, json_t **ret)
{
	struct slice token = api_text_of(json_object_get(tokens, "access_token"));
	struct buf header = { 0 };
	int r;

	if (!token.n || token.n > TOKEN_VALUE_MAX)
		return fail(k, E_SYNTAX, "access_token is absent or too long");
	for (size_t i = 0; i < token.n; i++)
		if (token.p[i] <= ' ' || token.p[i] > '~')
			return fail(k, E_SYNTAX, "access_token has characters that it cannot have");
	buf_putf(&header, "Bearer %.*s", (int)token.n, token.p);
	const struct federation_request q = {
		.org = k->p->org,
		.url = oidc_party_endpoint(k->party, "userinfo_endpoint"),
		.authorization = buf_cstr(&header),
	};
	r = federation_fetch_json(k->c->app, &q, k->why, ret);
	explicit_bzero(header.p, header.cap);
	buf_free(&header);
	return r;
}

/* It must be about the same person (5.3.2 of OpenID Connect Core), and the same address: what it
 * says of another one says nothing of this one. */
static int add_info(const struct redeeming *k, const json_t *info, json_t *claims)
{
	const json_t *email = json_object_get(claims, "email");

	if (!json_equal(json_object_get(info, "sub"), json_object_get(claims, "sub")))
		return fail(k, E_DENIED, "userinfo is about somebody else");
	if (email && !json_equal(json_object_get(info, "email"), email))
		return 0;
	return json_object_update_missing(claims, (json_t *)info) < 0 ? -ENOMEM : 0;
}

/* What the token does not say of the address, userinfo may. */
static int complete(const struct redeeming *k, const json_t *tokens, json_t *claims)
{
	json_t *info = NULL;
	int r;

	if (!*oidc_party_endpoint(k->party, "userinfo_endpoint") ||
	    (json_object_get(claims, "email") &&
	     json_object_get(claims, oidc_verified_claim(k->p->config))))
		return 0;
	r = ask_userinfo(k, tokens, &info);
	if (r >= 0)
		r = add_info(k, info, claims);
	json_decref(info);
	return r;
}

int oidc_sign_in_redeem(const struct call *c, const struct federation_provider *p,
			struct oidc_party *party, const struct journey *j, struct slice code,
			struct federation_person *ret, json_t **ret_claims,
			char why[FEDERATION_WHY_MAX])
{
	struct redeeming k = { .c = c, .p = p, .party = party, .j = j, .why = why };
	json_t *tokens = NULL, *claims = NULL;
	int r;

	(void)oidc_issuer(p->config, k.issuer);
	r = ask_tokens(&k, code, &tokens);
	if (r >= 0)
		r = open_token(&k, tokens, &claims);
	if (r >= 0)
		r = check_token(&k, claims);
	if (r >= 0)
		r = complete(&k, tokens, claims);
	json_decref(tokens);
	if (r < 0) {
		json_decref(claims);
		return r;
	}
	id_token_person(claims, oidc_verified_claim(p->config), ret);
	ret->provider = p->id;
	*ret_claims = claims;
	return 0;
}
