/* Mail that is not to be sent before a moment (RFC 4865): it waits, also over a restart, and then
 * goes at once; its life is counted by who accepted it. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "tests/replay/engine_world.h"

static void mail_for_later_is_tried_then_and_not_before(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	w.not_before_ms = clock_wall_ms() + 6 * HOUR;
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	w.not_before_ms = 0;
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 2);
	world_run(&w, 6 * HOUR - MINUTE);
	assert_int_equal(world_place_of(1), -1);
	assert_int_equal(world_place_of(2), 0);
	assert_int_equal(world_books(&w).queued, 1);
	world_run(&w, 2 * MINUTE);
	assert_int_equal(world_place_of(1), 1);
	assert_int_equal(world_books(&w).delivered, 2);
	world_end(&w);
}

static void a_restart_does_not_send_it_earlier_nor_lose_the_moment(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	w.not_before_ms = clock_wall_ms() + 6 * HOUR;
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	world_run(&w, HOUR);
	world_restart(&w);
	world_run(&w, 5 * HOUR - MINUTE);
	assert_int_equal(world_place_of(1), -1);
	world_run(&w, 2 * MINUTE);
	assert_int_equal(world_place_of(1), 0);
	world_end(&w);
}

static void a_moment_that_passed_while_the_engine_was_down_is_now(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	w.not_before_ms = clock_wall_ms() + HOUR;
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	clock_sim_advance_ms(2 * HOUR);
	world_restart(&w);
	world_run(&w, MINUTE);
	assert_int_equal(world_place_of(1), 0);
	world_end(&w);
}

static void what_failed_once_keeps_to_the_schedule(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, full);
	w.not_before_ms = clock_wall_ms() + HOUR;
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	world_run(&w, HOUR + MINUTE);
	assert_int_equal(world_books(&w).deferred_attempts, 1);
	world_host("127.0.1.1", decent);
	world_restart(&w);
	world_run(&w, 11 * MINUTE);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_for_later_is_tried_then_and_not_before),
		cmocka_unit_test(a_restart_does_not_send_it_earlier_nor_lose_the_moment),
		cmocka_unit_test(a_moment_that_passed_while_the_engine_was_down_is_now),
		cmocka_unit_test(what_failed_once_keeps_to_the_schedule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
