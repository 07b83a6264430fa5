/* control/http/body, control/contract/plain: what a member of a request may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/http/body.h"
#include "control/contract/plain.h"
#include "control/http/private.h"

struct all {
	struct slice name, subject, text, label;
	bool flag;
	json_t *list, *object;
	int64_t time;
};
enum { NAME, SUBJECT, TEXT, LABEL, FLAG, LIST, OBJECT, TIME, ROWS };
static const struct body_field table[ROWS] = {
	[NAME] = { "name", BODY_NAME, offsetof(struct all, name), 0, 1, 5, 0 },
	[SUBJECT] = { "subject", BODY_NAME, offsetof(struct all, subject), 0, 0, 20, 0 },
	[TEXT] = { "text", BODY_TEXT, offsetof(struct all, text), 0, 0, 5, 0 },
	[LABEL] = { "label", BODY_LINE, offsetof(struct all, label), 0, 0, 5, 0 },
	[FLAG] = { "flag", BODY_BOOL, offsetof(struct all, flag), BODY_RESET, 0, 0, 0 },
	[LIST] = { "list", BODY_LIST, offsetof(struct all, list), BODY_RESET, 0, 3, 0 },
	[OBJECT] = { "object", BODY_OBJECT, offsetof(struct all, object), 0, 0, 0, 0 },
	[TIME] = { "time", BODY_TIME, offsetof(struct all, time), BODY_NULLABLE, 0, 0, 0 },
};

static struct call *the_call;

static int teardown(void **state UNUSED)
{
	if (the_call) {
		json_decref(the_call->body);
		the_call = call_free(the_call);
	}
	return 0;
}

static bool takes(const char *json, struct all *ret, struct body_seen *ret_seen)
{
	(void)teardown(NULL);
	the_call = call_new(NULL, NULL, 1, SLICE(""));
	the_call->body = json_loads(json, 0, NULL);
	assert_non_null(the_call->body);
	return http_body_read(the_call, table, ROWS, ret, ret_seen) == 0;
}

static bool takes_name(const char *name, struct slice *ret)
{
	struct all all = { 0 };
	struct body_seen seen;
	char json[256];
	bool taken;

	(void)snprintf(json, sizeof(json), "{\"name\": \"%s\"}", name);
	taken = takes(json, &all, &seen);
	*ret = all.name;
	return taken;
}

static void lengths_are_counted_in_characters(void **state UNUSED)
{
	struct slice name;

	assert_true(takes_name("äöüßé", &name));
	assert_int_equal(name.n, 10);
	assert_true(takes_name("😀😀😀😀😀", &name));
	assert_false(takes_name("äöüßéx", &name));
	assert_false(takes_name("😀😀😀😀😀😀", &name));
	assert_int_equal(plain_length(SLICE("a\xcc\x88")), 2); /* code points, not what is seen */
}

static void blanks_at_the_ends_of_a_name_are_taken_off(void **state UNUSED)
{
	static const char *const blanks[] = { " ",       "\\u00a0", "\\u3000",
					      "\\u2003", "\\ufeff", "\\u200b" };
	struct slice name;
	char text[64];

	for (size_t i = 0; i < ARRAY_LEN(blanks); i++) {
		(void)snprintf(text, sizeof(text), "%sA b%s%s", blanks[i], blanks[i], blanks[i]);
		assert_true(takes_name(text, &name));
		assert_true(slice_eq(name, SLICE("A b")));
	}
	assert_true(takes_name("❤️", &name)); /* its selector is no blank */
	assert_int_equal(name.n, 6);
}

static void a_name_of_blanks_is_empty(void **state UNUSED)
{
	static const char *const blanks[] = {
		" ",       "   ",     "\\u00a0", "\\u1680", "\\u2000",         "\\u2009", "\\u202f",
		"\\u205f", "\\u3000", "\\u2800", "\\u200b", "\\u200d\\u200c",  "\\u3164", "\\u00ad",
		"\\ufeff", "\\u2060", "\\ufe0f", "\\u115f", " \\u00a0\\u3000",
	};
	struct slice name;

	for (size_t i = 0; i < ARRAY_LEN(blanks); i++)
		assert_false(takes_name(blanks[i], &name));
}

static void controls_are_refused_in_names(void **state UNUSED)
{
	static const unsigned controls[] = {
		0x01,   0x09,   0x0a,   0x0d,   0x1f,   0x7f,   0x80,   0x85,
		0x9f,   0x61c,  0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b,
		0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
	};
	struct slice name;
	char text[32];

	for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
		(void)snprintf(text, sizeof(text), "a\\u%04xb", controls[i]);
		assert_false(takes_name(text, &name));
		(void)snprintf(text, sizeof(text), "ab\\u%04x", controls[i]);
		assert_false(takes_name(text, &name));
	}
}

static void names_in_any_script_are_taken(void **state UNUSED)
{
	static const char *const names[] = { "שלום",        "سلام",      "日本語",
					     "👩‍🚀", "می‌ر", "ไทย" };
	struct slice name;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_true(takes_name(names[i], &name));
		assert_true(slice_eq(name, slice_str(names[i])));
	}
}

static void null_is_the_value_of_a_new_object(void **state UNUSED)
{
	struct all all = { .subject = SLICE("old"), .flag = true, .list = json_array() };
	json_t *list = all.list;
	struct body_seen seen;

	assert_true(takes("{\"subject\": null, \"text\": null, \"label\": null, \"flag\": null,"
			  " \"list\": null, \"time\": null}",
			  &all, &seen));
	assert_true(all.subject.p && !all.subject.n && all.text.p && all.label.p);
	assert_true(!all.flag && !all.list);
	assert_true(body_has(seen, SUBJECT) && body_has(seen, FLAG) && body_has(seen, LIST));
	assert_true(body_has(seen, TIME) && seen.null == 1ULL << TIME);
	json_decref(list);
}

static void what_must_have_a_value_cannot_be_null(void **state UNUSED)
{
	struct all all = { 0 };
	struct body_seen seen;

	assert_false(takes("{\"name\": null}", &all, &seen));
	assert_false(takes("{\"object\": null}", &all, &seen));
}

static void an_empty_change_names_no_member(void **state UNUSED)
{
	struct all all = { 0 };
	struct body_seen seen;

	assert_true(takes("{}", &all, &seen));
	assert_true(!seen.present && !seen.null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(lengths_are_counted_in_characters, teardown),
		cmocka_unit_test_teardown(blanks_at_the_ends_of_a_name_are_taken_off, teardown),
		cmocka_unit_test_teardown(a_name_of_blanks_is_empty, teardown),
		cmocka_unit_test_teardown(controls_are_refused_in_names, teardown),
		cmocka_unit_test_teardown(names_in_any_script_are_taken, teardown),
		cmocka_unit_test_teardown(null_is_the_value_of_a_new_object, teardown),
		cmocka_unit_test_teardown(what_must_have_a_value_cannot_be_null, teardown),
		cmocka_unit_test_teardown(an_empty_change_names_no_member, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
