/* A provider of many sites that share what it allows: what several of them say holds for all, what
 * one says for itself alone, and a site that is new begins with what the others have learned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "mta/inspect/why.h"
#include "mta/site/learned.h"
#include "tests/replay/engine_world.h"
#include "tests/replay/fortnight.h"

static const char walled[] =
    "say 220 mx.test\nreply MAIL 450 4.7.0 too many messages, try again in 300 seconds\nserve\n";

enum { SITES = 20 };
static char file[64], config[1024];

/* s1.test to s20.test, each with a host of its own, are one provider. */
static void start(struct world *w, const char *more)
{
	int fd;

	(void)snprintf(file, sizeof(file), "/tmp/postern-kin.XXXXXX");
	fd = mkstemp(file);
	assert_in_range(fd, 0, 1 << 20);
	assert_int_equal(file_write_all(fd, SLICE("[provider many]\nmx = mx*.many.test\n")), 0);
	assert_int_equal(file_write_all(fd, slice_str(more)), 0);
	(void)close(fd);
	(void)snprintf(config, sizeof(config),
		       CONFIG "shape.file = %s\negress.sources = default 127.0.0.2 a.test\n", file);
	world_start(w, config);
	world_names();
	for (unsigned i = 1; i <= SITES; i++) {
		char domain[32], mx[32], ip[32];
		(void)snprintf(domain, sizeof(domain), "s%u.test", i);
		(void)snprintf(mx, sizeof(mx), "10 mx%u.many.test", i);
		(void)snprintf(ip, sizeof(ip), "127.0.4.%u", i);
		world_domain(domain, mx);
		resolver_sim_set(mx + 3, DNS_A, 5, ip);
	}
}

static void end(struct world *w)
{
	world_end(w);
	(void)unlink(file);
}

static void host(unsigned site, const char *script)
{
	char ip[32];

	(void)snprintf(ip, sizeof(ip), "127.0.4.%u", site);
	world_host(ip, script);
}

static void submit(struct world *w, unsigned n, unsigned site)
{
	char text[32];
	const char *rcpt = text;

	(void)snprintf(text, sizeof(text), "u@s%u.test", site);
	for (unsigned i = 0; i < n; i++)
		world_submit(w, &rcpt, 1, DAY, "control", site);
}

static unsigned arrived(unsigned site)
{
	char subject[32];
	unsigned n = 0;

	(void)snprintf(subject, sizeof(subject), "Subject: %u\r\n", site);
	for (unsigned i = 0; i < conn_sim_messages(); i++) {
		struct slice m = conn_sim_message(i);
		n += memmem(m.p, m.n, subject, strlen(subject)) != NULL;
	}
	return n;
}

static int find_reason(void *arg, const struct why_reason *r)
{
	char *text = arg;

	if (strcmp(r->kind, "adaptive") == 0 && strstr(r->text, "all sites of provider many"))
		(void)snprintf(text, WHY_TEXT_MAX, "%s", r->text);
	return 0;
}

static const char *provider_reason(struct world *w, const char *what)
{
	static char text[WHY_TEXT_MAX];

	*text = '\0';
	assert_true(world_why(w, what, find_reason, text) >= 0);
	return text;
}

/* ---- what is one site's own ---------------------------------------------------------------- */

static void what_one_site_or_two_refuse_slows_no_other(void **state)
{
	struct world w;

	(void)state;
	for (unsigned bad = 1; bad <= 2; bad++) {
		start(&w, "");
		for (unsigned i = 1; i <= SITES; i++)
			host(i, i <= bad ? walled : decent);
		for (unsigned i = 1; i <= SITES; i++)
			submit(&w, 200, i);
		world_run(&w, 30 * SECOND);
		assert_int_equal(world_books(&w).delivered, 200 * (SITES - bad));
		assert_int_equal(COUNTER(&w, provider_troubles), 0);
		assert_string_equal(provider_reason(&w, "domain/s1.test"), "");
		world_run(&w, 4 * HOUR);
		assert_int_equal(COUNTER(&w, provider_walls), 0);
		end(&w);
	}
}

static void mailboxes_that_are_full_at_every_site_slow_none(void **state)
{
	struct world w;

	(void)state;
	start(&w, "");
	for (unsigned i = 1; i <= SITES; i++)
		host(i, i % 2 ? full : decent);
	for (unsigned i = 1; i <= SITES; i++)
		submit(&w, 100, i);
	world_run(&w, 30 * SECOND);
	assert_int_equal(world_books(&w).delivered, 100 * SITES / 2);
	assert_int_equal(COUNTER(&w, provider_troubles), 0);
	end(&w);
}

/* Three agree, and hold the others back for a while; the one that goes on refusing alone is then
 * left to itself. */
static void a_site_that_goes_on_alone_falls_alone(void **state)
{
	struct world w;

	(void)state;
	start(&w, "");
	for (unsigned i = 1; i <= SITES; i++)
		host(i, i <= 4 ? walled : decent);
	for (unsigned i = 1; i <= SITES; i++)
		submit(&w, 50, i);
	world_run(&w, HOUR);
	for (unsigned i = 2; i <= 4; i++)
		host(i, decent);
	world_run(&w, 6 * HOUR);
	assert_int_equal(world_books(&w).delivered, 50 * (SITES - 1));
	end(&w);
}

/* ---- what holds for all -------------------------------------------------------------------- */

static void open_walled(struct world *w, const char *more, unsigned sites)
{
	start(w, more);
	for (unsigned i = 1; i <= SITES; i++)
		host(i, walled);
	for (unsigned i = 1; i <= sites; i++)
		submit(w, 100, i);
	world_run(w, 10 * SECOND);
}

static void a_wall_that_several_meet_is_met_by_no_other(void **state)
{
	const char *why;
	uint64_t tries;
	struct world w;

	(void)state;
	open_walled(&w, "", 6);
	assert_in_range(COUNTER(&w, provider_walls), 1, 2);
	assert_in_range(COUNTER(&w, deferred), 3, 60);
	tries = conn_sim_opened();
	for (unsigned i = 7; i <= SITES; i++)
		submit(&w, 100, i);
	world_run(&w, 200 * SECOND);
	assert_int_equal(conn_sim_opened(), tries);
	why = provider_reason(&w, "domain/s20.test");
	assert_non_null(strstr(why, "127.0.0.2 has 0 connections"));
	assert_non_null(strstr(why, "450 too many messages"));
	for (unsigned i = 1; i <= SITES; i++)
		host(i, decent);
	world_run(&w, 8 * HOUR);
	assert_int_equal(world_books(&w).delivered, 100 * SITES);
	end(&w);
}

static void where_each_finds_out_for_itself_all_of_them_meet_it(void **state)
{
	uint64_t before;
	struct world w;

	(void)state;
	open_walled(&w, "provider.adaptive = no\n", 6);
	before = conn_sim_opened();
	for (unsigned i = 7; i <= SITES; i++)
		submit(&w, 100, i);
	world_run(&w, 200 * SECOND);
	assert_in_range(conn_sim_opened(), before + SITES - 6, before + 1000);
	assert_int_equal(COUNTER(&w, provider_walls), 0);
	end(&w);
}

static void what_they_said_outlives_a_restart(void **state)
{
	uint64_t tries;
	struct world w;

	(void)state;
	open_walled(&w, "", 6);
	tries = conn_sim_opened();
	world_restart(&w);
	submit(&w, 100, 12);
	world_run(&w, 200 * SECOND);
	assert_int_equal(conn_sim_opened(), tries);
	assert_non_null(strstr(provider_reason(&w, "domain/s12.test"), "450 too many messages"));
	end(&w);
}

/* ---- a site that is new -------------------------------------------------------------------- */

static const char slow[] =
    "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 PIPELINING\\r\\n\nmark\nexpect "
    "MAIL\nsay 250 ok\nexpect RCPT\n"
    "say 250 ok\nexpect DATA\nsay 354 go\nbody\ndelay 1000\nsay 250 ok\nagain\n";

/* What a site takes in its first seconds when others have taken much for a while. */
static unsigned taken_by_a_new_site(const char *more)
{
	struct world w;
	unsigned n;

	start(&w, more);
	for (unsigned i = 1; i <= SITES; i++)
		host(i, slow);
	for (unsigned i = 1; i <= 8; i++)
		submit(&w, 1000, i);
	world_run(&w, 40 * SECOND);
	submit(&w, 300, SITES);
	world_run(&w, 2500);
	n = arrived(SITES);
	end(&w);
	return n;
}

static void a_new_site_begins_with_what_the_others_have_learned(void **state)
{
	unsigned alone = taken_by_a_new_site("provider.adaptive = no\n");
	unsigned with_kin = taken_by_a_new_site("");

	(void)state;
	print_message("first taken: %u alone, %u with kin\n", alone, with_kin);
	assert_in_range(alone, 2, 20);
	assert_in_range(with_kin, alone * 2, 100);
}

static void a_password_does_not_wait_for_the_beginning(void **state)
{
	int64_t began;
	struct world w;

	(void)state;
	start(&w, "");
	for (unsigned i = 1; i <= SITES; i++) /* ten are dead and hold what they have */
		host(i, i <= 10 ? "silent\n" : decent);
	for (unsigned i = 1; i <= 10; i++)
		submit(&w, 20, i);
	world_run(&w, SECOND);
	began = clock_mono_ms();
	for (unsigned i = 11; i <= SITES; i++) {
		char text[32];
		const char *rcpt = text;
		(void)snprintf(text, sizeof(text), "u@s%u.test", i);
		world_submit_as(&w, CLASS_TRANSACTIONAL, &rcpt, 1, DAY, "control", 100 + i);
	}
	while (conn_sim_messages() < 10 && clock_mono_ms() - began < MINUTE)
		world_run(&w, 10);
	assert_in_range(clock_mono_ms() - began, 0, 100);
	submit(&w, 20, 11); /* bulk goes before any of the dead ones ends */
	world_run(&w, 20 * SECOND);
	assert_int_equal(arrived(11), 20);
	end(&w);
}

/* ---- a day at one modelled provider -------------------------------------------------------- */

static void twenty_sites_of_one_provider_share_a_quota(void **state)
{
	const struct fortnight_settings together = { .adaptive = true, .sites = 20 };
	const struct fortnight_settings apart = { .adaptive = true, .sites = 20, .apart = true };
	static const enum provider_kind kinds[] = { PROVIDER_HINTS };
	struct fortnight_result a, b;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		fortnight_run(kinds[i], 20000, 1, &together, &a);
		fortnight_run(kinds[i], 20000, 1, &apart, &b);
		print_message("%-8s together %4.1f h %5llu undone %4llu deferred, apart %4.1f h "
			      "%5llu undone %4llu deferred\n",
			      provider_sim_name(kinds[i]), a.hours, (unsigned long long)a.undone,
			      (unsigned long long)a.deferred, b.hours, (unsigned long long)b.undone,
			      (unsigned long long)b.deferred);
		assert_int_equal(a.undone, 0);
		assert_true(a.hours < b.hours);
		assert_true(b.undone > 0);
		assert_true(a.deferred + a.facts.turned_away <
			    (b.deferred + b.facts.turned_away) / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_site_or_two_refuse_slows_no_other),
		cmocka_unit_test(mailboxes_that_are_full_at_every_site_slow_none),
		cmocka_unit_test(a_site_that_goes_on_alone_falls_alone),
		cmocka_unit_test(a_wall_that_several_meet_is_met_by_no_other),
		cmocka_unit_test(where_each_finds_out_for_itself_all_of_them_meet_it),
		cmocka_unit_test(what_they_said_outlives_a_restart),
		cmocka_unit_test(a_new_site_begins_with_what_the_others_have_learned),
		cmocka_unit_test(a_password_does_not_wait_for_the_beginning),
		cmocka_unit_test(twenty_sites_of_one_provider_share_a_quota),
	};

	return cmocka_run_group_tests_name("engine_kin", tests, NULL, NULL);
}
