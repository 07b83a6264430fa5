/* Opening and closing: what the disk refuses is said, and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <pthread.h>

#include "tests/unit/spool/gated.h"

enum { JOBS = 30 };

/* A log of several segments, closed in good order, with a spare that could not be removed. */
static void make_log(struct gated *g)
{
	gated_make(g);
	gated_open(g);
	gated_fill(g, 0, JOBS, 300, 1);
	assert_true(gated_segments(g) > 2);
	disk_gate_fail(g->gate, CALL_UNLINK, EACH_CALL, -EIO);
	gated_close(g);
	disk_gate_open(g->gate);
}

static void all_is_there(struct gated *g)
{
	gated_open(g);
	for (uint64_t n = 0; n < JOBS; n++)
		assert_true(gated_has(g, n));
	assert_int_equal(gated_books(g).queued, JOBS);
	gated_close(g);
}

/* How many calls of this kind made spool_open fail, each with what the disk had said. */
static unsigned refusals(struct gated *g, enum disk_call call)
{
	unsigned refused = 0;

	for (unsigned nth = 1;; nth++) {
		bool met;
		int r;
		disk_gate_fail(g->gate, call, nth, -EIO);
		r = spool_open(&g->sp, &g->o);
		met = disk_gate_met(g->gate, call) > 0;
		disk_gate_open(g->gate);
		assert_true(r == 0 || (met && r == -EIO));
		refused += r < 0;
		gated_close(g);
		if (!met)
			return refused;
		all_is_there(g);
	}
}

static void what_the_disk_refuses_at_the_start_is_said_and_the_log_stays(void **state UNUSED)
{
	struct gated g;
	unsigned segments;

	make_log(&g);
	segments = gated_segments(&g);
	assert_int_equal(refusals(&g, CALL_OPEN_DIR), 1);
	assert_int_equal(refusals(&g, CALL_LOCK), 1);
	assert_int_equal(refusals(&g, CALL_EACH_NAME), 1);
	assert_int_equal(refusals(&g, CALL_OPEN), 2 + segments);      /* the lock, the mark, each */
	assert_int_equal(refusals(&g, CALL_PREAD), 1 + 2 * segments); /* header, records */
	assert_int_equal(refusals(&g, CALL_SIZE), segments + 1);      /* and before the cut */
	assert_int_equal(refusals(&g, CALL_TRUNCATE), 1);             /* of the newest's tail */
	assert_int_equal(refusals(&g, CALL_SYNC_DATA), 2);            /* of what is cut and made */
	assert_int_equal(refusals(&g, CALL_ALLOCATE), 0);             /* it can go on with less */
	assert_int_equal(refusals(&g, CALL_FREE_BYTES), 0);
	gated_end(&g);
}

static void a_spare_that_cannot_be_removed_keeps_the_spool_closed(void **state UNUSED)
{
	struct gated g;

	make_log(&g);
	disk_gate_fail(g.gate, CALL_UNLINK, 1, -EACCES);
	assert_int_equal(spool_open(&g.sp, &g.o), -EACCES);
	disk_gate_open(g.gate);
	all_is_there(&g);
	gated_end(&g);
}

static void a_new_spool_that_cannot_be_written_is_not_opened(void **state UNUSED)
{
	const enum disk_call calls[] = { CALL_PWRITE, CALL_SYNC_DATA, CALL_RENAME, CALL_SYNC_DIR };
	struct gated g;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		gated_make(&g);
		disk_gate_fail(g.gate, calls[i], 1, -ENOSPC);
		assert_int_equal(spool_open(&g.sp, &g.o), -ENOSPC);
		assert_null(g.sp);
		disk_gate_open(g.gate);
		gated_open(&g);
		gated_fill(&g, 0, 1, 10, 1);
		assert_true(gated_has(&g, 0));
		gated_end(&g);
	}
}

static void a_folder_that_is_not_there_is_said_at_once(void **state UNUSED)
{
	struct gated g;

	gated_make(&g);
	disk_gate_fail(g.gate, CALL_OPEN_DIR, EACH_CALL, -ENOENT);
	assert_int_equal(spool_open(&g.sp, &g.o), -ENOENT);
	assert_int_equal(disk_gate_met(g.gate, CALL_OPEN_DIR), 1);
	gated_end(&g);
}

static void a_reader_writes_nothing_and_needs_a_spool(void **state UNUSED)
{
	struct gated g;
	job_no job = 0;
	unsigned ops;

	gated_make(&g);
	g.o.read_only = true;
	assert_int_equal(spool_open(&g.sp, &g.o), -ENOENT);
	gated_end(&g);
	make_log(&g);
	g.o.read_only = true;
	ops = disk_sim_ops(g.sim);
	gated_open(&g);
	assert_true(gated_has(&g, 3));
	assert_int_equal(spool_start(g.sp), -EROFS);
	assert_int_equal(gated_put(&g, 99, 1, 10, &job), -EROFS);
	assert_int_equal(spool_put_rule(g.sp, SLICE("a"), SLICE("b"), NULL), -EROFS);
	assert_int_equal(spool_consumer_set(g.sp, SLICE("c"), 0), -EROFS);
	assert_int_equal(spool_find_job(g.sp, gated_id(1), &job), 0);
	assert_int_equal(gated_finish(&g, job, 0), -EROFS);
	gated_close(&g);
	assert_int_equal(disk_sim_ops(g.sim), ops);
	gated_end(&g);
}

/* A writer beside it removes the oldest segment between the list and the look. */
static void a_reader_looks_again_when_a_segment_has_gone(void **state UNUSED)
{
	struct gated g;

	make_log(&g);
	g.o.read_only = true;
	disk_gate_fail(g.gate, CALL_OPEN, 2, -ENOENT);
	gated_open(&g);
	assert_int_equal(disk_gate_met(g.gate, CALL_OPEN), 1);
	assert_true(gated_has(&g, 0) && gated_has(&g, JOBS - 1));
	gated_close(&g);
	disk_gate_fail(g.gate, CALL_OPEN, EACH_CALL, -ENOENT);
	assert_int_equal(spool_open(&g.sp, &g.o), -ENOENT); /* but not for ever */
	gated_end(&g);
}

static void names_that_are_no_segments_are_left_alone(void **state UNUSED)
{
	static const char *const names[] = { "000000000000000g.seg", "0000000000000000.bak",
					     "0000000000000000.se", "NOTES" };
	struct gated g;
	int fd;

	make_log(&g);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct disk *d = disk_sim_disk(g.sim);
		fd = d->open(d->self, 0, names[i], 0100, 0600); /* O_CREAT */
		assert_true(fd >= 0);
		assert_int_equal(d->pwrite(d->self, fd, "mine", 4, 0), 4);
		(void)d->close(d->self, fd);
	}
	all_is_there(&g);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(disk_sim_size(g.sim, names[i]), 4);
	gated_end(&g);
}

static void a_failure_while_closing_loses_nothing_that_was_promised(void **state UNUSED)
{
	struct gated g;
	job_no job;

	for (unsigned nth = 1; nth <= 2; nth++) { /* what is pending; the mark */
		make_log(&g);
		gated_open(&g);
		assert_int_equal(gated_put(&g, JOBS, 1, 300, &job), 0);
		disk_gate_fail(g.gate, CALL_PWRITE, nth, -EIO);
		gated_close(&g);
		assert_int_equal(disk_gate_met(g.gate, CALL_PWRITE), 1);
		disk_gate_open(g.gate);
		gated_open(&g);
		for (uint64_t n = 0; n < JOBS; n++)
			assert_true(gated_has(&g, n));
		assert_int_equal(gated_has(&g, JOBS), nth == 2);
		gated_end(&g);
	}
}

static void a_thread_that_cannot_start_is_said_and_the_spool_is_usable(void **state UNUSED)
{
	pthread_attr_t usual, huge;
	struct gated g;
	int r;

	gated_make(&g);
	gated_open(&g);
	assert_int_equal(pthread_getattr_default_np(&usual), 0);
	assert_int_equal(pthread_attr_init(&huge), 0);
	assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 46), 0);
	assert_int_equal(pthread_setattr_default_np(&huge), 0);
	r = spool_start(g.sp);
	assert_int_equal(pthread_setattr_default_np(&usual), 0);
	assert_true(r < 0);
	gated_fill(&g, 0, 1, 10, 1);
	assert_true(gated_has(&g, 0));
	gated_end(&g);
	(void)pthread_attr_destroy(&huge);
	(void)pthread_attr_destroy(&usual);
}

static unsigned woken[3];
static void wake_0(struct spool_port *port UNUSED)
{
	woken[0]++;
}
static void wake_1(struct spool_port *port UNUSED)
{
	woken[1]++;
}
static void wake_2(struct spool_port *port UNUSED)
{
	woken[2]++;
}

static void a_port_that_was_removed_is_woken_no_more(void **state UNUSED)
{
	struct spool_port ports[] = { { .wake = wake_0 }, { .wake = wake_1 }, { .wake = wake_2 } };
	struct gated g;

	gated_make(&g);
	gated_open(&g);
	memset(woken, 0, sizeof(woken));
	for (size_t i = 0; i < 3; i++)
		spool_port_add(g.sp, &ports[i]);
	gated_fill(&g, 0, 1, 10, 1);
	spool_port_remove(g.sp, &ports[1]);
	spool_port_remove(g.sp, &ports[1]); /* once more changes nothing */
	gated_fill(&g, 1, 2, 10, 1);
	assert_true(woken[0] == 2 && woken[1] == 1 && woken[2] == 2);
	spool_port_remove(g.sp, &ports[0]);
	spool_port_remove(g.sp, &ports[2]);
	gated_fill(&g, 2, 3, 10, 1);
	assert_true(woken[0] == 2 && woken[1] == 1 && woken[2] == 2);
	gated_end(&g);
}

static void a_segment_too_small_for_use_is_raised(void **state UNUSED)
{
	struct gated g;

	gated_make(&g);
	g.o.segment_bytes = 1;
	gated_open(&g);
	assert_int_equal(disk_sim_size(g.sim, "0000000000000000.seg"), 1024);
	gated_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_disk_refuses_at_the_start_is_said_and_the_log_stays),
		cmocka_unit_test(a_spare_that_cannot_be_removed_keeps_the_spool_closed),
		cmocka_unit_test(a_new_spool_that_cannot_be_written_is_not_opened),
		cmocka_unit_test(a_folder_that_is_not_there_is_said_at_once),
		cmocka_unit_test(a_reader_writes_nothing_and_needs_a_spool),
		cmocka_unit_test(a_reader_looks_again_when_a_segment_has_gone),
		cmocka_unit_test(names_that_are_no_segments_are_left_alone),
		cmocka_unit_test(a_failure_while_closing_loses_nothing_that_was_promised),
		cmocka_unit_test(a_thread_that_cannot_start_is_said_and_the_spool_is_usable),
		cmocka_unit_test(a_port_that_was_removed_is_woken_no_more),
		cmocka_unit_test(a_segment_too_small_for_use_is_raised),
	};

	return cmocka_run_group_tests_name("spool opening", tests, NULL, NULL);
}
