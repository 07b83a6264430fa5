/* tests/unit/message/mailbox_test.c - addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "message/mailbox.h"

#define OK(text, flags, want)                                                                      \
	{                                                                                          \
		SLICE(text), flags, 0, want                                                        \
	}
#define BAD(text, flags)                                                                           \
	{                                                                                          \
		SLICE(text), flags, E_SYNTAX, NULL                                                 \
	}
#define LONG(text, flags)                                                                          \
	{                                                                                          \
		SLICE(text), flags, E_LIMIT, NULL                                                  \
	}
#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10
#define ALL (MAILBOX_UTF8 | MAILBOX_LITERAL | MAILBOX_QUOTED_ANY)

struct row {
	struct slice text;
	unsigned flags;
	int result;
	const char *want;
};

/* clang-format off */
static const struct row grammar[] = {
	OK("a@b.example", 0, "a@b.example"),
	OK("First.Last+tag@Mail.EXAMPLE", 0, "First.Last+tag@mail.example"),
	OK("!#$%&'*+-/=?^_`{|}~@b.example", 0, "!#$%&'*+-/=?^_`{|}~@b.example"),
	OK("a@localhost", 0, "a@localhost"),
	OK("a@1.2.3.4", 0, "a@1.2.3.4"),
	OK("a@3com.example", 0, "a@3com.example"),
	OK("a@xn--bcher-kva.example", 0, "a@xn--bcher-kva.example"),
	OK("\"a.b\"@b.example", 0, "\"a.b\"@b.example"),
	OK("\"\"@b.example", 0, "\"\"@b.example"),
	OK("\"a@b\"@b.example", 0, "\"a@b\"@b.example"),
	OK("\"a\\\"b\"@b.example", 0, "\"a\\\"b\"@b.example"),
	OK("\"a b\"@b.example", MAILBOX_QUOTED_ANY, "\"a b\"@b.example"),
	OK("a@[192.0.2.1]", MAILBOX_LITERAL, "a@[192.0.2.1]"),
	OK("a@[IPv6:2001:db8::1]", MAILBOX_LITERAL, "a@[IPv6:2001:db8::1]"),
	OK(X60 "xxxx@b.example", 0, X60 "xxxx@b.example"),
	OK("j\xc3\xb6rg@b.example", MAILBOX_UTF8, "j\xc3\xb6rg@b.example"),
	OK("a@b\xc3\xbc" "cher.example", MAILBOX_IDN, "a@xn--bcher-kva.example"),
	OK("a@B\xc3\x9c" "CHER.Example", MAILBOX_IDN, "a@xn--bcher-kva.example"),
	OK("a@\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", MAILBOX_IDN,
	   "a@xn--r8jz45g.xn--zckzah"),
	OK("a@b.example", MAILBOX_FQDN, "a@b.example"),

	BAD("", ALL), BAD("@", ALL), BAD("a", ALL), BAD("a@", ALL), BAD("@b.example", ALL),
	BAD("a@@b.example", ALL), BAD("a@b@c.example", ALL),
	BAD(".a@b.example", ALL), BAD("a.@b.example", ALL), BAD("a..b@b.example", ALL),
	BAD("a@.example", ALL), BAD("a@b.example.", ALL), BAD("a@b..example", ALL),
	BAD("a@-b.example", ALL), BAD("a@b-.example", ALL), BAD("a@b_c.example", ALL),
	BAD("a@b.exam ple", ALL), BAD("a b@b.example", ALL), BAD(" a@b.example", ALL),
	BAD("a@b.example ", ALL), BAD("a@b.example\n", ALL), BAD("a@b.example\r\n", ALL),
	BAD("a\r\n@b.example", ALL), BAD("a@b\r\n.example", ALL),
	BAD("a\0@b.example", ALL), BAD("a@b\0.example", ALL), BAD("a@b.example\0", ALL),
	BAD("a\t@b.example", ALL), BAD("a\x7f@b.example", ALL),
	BAD("<a@b.example>", ALL), BAD("a@b.example>", ALL), BAD("a>@b.example", ALL),
	BAD("(c)a@b.example", ALL), BAD("a,b@b.example", ALL), BAD("a;@b.example", ALL),
	BAD("@r.example:a@b.example", ALL),
	BAD("\"a@b.example", ALL), BAD("\"a\"b@b.example", ALL), BAD("a\"b\"@b.example", ALL),
	BAD("\"a\\\"@b.example", ALL), BAD("\"a\r\n\"@b.example", ALL), BAD("\"a\\\r\"@b.example", ALL),
	BAD("\"a\0\"@b.example", ALL), BAD("\"a\\\0\"@b.example", ALL),
	BAD("\"a b\"@b.example", 0), BAD("\"a>\"@b.example", 0), BAD("\"<a\"@b.example", 0),
	BAD("\"a\\ b\"@b.example", 0), BAD("\"\\>\"@b.example", 0),
	BAD("j\xc3\xb6rg@b.example", MAILBOX_IDN), BAD("a@b\xc3\xbc" "cher.example", 0),
	BAD("\x80@b.example", ALL), BAD("a@\x80.example", ALL), BAD("\"\x80\"@b.example", ALL),
	BAD("a\xc2\x80@b.example", ALL), BAD("a\xe2\x80\xa8@b.example", ALL),
	BAD("a\xe2\x80\xae@b.example", ALL), BAD("a\xef\xbb\xbf@b.example", ALL),
	BAD("a@\xe2\x80\xa8.example", ALL), BAD("a@b\xef\xbc\xa0" "c.example", ALL),
	BAD("\xc0\xaf@b.example", ALL), BAD("\xed\xa0\x80@b.example", ALL),
	BAD("a@[192.0.2.1]", 0), BAD("a@[192.0.2.256]", ALL), BAD("a@[]", ALL), BAD("a@[192.0.2.1", ALL),
	BAD("a@[IPv6:192.0.2.1]", ALL), BAD("a@[2001:db8::1]", ALL), BAD("a@[x]", ALL),
	BAD("a@[192.0.2.1]x", ALL),
	BAD("a@localhost", MAILBOX_FQDN), BAD("a@1.2.3.4", MAILBOX_FQDN),

	LONG(X60 "xxxxx@b.example", ALL), LONG("a@" X60 "xxxx.example", ALL),
	LONG("a@" X60 "." X60 "." X60 "." X60 ".example.com", ALL),
	LONG(X60 "@" X60 "." X60 "." X60 ".example.com", ALL),
};
/* clang-format on */

static void grammar_rows_give_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(grammar); i++) {
		struct mailbox m;
		int r = mailbox_parse(grammar[i].text, grammar[i].flags, &m);
		if (r != grammar[i].result)
			fail_msg("row %zu \"%s\": %d", i, grammar[i].text.p, r);
		if (r == 0)
			assert_string_equal(m.text, grammar[i].want);
	}
}

static void no_byte_that_ends_a_command_is_accepted_anywhere(void **state)
{
	static const char bytes[] = { '\r', '\n', '\0', '>', '<', ' ', '\x80', '\x7f', '\t' };
	static const char address[] = "\"a.b\"@cc.example";
	struct mailbox m;

	(void)state;
	for (size_t b = 0; b < sizeof(bytes); b++)
		for (size_t at = 0; at <= sizeof(address) - 1; at++) {
			char text[64];
			memcpy(text, address, at);
			text[at] = bytes[b];
			memcpy(text + at + 1, address + at, sizeof(address) - 1 - at);
			assert_true(mailbox_parse(slice_of(text, sizeof(address)),
						  MAILBOX_UTF8 | MAILBOX_LITERAL, &m) < 0);
		}
}

static void a_failed_parse_leaves_the_result_alone(void **state)
{
	struct mailbox m = { .n = 7 };

	(void)state;
	assert_int_equal(mailbox_parse(SLICE("a@b@c"), 0, &m), E_SYNTAX);
	assert_int_equal(m.n, 7);
}

static void same_mailbox_has_one_normal_form(void **state)
{
	static const char *const same[] = { "Ab.C@B.example", "ab.c@b.EXAMPLE",
					    "\"AB.c\"@b.example", "\"a\\b.c\"@b.example" };
	char buf[MAILBOX_MAX + 2];
	struct mailbox m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		assert_int_equal(mailbox_parse(slice_str(same[i]), 0, &m), 0);
		assert_true(slice_eq(mailbox_normal(&m, buf), SLICE("ab.c@b.example")));
	}
	assert_int_equal(mailbox_parse(SLICE("\"A..b\"@b.example"), 0, &m), 0);
	assert_true(slice_eq(mailbox_normal(&m, buf), SLICE("\"a..b\"@b.example")));
	assert_int_equal(mailbox_parse(SLICE("\"\"@b.example"), 0, &m), 0);
	assert_true(slice_eq(mailbox_normal(&m, buf), SLICE("\"\"@b.example")));
}

static void named(const char *text, const char *name, const char *box, const char *header)
{
	struct mailbox_named m;
	struct buf out;

	buf_init(&out, 0);
	assert_int_equal(mailbox_named_parse(slice_str(text), MAILBOX_CONTACT, &m), 0);
	assert_string_equal(m.name, name);
	assert_string_equal(m.box.text, box);
	assert_int_equal(mailbox_named_put(&m, 6, &out), 0);
	assert_string_equal(buf_cstr(&out), header);
	buf_free(&out);
}

static void display_names_are_written_so_that_they_read_the_same(void **state)
{
	(void)state;
	named("a@b.example", "", "a@b.example", "a@b.example");
	named(" <a@b.example> ", "", "a@b.example", "a@b.example");
	named("Anna Example <a@b.example>", "Anna Example", "a@b.example",
	      "Anna Example <a@b.example>");
	named("J. Doe <a@b.example>", "J. Doe", "a@b.example", "\"J. Doe\" <a@b.example>");
	named("\"Doe, \\\"J\\\"\" <a@b.example>", "Doe, \"J\"", "a@b.example",
	      "\"Doe, \\\"J\\\"\" <a@b.example>");
	named("\"a <b@c.example>\" <a@b.example>", "a <b@c.example>", "a@b.example",
	      "\"a <b@c.example>\" <a@b.example>");
	named("J\xc3\xb6rg <a@b\xc3\xbc"
	      "cher.example>",
	      "J\xc3\xb6rg", "a@xn--bcher-kva.example",
	      "=?UTF-8?q?J=C3=B6rg?= <a@xn--bcher-kva.example>");
	named("=?x?q?y?= <a@b.example>", "=?x?q?y?=", "a@b.example",
	      "=?UTF-8?b?PT94P3E/eT89?= <a@b.example>");
	named(X60 X10 " <a@b.example>", X60 X10, "a@b.example",
	      "=?UTF-8?q?" X10 X10 X10 X10 X10 "xxxxxxxx?=\r\n =?UTF-8?q?" X10
	      "xx?= <a@b.example>");
}

static void names_that_could_hide_an_address_are_refused(void **state)
{
	static const char *const bad[] = {
		"Doe, J <a@b.example>",
		"a@b.example <c@d.example>",
		"\"a <a@b.example>",
		"a\" <a@b.example>",
		"\"a\"b\" <a@b.example>",
		"a <a@b.example> b",
		"<a@b.example",
		"a@b.example>",
		"x <>",
		"a\r\nBcc: x <a@b.example>",
		"a\n <a@b.example>",
		"\x80 <a@b.example>",
		"(c) <a@b.example>",
		"a <a@b.example>, <c@d.example>",
	};
	struct mailbox_named m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (mailbox_named_parse(slice_str(bad[i]), MAILBOX_CONTACT, &m) >= 0)
			fail_msg("accepted: %s", bad[i]);
}

static void first_address_of_a_list_is_found_as_peers_write_it(void **state)
{
	static const struct {
		const char *list, *want;
	} rows[] = {
		{ "a@b.example", "a@b.example" },
		{ " a@b.example\r\n", "a@b.example" },
		{ "A <a@b.example>, B <c@d.example>", "a@b.example" },
		{ "a@b.example, c@d.example", "a@b.example" },
		{ "\"x@y.example, z\" <a@b.example>", "a@b.example" },
		{ "(x@y.example) a@b.example (z)", "a@b.example" },
		{ "A (c (d) \\) e) <a@b.example>", "a@b.example" },
		{ "a @ b.example", "a@b.example" },
		{ "A\r\n\t<a@b.example>", "a@b.example" },
		{ "Group: a@b.example, c@d.example;", "a@b.example" },
		{ "<@r.example:a@b.example>", "a@b.example" },
		{ ", , a@b.example", "a@b.example" },
		{ "\"q r\"@b.example", NULL },
		{ "\"q\"@b.example", "\"q\"@b.example" },
		{ "undisclosed-recipients:;", NULL },
		{ "", NULL },
		{ "A <a@b.example", NULL },
		{ "(a@b.example", NULL },
		{ "\"a@b.example", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mailbox m;
		int r = mailbox_first(slice_str(rows[i].list), 0, &m);
		if ((r == 0) != (rows[i].want != NULL))
			fail_msg("%s: %d", rows[i].list, r);
		if (r == 0)
			assert_string_equal(m.text, rows[i].want);
	}
}

static void a_long_phrase_before_the_address_is_no_fault(void **state)
{
	char text[4096];
	struct mailbox m;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 14, " <a@b.example>", 14);
	assert_int_equal(mailbox_first(slice_of(text, sizeof(text)), 0, &m), 0);
	assert_string_equal(m.text, "a@b.example");
}

static void the_domain_of_an_address_follows_its_last_at_sign(void **state)
{
	(void)state;
	assert_true(slice_eq(address_domain(SLICE("\"a@b\"@c.example")), SLICE("c.example")));
	assert_int_equal(address_domain(SLICE("postmaster")).n, 0);
	assert_int_equal(address_domain(SLICE("a@")).n, 0);
	assert_int_equal(address_domain(slice_of(NULL, 0)).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_domain_of_an_address_follows_its_last_at_sign),
		cmocka_unit_test(grammar_rows_give_what_they_say),
		cmocka_unit_test(no_byte_that_ends_a_command_is_accepted_anywhere),
		cmocka_unit_test(a_failed_parse_leaves_the_result_alone),
		cmocka_unit_test(same_mailbox_has_one_normal_form),
		cmocka_unit_test(display_names_are_written_so_that_they_read_the_same),
		cmocka_unit_test(names_that_could_hide_an_address_are_refused),
		cmocka_unit_test(first_address_of_a_list_is_found_as_peers_write_it),
		cmocka_unit_test(a_long_phrase_before_the_address_is_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
