/* control/federation/id_token: which claims are believed, and what is said of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/federation/id_token.h"

enum { NOW = 1900000000 };
static const struct id_token_terms terms = { .issuer = "https://a.test",
					     .client_id = "us",
					     .nonce = "n1",
					     .hosted_domain = "",
					     .max_age = -1,
					     .now = NOW };

static json_t *good_claims(void)
{
	return json_pack("{ss ss ss si si ss}", "iss", "https://a.test", "aud", "us", "nonce", "n1",
			 "iat", NOW, "exp", NOW + 300, "sub", "7");
}

/* The fault that is found when a member has another value (NULL: is absent). */
static const char *fault(const char *member, const char *value, const struct id_token_terms *t)
{
	json_t *claims = good_claims();
	const char *why = "";

	(void)json_object_del(claims, member);
	if (value)
		(void)json_object_set_new(claims, member, json_loads(value, JSON_DECODE_ANY, NULL));
	if (id_token_check(claims, t, &why) == 0)
		assert_null(why);
	json_decref(claims);
	return why ? why : "good";
}

#define FINDS(word, member, value) assert_non_null(strstr(fault(member, value, &terms), word))

static void each_claim_that_is_wrong_or_absent_is_found(void **state UNUSED)
{
	FINDS("good", "more", "1");
	FINDS("iss", "iss", "\"https://a.test/\"");
	FINDS("iss", "iss", NULL);
	FINDS("aud", "aud", "\"them\"");
	FINDS("aud", "aud", "[]");
	FINDS("aud", "aud", NULL);
	FINDS("nonce", "nonce", "\"n2\"");
	FINDS("nonce", "nonce", "\"\"");
	FINDS("nonce", "nonce", NULL);
	FINDS("sub", "sub", "7");
	FINDS("sub", "sub", "\"\"");
	FINDS("sub", "sub", "\"a\\nb\"");
}

static void several_audiences_need_the_party_that_asked(void **state UNUSED)
{
	FINDS("good", "aud", "[\"us\"]");
	FINDS("aud", "aud", "[\"us\",\"them\"]");
	FINDS("good", "azp", "\"us\"");
	FINDS("azp", "azp", "\"them\"");
	FINDS("azp", "azp", "null");
}

static void times_are_taken_within_a_minute(void **state UNUSED)
{
	FINDS("good", "exp", "1899999941");
	FINDS("exp", "exp", "1899999940");
	FINDS("exp", "exp", "\"1900000300\"");
	FINDS("exp", "exp", "1e300");
	FINDS("exp", "exp", "-1");
	FINDS("good", "exp", "1900000300.5");
	FINDS("good", "iat", "1900000060");
	FINDS("iat", "iat", "1900000061");
	FINDS("good", "iat", "1899999400");
	FINDS("iat", "iat", "1899999399");
	FINDS("good", "nbf", "1900000060");
	FINDS("nbf", "nbf", "1900000061");
	FINDS("nbf", "nbf", "\"x\"");
}

static void a_login_that_was_too_long_ago_is_found(void **state UNUSED)
{
	struct id_token_terms t = terms;

	t.max_age = 100;
	assert_string_equal(fault("auth_time", "1899999840", &t), "good");
	assert_non_null(strstr(fault("auth_time", "1899999839", &t), "auth_time"));
	assert_non_null(strstr(fault("auth_time", NULL, &t), "auth_time"));
	t.max_age = -1;
	t.hosted_domain = "a.test";
	assert_string_equal(fault("hd", "\"a.test\"", &t), "good");
	assert_non_null(strstr(fault("hd", "\"b.test\"", &t), "hd"));
	assert_non_null(strstr(fault("hd", NULL, &t), "hd"));
}

static bool verified(const char *value, const char *claim)
{
	json_t *claims = json_pack("{ss}", "email", "a@a.test");
	struct federation_person p;

	if (value)
		(void)json_object_set_new(claims, claim, json_loads(value, JSON_DECODE_ANY, NULL));
	id_token_person(claims, claim, &p);
	assert_int_equal(p.email.n, 8);
	json_decref(claims);
	return p.email_verified;
}

static void an_address_is_verified_when_the_claim_says_so(void **state UNUSED)
{
	static const char *const yes[] = { "true", "\"true\"", "1", "\"1\"" };
	static const char *const no[] = { "false",  "\"false\"", "0", "\"0\"",   "null",
					  "[true]", "{}",        "2", "\"yes\"", "\"\"" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(verified(yes[i], "email_verified") && verified(yes[i], "xms_edov"));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(verified(no[i], "email_verified"));
	assert_false(verified(NULL, "xms_edov"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_claim_that_is_wrong_or_absent_is_found),
		cmocka_unit_test(several_audiences_need_the_party_that_asked),
		cmocka_unit_test(times_are_taken_within_a_minute),
		cmocka_unit_test(a_login_that_was_too_long_ago_is_found),
		cmocka_unit_test(an_address_is_verified_when_the_claim_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
