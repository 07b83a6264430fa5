/* A source that can be bound and reaches nobody: it is told apart from hosts that are dead, and
 * from hosts that only do not want it. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/egress/egress.h"
#include "tests/replay/engine_world.h"

#define A "127.0.0.2"
#define B "127.0.0.3"
#define TWO                                                                                        \
	CONFIG "egress.sources = default " A " a.test, default " B " b.test\nsite.idle = 1s\n"     \
	       "source.backoff_min = 10s\nsource.backoff_max = 1m\n"
#define FROM(ip) conn_sim_messages_from(SLICE(ip))

enum { SITES_MAX = 5, MANY = 12 };

static void name_of(unsigned i, char ip[static 32])
{
	(void)snprintf(ip, 32, "127.0.2.%u", i + 1);
}

static void begin(struct world *w, unsigned sites)
{
	char domain[32], mx[32], ip[32];

	world_start(w, TWO);
	for (unsigned i = 0; i < sites; i++) {
		(void)snprintf(domain, sizeof(domain), "d%u.test", i);
		(void)snprintf(mx, sizeof(mx), "10 m%u.test", i);
		name_of(i, ip);
		world_domain(domain, mx);
		resolver_sim_set(mx + 3, DNS_A, 5, ip);
		world_host(ip, decent);
	}
}

/* A message to each of the sites, every so often. */
static void mail(struct world *w, unsigned first, unsigned end, unsigned times)
{
	char rcpt[32];
	const char *one = rcpt;

	for (unsigned k = 0; k < times; k++)
		for (unsigned i = first; i < end; i++) {
			(void)snprintf(rcpt, sizeof(rcpt), "u@d%u.test", i);
			world_submit(w, &one, 1, DAY, "control", 1);
			world_submit(w, &one, 1, DAY, "control", 1);
			world_run(w, 20 * SECOND);
		}
}

static void no_way(unsigned i, int err)
{
	char ip[32];

	name_of(i, ip);
	conn_sim_route(SLICE(B), slice_str(ip), err);
}

static int err_of(struct world *w, unsigned i)
{
	struct egress_fact f;

	assert_true(egress_fact(w->engine, i, &f));
	return source_err(f.source);
}

static void a_source_that_reaches_nobody_is_taken_out_and_comes_back(void **state UNUSED)
{
	static const int how[] = { E_TIMEOUT, -ECONNREFUSED, -EHOSTUNREACH };
	struct world w;

	for (unsigned i = 0; i < ARRAY_LEN(how); i++) {
		begin(&w, 4);
		mail(&w, 0, 4, 2);
		assert_true(FROM(B) > 0);
		conn_sim_cut_off(SLICE(B), how[i]);
		mail(&w, 0, 4, 20);
		world_run(&w, 20 * MINUTE);
		assert_int_equal(err_of(&w, 1), E_CUT_OFF);
		assert_int_equal(err_of(&w, 0), 0);
		assert_int_equal(COUNTER(&w, source_failures), 1);
		assert_int_equal(COUNTER(&w, sources_failing), 1);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		assert_int_equal(world_books(&w).queued, 0);
		unsigned before = conn_sim_opened_from(SLICE(B));
		mail(&w, 0, 4, 2); /* no mail is risked on it; it is looked at */
		assert_int_equal(world_books(&w).queued, 0);
		assert_in_range(conn_sim_opened_from(SLICE(B)) - before, 1, 6);
		conn_sim_cut_off(SLICE(B), 0);
		world_run(&w, 2 * MINUTE);
		assert_int_equal(err_of(&w, 1), 0);
		before = FROM(B);
		mail(&w, 0, 4, 2);
		assert_true(FROM(B) > before);
		world_end(&w);
	}
}

static void no_way_to_anybody_is_the_same(void **state UNUSED)
{
	struct world w;

	begin(&w, 3);
	mail(&w, 0, 3, 2);
	for (unsigned i = 0; i < 3; i++)
		no_way(i, -ENETUNREACH);
	mail(&w, 0, 3, 30);
	assert_int_equal(err_of(&w, 1), E_CUT_OFF);
	for (unsigned i = 0; i < 3; i++)
		no_way(i, 0);
	world_run(&w, 2 * MINUTE);
	assert_int_equal(err_of(&w, 1), 0);
	world_end(&w);
}

static void hosts_that_are_dead_for_everybody_take_no_source_out(void **state UNUSED)
{
	static const char *const dead[] = { "no-connect\n", "refuse\n" };
	char ip[32];
	struct world w;

	for (unsigned i = 0; i < ARRAY_LEN(dead); i++) {
		begin(&w, SITES_MAX);
		mail(&w, 0, SITES_MAX, 2);
		for (unsigned k = 0; k < SITES_MAX; k++) {
			name_of(k, ip);
			world_host(ip, dead[i]);
		}
		mail(&w, 0, SITES_MAX, 20);
		world_run(&w, HOUR);
		assert_int_equal(COUNTER(&w, source_failures), 0);
		assert_true(COUNTER(&w, site_backoffs) > 0);
		for (unsigned k = 0; k < SITES_MAX; k++) {
			name_of(k, ip);
			world_host(ip, decent);
		}
		world_run(&w, 2 * HOUR);
		assert_int_equal(COUNTER(&w, source_failures), 0);
		assert_int_equal(world_books(&w).queued, 0);
		world_end(&w);
	}
}

/* Two providers filter it, again and again, and it has mail for nobody else. */
static void hosts_of_two_sites_that_do_not_want_it_take_no_source_out(void **state UNUSED)
{
	struct world w;

	begin(&w, 2);
	mail(&w, 0, 2, 2);
	conn_sim_cut_off(SLICE(B), -ECONNREFUSED);
	mail(&w, 0, 2, 60);
	assert_int_equal(COUNTER(&w, source_failures), 0);
	assert_int_equal(COUNTER(&w, site_backoffs), 0);
	assert_int_equal(world_books(&w).queued, 0);
	assert_true(COUNTER(&w, source_no_route) > 2);
	world_end(&w);
}

static void a_source_that_reaches_anybody_at_all_stays(void **state UNUSED)
{
	struct world w;

	begin(&w, SITES_MAX);
	mail(&w, 0, SITES_MAX, 2);
	for (unsigned i = 0; i < 4; i++)
		no_way(i, -ENETUNREACH);
	mail(&w, 0, SITES_MAX, 30);
	assert_int_equal(COUNTER(&w, source_failures), 0);
	assert_int_equal(world_books(&w).queued, 0);
	world_end(&w);
}

/* Some of the hosts are missed by this source first and some by that; nobody reaches them after. */
static void when_the_network_is_gone_no_source_is_blamed(void **state UNUSED)
{
	struct world w;

	begin(&w, MANY);
	mail(&w, 0, MANY, 2);
	conn_sim_cut_off(SLICE(A), -EHOSTUNREACH);
	conn_sim_cut_off(SLICE(B), -EHOSTUNREACH);
	for (unsigned i = 0; i < MANY; i++) {
		mail(&w, i, i + 1, 1);
		world_run(&w, 30 * SECOND);
	}
	world_run(&w, HOUR);
	assert_int_equal(COUNTER(&w, source_failures), 0);
	conn_sim_cut_off(SLICE(A), 0);
	conn_sim_cut_off(SLICE(B), 0);
	world_run(&w, 2 * HOUR);
	assert_int_equal(COUNTER(&w, source_failures), 0);
	assert_int_equal(world_books(&w).queued, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_that_reaches_nobody_is_taken_out_and_comes_back),
		cmocka_unit_test(no_way_to_anybody_is_the_same),
		cmocka_unit_test(hosts_that_are_dead_for_everybody_take_no_source_out),
		cmocka_unit_test(hosts_of_two_sites_that_do_not_want_it_take_no_source_out),
		cmocka_unit_test(a_source_that_reaches_anybody_at_all_stays),
		cmocka_unit_test(when_the_network_is_gone_no_source_is_blamed),
	};

	return cmocka_run_group_tests_name("engine_reach", tests, NULL, NULL);
}
