/* Limits of a tenant over a source: each combination has its own, another source takes over where
 * it may, and nobody else waits. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "mta/inspect/why.h"
#include "tests/replay/engine_world.h"

#define A "127.0.0.2"
#define B "127.0.0.3"
#define TWO_SOURCES "egress.sources = default " A " a.test, default " B " b.test\n"
#define ONE_SOURCE "egress.sources = default " A " a.test\n"

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

/* ---- who arrived when, and from where ---------------------------------------------------- */

enum { ARRIVALS_MAX = 20000, STEP = 10 };
static struct {
	unsigned tenant;
	bool from_a;
	int64_t ms;
} arrivals[ARRIVALS_MAX];
static unsigned n_arrivals;

static unsigned subject_of(unsigned i)
{
	struct slice m = conn_sim_message(i);
	const char *at = memmem(m.p, m.n, "Subject: ", 9);

	return at ? (unsigned)strtoul(at + 9, NULL, 10) : 0;
}

static void watch(struct world *w, int64_t ms)
{
	for (int64_t passed = 0; passed < ms; passed += STEP) {
		world_run(w, STEP);
		for (; n_arrivals < conn_sim_messages(); n_arrivals++) {
			assert_in_range(n_arrivals, 0, ARRIVALS_MAX - 1);
			arrivals[n_arrivals].tenant = subject_of(n_arrivals);
			arrivals[n_arrivals].from_a =
			    conn_sim_message_is_from(n_arrivals, SLICE(A));
			arrivals[n_arrivals].ms = clock_mono_ms();
		}
	}
}

static unsigned arrived(unsigned tenant, bool from_a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_arrivals; i++)
		n += arrivals[i].tenant == tenant && arrivals[i].from_a == from_a;
	return n;
}

static unsigned in_all(unsigned tenant)
{
	return arrived(tenant, true) + arrived(tenant, false);
}

/* In no window of any length more than the rate allows, and what it lets through at once. */
static void assert_never_above(unsigned tenant, bool from_a, unsigned per_second, int64_t slack)
{
	int64_t at_once = per_second * 100 + 2000; /* thousandths: a tenth of a second, and two */

	for (unsigned i = 0; i < n_arrivals; i++) {
		unsigned n = 0;
		if (arrivals[i].tenant != tenant || arrivals[i].from_a != from_a)
			continue;
		for (unsigned k = i; k < n_arrivals; k++) {
			n += arrivals[k].tenant == tenant && arrivals[k].from_a == from_a;
			if (n * 1000 >
			    (arrivals[k].ms - arrivals[i].ms + slack) * per_second + at_once)
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

/* ---- rates ------------------------------------------------------------------------------- */

static void one_combination_keeps_its_rate_and_the_other_source_takes_over(void **state)
{
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES, "[default tenant 7 source " B "]\nrate = 2/s\n", slow);
	submit(&w, 300, 7, "u@one.test");
	submit(&w, 300, 8, "u@one.test");
	watch(&w, 20 * SECOND);
	assert_never_above(7, false, 2, STEP);
	assert_in_range(arrived(7, false), 20, 42);
	assert_in_range(arrived(8, false), 80, 200); /* the source goes on for the others */
	assert_in_range(in_all(7), in_all(8) * 9 / 10, in_all(8) * 11 / 10);
	watch(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 600);
	end(&w);
}

static void over_its_only_source_it_waits_and_delays_nobody(void **state)
{
	struct world w;

	(void)state;
	start(&w, ONE_SOURCE, "[default source " A " tenant 7]\nrate = 5/s\n", decent);
	submit(&w, 200, 7, "u@one.test");
	submit(&w, 1000, 8, "u@one.test");
	watch(&w, 10 * SECOND);
	assert_never_above(7, true, 5, STEP);
	assert_in_range(in_all(7), 45, 52);
	assert_int_equal(in_all(8), 1000);
	watch(&w, MINUTE);
	assert_int_equal(in_all(7), 200);
	end(&w);
}

static void each_combination_is_counted_apart_and_those_of_tenant_and_source_hold_too(void **state)
{
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES,
	      "[default tenant 7 source " A "]\nrate = 2/s\n"
	      "[default tenant 7 source " B "]\nrate = 3/s\n"
	      "[default tenant 8 source " A "]\nrate = 4/s\n"
	      "[default tenant 9 source " A "]\nrate = 90/s\n[default tenant 9]\nrate = 6/s\n"
	      "[default tenant 8 source " B "]\nrate = 90/s\n[default source " B "]\nrate = 9/s\n",
	      decent);
	for (uint64_t tenant = 7; tenant <= 9; tenant++)
		submit(&w, 400, tenant, "u@one.test");
	watch(&w, 20 * SECOND);
	assert_never_above(7, true, 2, STEP);
	assert_never_above(7, false, 3, STEP);
	assert_never_above(8, true, 4, STEP);
	assert_in_range(arrived(7, true), 37, 43);
	assert_in_range(arrived(8, true), 75, 84);
	assert_in_range(in_all(9), 110, 124);
	assert_in_range(arrived(7, false) + arrived(8, false) + arrived(9, false), 120, 184);
	assert_in_range(arrived(7, false), 30, 63);
	watch(&w, 4 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 1200);
	end(&w);
}

static void at_a_provider_it_is_one_for_all_its_sites(void **state)
{
	static const char *const rcpts[] = { "u@c1.test", "u@c2.test", "u@c3.test" };
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES,
	      "[provider big tenant 7 source " A "]\nprovider.rate = 5/s\n"
	      "[provider big tenant 7 source " B "]\nprovider.rate = 10/s\n",
	      decent);
	for (unsigned i = 0; i < ARRAY_LEN(rcpts); i++) {
		submit(&w, 200, 7, rcpts[i]);
		submit(&w, 200, 8, rcpts[i]);
	}
	watch(&w, 10 * SECOND);
	assert_never_above(7, true, 5, STEP);
	assert_never_above(7, false, 10, STEP);
	assert_in_range(in_all(7), 120, 155);
	assert_int_equal(in_all(8), 600);
	watch(&w, 2 * MINUTE);
	assert_int_equal(in_all(7), 600);
	end(&w);
}

static void bytes_of_one_combination_have_their_rate(void **state)
{
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES, "[default tenant 7 source " A "]\nbytes = 500/s\n", decent);
	submit(&w, 300, 7, "u@one.test");
	submit(&w, 300, 8, "u@one.test");
	watch(&w, 20 * SECOND);
	assert_int_equal(in_all(7), 300);
	/* None has less than 200 bytes, and the first goes before it is counted. */
	assert_in_range(arrived(7, true), 1, 20 * 500 / 200 + 2);
	assert_in_range(arrived(8, true), 100, 300);
	end(&w);
}

/* ---- connections ------------------------------------------------------------------------- */

static void one_combination_has_no_more_connections_than_it_may(void **state)
{
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES, "[site mx1.test tenant 7 source " B "]\nconnections = 2\n", slow);
	submit(&w, 500, 7, "u@one.test");
	submit(&w, 500, 8, "u@one.test");
	watch(&w, 20 * SECOND);
	assert_never_above(7, false, 2, SECOND + STEP); /* a second for each on a connection */
	assert_in_range(arrived(7, false), 15, 42);
	assert_in_range(arrived(8, false), 80, 250);
	assert_in_range(in_all(7), in_all(8) * 8 / 10, in_all(8) * 12 / 10);
	end(&w);
}

static void no_source_has_a_connection_left_and_the_next_that_ends_goes_on(void **state)
{
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES,
	      "[site mx1.test tenant 7 source " A "]\nconnections = 1\n"
	      "[site mx1.test tenant 7 source " B "]\nconnections = 2\n",
	      slow);
	submit(&w, 100, 7, "u@one.test");
	watch(&w, 20 * SECOND);
	assert_never_above(7, true, 1, SECOND + STEP);
	assert_never_above(7, false, 2, SECOND + STEP);
	assert_in_range(in_all(7), 35, 61);
	watch(&w, MINUTE);
	assert_int_equal(in_all(7), 100);
	end(&w);
}

/* ---- the rest ---------------------------------------------------------------------------- */

static void it_changes_while_mail_waits_and_outlives_a_restart(void **state)
{
	struct world w;

	(void)state;
	start(&w, ONE_SOURCE, "[default tenant 7 source " A "]\nrate = 10/d\n", decent);
	submit(&w, 200, 7, "u@one.test");
	watch(&w, 10 * SECOND);
	assert_in_range(in_all(7), 1, 2);
	world_rule(&w, "shape/default tenant 7 source " A "/rate", "10/s\nann");
	watch(&w, 5 * SECOND);
	assert_in_range(in_all(7), 45, 56);
	world_restart(&w);
	watch(&w, 5 * SECOND);
	assert_in_range(in_all(7), 90, 110);
	world_rule(&w, "shape/default tenant 7 source " A "/rate", "none\nann");
	watch(&w, SECOND);
	assert_int_equal(in_all(7), 200);
	end(&w);
}

static void passwords_of_the_tenant_go_first_over_its_source(void **state)
{
	int64_t began;
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES,
	      "[default tenant 7 source " A "]\nrate = 1/s\n"
	      "[default tenant 7 source " B "]\nrate = 1/s\n",
	      decent);
	submit(&w, 1000, 7, "u@one.test");
	watch(&w, 3 * SECOND);
	for (unsigned i = 1; i <= 10; i++) {
		began = clock_mono_ms();
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 100 + i);
		while (world_place_of(100 + i) < 0 && clock_mono_ms() - began < MINUTE)
			watch(&w, STEP);
		assert_in_range(clock_mono_ms() - began, 0, SECOND + 120);
	}
	end(&w);
}

static void bulk_of_others_goes_while_passwords_may_not_leave_from_a_source(void **state)
{
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES, "[default tenant 7 source " A "]\nrate = 1/d\n", slow);
	w.tenant = 7;
	for (unsigned i = 0; i < 600; i++)
		world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 7);
	submit(&w, 100, 8, "u@one.test");
	watch(&w, 15 * SECOND);
	assert_in_range(arrived(7, true), 0, 1);
	assert_in_range(arrived(8, true), 50, 100);
	end(&w);
}

static void recipients_of_a_transaction_differ_by_combination(void **state)
{
	const char *rcpts[10];
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES, "[default tenant 7 source " A "]\nrecipients = 2\n", decent);
	for (unsigned i = 0; i < ARRAY_LEN(rcpts); i++)
		rcpts[i] = "u@one.test";
	w.tenant = 7;
	for (unsigned i = 0; i < 10; i++)
		world_submit(&w, rcpts, ARRAY_LEN(rcpts), DAY, "control", 7);
	watch(&w, 10 * SECOND);
	assert_int_equal(world_books(&w).delivered, 100);
	assert_in_range(arrived(7, true), 1, 40);
	/* Messages from A carry two, those from B up to ten. */
	assert_in_range(arrived(7, true) * 2 + arrived(7, false) * 10, 100, 200);
	assert_true(arrived(7, true) * 2 < 100);
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

static void why_names_the_combination_and_its_line(void **state)
{
	const struct why_reason *r;
	char at[256];
	struct world w;

	(void)state;
	start(&w, ONE_SOURCE,
	      "[default tenant 7 source " A "]\nrate = 6/m\n"
	      "[provider big source " A " tenant 7]\nprovider.connections = 1\n",
	      slow);
	submit(&w, 10, 7, "u@one.test");
	submit(&w, 10, 7, "u@c1.test");
	watch(&w, 2 * SECOND + 500);
	(void)snprintf(at, sizeof(at),
		       "tenant 7 may send 6/m to mx1.test from " A ", and sends its next message "
		       "then; %s:4 [default tenant 7 source " A "]",
		       file);
	r = reason(&w, "domain/one.test", "tenant-rate");
	assert_non_null(r);
	assert_string_equal(r->text, at);
	assert_in_range(r->until_ms - clock_wall_ms(), 1, 10 * SECOND);
	assert_null(reason(&w, "tenant/8", "tenant-rate"));
	end(&w);
}

static void why_names_the_source_that_may_not_while_the_other_goes_on(void **state)
{
	const struct why_reason *r;
	struct world w;

	(void)state;
	start(&w, TWO_SOURCES, "[default tenant 7 source " B "]\nrate = 6/m\n", slow);
	submit(&w, 500, 7, "u@one.test");
	watch(&w, 3 * SECOND);
	r = reason(&w, "tenant/7", "tenant-rate");
	assert_non_null(r);
	assert_non_null(strstr(r->text, "to mx1.test from " B));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    one_combination_keeps_its_rate_and_the_other_source_takes_over, setup),
		cmocka_unit_test_setup(over_its_only_source_it_waits_and_delays_nobody, setup),
		cmocka_unit_test_setup(
		    each_combination_is_counted_apart_and_those_of_tenant_and_source_hold_too,
		    setup),
		cmocka_unit_test_setup(at_a_provider_it_is_one_for_all_its_sites, setup),
		cmocka_unit_test_setup(bytes_of_one_combination_have_their_rate, setup),
		cmocka_unit_test_setup(one_combination_has_no_more_connections_than_it_may, setup),
		cmocka_unit_test_setup(
		    no_source_has_a_connection_left_and_the_next_that_ends_goes_on, setup),
		cmocka_unit_test_setup(it_changes_while_mail_waits_and_outlives_a_restart, setup),
		cmocka_unit_test_setup(passwords_of_the_tenant_go_first_over_its_source, setup),
		cmocka_unit_test_setup(
		    bulk_of_others_goes_while_passwords_may_not_leave_from_a_source, setup),
		cmocka_unit_test_setup(recipients_of_a_transaction_differ_by_combination, setup),
		cmocka_unit_test_setup(why_names_the_combination_and_its_line, setup),
		cmocka_unit_test_setup(why_names_the_source_that_may_not_while_the_other_goes_on,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
