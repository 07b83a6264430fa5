/* Writing: what the disk refuses under a running spool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/spool/gated.h"

static unsigned woken;
static void count_wake(struct spool_port *port UNUSED)
{
	woken++;
}

/* The next commit does not come about: nothing of it is promised, what was promised before is
 * there when the spool is opened again. */
static void commit_is_poisoned(struct gated *g, uint64_t promised)
{
	struct spool_port port = { .wake = count_wake };
	lsn_t durable = spool_durable(g->sp);
	job_no job;

	woken = 0;
	spool_port_add(g->sp, &port);
	assert_int_equal(spool_commit_now(g->sp), E_POISONED);
	assert_true(woken == 1 && spool_durable(g->sp) == durable);
	assert_int_equal(spool_failed(g->sp), E_POISONED);
	disk_gate_open(g->gate);
	assert_int_equal(gated_put(g, 1000, 1, 10, &job), E_POISONED);
	assert_int_equal(spool_commit_now(g->sp), E_POISONED);
	gated_close(g);
	gated_open(g);
	for (uint64_t n = 0; n < promised; n++)
		assert_true(gated_has(g, n));
	gated_end(g);
}

static void a_write_that_is_short_ends_acceptance(void **state UNUSED)
{
	struct gated g;
	job_no job;

	gated_make(&g);
	gated_open(&g);
	gated_fill(&g, 0, 3, 100, 1);
	assert_int_equal(gated_put(&g, 3, 1, 100, &job), 0);
	disk_gate_short(g.gate, CALL_PWRITE, 1, 64);
	commit_is_poisoned(&g, 3);
}

static void a_segment_that_cannot_be_made_ends_acceptance(void **state UNUSED)
{
	const enum disk_call calls[] = { CALL_PWRITE, CALL_SYNC_DATA, CALL_RENAME, CALL_SYNC_DIR };
	struct gated g;
	job_no job;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		gated_make(&g);
		gated_open(&g);
		gated_fill(&g, 0, 3, 100, 1);
		assert_int_equal(gated_put(&g, 3, 1, 4000, &job), 0); /* takes one of its own */
		disk_gate_fail(g.gate, calls[i], 1, -EIO);
		commit_is_poisoned(&g, 3);
	}
}

static void a_spare_left_by_a_failure_is_replaced(void **state UNUSED)
{
	struct gated g;

	gated_make(&g);
	disk_gate_fail(g.gate, CALL_ALLOCATE, 2,
		       -ENOSPC); /* of the spare after the first segment */
	disk_gate_fail(g.gate, CALL_UNLINK, EACH_CALL, -EBUSY);
	gated_open(&g);
	assert_int_equal(disk_gate_met(g.gate, CALL_ALLOCATE), 1);
	assert_true(gated_books(&g).refusing); /* no spare, no mail */
	disk_gate_open(g.gate);
	gated_commit(&g);
	assert_false(gated_books(&g).refusing);
	gated_fill(&g, 0, 40, 300, 1);
	assert_true(gated_segments(&g) > 2);
	assert_true(gated_has(&g, 0) && gated_has(&g, 39));
	gated_end(&g);
}

static void without_room_for_a_whole_segment_outcomes_get_a_small_one(void **state UNUSED)
{
	struct gated g;
	uint64_t rows = 0;
	unsigned before;
	job_no job;

	gated_make(&g);
	gated_open(&g);
	assert_int_equal(gated_put(&g, 0, 200, 100, &job), 0);
	gated_commit(&g);
	before = gated_segments(&g);
	/* From now on no file of the usual size can be had, though there seems to be room. */
	disk_gate_fail(g.gate, CALL_FREE_BYTES, EACH_CALL, -ENOSYS);
	while (gated_segments(&g) == before) { /* uses up the spare that was made before */
		assert_int_equal(gated_finish(&g, job, (uint32_t)rows++), 0);
		disk_gate_fail(g.gate, CALL_ALLOCATE, EACH_CALL, -ENOSPC);
		gated_commit(&g);
	}
	before = gated_segments(&g);
	while (gated_segments(&g) == before) {
		assert_int_equal(gated_finish(&g, job, (uint32_t)rows++), 0);
		disk_gate_fail(g.gate, CALL_ALLOCATE, 1, -ENOSPC); /* 4096; then what is needed */
		gated_commit(&g);
		assert_true(rows < 200);
	}
	disk_gate_open(g.gate);
	assert_int_equal(gated_books(&g).delivered, rows);
	gated_close(&g);
	gated_open(&g);
	assert_int_equal(gated_books(&g).delivered, rows);
	gated_end(&g);
}

static void a_disk_that_does_not_say_how_much_is_free_is_taken_at_its_word(void **state UNUSED)
{
	struct gated g;

	gated_make(&g);
	disk_gate_fail(g.gate, CALL_FREE_BYTES, EACH_CALL, -ENOSYS);
	gated_open(&g);
	gated_fill(&g, 0, 20, 300, 1);
	assert_false(gated_books(&g).refusing);
	assert_true(gated_has(&g, 19));
	gated_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_that_is_short_ends_acceptance),
		cmocka_unit_test(a_segment_that_cannot_be_made_ends_acceptance),
		cmocka_unit_test(a_spare_left_by_a_failure_is_replaced),
		cmocka_unit_test(without_room_for_a_whole_segment_outcomes_get_a_small_one),
		cmocka_unit_test(a_disk_that_does_not_say_how_much_is_free_is_taken_at_its_word),
	};

	return cmocka_run_group_tests_name("spool commits", tests, NULL, NULL);
}
