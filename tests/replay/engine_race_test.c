/* Sites with addresses of both families: a family that does not connect costs nobody more than the
 * moment after which the other is tried. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "tests/replay/engine_world.h"

#define V4 "127.0.0.2"
#define V6 "::2"
#define RACE CONFIG "route.allow = 127.0.0.0/8, ::/64\nsmtp.timeout.connect = 1m\n"
enum { MOMENT = 250 };

static const char dead[] = "no-connect\n";

/* Site n has 127.0.1.n and ::1:n. */
static void open_sites(struct world *w, const char *config, const char *six, const char *four)
{
	world_start(w, config);
	for (unsigned n = 1; n <= 5; n++) {
		char name[32], mx[32], ip4[32], ip6[32];

		(void)snprintf(name, sizeof(name), "s%u.test", n);
		(void)snprintf(mx, sizeof(mx), "mx%u.s.test", n);
		(void)snprintf(ip4, sizeof(ip4), "127.0.2.%u", n);
		(void)snprintf(ip6, sizeof(ip6), "::1:%u", n);
		resolver_sim_set(mx, DNS_A, 1, ip4);
		resolver_sim_set(mx, DNS_AAAA, 1, ip6);
		(void)snprintf(ip6, sizeof(ip6), "[::1:%u]", n);
		world_host(ip4, four);
		world_host(ip6, six);
		(void)snprintf(mx, sizeof(mx), "10 mx%u.s.test", n);
		world_domain(name, mx);
	}
}

/* A message to a site; how long until it is delivered, to a few milliseconds. */
static int64_t delivery_takes(struct world *w, const char *rcpt)
{
	uint64_t before = world_books(w).delivered;
	int64_t ms = 0;

	world_submit(w, &rcpt, 1, DAY, "control", 0);
	while (world_books(w).delivered == before && ms < 10 * MINUTE) {
		world_run(w, 5);
		ms += 5;
	}
	world_run(w, 10 * SECOND); /* its connection ends */
	return ms;
}

static void no_harm_was_done(struct world *w)
{
	assert_int_equal(COUNTER(w, sessions_failed), 0);
	assert_int_equal(COUNTER(w, site_backoffs), 0);
	assert_int_equal(world_books(w).deferred_attempts, 0);
	assert_int_equal(COUNTER(w, sessions_open), 0);
	assert_int_equal(conn_sim_live(), 0);
}

static void ipv6_carries_the_mail_when_it_connects(void **state)
{
	struct world w;

	(void)state;
	open_sites(&w, RACE, decent, dead);
	for (unsigned i = 0; i < 3; i++)
		assert_true(delivery_takes(&w, "u@s1.test") <= 20);
	assert_int_equal(COUNTER(&w, races), 0);
	no_harm_was_done(&w);
	world_end(&w);
}

static void a_dead_family_costs_a_moment_and_is_remembered(void **state)
{
	struct world w;
	int64_t first;

	(void)state;
	open_sites(&w, RACE, dead, decent);
	first = delivery_takes(&w, "u@s1.test");
	assert_true(first >= MOMENT && first <= MOMENT + 20);
	for (unsigned i = 0; i < 3; i++)
		assert_true(delivery_takes(&w, "u@s1.test") <= 20);
	assert_int_equal(COUNTER(&w, races), 1);
	assert_int_equal(COUNTER(&w, races_lost), 1);
	no_harm_was_done(&w);
	world_run(&w, 10 * MINUTE); /* then it is tried anew */
	assert_true(delivery_takes(&w, "u@s1.test") >= MOMENT);
	no_harm_was_done(&w);
	world_end(&w);
}

static void after_three_hosts_ipv4_goes_first_everywhere(void **state)
{
	struct world w;

	(void)state;
	open_sites(&w, RACE, dead, decent);
	assert_true(delivery_takes(&w, "u@s1.test") >= MOMENT);
	assert_true(delivery_takes(&w, "u@s2.test") >= MOMENT);
	assert_true(delivery_takes(&w, "u@s3.test") >= MOMENT);
	assert_true(delivery_takes(&w, "u@s4.test") <= 20);
	assert_true(delivery_takes(&w, "u@s5.test") <= 20);
	no_harm_was_done(&w);
	world_end(&w);
}

static void ipv4_that_goes_first_is_raced_too(void **state)
{
	struct world w;
	int64_t took;

	(void)state;
	open_sites(&w, RACE, dead, decent);
	assert_true(delivery_takes(&w, "u@s1.test") >= MOMENT);
	assert_true(delivery_takes(&w, "u@s2.test") >= MOMENT);
	assert_true(delivery_takes(&w, "u@s3.test") >= MOMENT);
	world_host("[::1:4]", decent);
	world_host("127.0.2.4", dead);
	took = delivery_takes(&w, "u@s4.test");
	assert_true(took >= MOMENT && took <= MOMENT + 20);
	no_harm_was_done(&w);
	/* IPv6 has won somewhere, so it goes first again. */
	assert_true(delivery_takes(&w, "u@s5.test") >= MOMENT);
	world_end(&w);
}

static void a_site_with_room_for_one_connection_is_no_slower(void **state)
{
	struct world w;
	int64_t took;

	(void)state;
	open_sites(&w, RACE "site.connections = 1\nsite.connections_start = 1\n", dead, decent);
	took = delivery_takes(&w, "u@s1.test");
	assert_true(took >= MOMENT && took <= MOMENT + 60);
	no_harm_was_done(&w);
	world_end(&w);
}

static void the_other_family_needs_a_source(void **state)
{
	struct world w;
	int64_t took;

	(void)state;
	open_sites(&w, RACE "egress.sources = default " V6 " a.test\n", dead, decent);
	took = delivery_takes(&w, "u@s1.test");
	assert_true(took >= 10 * MINUTE);
	assert_int_equal(COUNTER(&w, races), 0);
	assert_int_equal(conn_sim_opened_from(SLICE(V6)), conn_sim_opened());
	world_end(&w);
	open_sites(&w, RACE "egress.sources = default " V6 " a.test, default " V4 " b.test\n", dead,
		   decent);
	took = delivery_takes(&w, "u@s1.test");
	assert_true(took <= MOMENT + 20);
	assert_int_equal(conn_sim_messages_from(SLICE(V4)), 1);
	no_harm_was_done(&w);
	world_end(&w);
}

static void both_dead_is_a_failure_of_both(void **state)
{
	struct world w;

	(void)state;
	open_sites(&w, RACE, dead, dead);
	world_submit(&w, (const char *const[]){ "u@s1.test" }, 1, DAY, "control", 0);
	world_run(&w, 2 * MINUTE);
	assert_int_equal(COUNTER(&w, sessions_failed), 2);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	world_end(&w);
}

static void the_race_can_be_switched_off(void **state)
{
	struct world w;

	(void)state;
	open_sites(&w, RACE "race.delay = 0\n", dead, decent);
	assert_true(delivery_takes(&w, "u@s1.test") >= MINUTE);
	assert_int_equal(COUNTER(&w, races), 0);
	world_end(&w);
}

/* Many connections at once: each is raced, none is left over. */
static void a_full_site_races_each_connection_and_keeps_its_limits(void **state)
{
	struct world w;
	const char *rcpt = "u@s1.test";

	(void)state;
	open_sites(&w, RACE "site.connections = 8\nsite.connections_start = 8\n", dead, decent);
	for (unsigned i = 0; i < 200; i++)
		world_submit(&w, &rcpt, 1, DAY, "control", i);
	world_run(&w, MOMENT + 100);
	assert_int_equal(world_books(&w).delivered, 200);
	world_run(&w, 2 * MINUTE);
	no_harm_was_done(&w);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv6_carries_the_mail_when_it_connects),
		cmocka_unit_test(a_dead_family_costs_a_moment_and_is_remembered),
		cmocka_unit_test(after_three_hosts_ipv4_goes_first_everywhere),
		cmocka_unit_test(ipv4_that_goes_first_is_raced_too),
		cmocka_unit_test(a_site_with_room_for_one_connection_is_no_slower),
		cmocka_unit_test(the_other_family_needs_a_source),
		cmocka_unit_test(both_dead_is_a_failure_of_both),
		cmocka_unit_test(the_race_can_be_switched_off),
		cmocka_unit_test(a_full_site_races_each_connection_and_keeps_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
