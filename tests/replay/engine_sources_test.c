/* Where mail leaves from: sources by weight and family, and who pays for one that is broken. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/egress/egress.h"
#include "tests/replay/engine_world.h"

#define A "127.0.0.2"
#define B "127.0.0.3"
#define V6 "::2"
#define TWO CONFIG "egress.sources = default " A " a.test, default " B " b.test\n"
#define BY_WEIGHT CONFIG "egress.sources = default " A " a.test weight=3, default " B " b.test\n"
#define FROM(ip) conn_sim_messages_from(SLICE(ip))
#define OPEN(ip) conn_sim_open_from(SLICE(ip))

static void begin(struct world *w, const char *config, const char *script)
{
	world_open(w, config, script);
	world_host("127.0.1.2", script);
}

/* So many single messages to one.test. */
static void mail(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, one_rcpt, 1, DAY, "control", w->next_id);
}

static void is_near(unsigned is, unsigned should)
{
	if (is + 2 < should || is > should + 2)
		fail_msg("%u instead of %u", is, should);
}

/* ---- by weight --------------------------------------------------------------------------- */

static const char *const scripts[] = {
	decent, "delay 700\nsay 220 mx.test\nserve\n",
	"say 220 mx.test\nreply EHLO 250 mx.test\nserve\n", /* no PIPELINING */
};

static void messages_leave_from_the_sources_by_their_weights(void **state)
{
	static const unsigned counts[] = { 2, 8, 60, 400 };
	struct world w;

	(void)state;
	for (unsigned k = 0; k < ARRAY_LEN(scripts) * ARRAY_LEN(counts); k++) {
		unsigned n = counts[k / ARRAY_LEN(scripts)];
		begin(&w, TWO, scripts[k % ARRAY_LEN(scripts)]);
		mail(&w, n);
		world_run(&w, 2 * MINUTE);
		assert_int_equal(world_books(&w).delivered, n);
		is_near(FROM(A), n / 2);
		is_near(FROM(B), n / 2);
		world_end(&w);
		begin(&w, BY_WEIGHT, scripts[k % ARRAY_LEN(scripts)]);
		mail(&w, n);
		world_run(&w, 2 * MINUTE);
		is_near(FROM(A), n * 3 / 4);
		is_near(FROM(B), n / 4);
		world_end(&w);
	}
}

static void messages_one_by_one_over_connections_that_stay_leave_by_weight(void **state)
{
	struct world w;

	(void)state;
	begin(&w, BY_WEIGHT, decent);
	for (unsigned i = 0; i < 40; i++) {
		mail(&w, 1);
		world_run(&w, SECOND);
	}
	is_near(FROM(A), 30);
	is_near(FROM(B), 10);
	assert_true(conn_sim_opened() < 12);
	world_end(&w);
}

static void many_sites_with_a_message_each_get_them_from_the_sources_by_weight(void **state)
{
	struct world w;
	char name[32], mx[32], ip[32], rcpt[48];
	const char *one = rcpt;

	(void)state;
	begin(&w, BY_WEIGHT, decent);
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "d%u.test", i);
		(void)snprintf(mx, sizeof(mx), "10 m%u.test", i);
		(void)snprintf(ip, sizeof(ip), "127.0.2.%u", i + 1);
		(void)snprintf(rcpt, sizeof(rcpt), "u@d%u.test", i);
		world_domain(name, mx);
		resolver_sim_set(mx + 3, DNS_A, 5, ip);
		world_host(ip, decent);
		world_submit(&w, &one, 1, DAY, "control", 1);
	}
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 40);
	is_near(FROM(A), 30);
	is_near(FROM(B), 10);
	world_end(&w);
}

static void many_sources_share_few_connections(void **state)
{
	struct world w;

	(void)state;
	begin(&w,
	      CONFIG "egress.sources = default 127.0.0.2 a.test, default 127.0.0.3 b.test\n"
		     "egress.sources = default 127.0.0.4 a.test, default 127.0.0.5 b.test\n"
		     "site.connections = 2\n",
	      decent);
	mail(&w, 200);
	world_run(&w, 5 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 200);
	assert_in_range(FROM("127.0.0.2"), 40, 60);
	assert_in_range(FROM("127.0.0.3"), 40, 60);
	assert_in_range(FROM("127.0.0.4"), 40, 60);
	assert_in_range(FROM("127.0.0.5"), 40, 60);
	world_end(&w);
}

/* It is slow, or it has no way at all. */
static void a_source_that_does_not_use_its_turn_is_not_waited_for(void **state)
{
	struct world w;

	(void)state;
	begin(&w, TWO "site.connections = 2\nsite.messages = 1000\n", decent);
	conn_sim_route(SLICE(B), SLICE("127.0.1.1"), -ENETUNREACH);
	mail(&w, 50);
	world_run(&w, 10 * SECOND);
	assert_int_equal(world_books(&w).delivered, 50);
	assert_int_equal(FROM(A), 50);
	world_end(&w);
}

/* ---- by family --------------------------------------------------------------------------- */

static void ipv6_for_one_test(void)
{
	resolver_sim_set("mx1.test", DNS_AAAA, 5, "::1:1");
	world_host("[::1:1]", decent);
}

#define ALLOW6 "route.allow = ::/64\n"

static void a_source_is_used_for_addresses_of_its_family_only(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CONFIG ALLOW6 "egress.sources = default " A " a.test, default " V6 " b.test\n",
	      decent);
	mail(&w, 20); /* the site has IPv4 only */
	world_run(&w, MINUTE);
	assert_int_equal(FROM(A), 20);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	world_end(&w);
	begin(&w, CONFIG ALLOW6 "egress.sources = default " A " a.test, default " V6 " b.test\n",
	      decent);
	ipv6_for_one_test();
	mail(&w, 20);
	world_run(&w, MINUTE);
	is_near(FROM(A), 10);
	is_near(FROM(V6), 10);
	world_end(&w);
}

#define POOL_OF_V6 CONFIG ALLOW6 "egress.sources = default " A " a.test, six " V6 " b.test\n"

static void a_pool_without_the_family_of_a_site_pauses_nobody_else(void **state)
{
	struct world w;

	(void)state;
	begin(&w, POOL_OF_V6, decent);
	w.pool = "six";
	mail(&w, 5);
	world_run(&w, SECOND);
	assert_int_equal(conn_sim_opened(), 0);
	w.pool = NULL;
	mail(&w, 5);
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 5);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	ipv6_for_one_test();
	world_run(&w, 2 * HOUR); /* until DNS and the retries come round */
	assert_int_equal(world_books(&w).delivered, 10);
	assert_int_equal(FROM(V6), 5);
	world_end(&w);
}

/* ---- a source that is broken ------------------------------------------------------------- */

static void a_source_that_is_not_on_the_machine_costs_the_site_nothing(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	conn_sim_address(SLICE(B), false);
	world_names();
	world_host("127.0.1.1", decent);
	world_reload(&w, TWO);
	mail(&w, 20);
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 20);
	assert_int_equal(FROM(A), 20);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	assert_int_equal(COUNTER(&w, sessions_failed), 0);
	assert_int_equal(COUNTER(&w, source_failures), 1);
	assert_int_equal(COUNTER(&w, sources_failing), 1);
	world_end(&w);
}

/* It goes while the engine runs, and comes back. */
static void a_source_that_recovers_is_used_again_by_itself(void **state)
{
	struct world w;

	(void)state;
	begin(&w, TWO "site.idle = 0\n", decent);
	mail(&w, 10);
	world_run(&w, SECOND);
	is_near(FROM(B), 5);
	conn_sim_address(SLICE(B), false);
	mail(&w, 20);
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 30);
	assert_int_equal(COUNTER(&w, sources_failing), 1);
	world_run(&w, HOUR);
	assert_int_equal(COUNTER(&w, source_failures), 1); /* one piece of news */
	conn_sim_address(SLICE(B), true);
	world_run(&w, 5 * MINUTE + 10 * SECOND); /* source.backoff_max, and a look */
	assert_int_equal(COUNTER(&w, source_recoveries), 1);
	assert_int_equal(COUNTER(&w, sources_failing), 0);
	unsigned before = FROM(B);
	mail(&w, 20);
	world_run(&w, MINUTE);
	is_near(FROM(B) - before, 10);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	world_end(&w);
}

#define TWO_POOLS CONFIG "egress.sources = default " A " a.test, other " B " b.test\n"

static void a_pool_whose_sources_are_all_broken_waits_alone_and_goes_on_when_one_works(void **state)
{
	struct world w;

	(void)state;
	begin(&w, CONFIG, decent);
	conn_sim_address(SLICE(B), false);
	world_reload(&w, TWO_POOLS);
	w.pool = "other";
	mail(&w, 5);
	world_run(&w, SECOND);
	w.pool = NULL;
	mail(&w, 5);
	world_run(&w, SECOND);
	assert_int_equal(world_books(&w).delivered, 5);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	conn_sim_address(SLICE(B), true);
	world_run(&w, 15 * MINUTE);
	assert_int_equal(FROM(B), 5);
	world_end(&w);
}

static void no_way_from_a_source_to_a_host_is_not_the_hosts_fault(void **state)
{
	static const int errors[] = { -ENETUNREACH, -EHOSTUNREACH, -EACCES, -EPERM, -EINVAL };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(errors); i++) {
		begin(&w, TWO, decent);
		conn_sim_route(SLICE(B), SLICE("127.0.1.1"), errors[i]);
		mail(&w, 20);
		world_run(&w, SECOND);
		assert_int_equal(world_books(&w).delivered, 20);
		assert_int_equal(FROM(A), 20);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		assert_int_equal(COUNTER(&w, sessions_failed), 0);
		assert_int_equal(COUNTER(&w, source_failures), 0); /* other hosts may be reached */
		assert_true(COUNTER(&w, source_no_route) > 0);
		world_end(&w);
		begin(&w, TWO_POOLS, decent);
		conn_sim_route(SLICE(B), SLICE("127.0.1.1"), errors[i]);
		w.pool = "other";
		mail(&w, 5);
		world_run(&w, SECOND);
		w.pool = NULL;
		mail(&w, 5);
		world_run(&w, SECOND);
		assert_int_equal(FROM(A), 5);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		conn_sim_route(SLICE(B), SLICE("127.0.1.1"), 0);
		world_run(&w, HOUR);
		assert_int_equal(FROM(B), 5);
		world_end(&w);
	}
}

/* It goes while the connection is open; the silence that follows is not the host's. */
static void an_address_that_goes_under_a_connection_costs_the_site_nothing(void **state)
{
	static const char *const silent[] = { "no-connect\n", "silent\n",
					      "say 220 mx.test\nexpect EHLO\nsilent\n" };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(silent); i++) {
		begin(&w, TWO_POOLS, silent[i]);
		w.pool = "other";
		mail(&w, 1);
		world_run(&w, SECOND);
		assert_int_equal(OPEN(B), 1);
		conn_sim_address(SLICE(B), false);
		world_run(&w, 6 * MINUTE);
		assert_int_equal(COUNTER(&w, source_failures), 1);
		assert_int_equal(COUNTER(&w, sessions_failed), 0);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		world_end(&w);
	}
}

static void a_shortage_of_the_machine_is_nobodys_fault(void **state)
{
	static const int errors[] = {
		-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM, -EAGAIN, -EADDRNOTAVAIL
	};
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(errors); i++) {
		begin(&w, TWO, decent);
		conn_sim_refuse_open(errors[i]);
		mail(&w, 5);
		world_run(&w, SECOND);
		assert_int_equal(world_books(&w).queued, 5);
		conn_sim_refuse_open(0);
		world_run(&w, SECOND);
		assert_int_equal(world_books(&w).delivered, 5);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		assert_int_equal(COUNTER(&w, sources_failing), 0);
		assert_int_equal(COUNTER(&w, deferred), 0);
		world_end(&w);
	}
}

/* ---- a reload ---------------------------------------------------------------------------- */

#define REMOVED CONFIG "egress.sources = default " A " a.test\nsite.idle = 5m\n"
#define DRAINED                                                                                    \
	CONFIG "egress.sources = default " A " a.test, default " B " b.test weight=0\n"            \
	       "site.idle = 5m\n"
#define RENAMED                                                                                    \
	CONFIG "egress.sources = default " A " a.test, default " B " new.test weight=0\n"          \
	       "site.idle = 5m\n"

/* The body takes a while; that transaction still ends. */
static void an_address_that_is_removed_closes_after_the_current_transaction(void **state)
{
	static const char *const after[] = { REMOVED, DRAINED, RENAMED };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(after); i++) {
		begin(&w, TWO "site.idle = 5m\n", "say 220 mx.test\nslow 20 100\nserve\n");
		mail(&w, 4);
		world_run(&w, SECOND);
		assert_int_equal(OPEN(B), 1);
		world_reload(&w, after[i]);
		unsigned opened = conn_sim_opened_from(SLICE(B)), from = FROM(B);
		mail(&w, 20);
		world_run(&w, 30 * SECOND);
		assert_int_equal(OPEN(B), 0);
		assert_int_equal(conn_sim_opened_from(SLICE(B)), opened);
		assert_true(FROM(B) <= from + 2); /* what was in hand */
		world_run(&w, 5 * MINUTE);
		assert_int_equal(world_books(&w).delivered, 24);
		assert_int_equal(COUNTER(&w, deferred), 0);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		world_end(&w);
	}
}

static void an_address_that_is_removed_while_it_connects_costs_the_site_nothing(void **state)
{
	struct world w;

	(void)state;
	begin(&w, TWO, "delay 5000\nsay 220 mx.test\nserve\n");
	mail(&w, 4);
	world_run(&w, SECOND);
	assert_int_equal(OPEN(B), 1);
	world_reload(&w, REMOVED);
	world_run(&w, SECOND);
	assert_int_equal(OPEN(B), 0);
	world_run(&w, MINUTE);
	assert_int_equal(FROM(A), 4);
	assert_int_equal(COUNTER(&w, sessions_failed), 0);
	world_end(&w);
}

static void a_reload_that_keeps_a_source_keeps_its_connections(void **state)
{
	struct world w;

	(void)state;
	begin(&w, TWO "site.idle = 5m\n", decent);
	mail(&w, 4);
	world_run(&w, SECOND);
	unsigned opened = conn_sim_opened();
	world_reload(&w, BY_WEIGHT "site.idle = 5m\n");
	mail(&w, 40);
	world_run(&w, MINUTE);
	assert_int_equal(OPEN(A) + OPEN(B), conn_sim_opened());
	assert_true(conn_sim_opened() >= opened);
	is_near(FROM(A), 32);
	is_near(FROM(B), 12);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_leave_from_the_sources_by_their_weights),
		cmocka_unit_test(messages_one_by_one_over_connections_that_stay_leave_by_weight),
		cmocka_unit_test(
		    many_sites_with_a_message_each_get_them_from_the_sources_by_weight),
		cmocka_unit_test(many_sources_share_few_connections),
		cmocka_unit_test(a_source_that_does_not_use_its_turn_is_not_waited_for),
		cmocka_unit_test(a_source_is_used_for_addresses_of_its_family_only),
		cmocka_unit_test(a_pool_without_the_family_of_a_site_pauses_nobody_else),
		cmocka_unit_test(a_source_that_is_not_on_the_machine_costs_the_site_nothing),
		cmocka_unit_test(a_source_that_recovers_is_used_again_by_itself),
		cmocka_unit_test(
		    a_pool_whose_sources_are_all_broken_waits_alone_and_goes_on_when_one_works),
		cmocka_unit_test(no_way_from_a_source_to_a_host_is_not_the_hosts_fault),
		cmocka_unit_test(an_address_that_goes_under_a_connection_costs_the_site_nothing),
		cmocka_unit_test(a_shortage_of_the_machine_is_nobodys_fault),
		cmocka_unit_test(an_address_that_is_removed_closes_after_the_current_transaction),
		cmocka_unit_test(
		    an_address_that_is_removed_while_it_connects_costs_the_site_nothing),
		cmocka_unit_test(a_reload_that_keeps_a_source_keeps_its_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
