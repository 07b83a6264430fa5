/* Shapes: what providers, sites and domains get; live orders that change it while mail flows. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/file.h"
#include "tests/replay/engine_world.h"

/* big.test and its customers' sites are one provider; one.test and two.test are nobody's. */
static const char providers[] = "[provider big]\nmx = *.big.test\n";

static char file[64], config[1024];

static void start(struct world *w, const char *more, const char *shapes)
{
	int fd;

	(void)snprintf(file, sizeof(file), "/tmp/postern-shape.XXXXXX");
	fd = mkstemp(file);
	assert_in_range(fd, 0, 1 << 20);
	assert_int_equal(file_write_all(fd, slice_str(providers)), 0);
	assert_int_equal(file_write_all(fd, slice_str(shapes)), 0);
	(void)close(fd);
	(void)snprintf(config, sizeof(config), CONFIG "shape.file = %s\n%s", file, more);
	world_start(w, config);
	world_names();
	for (unsigned i = 1; i <= 3; i++) {
		char domain[32], mx[32], ip[32];
		(void)snprintf(domain, sizeof(domain), "c%u.test", i);
		(void)snprintf(mx, sizeof(mx), "10 mx%u.big.test", i);
		(void)snprintf(ip, sizeof(ip), "127.0.2.%u", i);
		world_domain(domain, mx);
		resolver_sim_set(mx + 3, DNS_A, 5, ip);
	}
}

static void end(struct world *w)
{
	world_end(w);
	(void)unlink(file);
}

static void submit(struct world *w, unsigned n, const char *rcpt, uint64_t campaign)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, &rcpt, 1, DAY, "control", campaign);
}

static unsigned arrived(uint64_t campaign)
{
	char subject[32];
	int n = snprintf(subject, sizeof(subject), "Subject: %u\r\n", (unsigned)campaign);
	unsigned found = 0;

	for (unsigned i = 0; i < conn_sim_messages(); i++)
		if (memmem(conn_sim_message(i).p, conn_sim_message(i).n, subject, (size_t)n))
			found++;
	return found;
}

static void a_provider_is_slowed_down_while_mail_flows_and_others_are_not(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "");
	for (unsigned i = 1; i <= 3; i++)
		world_host((const char *[]){ "", "127.0.2.1", "127.0.2.2", "127.0.2.3" }[i],
			   decent);
	world_host("127.0.1.1", decent);
	world_rule(&w, "shape/provider big/provider.rate", "10/s\nann");
	submit(&w, 300, "u@c1.test", 1);
	submit(&w, 300, "u@c2.test", 2);
	submit(&w, 300, "u@one.test", 3);
	world_run(&w, 10 * SECOND);
	assert_int_equal(arrived(3), 300);
	assert_in_range(arrived(1) + arrived(2), 90, 115);
	assert_in_range(arrived(1), 20, 95); /* both of them */
	world_rule(&w, "shape/provider big/provider.rate", "60/m\nann");
	world_run(&w, 10 * SECOND);
	assert_in_range(arrived(1) + arrived(2), 100, 128);
	world_rule(&w, "shape/provider big/provider.rate", "");
	world_run(&w, 10 * SECOND);
	assert_int_equal(world_books(&w).delivered, 900);
	end(&w);
}

static void sites_of_a_provider_share_its_connections(void **state)
{
	struct world w;

	(void)state;
	start(&w, "site.messages = 100000\n",
	      "[provider big]\nprovider.connections = 2\nconnections.start = 20\n");
	for (unsigned i = 1; i <= 3; i++)
		world_host((const char *[]){ "", "127.0.2.1", "127.0.2.2", "127.0.2.3" }[i],
			   "say 220 mx.test\nslow 100 10\nserve\n");
	submit(&w, 1000, "u@c1.test", 1);
	submit(&w, 1000, "u@c2.test", 2);
	world_run(&w, SECOND);
	submit(&w, 5, "u@c3.test", 3);
	for (unsigned i = 0; i < 300 && arrived(3) < 5; i++) {
		world_run(&w, 100);
		assert_in_range(conn_sim_live(), 0, 2);
	}
	assert_int_equal(arrived(3), 5);
	assert_in_range(arrived(1), 20, 500); /* it did not wait for the thousands */
	assert_in_range(arrived(2), 20, 500);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 2005);
	end(&w);
}

static void a_domain_with_a_section_of_its_own_is_a_site_of_its_own(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "");
	world_host("127.0.1.1", decent);
	world_host("127.0.1.2", decent);
	submit(&w, 1, "u@one.test", 1);
	world_run(&w, SECOND);
	world_rule(&w, "shape/domain one.test/rate", "1/s\nann");
	submit(&w, 100, "u@one.test", 1);
	submit(&w, 100, "u@two.test", 2);
	world_run(&w, 10 * SECOND);
	assert_int_equal(arrived(2), 100);
	assert_in_range(arrived(1), 10, 14);
	world_rule(&w, "shape/domain one.test/rate", "");
	world_run(&w, 10 * SECOND);
	assert_int_equal(arrived(1), 101);
	end(&w);
}

static void a_live_order_outlives_a_restart(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "");
	world_host("127.0.2.1", decent);
	world_rule(&w, "shape/provider big/rate", "1/s\nann");
	world_restart(&w);
	submit(&w, 100, "u@c1.test", 1);
	world_run(&w, 10 * SECOND);
	assert_in_range(arrived(1), 9, 13);
	end(&w);
}

static void a_source_has_its_own_number_of_connections_to_a_site(void **state)
{
	struct world w;

	(void)state;
	start(&w, "egress.sources = default 127.0.0.2 a.test\n",
	      "[provider big source 127.0.0.2]\nconnections.per_source = 2\nmessages = 3\n");
	world_host("127.0.2.1", "say 220 mx.test\nslow 100 10\nserve\n");
	world_host("127.0.1.1", "say 220 mx.test\nslow 100 10\nserve\n");
	submit(&w, 60, "u@c1.test", 1);
	for (unsigned i = 0; i < 100; i++) {
		world_run(&w, 20);
		assert_in_range(conn_sim_live(), 0, 2);
	}
	world_run(&w, MINUTE);
	assert_int_equal(arrived(1), 60);
	assert_in_range(conn_sim_opened(), 20, 24); /* three a connection */
	end(&w);
}

static void retries_and_lives_are_a_sites_and_a_tenants(void **state)
{
	struct world w;

	(void)state;
	start(
	    &w, "",
	    "[domain one.test]\nretry = 1m\n[domain one.test tenant 7]\nretry = 30s\nlife = 5m\n");
	world_host("127.0.1.1", full);
	world_host("127.0.1.2", full);
	submit(&w, 1, "u@one.test", 1);
	w.tenant = 7;
	submit(&w, 1, "u@one.test", 7);
	world_run(&w, 10 * MINUTE);
	assert_int_equal(world_books(&w).expired, 1);
	assert_int_equal(world_books(&w).queued, 1);
	/* the tenant's: at 0, 0.5, ... 5 minutes; the other: at 0, 1, ... 10 */
	assert_in_range(COUNTER(&w, deferred), 19, 22);
	end(&w);
}

static void a_pace_of_bytes_spreads_large_mail(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "[provider big]\nprovider.bytes = 600/s\n");
	world_host("127.0.2.1", decent);
	submit(&w, 200, "u@c1.test", 1); /* some 60 bytes each, and what is added to the head */
	world_run(&w, 10 * SECOND);
	assert_in_range(arrived(1), 10, 150);
	world_run(&w, HOUR);
	assert_int_equal(arrived(1), 200);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_provider_is_slowed_down_while_mail_flows_and_others_are_not),
		cmocka_unit_test(sites_of_a_provider_share_its_connections),
		cmocka_unit_test(a_domain_with_a_section_of_its_own_is_a_site_of_its_own),
		cmocka_unit_test(a_live_order_outlives_a_restart),
		cmocka_unit_test(a_source_has_its_own_number_of_connections_to_a_site),
		cmocka_unit_test(retries_and_lives_are_a_sites_and_a_tenants),
		cmocka_unit_test(a_pace_of_bytes_spreads_large_mail),
	};

	return cmocka_run_group_tests_name("engine_shape", tests, NULL, NULL);
}
