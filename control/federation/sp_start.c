/* control/federation/sp_start.c - the way to a SAML provider (bindings 3.4, HTTP-Redirect), and
 * what we say of ourselves (metadata 2.4.4). */
#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "control/federation/provider.h"
#include "control/federation/routes.h"
#include "control/federation/sp.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

struct starting {
	struct call *c;
	uint32_t org;
	uint64_t provider;
	struct journey journey;
	char state[TOKEN_MAX], sso[1024];
};

/* The organisation and provider of the path: E_UNKNOWN. */
static int read_path(struct call *c, struct starting *s)
{
	int r = federation_provider_org(c, call_param(c, 0), &s->org);

	s->c = c;
	if (r >= 0)
		r = call_id(c, 1, ID_PROVIDER, &s->provider);
	return r;
}

static int refuse_without_url(struct call *c)
{
	return problem(c, 409, "no_api_url",
		       "sign-in by SAML needs the address of this service: ask its operator to set "
		       "api.url");
}

/* ---- the request ------------------------------------------------------------------------- */

/* DEFLATE (RFC 1951, 3.2.4) with one block that is stored as it is: a request is small. */
static void put_deflated(struct buf *out, struct slice s)
{
	const uint8_t head[] = { 1, (uint8_t)s.n, (uint8_t)(s.n >> 8), (uint8_t)~s.n,
				 (uint8_t)(~s.n >> 8) };

	assert(s.n < 65536);
	buf_put(out, slice_of(head, sizeof(head)));
	buf_put(out, s);
}

static void put_percent(struct buf *out, struct slice s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-._~";

	for (size_t i = 0; i < s.n; i++)
		if (memchr(plain, s.p[i], sizeof(plain) - 1))
			buf_put(out, slice_of(s.p + i, 1));
		else
			buf_putf(out, "%%%02X", (unsigned char)s.p[i]);
}

static void put_escaped(struct buf *out, const char *s)
{
	for (; *s; s++)
		if (strchr("&<>\"'", *s))
			buf_putf(out, "&#%d;", *s);
		else
			buf_put(out, slice_of(s, 1));
}

static void write_request(const struct starting *s, struct buf *out)
{
	char url[SP_URL_MAX], id[SP_REQUEST_MAX], at[64];
	const struct app *app = s->c->app;

	buf_putf(out,
		 "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
		 "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"%s\" Version=\"2.0\" "
		 "IssueInstant=\"%s\" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:"
		 "HTTP-POST\" Destination=\"",
		 sp_request_id(app, &s->journey, id), clock_rfc3339(clock_wall_ms(), at));
	put_escaped(out, s->sso);
	buf_put(out, SLICE("\" AssertionConsumerServiceURL=\""));
	put_escaped(out, sp_acs_url(app, url));
	buf_put(out, SLICE("\"><saml:Issuer>"));
	put_escaped(out, sp_entity_id(app, s->org, s->provider, url));
	buf_put(out, SLICE("</saml:Issuer><samlp:NameIDPolicy AllowCreate=\"true\"/>"
			   "</samlp:AuthnRequest>"));
}

static int go(struct starting *s)
{
	struct buf xml = { 0 }, deflated = { 0 }, encoded = { 0 }, query = { 0 };
	int r;

	write_request(s, &xml);
	put_deflated(&deflated, buf_data(&xml));
	r = base64_encode(&encoded, buf_data(&deflated));
	put_percent(&query, buf_data(&encoded));
	if (r >= 0)
		http_reply_header(s->c, "Location", "%s%cSAMLRequest=%s&RelayState=%s", s->sso,
				  strchr(s->sso, '?') ? '&' : '?', buf_cstr(&query), s->state);
	http_reply_header(s->c, "Cache-Control", "no-store");
	http_reply_header(s->c, "Referrer-Policy", "no-referrer");
	buf_free(&xml);
	buf_free(&deflated);
	buf_free(&encoded);
	buf_free(&query);
	return r < 0 ? r : http_reply_empty(s->c, 303);
}

static int begin(struct db *db UNUSED, void *arg)
{
	struct starting *s = arg;
	OWNED(federation_provider) p = NULL;
	int r = federation_provider_read(s->c, s->org, s->provider, FEDERATION_SAML, &p);

	if (r < 0)
		return r;
	slice_copy(s->sso, sizeof(s->sso), slice_str(federation_config_text(p->config, "sso_url")));
	return journey_begin(s->c, s->org, s->provider, &s->journey, s->state);
}

static int get_start(struct call *c)
{
	struct starting s = { 0 };
	char url[SP_URL_MAX];
	int r = read_path(c, &s);

	if (r >= 0 && !*sp_acs_url(c->app, url))
		r = refuse_without_url(c);
	if (r >= 0)
		r = db_tx(c->db, s.org, begin, &s);
	return r < 0 ? r : go(&s);
}

/* ---- what we say of ourselves ------------------------------------------------------------ */

static int look(struct db *db UNUSED, void *arg)
{
	struct starting *s = arg;
	OWNED(federation_provider) p = NULL;

	return federation_provider_read(s->c, s->org, s->provider, FEDERATION_SAML, &p);
}

static int get_metadata(struct call *c)
{
	char entity[SP_URL_MAX], acs[SP_URL_MAX];
	struct starting s = { 0 };
	struct buf out = { 0 };
	int r = read_path(c, &s);

	if (r >= 0 && !*sp_acs_url(c->app, acs))
		r = refuse_without_url(c);
	if (r >= 0)
		r = db_tx(c->db, s.org, look, &s);
	if (r < 0)
		return r;
	buf_put(&out, SLICE("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<EntityDescriptor "
			    "xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\""));
	put_escaped(&out, sp_entity_id(c->app, s.org, s.provider, entity));
	buf_put(&out,
		SLICE("\">\n  <SPSSODescriptor AuthnRequestsSigned=\"false\" "
		      "WantAssertionsSigned=\"true\" protocolSupportEnumeration=\"urn:oasis:names:"
		      "tc:SAML:2.0:protocol\">\n"
		      "    <NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
		      "</NameIDFormat>\n"
		      "    <NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
		      "</NameIDFormat>\n"
		      "    <AssertionConsumerService index=\"0\" isDefault=\"true\" "
		      "Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\""));
	put_escaped(&out, acs);
	buf_put(&out, SLICE("\"/>\n  </SPSSODescriptor>\n</EntityDescriptor>\n"));
	r = http_reply_bytes(c, 200, "application/samlmetadata+xml", buf_data(&out));
	buf_free(&out);
	return r;
}

/* clang-format off */
const struct http_route federation_sp_routes[] = {
	{"GET", "/v1/auth/saml/{org_name}/{provider_id}", AUTH_NONE, 0, ROUTE_BRAKED | ROUTE_NO_TX, 0, get_start },
	{"GET", "/v1/auth/saml/{org_name}/{provider_id}/metadata", AUTH_NONE, 0, ROUTE_NO_TX, 0, get_metadata},
};
/* clang-format on */
const size_t federation_sp_routes_n = ARRAY_LEN(federation_sp_routes);
