/* Limits that tenants and sources have of their own: none is exceeded, and nobody else waits. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "mta/inspect/why.h"
#include "mta/tenants/tenancy.h"
#include "tests/replay/engine_world.h"

/* A second for each message. */
static const char slow[] =
    "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 PIPELINING\\r\\n\nmark\n"
    "expect MAIL\nsay 250 ok\nexpect RCPT\nsay 250 ok\nexpect DATA\nsay 354 go\nbody\n"
    "delay 1000\nsay 250 ok\nagain\n";

static char file[64], config[1024];

/* c1.test to c3.test, each with hosts of its own, are one provider. */
static void start(struct world *w, const char *more, const char *shapes, const char *script)
{
	int fd;

	(void)snprintf(file, sizeof(file), "/tmp/postern-tenants.XXXXXX");
	fd = mkstemp(file);
	assert_in_range(fd, 0, 1 << 20);
	assert_int_equal(file_write_all(fd, SLICE("[provider big]\nmx = *.big.test\n")), 0);
	assert_int_equal(file_write_all(fd, slice_str(shapes)), 0);
	(void)close(fd);
	(void)snprintf(config, sizeof(config),
		       CONFIG "site.messages = 100000\nsite.connections_start = 20\n"
			      "shape.file = %s\n%s",
		       file, more);
	world_start(w, config);
	world_names();
	world_host("127.0.1.1", script);
	for (unsigned i = 1; i <= 3; i++) {
		char domain[32], mx[32], ip[32];
		(void)snprintf(domain, sizeof(domain), "c%u.test", i);
		(void)snprintf(mx, sizeof(mx), "10 mx%u.big.test", i);
		(void)snprintf(ip, sizeof(ip), "127.0.2.%u", i);
		world_domain(domain, mx);
		resolver_sim_set(mx + 3, DNS_A, 5, ip);
		world_host(ip, script);
	}
}

static void end(struct world *w)
{
	world_end(w);
	(void)unlink(file);
}

/* The campaign is the tenant's number, so that a message tells whose it is. */
static void submit(struct world *w, unsigned n, uint64_t tenant, const char *rcpt)
{
	w->tenant = tenant;
	for (unsigned i = 0; i < n; i++)
		world_submit(w, &rcpt, 1, DAY, "control", tenant);
}

/* ---- who arrived when -------------------------------------------------------------------- */

enum { ARRIVALS_MAX = 20000 };
static struct {
	unsigned tenant;
	int64_t ms;
} arrivals[ARRIVALS_MAX];
static unsigned n_arrivals;

static unsigned subject_of(unsigned i)
{
	struct slice m = conn_sim_message(i);
	const char *at = memmem(m.p, m.n, "Subject: ", 9);

	return at ? (unsigned)strtoul(at + 9, NULL, 10) : 0;
}

static void watch(struct world *w, int64_t ms, int64_t step)
{
	for (int64_t passed = 0; passed < ms; passed += step) {
		world_run(w, step);
		for (; n_arrivals < conn_sim_messages(); n_arrivals++) {
			assert_in_range(n_arrivals, 0, ARRIVALS_MAX - 1);
			arrivals[n_arrivals].tenant = subject_of(n_arrivals);
			arrivals[n_arrivals].ms = clock_mono_ms();
		}
	}
}

static unsigned arrived(unsigned tenant)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_arrivals; i++)
		n += arrivals[i].tenant == tenant;
	return n;
}

/* In no window of any length more than its rate allows, and what it lets through at once. */
static void assert_never_above(unsigned tenant, unsigned per_second, int64_t step)
{
	int64_t at_once = per_second * 100 + 2000; /* thousandths: a tenth of a second, and two */

	for (unsigned i = 0; i < n_arrivals; i++) {
		unsigned n = 0;
		if (arrivals[i].tenant != tenant)
			continue;
		for (unsigned k = i; k < n_arrivals; k++) {
			n += arrivals[k].tenant == tenant;
			if (n * 1000 >
			    (arrivals[k].ms - arrivals[i].ms + step) * per_second + at_once)
				fail_msg("%u messages of tenant %u in %d ms", n, tenant,
					 (int)(arrivals[k].ms - arrivals[i].ms));
		}
	}
}

static int setup(void **state)
{
	(void)state;
	n_arrivals = 0;
	return 0;
}

/* ---- tenants ----------------------------------------------------------------------------- */

static void a_tenant_keeps_its_rate_at_a_site_and_delays_nobody(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "[default tenant 7]\nrate = 20/s\n", decent);
	submit(&w, 1000, 7, "u@one.test");
	submit(&w, 1000, 8, "u@one.test");
	watch(&w, 10 * SECOND, 10);
	assert_never_above(7, 20, 10);
	assert_in_range(arrived(7), 190, 206);
	assert_int_equal(arrived(8), 1000);
	watch(&w, MINUTE, 100);
	assert_int_equal(world_books(&w).delivered, 2000);
	end(&w);
}

static void a_tenants_rate_is_one_for_all_sites_of_a_provider(void **state)
{
	static const char *const rcpts[] = { "u@c1.test", "u@c2.test", "u@c3.test" };
	struct world w;

	(void)state;
	start(&w, "", "[provider big tenant 7]\nprovider.rate = 20/s\n", decent);
	for (unsigned i = 0; i < 3; i++) {
		submit(&w, 400, 7, rcpts[i]);
		submit(&w, 400, 8, rcpts[i]);
	}
	watch(&w, 10 * SECOND, 10);
	assert_never_above(7, 20, 10);
	assert_in_range(arrived(7), 185, 206);
	assert_int_equal(arrived(8), 1200);
	watch(&w, 2 * MINUTE, 100);
	assert_int_equal(world_books(&w).delivered, 2400);
	end(&w);
}

static void a_tenant_has_no_more_connections_than_it_may_and_others_have_theirs(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "[site mx1.test tenant 7]\nconnections = 3\n", slow);
	submit(&w, 1000, 7, "u@one.test");
	submit(&w, 1000, 8, "u@one.test");
	watch(&w, 20 * SECOND, 10);
	assert_never_above(7, 3, SECOND + 10); /* a second for each on a connection */
	assert_in_range(arrived(7), 25, 61);   /* some wait in hand behind another tenant's */
	assert_in_range(arrived(8), 16 * 15, 17 * 21);
	end(&w);
}

static void connections_of_a_tenant_count_over_all_sites_of_a_provider(void **state)
{
	static const char *const rcpts[] = { "u@c1.test", "u@c2.test", "u@c3.test" };
	struct world w;

	(void)state;
	start(&w, "", "[provider big tenant 7]\nprovider.connections = 2\n", slow);
	for (unsigned i = 0; i < 3; i++)
		submit(&w, 300, 7, rcpts[i]);
	watch(&w, 20 * SECOND, 10);
	assert_never_above(7, 2, SECOND + 10);
	assert_in_range(arrived(7), 35, 41);
	end(&w);
}

static void a_tenants_password_goes_before_its_bulk_under_its_rate(void **state)
{
	int64_t began;
	struct world w;

	(void)state;
	start(&w, "", "[default tenant 7]\nrate = 2/s\n", decent);
	submit(&w, 1000, 7, "u@one.test");
	watch(&w, 3 * SECOND, 10);
	for (unsigned i = 1; i <= 10; i++) {
		began = clock_mono_ms();
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 100 + i);
		while (world_place_of(100 + i) < 0 && clock_mono_ms() - began < MINUTE)
			watch(&w, 10, 10);
		assert_in_range(clock_mono_ms() - began, 0, SECOND + 20);
	}
	end(&w);
}

static void a_tenants_limits_change_while_it_waits(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "[default tenant 7]\nrate = 10/d\n", decent);
	submit(&w, 100, 7, "u@one.test");
	watch(&w, 10 * SECOND, 100);
	assert_in_range(arrived(7), 1, 2);
	world_rule(&w, "shape/default tenant 7/rate", "10/s\nann");
	watch(&w, 5 * SECOND, 10);
	assert_in_range(arrived(7), 45, 56);
	world_rule(&w, "shape/default tenant 7/rate", "none\nann");
	watch(&w, SECOND, 10);
	assert_int_equal(arrived(7), 100);
	end(&w);
}

static void a_limit_of_a_tenant_in_a_pool_is_the_pools(void **state)
{
	struct world w;

	(void)state;
	start(&w, "egress.sources = default 127.0.0.2 a.test, warm 127.0.0.3 b.test\n",
	      "[default tenant 7 pool warm]\nrate = 5/s\n", decent);
	submit(&w, 300, 7, "u@one.test");
	w.pool = "warm";
	submit(&w, 300, 7, "u@one.test");
	watch(&w, 10 * SECOND, 100);
	assert_int_equal(conn_sim_messages_from(SLICE("127.0.0.2")), 300);
	assert_in_range(conn_sim_messages_from(SLICE("127.0.0.3")), 45, 53);
	end(&w);
}

static void a_tenant_may_have_fewer_recipients_in_a_transaction(void **state)
{
	const char *rcpts[10];
	struct world w;

	(void)state;
	start(&w, "", "[default tenant 7]\nrecipients = 2\n", decent);
	for (unsigned i = 0; i < ARRAY_LEN(rcpts); i++)
		rcpts[i] = "u@one.test";
	for (w.tenant = 7; w.tenant <= 8; w.tenant++)
		world_submit(&w, rcpts, ARRAY_LEN(rcpts), DAY, "control", w.tenant);
	watch(&w, 10 * SECOND, 100);
	assert_int_equal(arrived(7), 5);
	assert_int_equal(arrived(8), 1);
	end(&w);
}

/* ---- limits whatever the provider -------------------------------------------------------- */

static void a_tenants_rate_holds_over_all_providers_and_outlives_a_restart(void **state)
{
	static const char *const rcpts[] = { "u@one.test", "u@c1.test", "u@c2.test" };
	struct world w;

	(void)state;
	start(&w, "tenant.limit = 7 rate=5/s, * queue=100000\n", "", decent);
	for (unsigned i = 0; i < 3; i++) {
		submit(&w, 300, 7, rcpts[i]);
		submit(&w, 300, 8, rcpts[i]);
	}
	watch(&w, 10 * SECOND, 10);
	assert_never_above(7, 5, 10);
	assert_in_range(arrived(7), 45, 52);
	assert_int_equal(arrived(8), 900);
	world_rule(&w, "limit/tenant/7", "rate=20/s\nann at noon\n\n");
	watch(&w, 10 * SECOND, 10);
	assert_in_range(arrived(7), 230, 256);
	world_restart(&w);
	watch(&w, 10 * SECOND, 10);
	assert_in_range(arrived(7), 400, 465);
	world_rule(&w, "limit/tenant/7", "\nann at one\n\nrate=20/s\n");
	watch(&w, 10 * SECOND, 10);
	assert_in_range(arrived(7), 445, 520);
	end(&w);
}

static void a_tenant_has_so_many_connections_at_each_provider(void **state)
{
	struct world w;

	(void)state;
	start(&w, "tenant.limit = 7 connections=2\n",
	      "[provider big tenant 7]\n"
	      "provider.connections = 5\n",
	      slow);
	submit(&w, 300, 7, "u@one.test");
	watch(&w, 10 * SECOND, 10);
	assert_never_above(7, 2, SECOND + 10);
	assert_in_range(arrived(7), 15, 21);
	submit(&w, 300, 7, "u@c1.test");
	submit(&w, 300, 7, "u@c2.test");
	watch(&w, 10 * SECOND, 10); /* the lower one of two holds */
	assert_in_range(arrived(7), 50, 61);
	end(&w);
}

static uint64_t queued(struct world *w, uint64_t tenant)
{
	return tenancy_queued(tenancy_of(w->engine), tenant);
}

static void what_is_queued_of_a_tenant_is_counted_at_every_moment(void **state)
{
	struct world w;

	(void)state;
	start(&w, "", "[default tenant 7]\nrate = 10/s\n", decent);
	submit(&w, 200, 7, "u@one.test");
	submit(&w, 50, 8, "u@nowhere.test");
	assert_int_equal(queued(&w, 7), 200);
	for (unsigned i = 0; i < 50; i++) {
		watch(&w, 100, 100);
		assert_int_equal(queued(&w, 7) + queued(&w, 8), world_books(&w).queued);
	}
	world_restart(&w);
	assert_int_equal(queued(&w, 7) + queued(&w, 8), world_books(&w).queued);
	watch(&w, 5 * SECOND, 100);
	assert_int_equal(queued(&w, 7) + queued(&w, 8), world_books(&w).queued);
	world_rule(&w, "hold/tenant/7", "ann");
	watch(&w, SECOND, 100);
	world_rule(&w, "cancel/tenant/7", "ann");
	watch(&w, 10 * SECOND, 100);
	assert_int_equal(queued(&w, 7), 0);
	assert_int_equal(queued(&w, 8), world_books(&w).queued);
	end(&w);
}

static void campaigns_of_a_tenant_have_their_weights(void **state)
{
	struct world w;

	(void)state;
	start(&w, "site.connections = 1\n", "", slow);
	w.tenant = 7;
	world_rule(&w, "limit/campaign/31", "weight=3\nann\n\n");
	for (unsigned i = 0; i < 400; i++) {
		world_submit(&w, one_rcpt, 1, DAY, "control", 30);
		world_submit(&w, one_rcpt, 1, DAY, "control", 31);
	}
	watch(&w, 320 * SECOND, SECOND);
	assert_in_range(arrived(30), 70, 90);
	assert_in_range(arrived(31), 225, 250);
	end(&w);
}

/* ---- sources ----------------------------------------------------------------------------- */

#define TWO_SOURCES "egress.sources = default 127.0.0.2 a.test, default 127.0.0.3 b.test\n"

static void a_source_keeps_its_rate_and_the_others_take_over(void **state)
{
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES, "[default source 127.0.0.3]\nrate = 2/s\n", slow);
	submit(&w, 1000, 7, "u@one.test");
	for (unsigned i = 1; i <= 20; i++) {
		watch(&w, SECOND, 10);
		assert_in_range(conn_sim_messages_from(SLICE("127.0.0.3")), 0, 2 * i + 2);
	}
	assert_in_range(conn_sim_messages_from(SLICE("127.0.0.3")), 25, 42);
	assert_in_range(conn_sim_messages_from(SLICE("127.0.0.2")), 150, 400);
	end(&w);
}

static void a_source_alone_keeps_its_rate_at_a_provider(void **state)
{
	struct world w;

	(void)state;
	start(&w, "egress.sources = default 127.0.0.2 a.test\n",
	      "[provider big source 127.0.0.2]\nprovider.rate = 10/s\n", decent);
	submit(&w, 300, 7, "u@c1.test");
	submit(&w, 300, 7, "u@c2.test");
	submit(&w, 300, 8, "u@one.test");
	watch(&w, 10 * SECOND, 10);
	assert_never_above(7, 10, 10);
	assert_in_range(arrived(7), 85, 103);
	assert_int_equal(arrived(8), 300);
	watch(&w, MINUTE, 100);
	assert_int_equal(arrived(7), 600);
	end(&w);
}

static void a_source_has_no_more_connections_than_it_may(void **state)
{
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES, "[site mx1.test source 127.0.0.3]\nconnections = 2\n", slow);
	submit(&w, 1000, 7, "u@one.test");
	for (unsigned i = 0; i < 2000; i++) {
		watch(&w, 10, 10);
		assert_in_range(conn_sim_open_from(SLICE("127.0.0.3")), 0, 2);
	}
	assert_in_range(conn_sim_open_from(SLICE("127.0.0.2")), 5, 18);
	world_rule(&w, "shape/site mx1.test source 127.0.0.3/connections", "1\nann");
	watch(&w, 3 * SECOND, 10);
	assert_in_range(conn_sim_open_from(SLICE("127.0.0.3")), 0, 1);
	end(&w);
}

/* ---- why --------------------------------------------------------------------------------- */

struct told {
	struct why_reason at[64];
	unsigned n;
};

static int note(void *arg, const struct why_reason *r)
{
	struct told *t = arg;

	assert_in_range(t->n, 0, ARRAY_LEN(t->at) - 1);
	t->at[t->n++] = *r;
	return 0;
}

static const struct why_reason *reason(struct world *w, const char *what, const char *kind)
{
	static struct told t;

	t.n = 0;
	(void)world_why(w, what, note, &t);
	for (unsigned i = 0; i < t.n; i++)
		if (strcmp(t.at[i].kind, kind) == 0)
			return &t.at[i];
	return NULL;
}

static void why_names_the_limit_and_its_line(void **state)
{
	const struct why_reason *r;
	char at[256];
	struct world w;

	(void)state;
	start(&w, "egress.sources = default 127.0.0.2 a.test\n",
	      "[site mx1.test tenant 7]\nrate = 6/m\n[provider big tenant 7]\n"
	      "provider.connections = 1\n[default source 127.0.0.2]\nrate = 100/s\n"
	      "[site mx2.test source 127.0.0.2]\nrate = 6/m\n",
	      slow);
	world_domain("two.test", "10 mx2.test");
	world_host("127.0.1.2", slow);
	submit(&w, 10, 7, "u@one.test");
	submit(&w, 10, 7, "u@c1.test");
	submit(&w, 10, 8, "u@two.test");
	watch(&w, 2 * SECOND + 500, 10);
	(void)snprintf(at, sizeof(at),
		       "tenant 7 may send 6/m to mx1.test, and sends its next "
		       "message then; %s:4 [site mx1.test tenant 7]",
		       file);
	r = reason(&w, "domain/one.test", "tenant-rate");
	assert_non_null(r);
	assert_string_equal(r->text, at);
	assert_in_range(r->until_ms - clock_wall_ms(), 1, 10 * SECOND);
	assert_non_null(strstr(r->release, "tenant limit"));
	(void)snprintf(at, sizeof(at),
		       "all 1 connections that tenant 7 may have to provider big carry "
		       "its mail; %s:6 [provider big tenant 7]",
		       file);
	r = reason(&w, "tenant/7", "tenant-connections");
	assert_non_null(r);
	assert_string_equal(r->text, at);
	assert_null(reason(&w, "tenant/8", "tenant-rate"));
	(void)snprintf(at, sizeof(at), "%s:10 [site mx2.test source 127.0.0.2]", file);
	r = reason(&w, "source/127.0.0.2", "source-rate");
	assert_non_null(r);
	assert_non_null(strstr(r->text, at));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_tenant_keeps_its_rate_at_a_site_and_delays_nobody, setup),
		cmocka_unit_test_setup(a_tenants_rate_is_one_for_all_sites_of_a_provider, setup),
		cmocka_unit_test_setup(
		    a_tenant_has_no_more_connections_than_it_may_and_others_have_theirs, setup),
		cmocka_unit_test_setup(connections_of_a_tenant_count_over_all_sites_of_a_provider,
				       setup),
		cmocka_unit_test_setup(a_tenants_password_goes_before_its_bulk_under_its_rate,
				       setup),
		cmocka_unit_test_setup(a_tenants_limits_change_while_it_waits, setup),
		cmocka_unit_test_setup(a_limit_of_a_tenant_in_a_pool_is_the_pools, setup),
		cmocka_unit_test_setup(a_tenant_may_have_fewer_recipients_in_a_transaction, setup),
		cmocka_unit_test_setup(
		    a_tenants_rate_holds_over_all_providers_and_outlives_a_restart, setup),
		cmocka_unit_test_setup(a_tenant_has_so_many_connections_at_each_provider, setup),
		cmocka_unit_test_setup(what_is_queued_of_a_tenant_is_counted_at_every_moment,
				       setup),
		cmocka_unit_test_setup(campaigns_of_a_tenant_have_their_weights, setup),
		cmocka_unit_test_setup(a_source_keeps_its_rate_and_the_others_take_over, setup),
		cmocka_unit_test_setup(a_source_alone_keeps_its_rate_at_a_provider, setup),
		cmocka_unit_test_setup(a_source_has_no_more_connections_than_it_may, setup),
		cmocka_unit_test_setup(why_names_the_limit_and_its_line, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
