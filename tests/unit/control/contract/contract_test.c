/* control/contract: what a request may hold, and what is said of what it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "base/clock.h"
#include "control/contract/contract.h"

/* What was said: "pointer code" lines. */
struct said {
	char text[4096];
	size_t n;
	unsigned faults;
};

static void note(void *arg, const char *pointer, const char *code, const char *detail)
{
	struct said *said = arg;

	assert_true(detail[0] != '\0');
	said->faults++;
	said->n += (size_t)snprintf(said->text + said->n, sizeof(said->text) - said->n, "%s %s\n",
				    pointer, code);
	assert_true(said->n < sizeof(said->text));
}

static const struct contract_schema *body_of(const char *method, const char *path)
{
	const struct contract_operation *op = contract_find(method, path);

	assert_non_null(op);
	assert_non_null(op->body);
	return op->body;
}

static void expect(const struct contract_schema *schema, const char *json, const char *wanted)
{
	struct said said = { 0 };
	json_error_t error;
	json_t *v = json_loads(json, JSON_DECODE_ANY, &error);
	bool fine;

	if (!v)
		fail_msg("%s: %s", json, error.text);
	fine = contract_check(schema, v, note, &said);
	json_decref(v);
	assert_string_equal(said.text, wanted);
	assert_int_equal(fine, said.faults == 0);
}

static void a_body_is_held_to_its_operation(void **state UNUSED)
{
	const struct contract_schema *list = body_of("POST", "/v1/lists");

	expect(list, "{\"name\": \"Readers\", \"description\": null}", "");
	expect(list, "{\"name\": \"Readers\", \"description\": \"a\\nb\"}", "");
	expect(list, "{}", "/name required\n");
	expect(list, "{\"name\": 7, \"size\": 1}", "/name wrong_type\n/size unknown_member\n");
	expect(list, "{\"name\": null}", "/name wrong_type\n");
	expect(list, "{\"name\": \" \\u3000\"}", "/name out_of_range\n");
	expect(list, "{\"name\": \"a\\nb\"}", "/name invalid_text\n");
	expect(list, "[]", " wrong_type\n");
}

static void words_and_patterns_are_named_by_their_member(void **state UNUSED)
{
	const struct contract_schema *field = body_of("POST", "/v1/fields");
	const struct contract_schema *role = body_of("POST", "/v1/roles");
	const struct contract_schema *route = body_of("PATCH", "/v1/smtp-routes/{smtp_route_id}");

	expect(field, "{\"name\": \"city\", \"type\": \"text\"}", "");
	expect(field, "{\"name\": \"City\", \"type\": \"texts\"}",
	       "/name invalid_name\n/type unknown_type\n");
	expect(role, "{\"name\": \"a-b\", \"permissions\": [\"org.read\", \"fly\"]}",
	       "/permissions/1 unknown_permission\n");
	expect(role, "{\"name\": \"a-\", \"permissions\": []}",
	       "/name invalid_name\n/permissions out_of_range\n");
	expect(route, "{\"port\": 2525}", "");
	expect(route, "{\"port\": 2526, \"tls_first\": 1}",
	       "/port invalid_port\n/tls_first wrong_type\n");
}

static void objects_within_are_held_too(void **state UNUSED)
{
	const struct contract_schema *campaign = body_of("POST", "/v1/campaigns");

	expect(campaign, "{\"name\": \"N\", \"from\": {\"name\": \"A\", \"email\": null}}", "");
	expect(campaign, "{\"name\": \"N\", \"from\": {\"nam/e~\": 1}, \"lists\": [1]}",
	       "/from/nam~1e~0 unknown_member\n/lists/0 wrong_type\n");
	expect(campaign, "{\"name\": \"N\", \"expires_at\": \"tomorrow\"}",
	       "/expires_at invalid_time\n");
}

static void an_open_object_takes_any_name_but_not_any_number(void **state UNUSED)
{
	static const struct contract_schema number = { .type = CONTRACT_INTEGER,
						       .min = 1,
						       .max = 3 };
	static const struct contract_schema open = { .type = CONTRACT_OBJECT,
						     .items = &number,
						     .max = 2 };

	expect(&open, "{\"a\": 1, \"b\": 3}", "");
	expect(&open, "{\"a\": 0, \"b\": 4}", "/a out_of_range\n/b out_of_range\n");
	expect(&open, "{\"a\": 1, \"b\": 1, \"c\": 1}", " out_of_range\n");
}

static void an_entry_may_not_come_twice_where_that_is_said(void **state UNUSED)
{
	expect(body_of("PATCH", "/v1/org"),
	       "{\"origins\": [\"https://a.test\", \"https://b.test\", \"https://a.test\"]}",
	       "/origins/2 duplicate\n");
}

static void not_more_is_said_than_is_bounded(void **state UNUSED)
{
	json_t *body = json_object();
	struct said said = { 0 };
	char name[16];

	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "m%u", i);
		(void)json_object_set_new(body, name, json_null());
	}
	assert_false(contract_check(body_of("POST", "/v1/lists"), body, note, &said));
	assert_int_equal(said.faults, CONTRACT_FAULTS_MAX);
	json_decref(body);
}

static void note_length(void *arg, const char *pointer, const char *code UNUSED,
			const char *detail UNUSED)
{
	*(size_t *)arg = strlen(pointer);
}

static void a_pointer_has_a_bound(void **state UNUSED)
{
	json_t *body = json_object();
	char name[4096];
	size_t length = 0;

	memset(name, '/', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	(void)json_object_set_new(body, "name", json_string("x"));
	(void)json_object_set_new(body, name, json_null());
	assert_false(contract_check(body_of("POST", "/v1/lists"), body, note_length, &length));
	assert_in_range(length, CONTRACT_POINTER_MAX - 4, CONTRACT_POINTER_MAX - 1);
	json_decref(body);
}

static bool query_takes(const char *path, const char *name, const char *value)
{
	const struct contract_operation *op = contract_find("GET", path);
	const struct contract_member *known = contract_query(op, slice_str(name));
	struct said said = { 0 };

	assert_non_null(known);
	return contract_check_text(known->schema, slice_str(value), name, note, &said);
}

static void parameters_stand_for_values(void **state UNUSED)
{
	char names[64];

	assert_true(query_takes("/v1/contacts", "limit", "200"));
	assert_false(query_takes("/v1/contacts", "limit", "0"));
	assert_false(query_takes("/v1/contacts", "limit", "201"));
	assert_false(query_takes("/v1/contacts", "limit", "+5"));
	assert_false(query_takes("/v1/contacts", "limit", ""));
	assert_false(query_takes("/v1/contacts", "limit", "99999999999999999999"));
	assert_true(query_takes("/v1/contacts", "status", "bounced"));
	assert_false(query_takes("/v1/contacts", "status", "bounce"));
	assert_true(query_takes("/v1/contacts", "list", "lst_aaaaaaaaaaaab"));
	assert_false(query_takes("/v1/contacts", "list", "lst_aaaaaaaaaaaab\n"));
	assert_false(query_takes("/v1/contacts", "email", "nobody"));
	assert_null(contract_query(contract_find("GET", "/v1/contacts"), SLICE("statu")));
	assert_string_equal(
	    contract_query_names(contract_find("GET", "/v1/lists"), names, sizeof(names)),
	    "limit after");
	assert_string_equal(contract_query_names(contract_find("GET", "/v1/me"), names, 4), "non");
	assert_null(contract_find("GET", "/v1/nothing"));
}

/* Not a limit that a busy machine could miss: the figure is for people. */
static void tells_what_it_costs(void **state UNUSED)
{
	json_t *body = json_loads("{\"name\": \"Spring\", \"template\": \"news\", \"subject\": "
				  "\"Hello\", \"from\": {\"name\": \"A\", \"email\": \"a@b.test\"},"
				  " \"lists\": [\"lst_aaaaaaaaaaaab\"], \"expires_at\": null}",
				  0, NULL);
	const struct contract_schema *schema = body_of("POST", "/v1/campaigns");
	enum { TURNS = 20000 };
	struct said said = { 0 };
	int64_t began = clock_mono_us();

	for (unsigned i = 0; i < TURNS; i++)
		assert_true(contract_check(schema, body, note, &said));
	print_message("a campaign's body: %lld ns\n",
		      (long long)(clock_mono_us() - began) * 1000 / TURNS);
	json_decref(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_is_held_to_its_operation),
		cmocka_unit_test(words_and_patterns_are_named_by_their_member),
		cmocka_unit_test(objects_within_are_held_too),
		cmocka_unit_test(an_open_object_takes_any_name_but_not_any_number),
		cmocka_unit_test(an_entry_may_not_come_twice_where_that_is_said),
		cmocka_unit_test(not_more_is_said_than_is_bounded),
		cmocka_unit_test(a_pointer_has_a_bound),
		cmocka_unit_test(parameters_stand_for_values),
		cmocka_unit_test(tells_what_it_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
