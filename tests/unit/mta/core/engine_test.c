/* Real lanes and threads over a disk whose syncs can be made to fail. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/core/engine_run.h"
#include "mta/core/lane_int.h"
#include "spool/disk.h"
#include "tests/engine_parts.h"

static _Atomic bool failing;
static struct disk disk;

static int failing_sync(void *self, int fd)
{
	return atomic_load(&failing) ? -EIO : disk_real()->sync_data(self, fd);
}

static struct engine *engine_over(const char *dir)
{
	struct spool_options o = { .dir = dir,
				   .disk = &disk,
				   .segment_bytes = 1 << 20,
				   .lazy_commit_ms = 5,
				   .clean_ratio = 300 };
	struct settings *c;
	struct engine *e;
	struct spool *sp;
	char error[OPTION_ERROR_MAX];
	unsigned n;
	const struct part *const *parts = engine_parts_delivering(&n);

	disk = *disk_real();
	disk.sync_data = failing_sync;
	atomic_store(&failing, false);
	assert_int_equal(settings_parse(&c, mta_option_sets, mta_option_sets_n,
					SLICE("lanes = 2\ndns.servers = 127.0.0.1\n"), "test",
					error),
			 0);
	assert_int_equal(spool_open(&sp, &o), 0);
	assert_int_equal(spool_start(sp), 0);
	assert_int_equal(engine_new(&e, c, sp, parts, n, true), 0);
	return e;
}

struct run {
	struct engine *engine;
	int result;
	const char *what;
	_Atomic bool ready;
};

static void on_ready(void *arg)
{
	atomic_store(&((struct run *)arg)->ready, true);
}

static void *run_engine(void *arg)
{
	struct run *run = arg;

	run->result = engine_run(run->engine, on_ready, run, &run->what);
	return NULL;
}

static void start(struct run *run, pthread_t *thread, const char *dir)
{
	*run = (struct run){ .engine = engine_over(dir) };
	assert_int_equal(pthread_create(thread, NULL, run_engine, run), 0);
	while (!atomic_load(&run->ready))
		usleep(1000);
}

struct stop_note {
	struct note note;
	_Atomic unsigned *count;
	bool stop;
};

static void on_note(struct note *n, struct lane *l)
{
	struct stop_note *s = container_of(n, struct stop_note, note);

	atomic_fetch_add(s->count, 1);
	if (s->stop)
		engine_stop(lane_engine(l));
}

static void a_failed_sync_ends_the_engine(void **state)
{
	struct run run;
	pthread_t thread;
	lsn_t lsn;

	start(&run, &thread, *state);
	atomic_store(&failing, true);
	assert_int_equal(
	    spool_put_rule(engine_spool(run.engine), SLICE("hold/all"), SLICE("x"), &lsn), 0);
	pthread_join(thread, NULL);
	assert_int_equal(run.result, E_POISONED);
	assert_string_equal(run.what, "spool");
	engine_free(run.engine);
}

static void notes_run_on_their_lane_and_the_engine_stops_when_told(void **state)
{
	struct stop_note notes[100] = { 0 }, stop = { .stop = true };
	_Atomic unsigned count = 0;
	struct run run;
	pthread_t thread;

	start(&run, &thread, *state);
	for (unsigned i = 0; i < ARRAY_LEN(notes); i++) {
		notes[i].note.run = on_note;
		notes[i].count = &count;
		lane_post(engine_lane(run.engine, i % 2), &notes[i].note);
	}
	while (atomic_load(&count) < ARRAY_LEN(notes))
		usleep(1000);
	stop.note.run = on_note;
	stop.count = &count;
	lane_post(engine_front(run.engine), &stop.note);
	pthread_join(thread, NULL);
	assert_int_equal(run.result, 0);
	engine_free(run.engine);
}

struct durable {
	struct note note;
	struct durable_wait wait;
	lsn_t lsn;
	_Atomic int result;
};

static void on_durable(struct durable_wait *w, int err)
{
	atomic_store(&container_of(w, struct durable, wait)->result, err);
}

static void on_wait_note(struct note *n, struct lane *l)
{
	struct durable *d = container_of(n, struct durable, note);

	durable_wait_init(&d->wait, on_durable);
	lane_wait_durable(l, &d->wait, d->lsn);
}

static void a_wait_ends_when_the_disk_has_it_or_never_will(void **state)
{
	struct durable good = { .note.run = on_wait_note, .result = 1 }, bad = good;
	struct run run;
	pthread_t thread;
	struct spool *sp;

	start(&run, &thread, *state);
	sp = engine_spool(run.engine);
	assert_int_equal(spool_put_rule(sp, SLICE("hold/all"), SLICE("x"), &good.lsn), 0);
	lane_post(engine_lane(run.engine, 0), &good.note);
	while (atomic_load(&good.result) == 1)
		usleep(1000);
	assert_int_equal(good.result, 0);
	assert_true(spool_durable(sp) >= good.lsn);
	bad.lsn = spool_head(sp) + 1000000; /* not written yet */
	lane_post(engine_lane(run.engine, 1), &bad.note);
	usleep(20000);
	assert_int_equal(bad.result, 1);
	atomic_store(&failing, true);
	lsn_t lsn;
	assert_int_equal(spool_put_rule(sp, SLICE("hold/all"), SLICE("y"), &lsn), 0);
	pthread_join(thread, NULL);
	assert_int_equal(run.result, E_POISONED);
	if (atomic_load(&bad.result) == 1) /* the end may have come before the lane looked */
		lane_wait_cancel(engine_lane(run.engine, 1), &bad.wait);
	else
		assert_int_equal(bad.result, E_POISONED);
	engine_free(run.engine);
}

static int make_dir(void **state)
{
	char path[] = "/tmp/postern-core.XXXXXX";

	*state = mkdtemp(path) ? must_copy(slice_str(path)) : NULL;
	log_open(STDERR_FILENO, LOG_ERROR);
	return *state ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	free(*state);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_failed_sync_ends_the_engine, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(
		    notes_run_on_their_lane_and_the_engine_stops_when_told, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_wait_ends_when_the_disk_has_it_or_never_will,
						make_dir, remove_dir),
	};

	return cmocka_run_group_tests_name("mta_core_engine", tests, NULL, NULL);
}
