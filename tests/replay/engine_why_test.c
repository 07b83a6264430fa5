/* Why mail waits: the chain of what binds, for a domain, a tenant, a campaign and a source. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "mta/inspect/why.h"
#include "base/clock.h"
#include "tests/replay/engine_world.h"

static const char blocks[] =
    "say 220 mx.test\nreply MAIL 550 5.7.1 Service unavailable, client [127.0.0.2] blocked using "
    "Spamhaus\nserve\n";

struct told {
	struct why_reason at[32];
	unsigned n;
};

static int note(void *arg, const struct why_reason *r)
{
	struct told *t = arg;

	assert_true(t->n < ARRAY_LEN(t->at));
	t->at[t->n++] = *r;
	return 0;
}

static const struct why_reason *find(const struct told *t, const char *kind)
{
	for (unsigned i = 0; i < t->n; i++)
		if (strcmp(t->at[i].kind, kind) == 0)
			return &t->at[i];
	for (unsigned i = 0; i < t->n; i++)
		print_message("%s: %s\n", t->at[i].kind, t->at[i].text);
	fail_msg("no reason %s", kind);
	return NULL;
}

static void ask(struct world *w, const char *what, struct told *t)
{
	t->n = 0;
	(void)world_why(w, what, note, t);
	for (unsigned i = 0; i < t->n; i++)
		if (strcmp(t->at[i].kind, "reply") != 0 && strcmp(t->at[i].kind, "waiting") != 0)
			assert_true(*t->at[i].release);
}

static void submit(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, one_rcpt, 1, DAY, "control", 5);
}

static void a_suspension_is_told_with_its_rule_and_its_end(void **state)
{
	static const char *const asked[] = { "domain/one.test", "tenant/1", "campaign/5",
					     "source/127.0.0.2" };
	const struct why_reason *r;
	struct told t;
	struct world w;

	(void)state;
	world_start(&w, CONFIG "egress.sources = default 127.0.0.2 a.test\n");
	world_names();
	world_host("127.0.1.1", blocks);
	submit(&w, 50);
	world_run(&w, 5 * SECOND);
	for (unsigned i = 0; i < ARRAY_LEN(asked); i++) {
		ask(&w, asked[i], &t);
		r = find(&t, "suspension");
		assert_non_null(strstr(r->text, "127.0.0.2 is suspended at mx1.test: "));
		assert_non_null(strstr(r->text, "550 Service unavailable"));
		assert_true(r->until_ms > clock_wall_ms());
		assert_non_null(strstr(r->release, "postern resume"));
	}
	ask(&w, "tenant/2", &t);
	assert_int_equal(t.n, 0);
	ask(&w, "source/127.0.0.9", &t);
	assert_int_equal(t.n, 0);
	world_end(&w);
}

static void a_rate_says_when_the_next_message_may_go(void **state)
{
	const struct why_reason *r;
	struct told t;
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	world_rule(&w, "shape/domain one.test/rate", "1/m\nann");
	submit(&w, 20);
	world_run(&w, 5 * SECOND);
	ask(&w, "domain/one.test", &t);
	r = find(&t, "rate");
	assert_in_range(r->until_ms - clock_wall_ms(), 1, MINUTE);
	(void)find(&t, "next");
	world_end(&w);
}

static void a_site_that_cannot_be_reached_says_since_when(void **state)
{
	const struct why_reason *r;
	struct told t;
	struct world w;
	int64_t began;

	(void)state;
	world_open(&w, CONFIG, refuses);
	submit(&w, 1);
	began = clock_wall_ms();
	world_run(&w, 5 * SECOND);
	ask(&w, "domain/one.test", &t);
	r = find(&t, "site-pause");
	assert_in_range(r->since_ms, began, began + 5 * SECOND);
	assert_true(r->until_ms > clock_wall_ms());
	world_end(&w);
}

static void a_tenant_hears_of_holds_and_of_the_next_try(void **state)
{
	struct told t;
	struct world w;

	(void)state;
	world_open(&w, CONFIG, full);
	submit(&w, 3);
	world_run(&w, 5 * SECOND);
	ask(&w, "tenant/1", &t);
	assert_in_range(find(&t, "retry")->until_ms - clock_wall_ms(), 1, 10 * MINUTE);
	world_rule(&w, "hold/tenant/1", "the postmaster wants it");
	world_run(&w, SECOND);
	ask(&w, "tenant/1", &t);
	(void)find(&t, "hold");
	world_end(&w);
}

/* ---- providers, sources, sites ----------------------------------------------------------- */

static void a_suspension_is_told_while_all_its_mail_waits_for_its_next_try(void **state UNUSED)
{
	static const char *const asked[] = { "domain/one.test", "tenant/1", "source/127.0.0.2",
					     "site/mx1.test", "source/127.0.0.2 site/mx1.test" };
	struct told t;
	struct world w;

	world_start(&w, CONFIG "egress.sources = default 127.0.0.2 a.test\n");
	world_names();
	world_host("127.0.1.1", full);
	submit(&w, 3);
	world_run(&w, 5 * SECOND);
	world_rule(&w, "suspend/127.0.0.2/mx1.test", "99999999999999 1 by hand");
	for (unsigned i = 0; i < ARRAY_LEN(asked); i++) {
		ask(&w, asked[i], &t);
		assert_string_equal(find(&t, "suspension")->text,
				    "127.0.0.2 is suspended at mx1.test: by hand");
	}
	ask(&w, "domain/one.test", &t);
	assert_in_range(find(&t, "retry")->until_ms - clock_wall_ms(), 1, 10 * MINUTE);
	world_run(&w, 30 * SECOND); /* its connections are closed, and the pool rests */
	ask(&w, "tenant/1", &t);
	(void)find(&t, "suspension");
	world_end(&w);
}

static void what_is_suspended_is_told_before_there_is_mail(void **state UNUSED)
{
	static const char *const asked[] = { "source/127.0.0.2", "provider/gmail",
					     "source/127.0.0.2 provider/GMAIL" };
	char value[64];
	struct told t;
	struct world w;

	world_open(&w, CONFIG, decent);
	(void)snprintf(value, sizeof(value), "%" PRId64 " 1 by ann: a test",
		       clock_wall_ms() + HOUR);
	world_rule(&w, "suspend/127.0.0.2/provider gmail", value);
	for (unsigned i = 0; i < ARRAY_LEN(asked); i++) {
		ask(&w, asked[i], &t);
		assert_string_equal(find(&t, "suspension")->text,
				    "127.0.0.2 is suspended at provider gmail: by ann: a test");
		assert_int_equal(t.n, 1);
	}
	ask(&w, "source/127.0.0.3", &t);
	assert_int_equal(t.n, 0);
	ask(&w, "source/127.0.0.2 provider/yahoo", &t);
	assert_int_equal(t.n, 0);
	world_end(&w);
}

static void orders_about_a_place_are_told_with_their_times(void **state UNUSED)
{
	const struct why_reason *r;
	struct told t;
	struct world w;

	world_open(&w, CONFIG, decent);
	world_rule(&w, "order/7",
		   "kind suspend\nwhat provider/gmail source/127.0.0.2\n"
		   "author ann\nreason too fast\nat_ms 11\n");
	world_rule(&w, "order/8",
		   "kind hold\nwhat tenant/3 provider/gmail\nauthor ann\n"
		   "at_ms 12\nuntil_ms 9795748887391\n");
	world_rule(&w, "order/9", "kind hold\nwhat tenant/3\nauthor ann\nat_ms 13\n");
	ask(&w, "provider/gmail", &t);
	assert_int_equal(t.n, 2);
	r = find(&t, "suspension");
	assert_non_null(strstr(r->text, "too fast"));
	assert_int_equal(r->since_ms, 11);
	r = find(&t, "hold");
	assert_int_equal(r->since_ms, 12);
	assert_int_equal(r->until_ms, INT64_C(9795748887391));
	ask(&w, "source/127.0.0.2", &t);
	assert_int_equal(t.n, 1);
	ask(&w, "source/127.0.0.2 provider/yahoo", &t);
	assert_int_equal(t.n, 0);
	world_end(&w);
}

/* ---- combined selectors ------------------------------------------------------------------ */

static void a_combination_is_told_of_those_it_names_alone(void **state UNUSED)
{
	struct told t;
	struct world w;

	world_open(&w, CONFIG, full);
	world_submit(&w, one_rcpt, 1, DAY, "control", 5);
	world_submit(&w, two_rcpt, 1, DAY, "control", 5);
	w.tenant = 2;
	world_submit(&w, one_rcpt, 1, DAY, "control", 6);
	world_run(&w, 5 * SECOND);
	ask(&w, "tenant/1 domain/one.test", &t);
	assert_non_null(strstr(find(&t, "retry")->text, "1 recipients wait"));
	ask(&w, "tenant/1 attempts=1", &t);
	assert_non_null(strstr(find(&t, "retry")->text, "2 recipients wait"));
	ask(&w, "domain/one.test class/quota", &t);
	assert_non_null(strstr(find(&t, "retry")->text, "2 recipients wait"));
	ask(&w, "tenant/2 campaign/5", &t);
	assert_int_equal(t.n, 0);
	ask(&w, "all", &t);
	assert_non_null(strstr(find(&t, "retry")->text, "3 recipients wait"));
	world_end(&w);
}

static void a_combination_names_the_orders_that_bind_some_of_it(void **state UNUSED)
{
	struct told t;
	struct world w;

	world_open(&w, CONFIG, decent);
	world_rule(&w, "order/7",
		   "kind hold\nwhat campaign/5 domain/one.test\nauthor ann\nreason a check\n"
		   "at_ms 1\n");
	world_submit(&w, one_rcpt, 1, DAY, "control", 5);
	world_submit(&w, two_rcpt, 1, DAY, "control", 6);
	world_run(&w, 5 * SECOND);
	ask(&w, "tenant/1 age<1h", &t);
	assert_non_null(strstr(find(&t, "hold")->text, "a check"));
	ask(&w, "tenant/1 campaign/6", &t);
	assert_int_equal(t.n, 0);
	world_end(&w);
}

static void a_source_at_a_provider_is_asked_for_together(void **state UNUSED)
{
	struct told t;
	struct world w;

	world_start(&w, CONFIG "egress.sources = default 127.0.0.2 a.test\n");
	world_names();
	world_host("127.0.1.1", blocks);
	submit(&w, 50);
	world_run(&w, 5 * SECOND);
	ask(&w, "source/127.0.0.2 site/mx1.test", &t);
	(void)find(&t, "suspension");
	ask(&w, "source/127.0.0.2 site/mx9.test", &t);
	assert_int_equal(t.n, 0);
	ask(&w, "source/127.0.0.9 site/mx1.test", &t);
	assert_int_equal(t.n, 0);
	ask(&w, "tenant/1 source/127.0.0.2", &t); /* who waits there, and what binds it */
	(void)find(&t, "waiting");
	(void)find(&t, "suspension");
	world_end(&w);
}

static void of_many_places_those_where_the_most_wait_are_told_of(void **state UNUSED)
{
	char name[32], mx[64], rcpt[32];
	const char *const rcpts[] = { rcpt };
	struct told t;
	struct world w;
	unsigned pauses = 0;

	world_start(&w, CONFIG);
	for (unsigned i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "mx.d%u.test", i);
		resolver_sim_set(name, DNS_A, 5, "127.0.1.1");
		(void)snprintf(mx, sizeof(mx), "10 %s", name);
		(void)snprintf(name, sizeof(name), "d%u.test", i);
		world_domain(name, mx);
		world_rule(&w, "shape/default/rate", "1/h\nann");
		(void)snprintf(rcpt, sizeof(rcpt), "u@d%u.test", i);
		for (unsigned k = 0; k < 2 + i; k++)
			world_submit(&w, rcpts, 1, DAY, "control", 5);
	}
	world_host("127.0.1.1", decent);
	world_run(&w, 5 * SECOND);
	ask(&w, "tenant/1 campaign/5", &t);
	assert_non_null(strstr(find(&t, "more")->text, "10 recipients wait at other sites"));
	for (unsigned i = 0; i < t.n; i++)
		pauses += strcmp(t.at[i].kind, "rate") == 0;
	assert_int_equal(pauses, WHY_PLACES);
	assert_non_null(strstr(find(&t, "rate")->text, "mx.d11.test"));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_suspension_is_told_with_its_rule_and_its_end),
		cmocka_unit_test(a_rate_says_when_the_next_message_may_go),
		cmocka_unit_test(a_site_that_cannot_be_reached_says_since_when),
		cmocka_unit_test(a_tenant_hears_of_holds_and_of_the_next_try),
		cmocka_unit_test(a_suspension_is_told_while_all_its_mail_waits_for_its_next_try),
		cmocka_unit_test(what_is_suspended_is_told_before_there_is_mail),
		cmocka_unit_test(orders_about_a_place_are_told_with_their_times),
		cmocka_unit_test(a_combination_is_told_of_those_it_names_alone),
		cmocka_unit_test(a_combination_names_the_orders_that_bind_some_of_it),
		cmocka_unit_test(a_source_at_a_provider_is_asked_for_together),
		cmocka_unit_test(of_many_places_those_where_the_most_wait_are_told_of),
	};

	return cmocka_run_group_tests_name("engine_why", tests, NULL, NULL);
}
