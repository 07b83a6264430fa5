/* tests/unit/dns/name_test.c - domain names, text and wire form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dns/name.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"

static void a_name_is_cleaned_to_lower_case_without_its_last_dot(void **state UNUSED)
{
	char name[DNS_NAME_MAX];

	assert_int_equal(name_clean(SLICE("Mail_1.Example-9.ORG."), name), 20);
	assert_string_equal(name, "mail_1.example-9.org");
	assert_int_equal(name_clean(SLICE("a"), name), 1);
	assert_int_equal(name_clean(SLICE(L63 "." L63 "." L63), name), 3 * 63 + 2);
}

static void what_is_no_name_is_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		".",
		"..",
		".a",
		"a..b",
		"a..",
		"a b",
		"a/b",
		"a:b",
		"a@b",
		"a[b",
		"a`b",
		"a{b",
		"\xc3\xa4",
		L63 "x.example",
		L63 "." L63 "." L63 "." L63 "." L63,
	};
	char name[DNS_NAME_MAX];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (name_clean(slice_str(bad[i]), name) != E_SYNTAX)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(name_clean(SLICE("a\0b"), name), E_SYNTAX);
}

static int from_wire(const char *bytes, size_t n, char *name)
{
	return name_from_wire((const uint8_t *)bytes, n, name);
}
#define FROM_WIRE(bytes, name) from_wire(bytes, sizeof(bytes) - 1, name)

static void wire_forms_come_back_as_text(void **state UNUSED)
{
	uint8_t wire[DNS_NAME_MAX + 1];
	char name[DNS_NAME_MAX];

	assert_int_equal(FROM_WIRE("\x04Mail\x07"
				   "Example\0",
				   name),
			 12);
	assert_string_equal(name, "mail.example");
	assert_int_equal(FROM_WIRE("\0", name), 0); /* the root */
	assert_string_equal(name, "");
	assert_int_equal(FROM_WIRE("", name), 0);
	assert_int_equal(name_to_wire(SLICE("mail.example"), wire), 14);
	assert_memory_equal(wire,
			    "\x04mail\x07"
			    "example\0",
			    14);
}

static void wire_forms_that_lie_are_refused(void **state UNUSED)
{
	char bytes[300] = { 0 }, name[DNS_NAME_MAX];

	assert_int_equal(FROM_WIRE("\x05mail\0", name), E_SYNTAX); /* the label is longer */
	assert_int_equal(FROM_WIRE("\x05ma", name), E_SYNTAX);
	assert_int_equal(FROM_WIRE("\xc0\x0c", name), E_SYNTAX); /* a pointer */
	assert_int_equal(FROM_WIRE("\x40" L63 "x\0", name), E_SYNTAX);
	assert_int_equal(FROM_WIRE("\x03"
				   "a.b\0",
				   name),
			 E_SYNTAX); /* a dot inside a label */
	assert_int_equal(FROM_WIRE("\x02"
				   "a\0\0",
				   name),
			 E_SYNTAX);
	for (size_t i = 0; i < sizeof(bytes) - 2; i += 2) { /* 149 labels of one letter */
		bytes[i] = 1;
		bytes[i + 1] = 'a';
	}
	assert_int_equal(from_wire(bytes, sizeof(bytes), name), E_SYNTAX);
	bytes[254] = 0;
	assert_int_equal(from_wire(bytes, 255, name), 253);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_cleaned_to_lower_case_without_its_last_dot),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(wire_forms_come_back_as_text),
		cmocka_unit_test(wire_forms_that_lie_are_refused),
	};

	return cmocka_run_group_tests_name("dns names", tests, NULL, NULL);
}
