/* control/auth/oauth.c - tokens for keys by client credentials (RFC 6749 section 4.4): the client
 * is an API key, its secret the key's text.  And where that is, for programs (RFC 8414). */
#include "base/clock.h"
#include "base/encode.h"
#include "base/random.h"
#include "control/auth/key_enter.h"
#include "control/auth/options.h"
#include "control/auth/permit.h"
#include "control/auth/routes.h"
#include "control/http/form.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

static const struct slice basic = { "Basic ", 6 };

/* RFC 6749 section 5.2; the words are of its alphabet. */
static int fail(struct call *c, unsigned status, const char *error, const char *why)
{
	if (status == 401)
		http_reply_header(c, "WWW-Authenticate", "Basic realm=\"postern\"");
	http_reply_header(c, "Pragma", "no-cache");
	(void)http_reply_json(c, status,
			      json_pack("{s:s, s:s}", "error", error, "error_description", why));
	return E_ANSWERED;
}

/* ---- who the client is -------------------------------------------------------------------- */

struct oauth_client {
	struct slice id, secret;
};

/* user-pass = form-encoded id ":" form-encoded secret (section 2.3.1). */
static int read_basic(struct http_form *form, struct slice header, struct oauth_client *ret)
{
	struct buf plain = { 0 };
	struct slice id, secret;
	int r = base64_decode(&plain, slice_trim(slice_skip(header, basic.n)));

	secret = buf_data(&plain);
	if (r >= 0 && (!secret.n || !memchr(secret.p, ':', secret.n)))
		r = E_SYNTAX;
	if (r >= 0) {
		id = slice_take(&secret, ':');
		r = http_form_decode(form, id, &ret->id);
	}
	if (r >= 0)
		r = http_form_decode(form, secret, &ret->secret);
	buf_free(&plain);
	return r;
}

static int read_client(struct call *c, struct http_form *form, struct oauth_client *ret)
{
	struct slice header = call_header(c, "Authorization");
	bool posted = http_form_value(form, "client_secret").n > 0;

	*ret = (struct oauth_client){ http_form_value(form, "client_id"),
				      http_form_value(form, "client_secret") };
	if (!header.p)
		return posted ? 0
			      : fail(c, 401, "invalid_client", "no client credentials were sent");
	if (posted)
		return fail(c, 400, "invalid_request",
			    "credentials were sent twice: in the header and in the body");
	if (!slice_starts_nocase(header, basic) || read_basic(form, header, ret) < 0)
		return fail(c, 401, "invalid_client", "the header Authorization is not understood");
	return 0;
}

static int enter_client(struct call *c, const struct oauth_client *client,
			struct key_secret *secret)
{
	enum key_verdict verdict = KEY_WRONG;
	char id[ID_OUT_MAX];
	struct token t;
	int r = 0;

	if (token_parse(client->secret, &t) >= 0 && t.kind == ID_KEY &&
	    slice_eq(client->id, slice_str(ids_out(ID_KEY, t.id, id))))
		r = key_enter(c, &t, &verdict, secret);
	if (r < 0 || verdict == KEY_FINE)
		return r;
	if (verdict != KEY_WRONG)
		return fail(c, 400, "unauthorized_client", key_verdict_text(verdict));
	r = fail(c, 401, "invalid_client", "there is no such client, or its secret is another");
	return call_brake_wrong(c) < 0 ? E_ANSWERED : r;
}

/* ---- the grant ---------------------------------------------------------------------------- */

static int read_scope(struct call *c, struct slice names, uint64_t *ret)
{
	uint64_t bit, set = 0;

	while (names.n) {
		struct slice name = slice_take(&names, ' ');

		if (!name.n)
			continue;
		if (permit_parse(name, &bit) < 0 || (bit & ~c->actor.permits))
			return fail(c, 400, "invalid_scope",
				    "the key has no such scope, or there is none of this name");
		set |= bit;
	}
	*ret = set ? set : c->actor.permits;
	return 0;
}

static json_t *scope_text(uint64_t set)
{
	struct buf text = { 0 };
	json_t *json;

	for (unsigned bit = 0; permit_name(bit); bit++)
		if (set & PERMIT(bit)) {
			if (buf_len(&text))
				buf_put(&text, SLICE(" "));
			buf_put(&text, slice_str(permit_name(bit)));
		}
	json = json_string(buf_cstr(&text));
	buf_free(&text);
	return json;
}

static int give(struct call *c, uint64_t scopes, const struct key_secret *secret)
{
	const struct access_token t = { .org = c->actor.org,
					.key = c->actor.id,
					.expires_s =
					    (uint64_t)clock_wall_ms() / 1000 + ACCESS_TOKEN_LIFE_S,
					.scopes = scopes,
					.chance = random_u64() };
	char text[ACCESS_TOKEN_MAX];
	int r;

	(void)access_token_format(c->app->access_key, &t,
				  slice_of(secret->hash, sizeof(secret->hash)), text);
	http_reply_header(c, "Pragma", "no-cache");
	r = http_reply_json(c, 200,
			    json_pack("{s:s, s:s, s:i, s:o}", "access_token", text, "token_type",
				      "Bearer", "expires_in", ACCESS_TOKEN_LIFE_S, "scope",
				      scope_text(scopes)));
	explicit_bzero(text, sizeof(text));
	return r;
}

static int read_request(struct call *c, struct http_form *form)
{
	struct slice type = call_header(c, "Content-Type"), grant;

	type = slice_trim(slice_take(&type, ';'));
	if (!slice_eq_nocase(type, SLICE("application/x-www-form-urlencoded")))
		return fail(c, 400, "invalid_request",
			    "the body must be application/x-www-form-urlencoded");
	if (http_form_read(form, call_raw_body(c)) < 0)
		return fail(c, 400, "invalid_request",
			    "the body is no form, is too large, or has a field twice");
	grant = http_form_value(form, "grant_type");
	if (!grant.n)
		return fail(c, 400, "invalid_request", "grant_type is missing");
	if (!slice_eq(grant, SLICE("client_credentials")))
		return fail(c, 400, "unsupported_grant_type",
			    "the only grant_type is client_credentials");
	return 0;
}

static int answer_token(struct call *c, struct http_form *form)
{
	struct key_secret secret;
	struct oauth_client client;
	uint64_t scopes = 0;
	int r = read_request(c, form);

	if (r >= 0)
		r = read_client(c, form, &client);
	if (r >= 0)
		r = enter_client(c, &client, &secret);
	if (r >= 0)
		r = read_scope(c, http_form_value(form, "scope"), &scopes);
	if (r >= 0)
		r = give(c, scopes, &secret);
	explicit_bzero(&secret, sizeof(secret));
	return r;
}

static int post_token(struct call *c)
{
	struct http_form *form = must_alloc(sizeof(*form));
	int r = answer_token(c, form);

	explicit_bzero(form, sizeof(*form));
	free(form);
	return r;
}

/* ---- where it is -------------------------------------------------------------------------- */

static json_t *scope_names(void)
{
	json_t *names = json_array();

	for (unsigned bit = 0; permit_name(bit); bit++)
		(void)json_array_append_new(names, json_string(permit_name(bit)));
	return names;
}

/* The address is the operator's, never that of a Host header. */
static int get_metadata(struct call *c)
{
	const char *url = auth_options(c->app)->api_url;

	if (!*url)
		return problem(c, 404, "not_found",
			       "the operator of this service has not set api.url");
	http_reply_header(c, "Cache-Control", "max-age=3600");
	return http_reply_json(
	    c, 200,
	    json_pack("{s:s, s:s++, s:[s], s:[ss], s:[], s:o}", "issuer", url, "token_endpoint",
		      url, "/v1/oauth/token", "", "grant_types_supported", "client_credentials",
		      "token_endpoint_auth_methods_supported", "client_secret_basic",
		      "client_secret_post", "response_types_supported", "scopes_supported",
		      scope_names()));
}

#define FORM_ROUTE (ROUTE_BODY_ANY | ROUTE_NO_BODY | ROUTE_BRAKED)
const struct http_route auth_oauth_routes[] = {
	{ "POST", "/v1/oauth/token", AUTH_NONE, 0, FORM_ROUTE, FORM_BYTES_MAX, post_token },
	{ "GET", "/.well-known/oauth-authorization-server", AUTH_NONE, 0, 0, 0, get_metadata },
};
const size_t auth_oauth_routes_n = ARRAY_LEN(auth_oauth_routes);
