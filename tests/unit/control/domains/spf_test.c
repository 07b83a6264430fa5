/* control/domains/spf: what verifiers say (RFC 7208). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "control/domains/spf.h"
#include "control/domains/spf_term.h"
#include "tests/unit/control/zone.h"

static struct spf_result result;
static unsigned asked;

static struct inquiry *over(struct zone *z)
{
	return inquiry_new((struct inquiry_door){ zone_ask, z });
}

/* Mail from a network, by the zone's record at s.test. */
static enum spf_verdict checked(const char *net_text, const char *text)
{
	struct zone z = { .text = slice_str(text) };
	OWNED(inquiry) a = over(&z);
	struct ip_net net;

	assert_int_equal(ip_net_parse(slice_str(net_text), &net), 0);
	spf_check(a, &net, SLICE("s.test"), &result);
	asked = z.asked;
	return result.verdict;
}
/* Mail from 192.0.2.9 by one record. */
#define BY(record) checked("192.0.2.9", "s.test TXT v=spf1" record "\n")

static enum spf_verdict ours(const char *mechanisms, const char *text)
{
	struct zone z = { .text = slice_str(text) };
	OWNED(inquiry) a = over(&z);

	spf_check_ours(a, slice_str(mechanisms), SLICE("s.test"), &result);
	asked = z.asked;
	return result.verdict;
}

static void the_first_mechanism_that_matches_decides(void **state UNUSED)
{
	assert_int_equal(BY(" ip4:192.0.2.9 -all"), SPF_PASS);
	assert_string_equal(result.why, "192.0.2.9: pass, ip4:192.0.2.9 of s.test");
	assert_int_equal(BY(" +ip4:192.0.2.9 ~all"), SPF_PASS);
	assert_int_equal(BY(" ip4:192.0.2.9/32 ~all"), SPF_PASS);
	assert_int_equal(BY(" ip4:192.0.0.0/16 ~all"), SPF_PASS);
	assert_int_equal(BY(" -all ip4:192.0.2.9"), SPF_FAIL);
	assert_string_equal(result.why, "192.0.2.9: fail, -all of s.test");
	assert_int_equal(BY(" -ip4:192.0.2.9 +all"), SPF_FAIL);
	assert_int_equal(BY(" ~ip4:192.0.2.9 +all"), SPF_SOFTFAIL);
	assert_int_equal(BY(" ?ip4:192.0.2.9 +all"), SPF_NEUTRAL);
	assert_int_equal(BY(" ip4:192.0.2.8"), SPF_NEUTRAL);
	assert_int_equal(BY(""), SPF_NEUTRAL);
	assert_int_equal(BY(" ALL"), SPF_PASS);
	assert_int_equal(checked("2001:db8::1", "s.test TXT V=SPF1 ip6:2001:db8::/32 -all\n"),
			 SPF_PASS);
	assert_int_equal(checked("2001:db8::1", "s.test TXT v=spf1 ip4:0.0.0.0/0 -all\n"),
			 SPF_FAIL);
}

static void one_record_is_needed_and_no_more(void **state UNUSED)
{
	assert_int_equal(checked("192.0.2.9", "s.test TXT hello\n"), SPF_NONE);
	assert_int_equal(checked("192.0.2.9", "t.test TXT v=spf1 +all\n"), SPF_NONE);
	assert_int_equal(checked("192.0.2.9", "s.test TXT v=spf10 +all\n"), SPF_NONE);
	assert_int_equal(checked("192.0.2.9", "s.test TXT !\n"), SPF_TEMPERROR);
	assert_int_equal(checked("192.0.2.9", "s.test TXT v=spf1 +all\ns.test TXT v=spf1 +all\n"),
			 SPF_PERMERROR);
	assert_int_equal(checked("192.0.2.9", "s.test TXT hello\ns.test TXT v=spf1 +all\n"),
			 SPF_PASS);
}

static void one_bad_term_spoils_the_whole_record(void **state UNUSED)
{
	static const char *const bad[] = { "ip4",
					   "ip4:",
					   "ip4:192.0.2",
					   "ip4:192.0.2.1/33",
					   "ip4:1.2.3.4/",
					   "ip4:::1",
					   "ip4:1.2.3.4/024",
					   "ip6:1.2.3.4",
					   "ip6:::1/129",
					   "ipv4:1.2.3.4",
					   "all:x.test",
					   "all/8",
					   "include",
					   "include:",
					   "include:nodots",
					   "include:a.123",
					   "a:x.test/33",
					   "a//129",
					   "a/8/64",
					   "mx:",
					   "exists",
					   "ptr:",
					   "-",
					   "x",
					   "redirect=",
					   "redirect=a",
					   "exp=",
					   "exp=a.test exp=a.test",
					   "=x",
					   "a:%{x}.test",
					   "a:%d.test",
					   "redirect=a.test redirect=a.test",
					   "a:b%{d",
					   "\ta",
					   "ip4:1.2.3.4\t",
					   "include:a.test/8",
					   "a:x.te st",
					   "inclu\xc3\xa9" };
	char zone[256];

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(zone, sizeof(zone), "s.test TXT v=spf1 +all %s\n", bad[i]);
		if (checked("192.0.2.9", zone) != SPF_PERMERROR)
			fail_msg("\"%s\" is taken: %s", bad[i], result.why);
	}
	assert_int_equal(BY(" ip4:192.0.2.9 foo"), SPF_PERMERROR);
	assert_non_null(strstr(result.why, "\"foo\""));
}

static void what_the_grammar_allows_is_read(void **state UNUSED)
{
	static const char *const good[] = { "a",
					    "mx",
					    "ptr",
					    "a/24",
					    "a//64",
					    "a/24//64",
					    "a:x.test/0",
					    "mx:x.test.//0",
					    "A:X.TEST",
					    "exists:%{i}._spf.%{d2}",
					    "include:%{d}",
					    "redirect=%{o}.test",
					    "exp=%{d}.x.test",
					    "moo=anything%%",
					    "m-o_o.1=",
					    "ip4:0.0.0.0/0",
					    "ip6:::/0",
					    "include:_spf.x-1.test",
					    "a:%{l1r-}.x.test",
					    "exists:%{S}.%_x.test" };

	for (unsigned i = 0; i < ARRAY_LEN(good); i++) {
		struct slice bad;

		if (spf_terms_check(slice_str(good[i]), &bad) < 0)
			fail_msg("\"%s\" is refused", good[i]);
	}
}

static void hosts_and_exchangers_are_looked_up(void **state UNUSED)
{
#define HOSTS                                                                                      \
	"s.test A 192.0.2.9\ns.test MX 10 m.test\nm.test A 192.0.2.7\nm.test AAAA 2001:db8::7\n"
	assert_int_equal(checked("192.0.2.9", HOSTS "s.test TXT v=spf1 a -all\n"), SPF_PASS);
	assert_int_equal(checked("192.0.2.8", HOSTS "s.test TXT v=spf1 a -all\n"), SPF_FAIL);
	assert_int_equal(checked("192.0.2.8", HOSTS "s.test TXT v=spf1 a/24 -all\n"), SPF_PASS);
	assert_int_equal(checked("192.0.2.7", HOSTS "s.test TXT v=spf1 mx -all\n"), SPF_PASS);
	assert_int_equal(checked("192.0.2.9", HOSTS "s.test TXT v=spf1 mx -all\n"), SPF_FAIL);
	assert_int_equal(checked("2001:db8::9", HOSTS "s.test TXT v=spf1 mx//64 -all\n"), SPF_PASS);
	assert_int_equal(checked("192.0.2.7", HOSTS "s.test TXT v=spf1 a:m.test -all\n"), SPF_PASS);
	assert_int_equal(checked("192.0.2.7", HOSTS "s.test TXT v=spf1 a:M.test. -all\n"),
			 SPF_PASS);
	assert_int_equal(checked("192.0.2.1", HOSTS "s.test TXT v=spf1 exists:m.test -all\n"),
			 SPF_PASS);
	assert_int_equal(checked("192.0.2.1", "s.test TXT v=spf1 a:t.test -all\nt.test A !\n"),
			 SPF_TEMPERROR);
}

static void more_than_ten_exchangers_are_an_error(void **state UNUSED)
{
	char zone[2048] = "s.test TXT v=spf1 mx +all\n";

	for (int i = 0; i < 10; i++)
		(void)snprintf(zone + strlen(zone), sizeof(zone) - strlen(zone),
			       "s.test MX 10 m%d.test\n", i);
	assert_int_equal(checked("192.0.2.9", zone), SPF_PASS);
	(void)snprintf(zone + strlen(zone), sizeof(zone) - strlen(zone), "s.test MX 10 m.test\n");
	assert_int_equal(checked("192.0.2.9", zone), SPF_PERMERROR);
}

static void ptr_counts_only_when_the_name_leads_back(void **state UNUSED)
{
#define PTR "s.test TXT v=spf1 ptr -all\n9.2.0.192.in-addr.arpa PTR m.s.test\n"
	assert_int_equal(checked("192.0.2.9", PTR "m.s.test A 192.0.2.9\n"), SPF_PASS);
	assert_int_equal(checked("192.0.2.9", PTR "m.s.test A 192.0.2.8\n"), SPF_FAIL);
	assert_int_equal(checked("192.0.2.9", "s.test TXT v=spf1 ptr:t.test -all\n"
					      "9.2.0.192.in-addr.arpa PTR m.xt.test\n"
					      "m.xt.test A 192.0.2.9\n"),
			 SPF_FAIL);
	assert_int_equal(checked("2001:db8::1", "s.test TXT v=spf1 ptr -all\n"
						"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
						"8.b.d.0.1.0.0.2.ip6.arpa PTR s.test\n"
						"s.test AAAA 2001:db8::1\n"),
			 SPF_PASS);
}

static void an_include_passes_or_is_passed_over(void **state UNUSED)
{
#define INC "s.test TXT v=spf1 include:i.test -all\n"
	assert_int_equal(checked("192.0.2.9", INC "i.test TXT v=spf1 ip4:192.0.2.0/24 -all\n"),
			 SPF_PASS);
	assert_string_equal(result.why,
			    "192.0.2.9: pass, include:i.test, there ip4:192.0.2.0/24 of i.test");
	assert_int_equal(checked("192.0.3.9", INC "i.test TXT v=spf1 ip4:192.0.2.0/24 -all\n"),
			 SPF_FAIL);
	assert_string_equal(result.why, "192.0.3.9: fail, -all of s.test");
	assert_int_equal(checked("192.0.2.9", INC), SPF_PERMERROR);
	assert_int_equal(checked("192.0.2.9", INC "i.test TXT v=spf1 oops\n"), SPF_PERMERROR);
	assert_int_equal(checked("192.0.2.9", INC "i.test TXT !\n"), SPF_TEMPERROR);
	assert_int_equal(checked("192.0.2.9", INC "i.test TXT v=spf1 include:j.test\n"
						  "j.test TXT v=spf1 +all\n"),
			 SPF_PASS);
	assert_int_equal(checked("192.0.2.9", "s.test TXT v=spf1 -include:i.test +all\n"
					      "i.test TXT v=spf1 +all\n"),
			 SPF_FAIL);
}

static void a_redirect_is_followed_when_nothing_matched(void **state UNUSED)
{
#define RE "r.test TXT v=spf1 ip4:192.0.2.9 -all\n"
	assert_int_equal(checked("192.0.2.9", RE "s.test TXT v=spf1 redirect=r.test\n"), SPF_PASS);
	assert_string_equal(result.why, "192.0.2.9: pass, ip4:192.0.2.9 of r.test");
	assert_int_equal(checked("192.0.2.8", RE "s.test TXT v=spf1 redirect=r.test\n"), SPF_FAIL);
	assert_int_equal(checked("192.0.2.9", RE "s.test TXT v=spf1 redirect=r.test -all\n"),
			 SPF_FAIL);
	assert_int_equal(checked("192.0.2.9", "s.test TXT v=spf1 redirect=r.test\n"),
			 SPF_PERMERROR);
	assert_int_equal(checked("192.0.2.9", RE "s.test TXT v=spf1 exp=x.test Redirect=r.test\n"),
			 SPF_PASS);
}

static void the_eleventh_term_that_asks_dns_is_an_error(void **state UNUSED)
{
	char zone[4096] = "s.test TXT v=spf1";

	for (int i = 0; i < 10; i++)
		(void)snprintf(zone + strlen(zone), sizeof(zone) - strlen(zone),
			       " include:i%d.test", i);
	(void)snprintf(zone + strlen(zone), sizeof(zone) - strlen(zone), " ip4:192.0.2.9 -all\n");
	for (int i = 0; i <= 10; i++)
		(void)snprintf(zone + strlen(zone), sizeof(zone) - strlen(zone),
			       "i%d.test TXT v=spf1 -all\n", i);
	assert_int_equal(checked("192.0.2.9", zone), SPF_PASS);
	memmove(strstr(zone, " ip4") + 17, strstr(zone, " ip4"), strlen(strstr(zone, " ip4")) + 1);
	memcpy(strstr(zone, "i9.test") + 7, " include:i10.test", 17);
	assert_int_equal(checked("192.0.2.9", zone), SPF_PERMERROR);
	assert_non_null(strstr(result.why, "more than 10 terms ask DNS, at include:i10.test"));
	assert_in_range(asked, 10, 12);
	/* A circle ends the same way. */
	assert_int_equal(BY(" include:s.test +all"), SPF_PERMERROR);
	assert_int_equal(BY(" redirect=s.test"), SPF_PERMERROR);
}

static void the_third_term_that_finds_nothing_is_an_error(void **state UNUSED)
{
	assert_int_equal(BY(" a:x.test mx:x.test ip4:192.0.2.9 -all"), SPF_PASS);
	assert_int_equal(BY(" a:x.test mx:x.test exists:x.test ip4:192.0.2.9 -all"), SPF_PERMERROR);
	assert_non_null(strstr(result.why, "find nothing in DNS, at exists:x.test"));
	assert_int_equal(BY(" a:.test a:b..test a:b.test. mx:.test ip4:192.0.2.9 -all"), SPF_PASS);
	/* Hosts of an MX without an address make it one such term, however many they are. */
#define EMPTY "s.test MX 1 n1.test\ns.test MX 2 n2.test\ns.test MX 3 n3.test\n"
	assert_int_equal(checked("192.0.2.9", EMPTY "s.test TXT v=spf1 mx a ip4:192.0.2.9 -all\n"),
			 SPF_PASS);
	assert_int_equal(
	    checked("192.0.2.9", EMPTY "s.test TXT v=spf1 mx a mx/24 ip4:192.0.2.9 -all\n"),
	    SPF_PERMERROR);
}

static void a_term_with_macros_leaves_only_a_pass_certain(void **state UNUSED)
{
	assert_int_equal(BY(" exists:%{i}.x.test ip4:192.0.2.9 -all"), SPF_PASS);
	assert_int_equal(BY(" exists:%{i}.x.test -all"), SPF_UNSURE);
	assert_non_null(strstr(result.why, "exists:%{i}.x.test"));
	assert_int_equal(BY(" -all exists:%{i}.x.test"), SPF_FAIL);
	assert_int_equal(BY(" redirect=%{d}.x.test"), SPF_UNSURE);
}

static void each_part_of_a_network_is_judged(void **state UNUSED)
{
#define NET(record) checked("192.0.2.0/24", "s.test TXT v=spf1 " record "\n")
	assert_int_equal(NET("ip4:192.0.2.0/24 -all"), SPF_PASS);
	assert_int_equal(NET("ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all"), SPF_PASS);
	assert_int_equal(NET("ip4:192.0.2.0/25 -all"), SPF_FAIL);
	assert_string_equal(result.why, "192.0.2.128/25: fail, -all of s.test");
	assert_int_equal(NET("-ip4:192.0.2.77 ip4:192.0.2.0/24 -all"), SPF_FAIL);
	assert_non_null(strstr(result.why, "192.0.2.77: fail"));
	assert_int_equal(checked("2001:db8::/32", "s.test TXT v=spf1 ip6:2001:db8::1 -all\n"),
			 SPF_FAIL);
}

static void what_the_operator_names_is_found_however_the_record_comes_to_it(void **state UNUSED)
{
#define OURS                                                                                       \
	"o.test TXT v=spf1 ip4:192.0.2.0/28 include:p.test -all\n"                                 \
	"p.test TXT v=spf1 a:h.test ?all\nh.test A 198.51.100.4\n"
	assert_int_equal(ours("include:o.test", OURS "s.test TXT v=spf1 include:o.test -all\n"),
			 SPF_PASS);
	assert_int_equal(ours("include:o.test", OURS "s.test TXT v=spf1 redirect=o.test\n"),
			 SPF_PASS);
	assert_int_equal(ours("include:o.test", OURS "s.test TXT v=spf1 include:t.test ~all\n"
						     "t.test TXT v=spf1 include:o.test ~all\n"),
			 SPF_PASS);
	assert_int_equal(ours("include:o.test",
			      OURS "s.test TXT v=spf1 ip4:192.0.0.0/16 ip4:198.51.100.4 ~all\n"),
			 SPF_PASS);
	assert_int_equal(ours("include:o.test", OURS "s.test TXT v=spf1 ip4:192.0.0.0/16 ~all\n"),
			 SPF_SOFTFAIL);
	assert_string_equal(result.why, "198.51.100.4: softfail, ~all of s.test");
	assert_int_equal(ours("ip4:192.0.2.1 ip4:192.0.2.2",
			      "s.test TXT v=spf1 ip4:192.0.2.2 ip4:192.0.2.1 -all\n"),
			 SPF_PASS);
	assert_int_equal(
	    ours("ip4:192.0.2.1 ip4:192.0.2.2", "s.test TXT v=spf1 ip4:192.0.2.2 -all\n"),
	    SPF_FAIL);
	assert_int_equal(ours("ip4:192.0.2.1", "t.test TXT v=spf1 -all\n"), SPF_NONE);
}

static void what_the_operator_itself_refuses_is_not_asked_for(void **state UNUSED)
{
#define BUT "o.test TXT v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all\n"
	assert_int_equal(ours("include:o.test", BUT "s.test TXT v=spf1 include:o.test -all\n"),
			 SPF_PASS);
}

static void a_mechanism_without_addresses_has_to_be_reached_itself(void **state UNUSED)
{
	const char *want = "exists:%{i}.o.test";

	assert_int_equal(ours(want, "s.test TXT v=spf1 mx exists:%{i}.o.test -all\n"
				    "s.test MX 1 m.test\n"),
			 SPF_PASS);
	assert_int_equal(ours(want, "s.test TXT v=spf1 -all exists:%{i}.o.test\n"), SPF_FAIL);
	assert_int_equal(ours(want, "s.test TXT v=spf1 include:t.test -all\n"
				    "t.test TXT v=spf1 exists:%{i}.o.test -all\n"),
			 SPF_PASS);
	assert_int_equal(ours(want, "s.test TXT v=spf1 exists:%{i}.p.test -all\n"), SPF_UNSURE);
	assert_int_equal(ours("include:o.test", "s.test TXT v=spf1 include:o.test -all\n"),
			 SPF_PERMERROR);
}

static void the_work_is_bounded_whatever_is_published(void **state UNUSED)
{
	char zone[8192] = "o.test TXT v=spf1";

	/* The operator's record includes itself, twice a time. */
	assert_int_equal(ours("include:o.test",
			      "s.test TXT v=spf1 -all\n"
			      "o.test TXT v=spf1 include:o.test include:o.test\n"),
			 SPF_PERMERROR);
	/* A hundred networks, of which the domain takes every second address apart. */
	for (int i = 0; i < 100; i++)
		(void)snprintf(zone + strlen(zone), sizeof(zone) - strlen(zone),
			       " ip4:10.%d.0.0/16", i);
	(void)snprintf(zone + strlen(zone), sizeof(zone) - strlen(zone), "\ns.test TXT v=spf1");
	for (int i = 0; i < 200; i++)
		(void)snprintf(zone + strlen(zone), sizeof(zone) - strlen(zone), " ip4:10.1.%d.1",
			       i);
	(void)snprintf(zone + strlen(zone), sizeof(zone) - strlen(zone), " +all\n");
	assert_int_equal(ours("include:o.test", zone), SPF_UNSURE);
	assert_in_range(asked, 1, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_mechanism_that_matches_decides),
		cmocka_unit_test(one_record_is_needed_and_no_more),
		cmocka_unit_test(one_bad_term_spoils_the_whole_record),
		cmocka_unit_test(what_the_grammar_allows_is_read),
		cmocka_unit_test(hosts_and_exchangers_are_looked_up),
		cmocka_unit_test(more_than_ten_exchangers_are_an_error),
		cmocka_unit_test(ptr_counts_only_when_the_name_leads_back),
		cmocka_unit_test(an_include_passes_or_is_passed_over),
		cmocka_unit_test(a_redirect_is_followed_when_nothing_matched),
		cmocka_unit_test(the_eleventh_term_that_asks_dns_is_an_error),
		cmocka_unit_test(the_third_term_that_finds_nothing_is_an_error),
		cmocka_unit_test(a_term_with_macros_leaves_only_a_pass_certain),
		cmocka_unit_test(each_part_of_a_network_is_judged),
		cmocka_unit_test(what_the_operator_names_is_found_however_the_record_comes_to_it),
		cmocka_unit_test(what_the_operator_itself_refuses_is_not_asked_for),
		cmocka_unit_test(a_mechanism_without_addresses_has_to_be_reached_itself),
		cmocka_unit_test(the_work_is_bounded_whatever_is_published),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
