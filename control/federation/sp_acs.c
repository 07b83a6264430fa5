/* control/federation/sp_acs.c - /v1/auth/saml/acs: what a browser brings back from a SAML provider
 * (bindings 3.5, HTTP-POST). */
#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "control/auth/audit.h"
#include "control/federation/provider.h"
#include "control/federation/routes.h"
#include "control/federation/sp.h"
#include "control/federation/statements.h"
#include "control/http/api.h"
#include "control/http/percent.h"
#include "control/http/problem.h"
#include "control/saml/ask.h"

enum { FORM_MAX = 512 * 1024, FIELDS_MAX = 16 };

/* ---- the form ---------------------------------------------------------------------------- */

struct acs_form {
	char *bytes; /* what the values lie in */
	size_t used, size;
	struct slice response, relay;
};

static int read_value(struct acs_form *f, struct slice in, struct slice *ret)
{
	char *plain = f->bytes + f->size; /* the second half */
	int r;

	if (ret->p)
		return E_SYNTAX; /* twice */
	for (size_t i = 0; i < in.n; i++)
		plain[i] = in.p[i] == '+' ? ' ' : in.p[i];
	r = percent_decode(slice_of(plain, in.n), f->bytes + f->used, f->size - f->used, ret);
	if (r >= 0)
		f->used += ret->n;
	return r;
}

/* Only the two fields are looked at; others (SigAlg and the like) belong to another binding. */
static int read_form(struct acs_form *f, struct slice body)
{
	struct slice field, name, value;
	unsigned n = 0;
	int r = 0;

	f->size = body.n + 64;
	f->bytes = must_alloc(f->size * 2);
	while (r >= 0 && body.n) {
		field = slice_take(&body, '&');
		if (++n > FIELDS_MAX)
			return E_LIMIT;
		if (!slice_cut(field, '=', &name, &value))
			continue;
		if (slice_eq(name, SLICE("SAMLResponse")))
			r = read_value(f, value, &f->response);
		else if (slice_eq(name, SLICE("RelayState")))
			r = read_value(f, value, &f->relay);
	}
	return r < 0 ? r : f->response.n && f->relay.n ? 0 : E_SYNTAX;
}

static int refuse_form(struct call *c)
{
	return problem(c, 400, "invalid_response",
		       "this is no answer to a sign-in that was begun here: begin at the sign-in "
		       "page of this service, not at the identity provider");
}

/* ---- the response ------------------------------------------------------------------------ */

struct returning {
	struct call *c;
	struct journey j;
	struct federation_provider *provider;
	struct buf certificates[SAML_CERTIFICATES_MAX];
	struct saml_answer answer;
};

static int read_provider(struct db *db UNUSED, void *arg)
{
	struct returning *k = arg;

	k->provider = federation_provider_free(k->provider);
	return federation_provider_read(k->c, k->j.org, k->j.provider, FEDERATION_SAML,
					&k->provider);
}

static unsigned read_certificates(struct returning *k, struct saml_question *q)
{
	const json_t *list = json_object_get(k->provider->config, "certificates"), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (q->n == SAML_CERTIFICATES_MAX)
			break;
		buf_clear(&k->certificates[q->n]);
		if (base64_decode(&k->certificates[q->n], api_text_of(one)) < 0)
			continue;
		q->certificates[q->n] = buf_data(&k->certificates[q->n]);
		q->n++;
	}
	return q->n;
}

static int ask(struct returning *k, struct slice response, struct buf *room)
{
	char entity[SP_URL_MAX], acs[SP_URL_MAX], request[SP_REQUEST_MAX];
	const struct app *app = k->c->app;
	struct saml_question q = {
		.kind = SAML_RESPONSE,
		.document = response,
		.issuer = slice_str(federation_config_text(k->provider->config, "entity_id")),
		.audience = slice_str(sp_entity_id(app, k->j.org, k->j.provider, entity)),
		.acs = slice_str(sp_acs_url(app, acs)),
		.request = slice_str(sp_request_id(app, &k->j, request)),
		.now_ms = clock_wall_ms(),
	};
	int r;

	if (!read_certificates(k, &q))
		k->answer.fault = SAML_CERTIFICATE;
	else if ((r = saml_ask(&q, SAML_ASK_MS, room, &k->answer)) < 0)
		return r;
	return 0;
}

/* ---- whom it names ----------------------------------------------------------------------- */

/* An assertion counts once, whichever process is shown it again. */
static int remember(struct returning *k)
{
	uint8_t hash[32];

	secrets_sha256(k->answer.assertion, hash);
	return db_run(k->c->db, NULL, sql_federation_assertion_insert, p_int(k->j.org),
		      p_int(k->j.provider), p_bytes(slice_of((char *)hash, sizeof(hash))),
		      p_int(k->answer.until_ms));
}

static int hand(struct db *db UNUSED, void *arg)
{
	struct returning *k = arg;
	const struct federation_person p = {
		.provider = k->j.provider,
		.subject = k->answer.subject,
		.email = k->answer.email,
		.name = k->answer.name,
		.email_verified =
		    json_is_true(json_object_get(k->provider->config, "email_verified")),
	};
	int r = remember(k);

	if (r == 0)
		return journey_fail(k->c, &k->j, "saml_replayed",
				    "this assertion was shown before");
	return r < 0 ? r : journey_hand(k->c, &k->j, &p);
}

/* The organisation's admins see it, who do not see the service's log. */
static int note_fault(struct db *db UNUSED, void *arg)
{
	const struct returning *k = arg;
	char id[ID_OUT_MAX];

	return audit_put_in(k->c, k->j.org, "login.assertion_refused",
			    ids_out(ID_PROVIDER, k->j.provider, id),
			    json_pack("{ss ss}", "fault", saml_fault_name(k->answer.fault), "why",
				      saml_fault_text(k->answer.fault)));
}

static int fail(struct returning *k)
{
	char code[40];
	int r = db_tx(k->c->db, k->j.org, note_fault, k);

	if (r < 0)
		return r;
	(void)snprintf(code, sizeof(code), "saml_%s", saml_fault_name(k->answer.fault));
	return journey_fail(k->c, &k->j, code, saml_fault_text(k->answer.fault));
}

/* The process is asked outside of any transaction. */
static int meet(struct returning *k, struct slice response)
{
	struct buf room = { 0 };
	int r = db_tx(k->c->db, k->j.org, read_provider, k);

	if (r == E_UNKNOWN)
		return journey_fail(k->c, &k->j, "provider_gone", "it was removed or disabled");
	if (r >= 0)
		r = ask(k, response, &room);
	if (r == E_FULL || r == E_LIMIT)
		r = journey_fail(k->c, &k->j, r == E_FULL ? "busy" : "saml_malformed",
				 r == E_FULL ? "too many at once" : "it is too large");
	else if (r >= 0)
		r = k->answer.fault == SAML_FINE ? db_tx(k->c->db, k->j.org, hand, k) : fail(k);
	buf_free(&room);
	return r;
}

static int post_acs(struct call *c)
{
	struct returning k = { .c = c };
	struct acs_form f = { 0 };
	struct slice type = call_header(c, "Content-Type");
	int r;

	type = slice_trim(slice_take(&type, ';'));
	if (!slice_eq_nocase(type, SLICE("application/x-www-form-urlencoded")))
		return refuse_form(c);
	r = read_form(&f, call_raw_body(c));
	r = r < 0 ? refuse_form(c) : journey_back(c, f.relay, false, &k.j);
	if (r >= 0)
		r = meet(&k, f.response);
	(void)federation_provider_free(k.provider);
	for (unsigned i = 0; i < SAML_CERTIFICATES_MAX; i++)
		buf_free(&k.certificates[i]);
	free(f.bytes);
	return r;
}

/* clang-format off */
const struct http_route federation_acs_routes[] = {
	{"POST", "/v1/auth/saml/acs", AUTH_NONE, 0, ROUTE_BRAKED | ROUTE_NO_TX | ROUTE_BODY_ANY, FORM_MAX, post_acs},
};
/* clang-format on */
const size_t federation_acs_routes_n = ARRAY_LEN(federation_acs_routes);
