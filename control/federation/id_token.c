/* control/federation/id_token.c - claims. */
#include "control/federation/id_token.h"

#include <math.h>

#include "control/http/api.h"
#include "control/contract/plain.h"

/* Whole seconds; false when it is no sane time. */
static bool time_of(const json_t *claims, const char *name, int64_t *ret)
{
	const json_t *v = json_object_get(claims, name);
	double d = json_number_value(v);

	if (!json_is_number(v) || !(d >= 0 && d < 1e11))
		return false;
	*ret = (int64_t)d;
	return true;
}

static bool is_text(const json_t *v, const char *text)
{
	return json_is_string(v) && slice_eq(api_text_of(v), slice_str(text));
}

/* The client alone, or the client among others when it is who asked for the token. */
static bool is_for_us(const json_t *claims, const char *client)
{
	const json_t *aud = json_object_get(claims, "aud"), *azp = json_object_get(claims, "azp");
	bool named = is_text(aud, client);

	for (size_t i = 0; i < json_array_size(aud); i++)
		named |= is_text(json_array_get(aud, i), client);
	if (azp ? !is_text(azp, client) : json_array_size(aud) > 1)
		return false;
	return named;
}

static bool is_current(const json_t *claims, int64_t now)
{
	int64_t exp, iat, nbf;

	if (!time_of(claims, "exp", &exp) || !time_of(claims, "iat", &iat))
		return false;
	if (json_object_get(claims, "nbf") &&
	    (!time_of(claims, "nbf", &nbf) || nbf > now + ID_TOKEN_SKEW_S))
		return false;
	return exp > now - ID_TOKEN_SKEW_S && iat <= now + ID_TOKEN_SKEW_S &&
	       iat >= now - ID_TOKEN_LIFE_S;
}

static bool is_fresh(const json_t *claims, const struct id_token_terms *t)
{
	int64_t at;

	if (t->max_age < 0)
		return true;
	return time_of(claims, "auth_time", &at) && at <= t->now + ID_TOKEN_SKEW_S &&
	       at >= t->now - t->max_age - ID_TOKEN_SKEW_S;
}

static bool is_subject(struct slice s)
{
	return s.n > 0 && s.n <= FEDERATION_SUBJECT_MAX && plain_line(s);
}

int id_token_check(const json_t *claims, const struct id_token_terms *t, const char **why)
{
	struct slice nonce = api_text_of(json_object_get(claims, "nonce"));

	*why = NULL;
	if (!is_text(json_object_get(claims, "iss"), t->issuer))
		*why = "iss is not the provider's";
	else if (!is_for_us(claims, t->client_id))
		*why = "aud or azp is another client";
	else if (!nonce.n || !slice_eq_secret(nonce, slice_str(t->nonce)))
		*why = "nonce is not that of this sign-in";
	else if (!is_current(claims, t->now))
		*why = "exp, iat or nbf: too old, or from the future";
	else if (!is_fresh(claims, t))
		*why = "auth_time is longer ago than max_age";
	else if (*t->hosted_domain && !is_text(json_object_get(claims, "hd"), t->hosted_domain))
		*why = "hd is another domain";
	else if (!is_subject(api_text_of(json_object_get(claims, "sub"))))
		*why = "sub is absent or too long";
	return *why ? E_DENIED : 0;
}

/* Providers write it as a boolean, a text or a number. */
static bool is_true(const json_t *v)
{
	return json_is_true(v) || is_text(v, "true") || is_text(v, "1") ||
	       (json_is_integer(v) && json_integer_value(v) == 1);
}

void id_token_person(const json_t *claims, const char *verified_claim,
		     struct federation_person *ret)
{
	struct slice email = api_text_of(json_object_get(claims, "email"));
	struct slice name = api_text_of(json_object_get(claims, "name"));

	*ret = (struct federation_person){
		.subject = api_text_of(json_object_get(claims, "sub")),
		.email = email.n <= FEDERATION_EMAIL_MAX && plain_line(email) ? email : SLICE(""),
		.name = plain_line(name) && plain_length(name) <= FEDERATION_NAME_MAX ? name
										      : SLICE(""),
		.email_verified = is_true(json_object_get(claims, verified_claim)),
	};
}
