/* The log's lines about deliveries: what they say, and that nobody pays for those that are not
 * written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "tests/replay/engine_world.h"

static char lines[65536];

/* All that is logged meanwhile. */
static const char *logged(struct world *w, int64_t ms)
{
	int fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	log_open(fds[1], LOG_INFO);
	world_run(w, ms);
	log_open(STDERR_FILENO, LOG_ERROR);
	close(fds[1]);
	n = read(fds[0], lines, sizeof(lines) - 1);
	close(fds[0]);
	assert_true(n >= 0);
	lines[n] = '\0';
	return lines;
}

static void has(const char *text, const char *what)
{
	assert_non_null(text);
	if (!strstr(text, what))
		fail_msg("no %s in: %.4000s", what, text);
}

static void a_delivery_is_logged_with_all_that_is_known_of_it(void **state)
{
	struct world w;
	const char *said;

	(void)state;
	world_open(&w, CONFIG "log.deliveries = yes\n", "say 220 mx.test\nserve\n");
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	said = logged(&w, 2000);
	has(said, "event=rcpt.delivered job=");
	has(said,
	    "rcpt=\"u@one.test\" attempt=1 tenant=1 campaign=7 stream=\"bulk\" origin=\"control\"");
	has(said, " pool=\"default\"");
	has(said, " ip=\"127.0.1.1\" tls=false tls_policy=\"may\" reused=false size=");
	has(said, " connect_ms=");
	has(said, " transaction_ms=");
	has(said, " queued_ms=");
	has(said, " code=250 ");
	world_end(&w);
}

static void a_deferral_is_logged_with_its_class_and_the_next_try(void **state)
{
	struct world w;
	const char *said;

	(void)state;
	world_open(&w, CONFIG, full);
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	said = logged(&w, 2000);
	has(said, "event=rcpt.deferred job=");
	has(said, " code=452 dsn=\"4.2.2\" class=\"quota\"");
	has(said, " next=");
	has(said, " text=\"mailbox full\"\n");
	world_end(&w);
}

static void deliveries_are_not_logged_unless_asked_for(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, decent);
	world_submit(&w, one_rcpt, 1, DAY, "control", 7);
	assert_null(strstr(logged(&w, 2000), "event=rcpt."));
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delivery_is_logged_with_all_that_is_known_of_it),
		cmocka_unit_test(a_deferral_is_logged_with_its_class_and_the_next_try),
		cmocka_unit_test(deliveries_are_not_logged_unless_asked_for),
	};

	return cmocka_run_group_tests_name("engine_lines", tests, NULL, NULL);
}
