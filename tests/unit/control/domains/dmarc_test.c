/* control/domains/dmarc: which record verifiers find, and what they read from it (RFC 9989). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "control/domains/dmarc.h"
#include "tests/unit/control/zone.h"

static struct dmarc_found found;
static unsigned asked;

static enum dmarc_state discovered(const char *domain, const char *text)
{
	struct zone z = { .text = slice_str(text) };
	OWNED(inquiry) a = inquiry_new((struct inquiry_door){ zone_ask, &z });

	dmarc_discover(a, slice_str(domain), &found);
	found.text = SLICE(""); /* it goes with the inquiry */
	asked = z.asked;
	return found.state;
}
#define BY(record) discovered("s.test", "_dmarc.s.test TXT " record "\n")

static bool says(const char *text)
{
	if (!strstr(found.why, text))
		print_message("%s\n", found.why);
	return strstr(found.why, text);
}

static void a_record_begins_with_its_version(void **state UNUSED)
{
	static const char *const good[] = { "v=DMARC1",
					    "v=DMARC1;",
					    "v = DMARC1 ; p = none",
					    "v=DMARC1;p=none",
					    "v\t=\tDMARC1\t;p=none",
					    "V=DMARC1; p=none" };
	static const char *const bad[] = { "",
					   "v",
					   "v=",
					   "v=dmarc1; p=none",
					   "v=DMARC2; p=none",
					   "v=DMARC1 p=none",
					   "v=DMARC1, p=none",
					   "v=DMARC10; p=none",
					   "p=none; v=DMARC1",
					   " v=DMARC1; p=none",
					   ";v=DMARC1; p=none",
					   "\"v=DMARC1; p=none\"",
					   "v=D MARC1; p=none" };

	for (unsigned i = 0; i < ARRAY_LEN(good); i++)
		if (!dmarc_is_record(slice_str(good[i])))
			fail_msg("\"%s\" is refused", good[i]);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		if (dmarc_is_record(slice_str(bad[i])))
			fail_msg("\"%s\" is taken", bad[i]);
}

static void the_policy_is_one_of_three_words(void **state UNUSED)
{
	assert_int_equal(BY("v=DMARC1; p=none"), DMARC_FOUND);
	assert_true(says("found at _dmarc.s.test: p=none counts"));
	assert_int_equal(BY("v = DMARC1 ; p = none"), DMARC_FOUND);
	assert_int_equal(BY("v=DMARC1; p=Reject;"), DMARC_FOUND);
	assert_int_equal(BY("v=DMARC1; rua=mailto:a@b.test; p=quarantine "), DMARC_FOUND);
	assert_int_equal(BY("v=DMARC1; p=quarantene"), DMARC_UNUSABLE);
	assert_true(says("p=quarantene is no policy (quarantine?)"));
	assert_true(says("p=none"));
	assert_int_equal(BY("v=DMARC1; p=monitor; rua=mailto:a@b.test"), DMARC_UNUSABLE);
	assert_true(says("verifiers treat it as p=none"));
	assert_int_equal(BY("v=DMARC1; p=none; sp=rejct"), DMARC_UNUSABLE);
	assert_true(says("sp=rejct is no policy (reject?)"));
	assert_int_equal(BY("v=DMARC1; p=none; np=x"), DMARC_UNUSABLE);
	assert_int_equal(BY("v=DMARC1; p="), DMARC_UNUSABLE);
	assert_int_equal(BY("v=DMARC1; P=none"), DMARC_UNUSABLE);
	assert_int_equal(BY("v=DMARC1; p=none; p=reject"), DMARC_UNUSABLE);
}

static void without_a_policy_verifiers_need_somewhere_to_report_to(void **state UNUSED)
{
	assert_int_equal(BY("v=DMARC1; rua=mailto:a@b.test"), DMARC_UNUSABLE);
	assert_true(says("p= is missing; verifiers treat it as p=none"));
	assert_int_equal(BY("v=DMARC1; rua=x, https://b.test/x!10m"), DMARC_UNUSABLE);
	assert_true(says("verifiers treat it as p=none"));
	assert_int_equal(BY("v=DMARC1"), DMARC_UNUSABLE);
	assert_true(says("verifiers apply no DMARC"));
	assert_int_equal(BY("v=DMARC1; rua=a@b.test, mailto:b.test, mailto:@b.test"),
			 DMARC_UNUSABLE);
	assert_true(says("verifiers apply no DMARC"));
}

static void what_a_verifier_does_not_know_it_passes_over(void **state UNUSED)
{
	assert_int_equal(BY("v=DMARC1; pct=10; p=reject; x1=?; ;; junk; fo=1:1:1; aspf=z"),
			 DMARC_FOUND);
	assert_true(says("p=reject counts"));
	assert_int_equal(BY("v=DMARC1; p=reject; t=y"), DMARC_FOUND);
	assert_true(says("t=y"));
}

static void several_records_are_none(void **state UNUSED)
{
	const char *two = "_dmarc.s.test TXT v=DMARC1; p=none\n"
			  "_dmarc.s.test TXT v=DMARC1; p=none\n";
	char zone[256];

	assert_int_equal(discovered("s.test", two), DMARC_UNUSABLE);
	assert_true(says("_dmarc.s.test has 2 records, and verifiers discard them all"));
	(void)snprintf(zone, sizeof(zone), "%s_dmarc.test TXT v=DMARC1; p=reject\n", two);
	assert_int_equal(discovered("s.test", zone), DMARC_UNUSABLE);
	assert_true(says("found at _dmarc.test: p=reject counts"));
	assert_int_equal(discovered("s.test", "_dmarc.s.test TXT v=DMARC1; p=none\n"
					      "_dmarc.s.test TXT hello\n"),
			 DMARC_FOUND);
}

static void what_was_meant_as_a_record_is_pointed_out(void **state UNUSED)
{
	assert_int_equal(BY("v=dmarc1; p=none"), DMARC_ABSENT);
	assert_true(says("does not begin with v=DMARC1"));
	assert_int_equal(BY("hello"), DMARC_ABSENT);
	assert_null(strstr(found.why, "does not begin"));
}

static void the_organisation_s_record_counts_where_there_is_no_own(void **state UNUSED)
{
#define ORG "_dmarc.example.test TXT v=DMARC1; p=reject; sp=quarantine; np=none\n"
	assert_int_equal(discovered("a.mail.example.test", ORG "a.mail.example.test A 192.0.2.1\n"),
			 DMARC_FOUND);
	assert_true(says("found at _dmarc.example.test: sp=quarantine counts"));
	assert_string_equal(found.domain, "example.test");
	assert_int_equal(discovered("a.mail.example.test", ORG), DMARC_FOUND);
	assert_true(says("np=none counts"));
	assert_int_equal(discovered("example.test", ORG), DMARC_FOUND);
	assert_true(says("p=reject counts"));
	assert_int_equal(discovered("a.example.test", "_dmarc.example.test TXT v=DMARC1; p=none\n"),
			 DMARC_FOUND);
	assert_true(says("p=none counts"));
	assert_int_equal(
	    discovered("a.example.test", ORG "_dmarc.a.example.test TXT v=DMARC1; p=none\n"),
	    DMARC_FOUND);
	assert_string_equal(found.domain, "a.example.test");
}

/* Of several records above the domain the shortest name's counts, unless psd= says otherwise. */
static void the_walk_ends_where_the_organisation_does(void **state UNUSED)
{
#define A "a.b.example.test"
#define B "_dmarc.b.example.test TXT v=DMARC1; p=none"
#define E "_dmarc.example.test TXT v=DMARC1; p=none"
#define T "_dmarc.test TXT v=DMARC1; p=none"
	assert_int_equal(discovered(A, B "\n" E "\n"), DMARC_FOUND);
	assert_string_equal(found.domain, "example.test");
	assert_int_equal(discovered(A, B "; psd=n\n" E "\n"), DMARC_FOUND);
	assert_string_equal(found.domain, "b.example.test");
	assert_int_equal(discovered(A, B "\n" E "\n" T "; psd=y\n"), DMARC_FOUND);
	assert_string_equal(found.domain, "example.test");
	/* The organisation has none of its own: the public suffix speaks. */
	assert_int_equal(discovered(A, B "\n" T "; psd=y\n"), DMARC_FOUND);
	assert_string_equal(found.domain, "test");
	assert_int_equal(discovered(A, T "; psd=y\n"), DMARC_FOUND);
	assert_string_equal(found.domain, "test");
	assert_int_equal(discovered(A, E "; psd=maybe\n" T "; psd = Y\n"), DMARC_FOUND);
	assert_string_equal(found.domain, "example.test");
}

static void a_long_name_costs_eight_questions(void **state UNUSED)
{
	const char *long_name = "a.b.c.d.e.f.g.h.i.j.mail.example.test";

	assert_int_equal(discovered(long_name, ""), DMARC_ABSENT);
	assert_int_equal(asked, 8);
	assert_int_equal(
	    discovered(long_name, "_dmarc.h.i.j.mail.example.test TXT v=DMARC1; p=none\n"),
	    DMARC_FOUND);
	assert_int_equal(
	    discovered(long_name, "_dmarc.g.h.i.j.mail.example.test TXT v=DMARC1; p=none\n"),
	    DMARC_FOUND);
	assert_int_equal(
	    discovered(long_name, "_dmarc.f.g.h.i.j.mail.example.test TXT v=DMARC1; p=none\n"),
	    DMARC_ABSENT);
	assert_int_equal(discovered("b.c.d.e.f.g.h.test", ""), DMARC_ABSENT);
	assert_int_equal(asked, 8);
	assert_int_equal(discovered("s.test", "_dmarc.s.test TXT v=DMARC1; p=none\n"), DMARC_FOUND);
	assert_int_equal(asked, 1);
}

static void silence_of_dns_is_no_absence(void **state UNUSED)
{
	assert_int_equal(discovered("s.test", "_dmarc.s.test TXT !\n"), DMARC_NO_ANSWER);
	assert_int_equal(discovered("s.test", "_dmarc.test TXT !\n"), DMARC_NO_ANSWER);
	assert_int_equal(discovered("s.test", "_dmarc.s.test TXT v=DMARC1; p=none\n"
					      "_dmarc.test TXT !\n"),
			 DMARC_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_begins_with_its_version),
		cmocka_unit_test(the_policy_is_one_of_three_words),
		cmocka_unit_test(without_a_policy_verifiers_need_somewhere_to_report_to),
		cmocka_unit_test(what_a_verifier_does_not_know_it_passes_over),
		cmocka_unit_test(several_records_are_none),
		cmocka_unit_test(what_was_meant_as_a_record_is_pointed_out),
		cmocka_unit_test(the_organisation_s_record_counts_where_there_is_no_own),
		cmocka_unit_test(the_walk_ends_where_the_organisation_does),
		cmocka_unit_test(a_long_name_costs_eight_questions),
		cmocka_unit_test(silence_of_dns_is_no_absence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
