/* The order in which lanes read the jobs from before the start. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/queue/inside.h"
#include "tests/replay/engine_world.h"

static void assert_order(struct world *w, const uint64_t *campaigns, size_t n)
{
	const struct start_jobs *jobs = queue_start_jobs(w->engine);
	struct job_info info;

	assert_int_equal(jobs->n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(spool_job_info(engine_spool(w->engine), jobs->all[i].job, &info),
				 0);
		assert_int_equal(info.campaign, campaigns[i]);
		assert_int_equal(jobs->all[i].tag, start_job_tag(info.id));
	}
}

static void at_the_start_letters_are_read_before_bulk_and_what_is_held_last(void **state)
{
	static const uint64_t order[] = { 11, 12, 4, 5, 9, 7, 7, 8, 10 };
	struct world w;
	char key[64], id[ID_TEXT_MAX];

	(void)state;
	world_start(&w, CONFIG);
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	world_submit(&w, one_rcpt, 1, DAY, "control", 4);
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	world_submit(&w, one_rcpt, 1, DAY, "control", 5);
	w.tenant = 2;
	world_submit(&w, one_rcpt, 1, DAY, "control", 8);
	w.tenant = 1;
	world_submit(&w, one_rcpt, 1, DAY, "control", 9);
	(void)snprintf(key, sizeof(key), "hold/job/%s",
		       id_format(world_submit(&w, one_rcpt, 1, DAY, "control", 10), id));
	world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 11);
	world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 12);
	world_rule(&w, "hold/campaign/7", "by a test");
	world_rule(&w, "hold/tenant/2", "by a test");
	world_rule(&w, key, "by a test");
	world_rule(&w, "hold/domain/one.test",
		   "by a test"); /* which rows that is only the rows say */
	world_restart(&w);
	assert_order(&w, order, ARRAY_LEN(order));
	world_end(&w);
}

static void at_the_start_of_a_held_engine_the_order_is_the_logs(void **state)
{
	static const uint64_t order[] = { 1, 2, 3 };
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	world_rule(&w, "hold/all", "by a test");
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_submit_as(&w, CLASS_TRANSACTIONAL, one_rcpt, 1, DAY, "control", 2);
	world_submit(&w, one_rcpt, 1, DAY, "control", 3);
	world_restart(&w);
	assert_order(&w, order, ARRAY_LEN(order));
	world_end(&w);
}

static void an_empty_spool_has_nothing_to_read_at_the_start(void **state)
{
	struct world w;

	(void)state;
	world_start(&w, CONFIG);
	assert_order(&w, NULL, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_start_letters_are_read_before_bulk_and_what_is_held_last),
		cmocka_unit_test(at_the_start_of_a_held_engine_the_order_is_the_logs),
		cmocka_unit_test(an_empty_spool_has_nothing_to_read_at_the_start),
	};

	return cmocka_run_group_tests_name("engine_start", tests, NULL, NULL);
}
