/* control/worker/worker: the loop, with steps that only count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "control/db/options.h"
#include "control/worker/worker.h"

enum { LONG_MS = 60 * 1000, PATIENCE_MS = 20 * 1000 };

static atomic_int eager, idle, failing, ended;

static int eager_step(struct worker *w UNUSED)
{
	return atomic_fetch_add(&eager, 1) < 9;
}

static int idle_step(struct worker *w UNUSED)
{
	(void)atomic_fetch_add(&idle, 1);
	return 0;
}

static int failing_step(struct worker *w)
{
	(void)atomic_fetch_add((atomic_int *)w->state, 1);
	return -EAGAIN;
}

static void *failing_begin(struct worker *w UNUSED)
{
	return &failing;
}

static void failing_end(void *state)
{
	assert_ptr_equal(state, &failing);
	(void)atomic_fetch_add(&ended, 1);
}

static const struct worker_row eager_row = { "eager", eager_step, LONG_MS, LONG_MS,
					     "e",     false,      NULL,    NULL };
static const struct worker_row idle_row = { "idle", idle_step, LONG_MS, 1, "i", false, NULL, NULL };
static const struct worker_row failing_row = {
	"failing", failing_step, LONG_MS, 1, "f", true, failing_begin, failing_end
};
const struct worker_row *const worker_rows[] = { &eager_row, &idle_row, &failing_row };
const size_t worker_rows_n = ARRAY_LEN(worker_rows);

static void wait_for(atomic_int *n, int least)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	while (atomic_load(n) < least && clock_mono_ms() < until)
		;
	assert_true(atomic_load(n) >= least);
}

static void a_step_runs_again_as_its_answer_says(void **state UNUSED)
{
	static const struct option_set *const sets[] = { &db_option_set };
	struct app app = { 0 };
	struct workers *all = NULL;
	char error[OPTION_ERROR_MAX];
	int64_t began;

	assert_int_equal(settings_read(&app.settings, sets, ARRAY_LEN(sets), NULL, error), 0);
	assert_int_equal(worker_start_all(&all, &app), 0);
	wait_for(&eager, 10);   /* more to do: at once */
	wait_for(&failing, 10); /* after retry_ms */
	wait_for(&idle, 1);
	began = clock_mono_ms();
	atomic_store(&app.stopping, true);
	assert_null(worker_stop_all(all));
	assert_true(clock_mono_ms() - began < LONG_MS / 2); /* no wait is slept to its end */
	assert_int_equal(atomic_load(&eager), 10);          /* then idle_ms */
	assert_int_equal(atomic_load(&idle), 1);
	assert_int_equal(atomic_load(&ended), 1);
	app.settings = settings_free(app.settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_runs_again_as_its_answer_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
