/* control/federation/oidc_routes.c - /v1/auth/oidc: a browser is sent to the provider, and comes
 * back. */
#include "control/auth/options.h"
#include "control/federation/oidc.h"
#include "control/federation/oidc_sign_in.h"
#include "control/federation/routes.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { CODE_MAX = 2000 };

/* ---- the provider that the path names ------------------------------------------------------- */

struct oidc_visit {
	struct call *c;
	uint32_t org;
	uint64_t id;
	struct federation_provider *provider;
	struct oidc_party party;
	struct journey journey;
	char issuer[OIDC_ISSUER_MAX + 1], why[FEDERATION_WHY_MAX], state[TOKEN_MAX];
	struct federation_person person;
};

static int read_provider(struct db *db UNUSED, void *arg)
{
	struct oidc_visit *v = arg;

	v->provider = federation_provider_free(v->provider);
	return federation_provider_read(v->c, v->org, v->id, FEDERATION_OIDC, &v->provider);
}

static int open_visit(struct oidc_visit *v)
{
	int r = federation_provider_org(v->c, call_param(v->c, 0), &v->org);

	if (r >= 0)
		r = call_id(v->c, 1, ID_PROVIDER, &v->id);
	if (r >= 0)
		r = db_tx(v->c->db, v->org, read_provider, v);
	if (r >= 0)
		(void)oidc_issuer(v->provider->config, v->issuer);
	return r;
}

static void close_visit(struct oidc_visit *v)
{
	v->provider = federation_provider_free(v->provider);
	oidc_party_clear(&v->party);
}

/* ---- there ---------------------------------------------------------------------------------- */

static int begin(struct db *db UNUSED, void *arg)
{
	struct oidc_visit *v = arg;

	return journey_begin(v->c, v->org, v->id, &v->journey, v->state);
}

static int send_there(struct oidc_visit *v)
{
	struct buf url = { 0 };

	oidc_sign_in_url(v->c, v->provider, &v->party, &v->journey, v->state, &url);
	http_reply_header(v->c, "Location", "%s", buf_cstr(&url));
	http_reply_header(v->c, "Cache-Control", "no-store");
	buf_free(&url);
	return http_reply_empty(v->c, 303);
}

static int start(struct oidc_visit *v)
{
	int r = open_visit(v);

	if (r < 0)
		return r;
	if (!*auth_options(v->c->app)->api_url)
		return problem(v->c, 409, "no_api_url",
			       "the operator has to set api.url before people can come back here");
	r = oidc_party_read(v->c->app, v->org, v->issuer, &v->party, v->why);
	if (r < 0)
		return problem(v->c, 503, "provider_unreachable",
			       "the identity provider cannot be used at the moment: %s", v->why);
	r = db_tx(v->c->db, v->org, begin, v);
	return r < 0 ? r : send_there(v);
}

static int get_start(struct call *c)
{
	struct oidc_visit v = { .c = c };
	int r = start(&v);

	close_visit(&v);
	return r;
}

/* ---- and back ------------------------------------------------------------------------------- */

static int fail(struct oidc_visit *v, const char *code, const char *why)
{
	return journey_fail(v->c, &v->journey, code, why);
}

/* RFC 9207: whose answer it is.  Together with a redirect URI of its own for each provider it keeps
 * one provider from being given what another one issued. */
static const char *fault_of_issuer(const struct oidc_visit *v)
{
	struct slice iss = call_query(v->c, "iss");

	if (call_has_query(v->c, "iss"))
		return slice_eq(iss, slice_str(v->issuer)) ? NULL : "iss is another provider's";
	return oidc_party_says(&v->party, "authorization_response_iss_parameter_supported")
		   ? "iss is absent"
		   : NULL;
}

static int hand(struct db *db UNUSED, void *arg)
{
	struct oidc_visit *v = arg;

	return journey_hand(v->c, &v->journey, &v->person);
}

static int redeem(struct oidc_visit *v)
{
	struct slice code = call_query(v->c, "code");
	json_t *claims = NULL;
	int r;

	if (!code.n || code.n > CODE_MAX)
		return fail(v, "no_code", "code is absent or too long");
	r = oidc_sign_in_redeem(v->c, v->provider, &v->party, &v->journey, code, &v->person,
				&claims, v->why);
	if (r < 0)
		return fail(v, r == E_FULL ? "busy" : "provider_failed", v->why);
	r = db_tx(v->c->db, v->org, hand, v);
	json_decref(claims);
	return r;
}

static int come_back(struct oidc_visit *v)
{
	const char *fault;
	int r = journey_back(v->c, call_query(v->c, "state"), true, &v->journey);

	if (r < 0)
		return r;
	r = open_visit(v);
	if (r < 0 && r != E_UNKNOWN)
		return r;
	if (r < 0 || v->org != v->journey.org || v->id != v->journey.provider)
		return fail(v, "wrong_provider", "it came back as from another provider");
	r = oidc_party_read(v->c->app, v->org, v->issuer, &v->party, v->why);
	if (r < 0)
		return fail(v, r == E_FULL ? "busy" : "provider_failed", v->why);
	fault = fault_of_issuer(v);
	if (fault)
		return fail(v, "wrong_issuer", fault);
	if (call_has_query(v->c, "error"))
		return fail(v,
			    slice_eq(call_query(v->c, "error"), SLICE("access_denied"))
				? "access_denied"
				: "provider_refused",
			    "the provider says error");
	return redeem(v);
}

static int get_callback(struct call *c)
{
	struct oidc_visit v = { .c = c };
	int r = come_back(&v);

	close_visit(&v);
	return r;
}

#define START (ROUTE_BRAKED | ROUTE_NO_TX)
/* clang-format off */
const struct http_route oidc_routes[] = {
	{"GET", "/v1/auth/oidc/{org_name}/{provider_id}", AUTH_NONE, 0, START, 0, get_start},
	{"GET", "/v1/auth/oidc/{org_name}/{provider_id}/callback", AUTH_NONE, 0, ROUTE_NO_TX, 0, get_callback},
};
/* clang-format on */
const size_t oidc_routes_n = ARRAY_LEN(oidc_routes);
