/* The resolver against a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdint.h>
#include <cmocka.h>

#include "dns/lookup.h"
#include "tests/skip.h"
#include "tests/unit/dns/ask.h"
#include "tests/unit/dns/nsd.h"

#define HEAD "$TTL 3600\n@ SOA ns.test. admin.test. 1 3600 600 86400 120\n@ NS ns.test.\n"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X250 X50 X50 X50 X50 X50

static const struct nsd_zone zones[] = {
	{ "test",
	  HEAD "ns A 127.0.0.1\n"
	       "host 77 A 192.0.2.1\nhost A 192.0.2.2\nhost AAAA 2001:db8::1\n"
	       "mail 600 MX 10 MX1.Mail.TEST.\nmail MX 20 mx2.mail\nempty TXT \"only\" \" text\"\n"
	       "null MX 0 .\nodd MX 5 with\\032blank.test.\nodd MX 6 fine.test.\n"
	       "alias 30 CNAME host\nalias2 CNAME alias\naway CNAME far.other.\nnowhere CNAME "
	       "gone.other.\n"
	       "dead CNAME gone\ntodead CNAME nosuch.host\n"
	       "c1 CNAME c2\nc2 CNAME c3\nc3 CNAME c4\nc4 CNAME c5\nc5 CNAME c6\nc6 CNAME c7\nc7 "
	       "CNAME c8\n"
	       "c8 CNAME c9\nc9 A 192.0.2.9\n"
	       "loop CNAME loop.other.\n"
	       "big TXT " X250 " " X250 " " X250 " " X250 " " X250 " " X250 " " X250 " " X250 "\n"
	       "mx1.mail A 203.0.113.5\nmx2.mail AAAA 2600::5\nmx2.mail A 203.0.113.6\n"
	       "*.wild A 192.0.2.7\n_25._tcp.host TLSA 3 1 1 "
	       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n" },
	{ "other", "$TTL 3600\n@ SOA ns.test. admin.test. 1 3600 600 86400 60\n@ NS ns.test.\n"
		   "far 40 A 192.0.2.44\nloop CNAME loop.test.\n" },
};

static struct nsd nsd;
static struct ev_loop *loop;
static struct resolver *r;
static struct reply reply;

static int start(void **state UNUSED)
{
	nsd_start(&nsd, zones, ARRAY_LEN(zones));
	return 0;
}

static int stop(void **state UNUSED)
{
	nsd_stop(&nsd);
	return 0;
}

static int open_resolver(void **state UNUSED)
{
	struct resolver_options o;

	nsd_options(&nsd, &o);
	loop = ev_loop_new(EVFLAG_AUTO);
	return resolver_new(&r, loop, &o);
}

static int close_resolver(void **state UNUSED)
{
	r = resolver_free(r);
	ev_loop_destroy(loop);
	return 0;
}

static struct resolver_stats stats(void)
{
	struct resolver_stats s;

	resolver_stats(r, &s);
	return s;
}

static void addresses_come_with_their_ttl(void **state UNUSED)
{
	char text[IP_TEXT_MAX];

	assert_int_equal(ask(r, loop, &reply, "HOST.Test.", DNS_A), 0);
	assert_int_equal(reply.n, 2);
	assert_in_range(reply.ttl_s, 1, 3600);
	assert_string_equal(reply.canonical, "host.test");
	assert_int_equal(ask(r, loop, &reply, "host.test", DNS_AAAA), 0);
	assert_string_equal(ip_format(&reply.records[0].ip, text), "2001:db8::1");
	assert_int_equal(ask(r, loop, &reply, "any.wild.test", DNS_A), 0);
}

static void mx_names_are_lower_case_and_the_root_is_empty(void **state UNUSED)
{
	assert_int_equal(ask(r, loop, &reply, "mail.test", DNS_MX), 0);
	assert_int_equal(reply.n, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(reply.records[i].name, reply.records[i].preference == 10
							       ? "mx1.mail.test"
							       : "mx2.mail.test");
	assert_int_equal(ask(r, loop, &reply, "null.test", DNS_MX), 0);
	assert_string_equal(reply.records[0].name, "");
}

static void an_mx_that_is_no_host_name_keeps_its_place(void **state UNUSED)
{
	assert_int_equal(ask(r, loop, &reply, "odd.test", DNS_MX), 0);
	assert_int_equal(reply.n, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(reply.records[i].name, reply.records[i].preference == 5
							       ? "unusable.invalid"
							       : "fine.test");
}

static void strings_of_a_txt_record_are_joined(void **state UNUSED)
{
	assert_int_equal(ask(r, loop, &reply, "empty.test", DNS_TXT), 0);
	assert_string_equal(reply.records[0].data, "only text");
	assert_int_equal(ask(r, loop, &reply, "_25._tcp.host.test", DNS_TLSA), 0);
	assert_int_equal(reply.records[0].data_n, 35);
	assert_memory_equal(reply.records[0].data, "\x03\x01\x01\x01\x23", 5);
}

static void no_such_name_and_no_such_record_are_told_apart_and_remembered(void **state UNUSED)
{
	uint64_t sent;

	assert_int_equal(ask(r, loop, &reply, "nosuch.test", DNS_MX), E_DNS_NXDOMAIN);
	assert_in_range(reply.ttl_s, 100, 120); /* the SOA's minimum */
	assert_int_equal(ask(r, loop, &reply, "host.test", DNS_MX), E_DNS_NONE);
	sent = stats().sent;
	assert_int_equal(ask(r, loop, &reply, "nosuch.test", DNS_MX), E_DNS_NXDOMAIN);
	assert_int_equal(ask(r, loop, &reply, "host.test", DNS_MX), E_DNS_NONE);
	assert_int_equal(stats().sent, sent);
	assert_int_equal(stats().cache_hits, 2);
}

static void aliases_are_followed_in_the_answer_and_past_it(void **state UNUSED)
{
	assert_int_equal(ask(r, loop, &reply, "alias2.test", DNS_A), 0);
	assert_string_equal(reply.canonical, "host.test");
	assert_in_range(reply.ttl_s, 25, 30);
	assert_int_equal(stats().sent, 1);
	assert_int_equal(ask(r, loop, &reply, "away.test", DNS_A), 0);
	assert_string_equal(reply.canonical, "far.other");
	assert_in_range(reply.ttl_s, 35, 40);
	assert_int_equal(ask(r, loop, &reply, "nowhere.test", DNS_A), E_DNS_NXDOMAIN);
	assert_int_equal(ask(r, loop, &reply, "dead.test", DNS_A), E_DNS_NXDOMAIN);
	assert_int_equal(ask(r, loop, &reply, "alias.test", DNS_CNAME), 0);
	assert_string_equal(reply.records[0].name, "host.test");
}

static void eight_aliases_are_followed_and_a_loop_of_them_ends(void **state UNUSED)
{
	assert_int_equal(ask(r, loop, &reply, "c1.test", DNS_A), 0);
	assert_int_equal(ask(r, loop, &reply, "loop.test", DNS_A), E_DNS_TEMP);
	assert_true(stats().sent <= 1 + 9);
}

static void an_answer_too_large_for_udp_comes_over_tcp(void **state UNUSED)
{
	assert_int_equal(ask(r, loop, &reply, "big.test", DNS_TXT), 0);
	assert_int_equal(reply.records[0].data_n, 2000);
	assert_int_equal(stats().tcp, 1);
}

static void the_same_question_in_flight_is_sent_once(void **state UNUSED)
{
	struct reply a, b, c;

	ask_start(r, loop, &a, "host.test", DNS_A);
	ask_start(r, loop, &b, "Host.TEST", DNS_A);
	ask_start(r, loop, &c, "host.test", DNS_A);
	resolver_cancel(r, &b.query);
	ask_run(&a);
	ask_run(&c);
	assert_int_equal(stats().sent, 1);
	assert_int_equal(a.n + c.n, 4);
	assert_int_equal(b.calls, 0);
}

static void a_cached_answer_still_comes_from_the_loop_and_can_be_cancelled(void **state UNUSED)
{
	assert_int_equal(ask(r, loop, &reply, "host.test", DNS_A), 0);
	ask_start(r, loop, &reply, "host.test", DNS_A);
	assert_int_equal(reply.calls, 0);
	resolver_cancel(r, &reply.query);
	ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(reply.calls, 0);
	assert_int_equal(ask(r, loop, &reply, "host.test", DNS_A), 0);
	resolver_flush(r, SLICE("Host.Test"));
	assert_int_equal(ask(r, loop, &reply, "host.test", DNS_A), 0);
	assert_int_equal(stats().sent, 2);
}

static void a_freed_resolver_calls_nobody(void **state)
{
	struct reply ready, waiting;

	assert_int_equal(ask(r, loop, &reply, "host.test", DNS_A), 0);
	ask_start(r, loop, &ready, "host.test", DNS_A);
	ask_start(r, loop, &waiting, "mail.test", DNS_MX);
	r = resolver_free(r);
	ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(ready.calls + waiting.calls, 0);
	ev_loop_destroy(loop);
	assert_int_equal(open_resolver(state), 0);
}

static void names_that_are_none_are_refused(void **state UNUSED)
{
	static const char *const bad[] = { "",
					   ".",
					   "a..b",
					   ".a",
					   "a b.test",
					   "a@b.test",
					   "\xc3\xa9.test",
					   X50 "xxxxxxxxxxxxxx.test",
					   X50 "." X50 "." X50 "." X50 "." X50 };
	struct dns_query q;

	dns_query_init(&q, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(resolver_ask(r, &q, slice_str(bad[i]), DNS_A), E_SYNTAX);
}

static void many_questions_wait_in_line_and_all_are_answered(void **state UNUSED)
{
	enum { MANY = 1500 };
	struct reply *all = must_alloc(MANY * sizeof(*all));
	char name[40];

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "h%u.wild.test", i);
		ask_start(r, loop, &all[i], name, DNS_A);
	}
	assert_int_equal(stats().pending, MANY);
	assert_true(stats().sent <= 512);
	for (unsigned i = 0; i < MANY; i++) {
		ask_run(&all[i]);
		assert_int_equal(all[i].status, 0);
	}
	assert_int_equal(stats().cached, MANY);
	free(all);
}

static void a_route_over_real_answers_has_its_hosts_and_addresses(void **state UNUSED)
{
	const struct route_options o = { .ipv4 = true, .ipv6 = true };
	struct route *route = ask_route(r, loop, &o, "mail.test");

	assert_int_equal(route->status, ROUTE_OK);
	assert_int_equal(route->n_hosts, 2);
	assert_string_equal(route->hosts[0].name, "mx1.mail.test");
	assert_int_equal(route->hosts[1].n_ips, 2);
	assert_string_equal(route->site, "mx1.mail.test,mx2.mail.test");
	assert_in_range(route->ttl_s, 590, 600);
	route_unref(route);
	route = ask_route(r, loop, &o, "null.test");
	assert_int_equal(route->status, ROUTE_NULL_MX);
	route_unref(route);
	route = ask_route(r, loop, &o, "alias.test");
	assert_true(route->implicit);
	route_unref(route);
}

static void a_server_on_ipv6_is_asked_like_any_other(void **state UNUSED)
{
	struct dns_answer *a = NULL;
	struct resolver_options o;

	if (!nsd_has_ipv6())
		SKIP_CASE("this machine has no IPv6");
	nsd_options(&nsd, &o);
	assert_int_equal(ip_parse(SLICE("::1"), &o.servers[0].ip), 0);
	assert_int_equal(lookup(&o, SLICE("mail.test"), DNS_MX, 5000, &a), 0);
	assert_int_equal(a->n, 2);
	a = lookup_free(a);
	assert_int_equal(lookup(&o, SLICE("big.test"), DNS_TXT, 5000, &a), 0);
	assert_int_equal(a->records[0].data.n, 2000);
	lookup_free(a);
}

static void the_blocking_lookup_gives_an_answer_to_keep(void **state UNUSED)
{
	struct dns_answer *a = NULL;
	struct resolver_options o;

	nsd_options(&nsd, &o);
	assert_int_equal(lookup(&o, SLICE("mail.test"), DNS_MX, 5000, &a), 0);
	assert_int_equal(a->n, 2);
	assert_true(slice_eq(a->canonical, SLICE("mail.test")));
	a = lookup_free(a);
	assert_int_equal(lookup(&o, SLICE("nosuch.test"), DNS_MX, 5000, &a), E_DNS_NXDOMAIN);
	assert_int_equal(lookup(&o, SLICE("no name"), DNS_MX, 5000, &a), E_SYNTAX);
	assert_null(a);
}

#define with_resolver(f) cmocka_unit_test_setup_teardown(f, open_resolver, close_resolver)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_resolver(addresses_come_with_their_ttl),
		with_resolver(mx_names_are_lower_case_and_the_root_is_empty),
		with_resolver(an_mx_that_is_no_host_name_keeps_its_place),
		with_resolver(strings_of_a_txt_record_are_joined),
		with_resolver(no_such_name_and_no_such_record_are_told_apart_and_remembered),
		with_resolver(aliases_are_followed_in_the_answer_and_past_it),
		with_resolver(eight_aliases_are_followed_and_a_loop_of_them_ends),
		with_resolver(an_answer_too_large_for_udp_comes_over_tcp),
		with_resolver(the_same_question_in_flight_is_sent_once),
		with_resolver(a_cached_answer_still_comes_from_the_loop_and_can_be_cancelled),
		with_resolver(a_freed_resolver_calls_nobody),
		with_resolver(names_that_are_none_are_refused),
		with_resolver(many_questions_wait_in_line_and_all_are_answered),
		with_resolver(a_route_over_real_answers_has_its_hosts_and_addresses),
		cmocka_unit_test(a_server_on_ipv6_is_asked_like_any_other),
		cmocka_unit_test(the_blocking_lookup_gives_an_answer_to_keep),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
