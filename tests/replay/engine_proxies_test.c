/* Sources behind proxies: SOCKS5 and the PROXY protocol, and whose fault it is when one fails. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/file.h"
#include "mta/egress/egress.h"
#include "tests/replay/engine_world.h"

#define P "192.0.2.1"
#define VIA                                                                                        \
	CONFIG "proxies = dmz socks5 127.0.5.5:1080\n"                                             \
	       "egress.sources = default " P " p.test via=dmz\nsource.backoff_min = 10s\n"         \
	       "source.backoff_max = 20s\n"
#define HAPROXY                                                                                    \
	CONFIG "proxies = hap haproxy 127.0.5.5:1080\n"                                            \
	       "egress.sources = default " P " p.test via=hap\n"

#define HELLO "take 3\nraw \\x05\\0\ntake 10\n"
#define THROUGH HELLO "raw \\x05\\0\\0\\x01\\x7f\\0\\0\\x63\\x04\\0\n"
#define SMTP "say 220 mx.test\nserve\n"

static void proxy(const char *script)
{
	if (conn_sim_host(SLICE("127.0.5.5:1080"), slice_str(script)) < 0)
		fail_msg("%s", conn_sim_mistake());
}

static void begin(struct world *w, const char *config, const char *script)
{
	world_open(w, config, decent);
	proxy(script);
	world_submit(w, one_rcpt, 1, DAY, "control", 1);
}

static void nothing_was_blamed_but_the_source(struct world *w)
{
	assert_int_equal(COUNTER(w, sessions_failed), 0);
	assert_int_equal(COUNTER(w, site_backoffs), 0);
	assert_int_equal(world_books(w).bounced, 0);
	assert_int_equal(COUNTER(w, source_failures), 1);
}

static void mail_leaves_through_a_proxy(void **state)
{
	struct world w;

	(void)state;
	begin(&w, VIA, THROUGH SMTP);
	world_run(&w, MINUTE);
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void the_greeting_may_come_with_the_proxys_last_answer(void **state)
{
	struct world w;

	(void)state;
	begin(&w, VIA, HELLO "raw \\x05\\0\\0\\x03\\x04host\\x04\\0220 mx.test\\r\\n\nserve\n");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void a_proxy_is_told_user_and_password_from_a_file(void **state)
{
	char path[64], config[700];
	struct world w;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/postern-proxy.%d", (int)getpid());
	assert_int_equal(file_write_atomic(path, SLICE("ann:secret\n"), 0600), 0);
	(void)snprintf(config, sizeof(config),
		       CONFIG "proxies = dmz socks5 127.0.5.5:1080 %s\n"
			      "egress.sources = default " P " p.test via=dmz\n",
		       path);
	begin(&w, config,
	      "take 4\nraw \\x05\\x02\ntake 12\nraw \\x01\\0\ntake 10\n"
	      "raw \\x05\\0\\0\\x01\\x7f\\0\\0\\x63\\x04\\0\n" SMTP);
	(void)unlink(path);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

/* It is looked at by itself, and mail goes on when it is well. */
static void a_proxy_that_fails_takes_the_source_out_until_it_is_well(void **state)
{
	static const char *const bad[] = {
		"refuse\n",
		"no-connect\n",
		"silent\n",
		"close\n",
		"rst\n",
		"raw \\x04\\0\n",
		"take 3\nraw \\x05\\xff\n", /* it takes no method of ours */
		"take 3\nraw \\x05\\x02\n", /* it wants a password */
		"take 3\nraw \\x05\\x01\n", /* GSSAPI */
		"take 3\nraw HTTP/1.1 400 Bad\\r\\n\n",
		"forever HTTP/1.1 400 Bad\n",
		HELLO "raw \\x05\\0\\0\\x09aaaaaaaaaaaaaaaaaaaaaaaa\n", /* no such address */
		HELLO "raw \\x06\\0\\0\\x01aaaaaaaaaaaaaaaaaaaaaaaa\n",
	};
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		begin(&w, VIA, bad[i]);
		world_run(&w, 2 * MINUTE);
		if (!COUNTER(&w, source_failures))
			fail_msg("%s: the source did not fail", bad[i]);
		assert_int_equal(COUNTER(&w, sessions_failed), 0);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		proxy(THROUGH SMTP);
		world_run(&w, 30 * MINUTE);
		if (world_books(&w).delivered != 1)
			fail_msg("%s: not delivered", bad[i]);
		world_end(&w);
	}
}

static void mail_leaves_from_the_other_sources_meanwhile(void **state)
{
	struct world w;

	(void)state;
	begin(&w,
	      CONFIG "proxies = dmz socks5 127.0.5.5:1080\n"
		     "egress.sources = default " P
		     " p.test via=dmz weight=5, default 127.0.0.2 a.test\n",
	      "refuse\n");
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	nothing_was_blamed_but_the_source(&w);
	assert_int_equal(COUNTER(&w, deferred), 0);
	world_end(&w);
}

static void what_a_proxy_says_of_a_host_is_the_hosts(void **state)
{
	static const char *const codes[] = { "\\x03", "\\x04", "\\x05", "\\x06" };
	char script[200];
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
		(void)snprintf(script, sizeof(script), HELLO "raw \\x05%s\\0\\x01aaaaaa\n",
			       codes[i]);
		begin(&w, VIA, script);
		world_run(&w, MINUTE);
		assert_int_equal(COUNTER(&w, source_failures), 0);
		assert_true(COUNTER(&w, sessions_failed) > 0);
		world_end(&w);
	}
}

/* No words for why: neither the source nor the site is taken out. */
static void a_proxy_that_fails_for_one_host_costs_neither_source_nor_site(void **state)
{
	static const char *const bad[] = { HELLO "raw \\x05\\x01\\0\\x01aaaaaa\n",
					   HELLO "raw \\x05\\x02\\0\\x01aaaaaa\n", HELLO "close\n",
					   HELLO "silent\n" };
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		begin(&w, VIA, bad[i]);
		world_run(&w, 2 * MINUTE);
		assert_int_equal(COUNTER(&w, source_failures), 0);
		assert_int_equal(COUNTER(&w, sessions_failed), 0);
		assert_int_equal(COUNTER(&w, site_backoffs), 0);
		assert_true(COUNTER(&w, source_no_route) > 0);
		proxy(THROUGH SMTP);
		world_run(&w, HOUR);
		assert_int_equal(world_books(&w).delivered, 1);
		world_end(&w);
	}
}

static void haproxy_hears_the_header_and_then_the_session(void **state)
{
	struct world w;

	(void)state;
	begin(&w, HAPROXY, "take 28\n" SMTP);
	world_run(&w, MINUTE);
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
	begin(&w, HAPROXY, "take 28\nclose\n");
	world_run(&w, MINUTE);
	assert_int_equal(COUNTER(&w, source_failures), 0);
	assert_int_equal(COUNTER(&w, sessions_failed), 0);
	assert_true(COUNTER(&w, source_no_route) > 0);
	world_end(&w);
	begin(&w, HAPROXY, "refuse\n");
	world_run(&w, MINUTE);
	nothing_was_blamed_but_the_source(&w);
	proxy("take 28\n" SMTP);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_leaves_through_a_proxy),
		cmocka_unit_test(the_greeting_may_come_with_the_proxys_last_answer),
		cmocka_unit_test(a_proxy_is_told_user_and_password_from_a_file),
		cmocka_unit_test(a_proxy_that_fails_takes_the_source_out_until_it_is_well),
		cmocka_unit_test(mail_leaves_from_the_other_sources_meanwhile),
		cmocka_unit_test(what_a_proxy_says_of_a_host_is_the_hosts),
		cmocka_unit_test(a_proxy_that_fails_for_one_host_costs_neither_source_nor_site),
		cmocka_unit_test(haproxy_hears_the_header_and_then_the_session),
	};
	return cmocka_run_group_tests_name("engine_proxies", tests, NULL, NULL);
}
