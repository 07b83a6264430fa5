/* Token endpoints: the form that they are asked with, and what they answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "mta/route/grant.h"
#include "mta/token/token_answer.h"

static void an_answer_is_a_bearer_token_or_a_reason(void **unused)
{
	static const struct {
		const char *json;
		int r;
		const char *token, *refresh, *fault;
		int64_t life_s;
	} rows[] = {
		/* RFC 6749 section 5.1. */
		{ "{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\"token_type\":\"Bearer\","
		  "\"expires_in\":3600,\"refresh_token\":\"tGzv3JOkF0XG5Qx2TlKWIA\","
		  "\"example_parameter\":\"example_value\"}",
		  0, "2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA", "", 3600 },
		{ "{\"access_token\":\"a\",\"token_type\":\"bearer\"}", 0, "a", "", "",
		  ANSWER_LIFE_S },
		{ "{\"access_token\":\"a\",\"expires_in\":-5}", 0, "a", "", "", 0 },
		{ "{\"access_token\":\"a\",\"expires_in\":9223372036854775807}", 0, "a", "", "",
		  ANSWER_LIFE_MAX_S },
		{ "{\"access_token\":\"a\",\"expires_in\":\"3600\"}", 0, "a", "", "",
		  ANSWER_LIFE_S },
		/* Section 5.2. */
		{ "{\"error\":\"invalid_grant\"}", E_DENIED, "", "", "invalid_grant", 0 },
		{ "{\"error\":\"x\\u001b[2J\",\"error_description\":\"no\\nmore\"}", E_DENIED, "",
		  "", "x?[2J: no?more", 0 },
		{ "{\"access_token\":\"a b\"}", E_SYNTAX, "", "", "the answer has no bearer token",
		  0 },
		{ "{\"access_token\":\"a\\r\\nMAIL\"}", E_SYNTAX, "", "",
		  "the answer has no bearer token", 0 },
		{ "{\"access_token\":\"a\",\"token_type\":\"mac\"}", E_SYNTAX, "", "",
		  "the answer has no bearer token", 0 },
		{ "{\"access_token\":\"a\",\"refresh_token\":\"b c\"}", E_SYNTAX, "", "",
		  "the answer has no bearer token", 0 },
		{ "{\"access_token\":7}", E_SYNTAX, "", "", "the answer has no bearer token", 0 },
		{ "{}", E_SYNTAX, "", "", "the answer has no bearer token", 0 },
		{ "[]", E_SYNTAX, "", "", "the answer is no JSON object", 0 },
		{ "<html>", E_SYNTAX, "", "", "the answer is no JSON object", 0 },
		{ "", E_SYNTAX, "", "", "the answer is no JSON object", 0 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct token_answer a;
		assert_int_equal(token_answer_read(slice_str(rows[i].json), &a), rows[i].r);
		assert_string_equal(a.fault, rows[i].fault);
		if (rows[i].r < 0)
			continue;
		assert_string_equal(a.token, rows[i].token);
		assert_string_equal(a.refresh, rows[i].refresh);
		assert_int_equal(a.life_s, rows[i].life_s);
	}
}

static void a_token_that_is_too_long_is_none(void **unused)
{
	struct buf json = { 0 };
	struct token_answer a;

	(void)unused;
	for (int over = 0; over < 2; over++) {
		buf_clear(&json);
		buf_put(&json, SLICE("{\"access_token\":\""));
		for (int i = 0; i < AUTH_SECRET_MAX + over; i++)
			buf_put(&json, SLICE("x"));
		buf_put(&json, SLICE("\"}"));
		assert_int_equal(token_answer_read(buf_data(&json), &a), over ? E_SYNTAX : 0);
	}
	buf_free(&json);
}

static void a_form_encodes_what_it_must(void **unused)
{
	struct buf form = { 0 };
	struct grant g = { 0 };

	(void)unused;
	assert_int_equal(
	    grant_read(&g, SLICE("# of the provider\nuser = me@x.test\n\n"
				 "client_id = a-b_c.d~e\nclient_secret= = &\xc3\xbc\n")),
	    0);
	grant_form(&g, SLICE("r/1"), &form);
	assert_string_equal(buf_cstr(&form), "grant_type=refresh_token&refresh_token=r%2F1"
					     "&client_id=a-b_c.d~e&client_secret=%3D%20%26%C3%BC");
	buf_free(&form);
	assert_int_equal(grant_read(&(struct grant){ 0 }, SLICE("user = me\n")), E_SYNTAX);
	assert_int_equal(grant_read(&(struct grant){ 0 }, SLICE("client_id = a\n")), E_SYNTAX);
	assert_int_equal(
	    grant_read(&(struct grant){ 0 }, SLICE("user = me\nclient_id = a\nx = y\n")), E_SYNTAX);
}

static void a_route_with_an_endpoint_needs_all_of_it(void **unused)
{
#define HEAD "[out]\nhost = s.test\ndomain = *\nauth = xoauth2\ncredentials = /x\n"
	static const struct {
		const char *text, *error; /* NULL: it is one */
	} rows[] = {
		{ HEAD "token_file = /y\ntoken_url = https://login.test:8443/a/token\n", NULL },
		{ HEAD "token_url = https://login.test/\n", "token_url needs a token_file" },
		{ HEAD "token_file = /y\ntoken_url = http://login.test/\n", "does not fit" },
		{ HEAD "token_file = /y\ntoken_url = https://me:secret@login.test/\n",
		  "does not fit" },
		{ "[out]\nhost = s.test\ndomain = *\nauth = plain\ncredentials = /x\ntoken_file = "
		  "/y\n"
		  "token_url = https://login.test/\n",
		  "token_file needs auth = xoauth2" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char error[OPTION_ERROR_MAX] = "";
		struct routes all = { 0 };
		int r = routes_parse(&all, slice_str(rows[i].text), "f", error);
		assert_int_equal(r == 0, rows[i].error == NULL);
		if (rows[i].error && !strstr(error, rows[i].error))
			fail_msg("%s: %s", rows[i].error, error);
		routes_clear(&all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_a_bearer_token_or_a_reason),
		cmocka_unit_test(a_token_that_is_too_long_is_none),
		cmocka_unit_test(a_form_encodes_what_it_must),
		cmocka_unit_test(a_route_with_an_endpoint_needs_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
