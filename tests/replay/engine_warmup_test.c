/* New sources: what leaves from them on which day, who goes first, and who sends the rest. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/inspect/why.h"
#include "mta/warmup/warmup.h"
#include "tests/replay/engine_world.h"
#include "tests/sim/model_sim.h"

#define COLD "127.0.0.2"
#define WARM "127.0.0.3"
#define ALONE CONFIG "egress.sources = default " COLD " a.test\n"
#define BOTH CONFIG "egress.sources = default " COLD " a.test, default " WARM " b.test\n"
#define PLAN "warmup.plans = " COLD " other "
#define FROM(ip) conn_sim_messages_from(SLICE(ip))

static void mail(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		world_submit(w, one_rcpt, 1, 30 * DAY, "control", 1);
}

/* Over some minutes. */
static void mail_spread(struct world *w, unsigned n)
{
	for (; n >= 10; n -= 10) {
		mail(w, 10);
		world_run(w, 5 * SECOND);
	}
}

/* So much simulated time that the next date has begun a minute ago. */
static void next_day(struct world *w)
{
	world_run(w, DAY - clock_wall_ms() % DAY + MINUTE);
}

static void fact_of(struct world *w, struct warmup_fact *f)
{
	struct ip ip;

	assert_int_equal(ip_parse(SLICE(COLD), &ip), 0);
	assert_true(warmup_fact(warmup_find(warmup_of(w->engine), &ip, SLICE("")), f));
}

/* ---- the plan ---------------------------------------------------------------------------- */

static void no_more_than_the_plan_of_the_day_leaves_and_the_rest_waits(void **state)
{
	static const unsigned days[] = { 10, 20, 40 };
	struct world w;
	unsigned before = 0;

	(void)state;
	world_open(&w, ALONE PLAN "days=10:20:40\n", decent);
	next_day(&w);
	mail(&w, 300);
	for (unsigned i = 0; i < ARRAY_LEN(days); i++) {
		world_run(&w, 20 * HOUR);
		assert_int_equal(FROM(COLD) - before, days[i]);
		before = FROM(COLD);
		next_day(&w);
	}
	world_run(&w, HOUR); /* it is warmed */
	assert_int_equal(world_books(&w).delivered, 300);
	assert_int_equal(COUNTER(&w, deferred), 0);
	world_end(&w);
}

static void each_recipient_of_a_message_counts(void **state)
{
	static const char *const all[] = { "a@one.test", "b@one.test", "c@one.test", "d@one.test",
					   "e@one.test", "f@one.test", "g@one.test" };
	struct world w;

	(void)state;
	world_open(&w, ALONE PLAN "days=5:50\n", decent);
	next_day(&w);
	world_submit(&w, all, ARRAY_LEN(all), 30 * DAY, "control", 1);
	world_run(&w, 12 * HOUR);
	assert_int_equal(world_books(&w).delivered, 5);
	assert_int_equal(FROM(COLD), 1);
	next_day(&w);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, ARRAY_LEN(all));
	world_end(&w);
}

static void what_is_above_the_plan_leaves_from_the_other_sources_of_the_pool(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, BOTH PLAN "days=25:50\n", decent);
	next_day(&w);
	mail_spread(&w, 400);
	assert_int_equal(world_books(&w).delivered, 400);
	assert_int_equal(FROM(COLD), 25);
	assert_int_equal(FROM(WARM), 375);
	next_day(&w);
	mail_spread(&w, 400);
	assert_int_equal(FROM(COLD), 75);
	assert_int_equal(world_books(&w).delivered, 800);
	world_end(&w);
}

static void without_enough_mail_the_plan_stays_where_it_is(void **state)
{
	struct warmup_fact f;
	struct world w;

	(void)state;
	world_open(&w, ALONE PLAN "days=20:40:80\n", decent);
	next_day(&w);
	mail(&w, 9);
	world_run(&w, HOUR);
	next_day(&w);
	mail(&w, 30);
	world_run(&w, HOUR);
	assert_int_equal(FROM(COLD), 29);
	fact_of(&w, &f);
	assert_int_equal(f.today.step, 0);
	assert_int_equal(f.state, WARMUP_SPENT);
	next_day(&w);
	mail(&w, 100);
	world_run(&w, HOUR);
	fact_of(&w, &f);
	assert_int_equal(f.today.step, 1);
	world_end(&w);
}

/* ---- who goes first ---------------------------------------------------------------------- */

static void submit_engaged(struct world *w, unsigned n, uint64_t campaign)
{
	w->engaged = true;
	for (unsigned i = 0; i < n; i++)
		world_submit(w, one_rcpt, 1, 30 * DAY, "control", campaign);
	w->engaged = false;
}

static unsigned messages_of(unsigned campaign)
{
	char subject[32];
	int n = snprintf(subject, sizeof(subject), "Subject: %u\r\n", campaign);
	unsigned found = 0;

	for (unsigned i = 0; i < conn_sim_messages(); i++)
		found += memmem(conn_sim_message(i).p, conn_sim_message(i).n, subject, (size_t)n) !=
			 NULL;
	return found;
}

static void those_who_are_engaged_go_first_from_a_new_source(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ALONE PLAN "days=30\n", decent);
	next_day(&w);
	mail(&w, 200);
	submit_engaged(&w, 25, 2);
	world_run(&w, 12 * HOUR);
	assert_int_equal(FROM(COLD), 30);
	assert_int_equal(messages_of(2), 25);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_than_the_plan_of_the_day_leaves_and_the_rest_waits),
		cmocka_unit_test(each_recipient_of_a_message_counts),
		cmocka_unit_test(what_is_above_the_plan_leaves_from_the_other_sources_of_the_pool),
		cmocka_unit_test(without_enough_mail_the_plan_stays_where_it_is),
		cmocka_unit_test(those_who_are_engaged_go_first_from_a_new_source),
	};

	return cmocka_run_group_tests_name("engine_warmup", tests, NULL, NULL);
}
