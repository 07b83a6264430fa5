/* control/federation/oidc_kind: what the presets for large providers stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/federation/oidc.h"

#define TENANT "2a3b4c5d-0000-1111-2222-333344445555"

static void stands_for(const char *config, const char *issuer, const char *claim)
{
	char buf[OIDC_ISSUER_MAX + 1];
	json_t *j = json_loads(config, 0, NULL);

	assert_non_null(j);
	assert_string_equal(oidc_issuer(j, buf), issuer);
	assert_string_equal(oidc_verified_claim(j), claim);
	json_decref(j);
}

static void presets_know_the_issuer_and_who_says_that_an_address_is_verified(void **state UNUSED)
{
	stands_for("{\"preset\": \"google\"}", "https://accounts.google.com", "email_verified");
	stands_for("{\"preset\": \"microsoft\", \"tenant\": \"" TENANT "\"}",
		   "https://login.microsoftonline.com/" TENANT "/v2.0", "xms_edov");
	stands_for("{\"issuer\": \"https://a.test/x\"}", "https://a.test/x", "email_verified");
}

static bool same(const char *before, const char *after)
{
	json_t *a = json_loads(before, 0, NULL), *b = json_loads(after, 0, NULL);
	bool r = oidc_kind.same_party(a, b);

	json_decref(a);
	json_decref(b);
	return r;
}

static void another_issuer_or_directory_is_another_party(void **state UNUSED)
{
	assert_true(same("{\"preset\": \"google\"}",
			 "{\"issuer\": \"https://accounts.google.com\", \"client_id\": \"x\"}"));
	assert_false(same("{\"issuer\": \"https://a.test\"}", "{\"issuer\": \"https://a.test/\"}"));
	assert_false(same("{\"preset\": \"microsoft\", \"tenant\": \"" TENANT "\"}",
			  "{\"preset\": \"microsoft\", \"tenant\": \"x\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_know_the_issuer_and_who_says_that_an_address_is_verified),
		cmocka_unit_test(another_issuer_or_directory_is_another_party),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
