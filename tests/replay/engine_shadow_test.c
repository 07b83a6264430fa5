/* A log run again (mta/shadow): under what was in force it says what was recorded; under other
 * rules and shapes it says what would have been. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/shadow/shadow.h"
#include "tests/replay/engine_world.h"

static const char *const replies[] = {
	"550 5.1.1 no such user here",
	"452 4.2.2 mailbox full",
	"451 4.7.1 greylisted, try again in 120 seconds",
	"421 4.7.0 too many messages, slow down",
	"550 5.7.1 message looks like spam",
	"554 5.7.1 your IP is blocked using bl.test",
	"550 xyzzy",
	"452 4.3.1 out of disk space",
};

/* A domain and a host for each reply, and a decent one. */
static void names(void)
{
	char name[32], at[32], script[256];

	for (unsigned i = 0; i <= ARRAY_LEN(replies); i++) {
		(void)snprintf(name, sizeof(name), "mx-%u.test", i);
		(void)snprintf(at, sizeof(at), "127.0.2.%u", i + 1);
		resolver_sim_set(name, DNS_A, 5, at);
		(void)snprintf(script, sizeof(script),
			       i < ARRAY_LEN(replies) ? "say 220 mx.test\nreply RCPT %s\nserve\n"
						      : "say 220 mx.test\nserve\n",
			       i < ARRAY_LEN(replies) ? replies[i] : "");
		world_host(at, script);
		(void)snprintf(at, sizeof(at), "10 mx-%u.test", i);
		(void)snprintf(name, sizeof(name), "d%u.test", i);
		world_domain(name, at);
	}
}

static void submit(struct world *w, unsigned n)
{
	char rcpt[64];
	const char *const one[] = { rcpt };

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(rcpt, sizeof(rcpt), "u%u@d%u.test", i,
			       i % ((unsigned)ARRAY_LEN(replies) + 1));
		world_submit(w, one, 1, DAY, "control", 1);
	}
}

static int give(void *arg, const struct event *e)
{
	return shadow_event(arg, e);
}

static struct shadow *run_again(struct world *w, const char *rules, const char *shape_text)
{
	struct shapes *shapes = shapes_new();
	struct judge *judge = judge_new();
	char error[JUDGE_ERROR_MAX] = "";
	struct shadow *s;
	lsn_t next;

	assert_int_equal(shadow_builtin(shapes, error), 0);
	if (shapes_parse(shapes, slice_str(shape_text), "test", error) < 0)
		fail_msg("%s", error);
	if (judge_read(judge, slice_str(rules), "test", error) < 0)
		fail_msg("%s", error);
	assert_int_equal(judge_read_shipped(judge, error), 0);
	judge_ready(judge);
	s = shadow_new(shapes, judge, 0);
	assert_int_equal(spool_commit_now(engine_spool(w->engine)), 0);
	assert_true(spool_events(engine_spool(w->engine), spool_oldest(engine_spool(w->engine)),
				 UINT32_MAX, give, s, &next) >= 0);
	shadow_run(s);
	judge_free(judge);
	shapes_free(shapes);
	return s;
}

static struct shadow_group total(const struct shadow *s)
{
	struct shadow_group sum = { 0 };
	const struct shadow_group *g;

	for (unsigned i = 0; (g = shadow_group(s, i)) != NULL; i++) {
		sum.recipients += g->recipients;
		sum.was_attempts += g->was_attempts;
		sum.was_delivered += g->was_delivered;
		sum.was_bounced += g->was_bounced;
		sum.was_deferred += g->was_deferred;
		sum.attempts += g->attempts;
		sum.delivered += g->delivered;
		sum.bounced += g->bounced;
		sum.deferred += g->deferred;
		sum.open += g->open;
		sum.suspensions += g->suspensions;
		sum.drained_ms = MAX_OF(sum.drained_ms, g->drained_ms);
	}
	return sum;
}

static void a_day(struct world *w)
{
	world_start(w, CONFIG);
	names();
	submit(w, 900);
	world_run(w, 6 * HOUR);
}

static void what_was_in_force_gives_the_classes_and_ends_that_were_recorded(void **state)
{
	struct shadow_group sum;
	struct shadow *s;
	struct books b;
	struct world w;

	(void)state;
	a_day(&w);
	s = run_again(&w, "", "");
	b = world_books(&w);
	sum = total(s);
	assert_in_range(shadow_sums(s).replies, 300, 100000);
	assert_int_equal(shadow_sums(s).changed, 0);
	assert_int_equal(shadow_sums(s).same, shadow_sums(s).replies);
	assert_int_equal(sum.was_delivered, b.delivered);
	assert_int_equal(sum.was_deferred, b.deferred_attempts);
	assert_int_equal(sum.was_bounced, b.bounced);
	assert_int_equal(sum.delivered, b.delivered);
	assert_int_equal(sum.bounced, b.bounced);
	assert_int_equal(sum.recipients, sum.delivered + sum.bounced + sum.open);
	assert_int_equal(sum.attempts, sum.was_attempts); /* each reply is used once */
	(void)shadow_free(s);
	world_end(&w);
}

static const struct shadow_change *change(const struct shadow *s, enum judge_class from)
{
	const struct shadow_change *c;

	for (unsigned i = 0; (c = shadow_change(s, i)) != NULL; i++)
		if (c->from == from)
			return c;
	return NULL;
}

static void other_rules_change_the_classes_they_are_about_and_no_others(void **state)
{
	const struct shadow_change *c;
	struct shadow_group before, after;
	struct shadow *s;
	struct world w;

	(void)state;
	a_day(&w);
	s = run_again(&w, "", "");
	before = total(s);
	(void)shadow_free(s);
	s = run_again(
	    &w, "[full-is-an-end]\ntext = mailbox full\nclass = inactive-mailbox\naction = end\n",
	    "");
	c = change(s, JUDGE_QUOTA);
	assert_non_null(c);
	assert_int_equal(c->to, JUDGE_INACTIVE_MAILBOX);
	assert_int_equal(shadow_sums(s).changed, c->replies);
	assert_non_null(strstr(c->example, "mailbox full"));
	after = total(s);
	assert_int_equal(after.bounced, before.bounced + 100);
	assert_int_equal(after.delivered, before.delivered);
	(void)shadow_free(s);
	world_end(&w);
}

static void a_slower_shape_takes_longer(void **state)
{
	struct shadow *fast, *slow;
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	names();
	for (unsigned i = 0; i < 600; i++)
		world_submit(&w, (const char *const[]){ "u@d8.test" }, 1, DAY, "control", 1);
	world_run(&w, HOUR);
	fast = run_again(&w, "", "");
	slow = run_again(&w, "", "[domain d8.test]\nrate = 10/m\n");
	assert_int_equal(total(fast).delivered, 600);
	assert_int_equal(total(slow).delivered, 600);
	assert_in_range(total(slow).drained_ms - total(fast).drained_ms, 55 * MINUTE, 61 * MINUTE);
	(void)shadow_free(fast);
	(void)shadow_free(slow);
	world_end(&w);
}

static void rules_that_do_not_suspend_suspend_nobody(void **state)
{
	struct shadow *s;
	struct world w;

	(void)state;
	a_day(&w);
	s = run_again(&w, "", "");
	assert_in_range(total(s).suspensions, 1, 10);
	(void)shadow_free(s);
	s = run_again(
	    &w, "[blocks-are-ends]\ntext = blocked using\nclass = spam-block\naction = end\n", "");
	assert_int_equal(total(s).suspensions, 0);
	(void)shadow_free(s);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_in_force_gives_the_classes_and_ends_that_were_recorded),
		cmocka_unit_test(other_rules_change_the_classes_they_are_about_and_no_others),
		cmocka_unit_test(a_slower_shape_takes_longer),
		cmocka_unit_test(rules_that_do_not_suspend_suspend_nobody),
	};

	return cmocka_run_group_tests_name("engine_shadow", tests, NULL, NULL);
}
