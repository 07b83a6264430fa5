/* control/federation/sp_kind.c - configurations of SAML providers, checked; our addresses. */
#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "control/auth/options.h"
#include "control/federation/sp.h"
#include "control/http/api.h"
#include "control/http/problem.h"
#include "control/saml/ask.h"

const char *sp_entity_id(const struct app *app, uint32_t org, uint64_t provider, char *buf)
{
	char start[FEDERATION_START_MAX];

	*buf = '\0';
	if (*auth_options(app)->api_url)
		(void)snprintf(buf, SP_URL_MAX, "%s%s/metadata", auth_options(app)->api_url,
			       federation_start(&sp_kind, org, provider, start));
	return buf;
}

const char *sp_acs_url(const struct app *app, char *buf)
{
	*buf = '\0';
	if (*auth_options(app)->api_url)
		(void)snprintf(buf, SP_URL_MAX, "%s/v1/auth/saml/acs", auth_options(app)->api_url);
	return buf;
}

const char *sp_request_id(const struct app *app, const struct journey *j, char *buf)
{
	uint8_t key[32], mac[MAC_LEN];
	struct buf hex = { 0 };

	secrets_derive(app->secrets, "saml request", key);
	secrets_mac(key, slice_str(j->secret), mac);
	buf_put(&hex, SLICE("_"));
	if (hex_encode(&hex, slice_of((char *)mac, 20)) < 0)
		buf_clear(&hex);
	slice_copy(buf, SP_REQUEST_MAX, buf_data(&hex));
	buf_free(&hex);
	return buf;
}

/* ---- what is given ----------------------------------------------------------------------- */

/* clang-format off */
static const struct federation_member members[] = {
	{"metadata",       CONFIG_TEXT, false, 1, SAML_DOCUMENT_MAX},
	{"entity_id",      CONFIG_LINE, false, 1, SAML_URL_MAX},
	{"sso_url",        CONFIG_URL,  false, 9, SAML_URL_MAX},
	{"email_verified", CONFIG_BOOL, false, 0, 0},
};
/* clang-format on */

static void put_escaped(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("&<>\"'", s.p[i]))
			buf_putf(out, "&#%d;", s.p[i]);
		else
			buf_put(out, slice_of(s.p + i, 1));
}

/* The members as metadata, so that there is one way to check them. */
static void compose(const json_t *config, const json_t *certificates, struct buf *out)
{
	const json_t *one;
	size_t i;

	buf_put(out, SLICE("<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
			   "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" entityID=\""));
	put_escaped(out, slice_str(federation_config_text(config, "entity_id")));
	buf_put(out, SLICE("\"><IDPSSODescriptor>"));
	json_array_foreach(certificates, i, one)
	{
		buf_put(out, SLICE("<KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"));
		put_escaped(out, api_text_of(one));
		buf_put(out, SLICE("</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
				   "</KeyDescriptor>"));
	}
	buf_put(out, SLICE("<SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:"
			   "HTTP-Redirect\" Location=\""));
	put_escaped(out, slice_str(federation_config_text(config, "sso_url")));
	buf_put(out, SLICE("\"/></IDPSSODescriptor></EntityDescriptor>"));
}

/* It goes into a Location, and a query is put behind it. */
static bool is_address(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("#\\\"<>", s.p[i]))
			return false;
	return slice_starts_nocase(s, SLICE("https://")) ||
	       slice_starts_nocase(s, SLICE("http://"));
}

static void keep(json_t *config, const struct saml_answer *a)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < a->n; i++) {
		struct buf text = { 0 };

		if (base64_encode(&text, a->certificates[i]) == 0)
			(void)json_array_append_new(list, api_text(buf_data(&text)));
		buf_free(&text);
	}
	(void)json_object_del(config, "metadata");
	(void)json_object_set_new(config, "entity_id", api_text(a->entity));
	(void)json_object_set_new(config, "sso_url", api_text(a->sso));
	(void)json_object_set_new(config, "certificates", list);
	if (!json_object_get(config, "email_verified"))
		(void)json_object_set_new(config, "email_verified", json_false());
}

static void read_metadata(struct call *c, json_t *config, struct slice xml, const char *pointer)
{
	const struct saml_question q = { .kind = SAML_METADATA,
					 .document = xml,
					 .now_ms = clock_wall_ms() };
	struct buf room = { 0 };
	struct saml_answer a;
	int r = saml_ask(&q, SAML_ASK_MS, &room, &a);

	if (r < 0)
		problem_add(c, pointer, r == E_LIMIT ? "too_large" : "busy", "%s",
			    r == E_LIMIT ? "is too large" : "cannot be read now: try again");
	else if (a.fault != SAML_FINE)
		problem_add(c, pointer, "invalid_metadata", "is refused (%s): %s",
			    saml_fault_name(a.fault), saml_fault_text(a.fault));
	else if (!is_address(a.sso))
		problem_add(c, pointer, "invalid_metadata",
			    "has an address for sign-in that is no URL");
	else
		keep(config, &a);
	buf_free(&room);
}

/* Taken out of the configuration for the time of the check: the table of members has no lists. */
static void check_members(struct call *c, json_t *config, json_t *certificates)
{
	bool given = json_object_get(config, "metadata") != NULL;
	bool kept = json_object_get(config, "entity_id") || json_object_get(config, "sso_url") ||
		    certificates;
	struct buf xml = { 0 };

	federation_config_check(c, config, members, ARRAY_LEN(members));
	if (certificates && !json_is_array(certificates))
		problem_add(c, "/config/certificates", "invalid_value", "must be a list");
	if (given == kept)
		problem_add(c, "/config/metadata", given ? "not_needed" : "required",
			    given ? "stands for entity_id, sso_url and certificates"
				  : "is required: what the provider says of itself, as XML");
	if (problem_count(c))
		return;
	if (kept)
		compose(config, certificates, &xml);
	else
		buf_put(&xml, slice_str(federation_config_text(config, "metadata")));
	read_metadata(c, config, buf_data(&xml), kept ? "/config" : "/config/metadata");
	buf_free(&xml);
}

static void check(struct call *c, json_t *config)
{
	json_t *certificates = json_incref(json_object_get(config, "certificates"));

	(void)json_object_del(config, "certificates");
	check_members(c, config, certificates);
	json_decref(certificates);
}

static bool same_party(const json_t *before, const json_t *after)
{
	return strcmp(federation_config_text(before, "entity_id"),
		      federation_config_text(after, "entity_id")) == 0;
}

static void show(const struct call *c, uint64_t provider, json_t *shown)
{
	char url[SP_URL_MAX];

	(void)json_object_set_new(shown, "metadata_url",
				  json_string(sp_entity_id(c->app, c->actor.org, provider, url)));
	(void)json_object_set_new(shown, "acs_url", json_string(sp_acs_url(c->app, url)));
}

const struct federation_kind sp_kind = {
	.name = "saml",
	.code = FEDERATION_SAML,
	.secret_needed = false,
	.check = check,
	.same_party = same_party,
	.show = show,
};
