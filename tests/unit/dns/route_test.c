/* Routes over the scripted resolver: every outcome, with answers in every order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "dns/route.h"
#include "mta/door/timer.h"
#include "tests/sim/clock_sim.h"
#include "tests/sim/random_sim.h"
#include "tests/sim/resolver_sim.h"

static struct timers *timers;
static struct resolver *r;
static const struct route_options open_world = { .ipv4 = true, .ipv6 = true };

static int start(void **state UNUSED)
{
	struct resolver_options o;

	random_sim_seed(7);
	timers = timers_new(0);
	resolver_sim_timers(timers);
	resolver_options_default(&o);
	return resolver_new(&r, NULL, &o);
}

static int stop(void **state UNUSED)
{
	resolver_free(r);
	resolver_sim_forget();
	timers_free(timers);
	return 0;
}

struct asked {
	struct route_query q;
	struct route *route;
};

static void on_route(struct route_query *q, struct route *route)
{
	container_of(q, struct asked, q)->route = route;
}

static struct route *route_with(const struct route_options *o, const char *domain)
{
	struct asked a = { .q = { .done = on_route } };
	int64_t now = timers_now(timers), wait;

	assert_int_equal(route_ask(r, o, &a.q, slice_str(domain)), 0);
	assert_null(a.route);
	while ((wait = timers_run(timers, now)) >= 0)
		now += wait;
	assert_non_null(a.route);
	assert_null(a.q.state);
	return a.route;
}

static struct route *route(const char *domain)
{
	return route_with(&open_world, domain);
}

static enum route_status status(const char *domain)
{
	struct route *got = route(domain);
	enum route_status s = got->status;

	assert_int_equal(got->n_hosts > 0, s == ROUTE_OK);
	route_unref(got);
	return s;
}

#define MX(name, text) resolver_sim_set(name, DNS_MX, 5, text)
#define A(name, text) resolver_sim_set(name, DNS_A, 5, text)
#define AAAA(name, text) resolver_sim_set(name, DNS_AAAA, 5, text)

static void hosts_come_by_preference_with_all_their_addresses(void **state UNUSED)
{
	struct route *got;

	MX("shop.example", "20 b.example, 10 a.example, 30 c.example");
	resolver_sim_set("a.example", DNS_A, 90, "198.51.100.1, 198.51.100.2");
	AAAA("a.example", "2600::1");
	A("b.example", "198.51.100.3");
	AAAA("c.example", "2600::3");
	got = route("Shop.Example.");
	assert_int_equal(got->status, ROUTE_OK);
	assert_string_equal(got->domain, "shop.example");
	assert_int_equal(got->n_hosts, 3);
	assert_string_equal(got->hosts[0].name, "a.example");
	assert_int_equal(got->hosts[0].preference, 10);
	assert_int_equal(got->hosts[0].n_ips, 3);
	assert_int_equal(got->hosts[0].ips[0].family, AF_INET);
	assert_int_equal(got->hosts[0].ips[2].family, AF_INET6);
	assert_string_equal(got->hosts[2].name, "c.example");
	assert_string_equal(got->site, "a.example,b.example,c.example");
	assert_false(got->implicit);
	route_ref(got);
	route_unref(got);
	route_unref(got);
}

static void only_families_that_are_wanted_are_asked_for(void **state UNUSED)
{
	struct route_options v4 = { .ipv4 = true }, v6 = { .ipv6 = true };
	struct route *got;

	MX("shop.example", "10 a.example, 20 six.example");
	A("a.example", "198.51.100.1");
	AAAA("a.example", "2600::1");
	AAAA("six.example", "2600::2");
	got = route_with(&v4, "shop.example");
	assert_int_equal(got->n_hosts, 1);
	assert_int_equal(got->hosts[0].n_ips, 1);
	route_unref(got);
	got = route_with(&v6, "shop.example");
	assert_int_equal(got->n_hosts, 2);
	route_unref(got);
}

static void equals_are_tried_in_random_order(void **state UNUSED)
{
	unsigned first = 0;

	MX("shop.example", "10 a.example, 10 b.example, 5 best.example");
	A("a.example", "198.51.100.1");
	A("b.example", "198.51.100.2");
	A("best.example", "198.51.100.3");
	for (int i = 0; i < 200; i++) {
		struct route *got = route("shop.example");

		assert_string_equal(got->hosts[0].name, "best.example");
		assert_string_equal(got->site, "a.example,b.example,best.example");
		first += strcmp(got->hosts[1].name, "a.example") == 0;
		route_unref(got);
	}
	assert_in_range(first, 60, 140);
}

static void without_mx_the_domain_itself_is_the_host(void **state UNUSED)
{
	struct route *got;

	A("plain.example", "198.51.100.1");
	got = route("plain.example");
	assert_int_equal(got->status, ROUTE_OK);
	assert_true(got->implicit);
	assert_string_equal(got->hosts[0].name, "plain.example");
	assert_string_equal(got->site, "plain.example");
	route_unref(got);
	resolver_sim_set("alias.example", DNS_CNAME, 5, "plain.example");
	assert_int_equal(status("alias.example"), ROUTE_OK);
	resolver_sim_set("mxalias.example", DNS_CNAME, 5, "hasmx.example");
	MX("hasmx.example", "10 plain.example");
	got = route("mxalias.example");
	assert_false(got->implicit);
	route_unref(got);
}

static void an_mx_without_address_is_not_replaced_by_the_domain_itself(void **state UNUSED)
{
	MX("shop.example", "10 gone.example");
	A("shop.example", "198.51.100.1");
	assert_int_equal(status("shop.example"), ROUTE_NO_DOMAIN);
}

static void domains_that_cannot_have_mail_are_told_apart(void **state UNUSED)
{
	MX("null.example", "0 .");
	resolver_sim_set("txt.example", DNS_TXT, 5, "only this");
	MX("broken.example", "TEMP");
	A("broken.example", "198.51.100.1");
	resolver_sim_set("loop.example", DNS_CNAME, 5, "loop.example");
	assert_int_equal(status("null.example"), ROUTE_NULL_MX);
	assert_int_equal(status("nosuch.example"), ROUTE_NO_DOMAIN);
	assert_int_equal(status("txt.example"), ROUTE_NO_DOMAIN);
	assert_int_equal(status("broken.example"), ROUTE_TEMP);
	assert_int_equal(status("loop.example"), ROUTE_TEMP);
}

static void a_root_mx_beside_others_is_ignored(void **state UNUSED)
{
	struct route *got;

	MX("shop.example", "0 ., 10 a.example");
	A("a.example", "198.51.100.1");
	got = route("shop.example");
	assert_int_equal(got->status, ROUTE_OK);
	assert_int_equal(got->n_hosts, 1);
	route_unref(got);
}

static void a_host_that_cannot_be_resolved_now_defers_only_when_it_is_alone(void **state UNUSED)
{
	struct route *got;

	MX("shop.example", "10 a.example, 20 b.example");
	A("a.example", "TEMP");
	A("b.example", "198.51.100.2");
	got = route("shop.example");
	assert_int_equal(got->status, ROUTE_OK);
	assert_int_equal(got->n_hosts, 1);
	assert_true(got->ttl_s <= 60);
	route_unref(got);
	A("b.example", "NXDOMAIN");
	assert_int_equal(status("shop.example"), ROUTE_TEMP);
	A("a.example", "NONE");
	assert_int_equal(status("shop.example"), ROUTE_NO_DOMAIN);
}

static void special_addresses_are_refused_unless_allowed(void **state UNUSED)
{
	struct route_options allowing = open_world;
	struct ip_net net;
	struct route *got;

	assert_int_equal(ip_net_parse(SLICE("127.0.0.0/8"), &net), 0);
	allowing.allowed = &net;
	allowing.n_allowed = 1;
	MX("shop.example", "10 a.example");
	A("a.example", "127.0.0.5, 10.0.0.1");
	AAAA("a.example", "::1, fe80::1");
	assert_int_equal(status("shop.example"), ROUTE_FORBIDDEN);
	got = route_with(&allowing, "shop.example");
	assert_int_equal(got->status, ROUTE_OK);
	assert_int_equal(got->hosts[0].n_ips, 1);
	route_unref(got);
}

static void localhost_and_addresses_as_mx_are_never_asked_for(void **state UNUSED)
{
	struct resolver_stats s;

	MX("local.example", "10 localhost");
	MX("sub.example", "10 x.localhost");
	MX("literal.example", "10 198.51.100.1");
	assert_int_equal(status("local.example"), ROUTE_FORBIDDEN);
	assert_int_equal(status("sub.example"), ROUTE_FORBIDDEN);
	assert_int_equal(status("literal.example"), ROUTE_NO_DOMAIN);
	resolver_stats(r, &s);
	assert_int_equal(s.asked, 3);
}

static void with_our_name_among_them_only_better_hosts_remain(void **state UNUSED)
{
	static const char *const names[] = { "Us.Example" };
	struct route_options o = open_world;
	struct route *got;

	o.own_names = names;
	o.n_own_names = 1;
	MX("shop.example", "10 a.example, 20 us.example, 20 same.example, 30 worse.example");
	A("a.example", "198.51.100.1");
	A("us.example", "198.51.100.2");
	A("same.example", "198.51.100.3");
	A("worse.example", "198.51.100.4");
	got = route_with(&o, "shop.example");
	assert_int_equal(got->n_hosts, 1);
	assert_string_equal(got->hosts[0].name, "a.example");
	route_unref(got);
	MX("shop.example", "10 us.example, 20 worse.example");
	got = route_with(&o, "shop.example");
	assert_int_equal(got->status, ROUTE_LOOP);
	route_unref(got);
}

static void our_address_counts_like_our_name(void **state UNUSED)
{
	struct route_options o = open_world;
	struct route *got;
	struct ip ours;

	assert_int_equal(ip_parse(SLICE("198.51.100.2"), &ours), 0);
	o.own_ips = &ours;
	o.n_own_ips = 1;
	MX("shop.example", "10 a.example, 20 other-name.example, 30 worse.example");
	A("a.example", "198.51.100.1");
	A("other-name.example", "198.51.100.2");
	A("worse.example", "198.51.100.4");
	got = route_with(&o, "shop.example");
	assert_int_equal(got->n_hosts, 1);
	route_unref(got);
	A("a.example", "198.51.100.2");
	got = route_with(&o, "shop.example");
	assert_int_equal(got->status, ROUTE_LOOP);
	route_unref(got);
	got = route_with(&o, "other-name.example");
	assert_int_equal(got->status, ROUTE_LOOP);
	route_unref(got);
}

static void better_hosts_that_cannot_be_resolved_now_defer_though_we_are_next(void **state UNUSED)
{
	static const char *const names[] = { "us.example" };
	struct route_options o = open_world;
	struct route *got;

	o.own_names = names;
	o.n_own_names = 1;
	MX("shop.example", "10 a.example, 20 us.example");
	A("a.example", "TEMP");
	got = route_with(&o, "shop.example");
	assert_int_equal(got->status, ROUTE_TEMP);
	route_unref(got);
}

static void what_is_past_the_limits_is_dropped_from_the_end(void **state UNUSED)
{
	char mx[4096] = "", text[64], addresses[1024] = "";
	struct route *got;

	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(text, sizeof(text), "%s%u h%u.example", i ? "," : "", 100 - i, i);
		strcat(mx, text);
		(void)snprintf(text, sizeof(text), "h%u.example", i);
		A(text, "198.51.100.1");
	}
	for (unsigned i = 1; i <= 20; i++) {
		(void)snprintf(text, sizeof(text), "%s198.51.100.%u", i > 1 ? "," : "", i);
		strcat(addresses, text);
	}
	MX("shop.example", mx);
	A("h39.example", addresses);
	got = route("shop.example");
	assert_int_equal(got->n_hosts, ROUTE_HOSTS_MAX);
	assert_string_equal(got->hosts[0].name, "h39.example");
	assert_int_equal(got->hosts[0].n_ips, ROUTE_IPS_MAX);
	assert_string_equal(got->hosts[ROUTE_HOSTS_MAX - 1].name, "h8.example");
	route_unref(got);
}

static void many_hosts_of_one_provider_make_one_readable_site(void **state UNUSED)
{
	struct route *got;

	MX("one.example",
	   "1 aspmx.l.google.com, 5 alt1.aspmx.l.google.com, 5 alt2.aspmx.l.google.com,"
	   " 10 alt3.aspmx.l.google.com, 10 alt4.aspmx.l.google.com");
	A("aspmx.l.google.com", "198.51.100.1");
	got = route("one.example");
	assert_string_equal(got->site, "(alt1|alt2|alt3|alt4|).aspmx.l.google.com");
	route_unref(got);
	MX("two.example", "1 a.example, 1 b.test, 1 c.invalid, 1 d.test");
	A("a.example", "198.51.100.1");
	got = route("two.example");
	assert_string_equal(got->site, "a.example,b.test,c.invalid,d.test");
	route_unref(got);
}

#define LONG50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
static void a_site_too_long_for_its_place_ends_in_a_hash_of_all_of_it(void **state UNUSED)
{
	struct route *one, *two;

	MX("one.example", "1 a." LONG50 "." LONG50 ".example, 1 b." LONG50 "." LONG50
			  ".test, 1 " LONG50 ".c.test");
	MX("two.example", "1 a." LONG50 "." LONG50 ".example, 1 b." LONG50 "." LONG50
			  ".test, 1 " LONG50 ".d.test");
	one = route("one.example");
	two = route("two.example");
	assert_int_equal(strlen(one->site), 253);
	assert_string_not_equal(one->site, two->site);
	assert_memory_equal(one->site, two->site, 236);
	route_unref(one);
	route_unref(two);
}

static void a_cancelled_route_calls_nobody_at_any_moment(void **state UNUSED)
{
	MX("shop.example", "10 a.example, 20 b.example");
	resolver_sim_set("a.example", DNS_A, 10, "198.51.100.1");
	resolver_sim_set("b.example", DNS_A, 20, "198.51.100.1");
	for (int64_t after = 0; after < 30; after++) {
		struct asked a = { .q = { .done = on_route } };
		int64_t start_ms = timers_now(timers);

		assert_int_equal(route_ask(r, &open_world, &a.q, SLICE("shop.example")), 0);
		for (int64_t t = 0; t <= after; t++)
			(void)timers_run(timers, start_ms + t);
		route_cancel(r, &a.q);
		assert_null(a.q.state);
		(void)timers_run(timers, start_ms + 1000);
		assert_int_equal(a.route != NULL, after >= 25);
		route_unref(a.route);
	}
}

static void what_is_no_domain_is_refused(void **state UNUSED)
{
	struct route_query q = { .done = on_route };

	assert_int_equal(route_ask(r, &open_world, &q, SLICE("")), E_SYNTAX);
	assert_int_equal(route_ask(r, &open_world, &q, SLICE("192.0.2.1")), E_SYNTAX);
	assert_int_equal(route_ask(r, &open_world, &q, SLICE("[192.0.2.1]")), E_SYNTAX);
	assert_int_equal(route_ask(r, &open_world, &q, SLICE("a..b")), E_SYNTAX);
	route_cancel(r, &q);
}

#define in_world(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_world(hosts_come_by_preference_with_all_their_addresses),
		in_world(only_families_that_are_wanted_are_asked_for),
		in_world(equals_are_tried_in_random_order),
		in_world(without_mx_the_domain_itself_is_the_host),
		in_world(an_mx_without_address_is_not_replaced_by_the_domain_itself),
		in_world(domains_that_cannot_have_mail_are_told_apart),
		in_world(a_root_mx_beside_others_is_ignored),
		in_world(a_host_that_cannot_be_resolved_now_defers_only_when_it_is_alone),
		in_world(special_addresses_are_refused_unless_allowed),
		in_world(localhost_and_addresses_as_mx_are_never_asked_for),
		in_world(with_our_name_among_them_only_better_hosts_remain),
		in_world(our_address_counts_like_our_name),
		in_world(better_hosts_that_cannot_be_resolved_now_defer_though_we_are_next),
		in_world(what_is_past_the_limits_is_dropped_from_the_end),
		in_world(many_hosts_of_one_provider_make_one_readable_site),
		in_world(a_site_too_long_for_its_place_ends_in_a_hash_of_all_of_it),
		in_world(a_cancelled_route_calls_nobody_at_any_moment),
		in_world(what_is_no_domain_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
