/* What the spool refuses, and what damage met while running does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "spool/disk.h"
#include "spool/tables.h"
#include "tests/sim/disk_sim.h"
#include "tests/unit/spool/yard.h"

static char big[CONTENT_MAX + 1];

static void what_is_too_large_is_refused_whole(void **state UNUSED)
{
	struct yard y;
	struct content_in c = { yard_id(1), SLICE(""), slice_of(big, sizeof(big)) };
	struct job_in j = { .id = yard_id(2), .content = yard_id(1), .rows = ROWS_MAX + 1 };
	job_no job;
	lsn_t lsn;

	yard_open(&y);
	assert_int_equal(spool_put(y.sp, &c, NULL, NULL, &lsn), E_LIMIT);
	c.meta = SLICE("x");
	c.bytes = slice_of(big, CONTENT_MAX);
	assert_int_equal(spool_put(y.sp, &c, NULL, NULL, &lsn), E_LIMIT);
	c.bytes = SLICE("small");
	assert_int_equal(spool_put(y.sp, &c, &j, &job, &lsn), E_LIMIT);
	j.rows = 1;
	j.data = slice_of(big, CONTENT_MAX);
	assert_int_equal(spool_put(y.sp, &c, &j, &job, &lsn), E_LIMIT);
	j.rows = 0;
	j.data = SLICE("");
	assert_int_equal(spool_put(y.sp, &c, &j, &job, &lsn), -EINVAL);
	assert_int_equal(spool_put(y.sp, NULL, NULL, &job, &lsn), -EINVAL);
	assert_int_equal(spool_put_rule(y.sp, slice_of(big, RULE_KEY_MAX + 1), SLICE("v"), NULL),
			 E_LIMIT);
	assert_int_equal(spool_put_rule(y.sp, SLICE(""), SLICE("v"), NULL), E_LIMIT);
	assert_int_equal(spool_put_rule(y.sp, SLICE("k"), slice_of(big, RULE_VALUE_MAX + 1), NULL),
			 E_LIMIT);
	assert_int_equal(spool_consumer_set(y.sp, slice_of(big, CONSUMER_NAME_MAX + 1), 0),
			 E_LIMIT);
	assert_int_equal(yard_end(&y, 0, 0, 9), -EINVAL);
	assert_int_equal(yard_end(&y, 77, 0, OUTCOME_DELIVERED), E_UNKNOWN);
	assert_int_equal(yard_books(&y).accepted, 0);
	yard_again(&y);
	yard_close(&y);
}

static void the_largest_content_is_taken_and_given_back(void **state UNUSED)
{
	struct yard y;
	struct content_in c = { yard_id(1), SLICE(""), slice_of(big, CONTENT_MAX) };
	struct job_in j = { .id = yard_id(2), .content = yard_id(1), .rows = 1 };
	struct buf back = { .max = 0 };
	job_no job;
	lsn_t lsn;

	for (size_t i = 0; i < CONTENT_MAX; i += 4096)
		big[i] = (char)(i >> 12);
	yard_open(&y);
	assert_int_equal(yard_put(&y, 50, 1, true, &job), 0);
	assert_int_equal(spool_put(y.sp, &c, &j, &job, &lsn), E_FULL); /* too much is pending */
	yard_commit(&y);
	assert_int_equal(spool_put(y.sp, &c, &j, &job, &lsn), 0);
	assert_int_equal(yard_put(&y, 51, 1, true, &job), E_FULL);
	yard_commit(&y);
	assert_int_equal(yard_put(&y, 51, 1, true, &job), 0);
	yard_again(&y);
	assert_int_equal(spool_read_content(y.sp, yard_id(1), NULL, &back), 0);
	assert_true(slice_eq(buf_data(&back), c.bytes));
	assert_int_equal(yard_books(&y).queued, 3);
	buf_free(&back);
	yard_close(&y);
}

static int stop_at_once(void *arg UNUSED, const struct event *e UNUSED)
{
	return -ECANCELED;
}

static void a_cursor_that_cannot_be_is_refused(void **state UNUSED)
{
	struct yard y;
	job_no job;
	lsn_t at = 0;

	yard_open(&y);
	assert_int_equal(yard_put(&y, 1, 1, true, &job), 0);
	assert_int_equal(spool_consumer_set(y.sp, SLICE("c"), spool_head(y.sp)), -EINVAL);
	assert_int_equal(spool_events(y.sp, spool_head(y.sp), 1, stop_at_once, NULL, &at), -EINVAL);
	yard_commit(&y);
	assert_int_equal(spool_events(y.sp, 3, 1, stop_at_once, NULL, &at), -EINVAL);
	/* Inside a record: a wrong question, no damage. */
	assert_int_equal(spool_events(y.sp, SEGMENT_HEADER + 8, 1, stop_at_once, NULL, &at),
			 -EINVAL);
	assert_int_equal(spool_events(y.sp, 0, 1, stop_at_once, NULL, &at), -ECANCELED);
	assert_true(at <= SEGMENT_HEADER + 128); /* before the event that was not taken */
	for (uint64_t i = 2; i < 100; i++) {
		assert_int_equal(yard_end(&y, job, 0, OUTCOME_DELIVERED), 0);
		assert_int_equal(yard_put(&y, i, 1, true, &job), 0);
		yard_commit(&y);
	}
	assert_int_equal(spool_events(y.sp, 0, 1, stop_at_once, NULL, &at), E_UNKNOWN);
	assert_int_equal(spool_consumer_get(y.sp, SLICE("c"), &at), E_UNKNOWN);
	assert_int_equal(spool_consumer_drop(y.sp, SLICE("c")), E_UNKNOWN);
	yard_close(&y);
}

static void a_dropped_consumer_keeps_nothing(void **state UNUSED)
{
	struct yard y;
	job_no job;
	lsn_t at;

	yard_open(&y);
	assert_int_equal(spool_consumer_set(y.sp, SLICE("gone"), 0), 0);
	for (uint64_t i = 0; i < 200; i++) {
		assert_int_equal(yard_put(&y, i, 1, true, &job), 0);
		assert_int_equal(yard_end(&y, job, 0, OUTCOME_DELIVERED), 0);
		yard_commit(&y);
	}
	assert_true(yard_files(&y) > 8);
	assert_int_equal(spool_consumer_drop(y.sp, SLICE("gone")), 0);
	yard_commit(&y);
	yard_commit(&y);
	assert_true(yard_files(&y) < 4);
	yard_again(&y);
	assert_int_equal(spool_consumer_get(y.sp, SLICE("gone"), &at), E_UNKNOWN);
	yard_close(&y);
}

static void a_cursor_counts_forwards_once_durable_and_backwards_at_once(void **state UNUSED)
{
	struct tables t;

	tables_init(&t);
	assert_int_equal(kept_consumers_slowest(&t), UINT64_MAX);
	kept_consumer_set(&t, SLICE("c"), 100)->kept = 100;
	kept_consumer_set(&t, SLICE("c"), 200);
	assert_int_equal(kept_consumers_slowest(&t), 100);
	kept_consumer_set(&t, SLICE("c"), 50);
	assert_int_equal(kept_consumers_slowest(&t), 50);
	tables_free(&t);
}

static void a_consumer_set_back_finds_the_log_from_there(void **state UNUSED)
{
	struct yard y;
	job_no job;
	lsn_t back = 0, at;

	yard_open(&y);
	assert_int_equal(spool_consumer_set(y.sp, SLICE("c"), 0), 0);
	for (uint64_t i = 0; i < 200; i++) {
		assert_int_equal(yard_put(&y, i, 1, true, &job), 0);
		assert_int_equal(yard_end(&y, job, 0, OUTCOME_DELIVERED), 0);
		yard_commit(&y);
		if (i == 20)
			back = spool_durable(y.sp);
		if (i == 100)
			assert_int_equal(spool_consumer_set(y.sp, SLICE("c"), back), 0);
	}
	yard_commit(&y);
	assert_true(spool_oldest(y.sp) > 0); /* what was before it went */
	assert_int_equal(spool_consumer_set(y.sp, SLICE("c"), spool_durable(y.sp)), 0);
	assert_int_equal(spool_consumer_set(y.sp, SLICE("c"), back), 0);
	yard_commit(&y);
	yard_commit(&y);
	assert_int_equal(spool_events(y.sp, back, 1, stop_at_once, NULL, &at),
			 -ECANCELED); /* it is there */
	yard_close(&y);
}

static int put_sim(struct spool *sp, uint64_t n, job_no *job)
{
	char text[300];
	struct content_in c = { yard_id(n + 1000), SLICE(""), slice_of(text, sizeof(text)) };
	struct job_in j = { .id = yard_id(n), .content = c.id, .rows = 1, .data = SLICE("row") };
	lsn_t lsn;

	memset(text, (int)n, sizeof(text));
	return spool_put(sp, &c, &j, job, &lsn);
}

/* Bytes rot under a running spool: the first job's rows, in the oldest segment. */
static void damage_met_while_running_is_said_and_kept(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	struct spool_options o = { .dir = "",
				   .disk = disk_sim_disk(sim),
				   .segment_bytes = 4096,
				   .reserve_bytes = 1,
				   .clean_ratio = 110 };
	struct spool *sp = NULL;
	struct outcome end = { .kind = OUTCOME_DELIVERED };
	struct buf data = { .max = 0 };
	job_no first, job;

	assert_int_equal(spool_open(&sp, &o), 0);
	assert_int_equal(put_sim(sp, 0, &first), 0);
	assert_int_equal(spool_commit_now(sp), 0);
	disk_sim_flip(sim, "0000000000000000.seg", spool_durable(sp) - 8, 3);
	assert_int_equal(spool_read_job(sp, first, NULL, &data), E_CORRUPT);
	assert_int_equal(buf_len(&data), 0);
	for (uint64_t i = 1; i < 200; i++) {
		assert_int_equal(put_sim(sp, i, &end.job), 0);
		assert_int_equal(spool_put_outcome(sp, &end, NULL), 0);
		assert_int_equal(spool_commit_now(sp), 0);
	}
	assert_int_equal(spool_oldest(sp), 0); /* nothing is given up */
	assert_int_equal(spool_failed(sp), 0);
	assert_int_equal(spool_find_job(sp, yard_id(0), &job), 0);
	end.job = first; /* a person cancels it */
	end.kind = OUTCOME_CANCELLED;
	assert_int_equal(spool_put_outcome(sp, &end, NULL), 0);
	assert_int_equal(spool_commit_now(sp), 0);
	assert_int_equal(spool_commit_now(sp), 0);
	assert_true(spool_oldest(sp) > 0);
	sp = spool_free(sp);
	assert_int_equal(spool_open(&sp, &o), 0);
	sp = spool_free(sp);
	buf_free(&data);
}

/* Stands in front of unlink(): what does the spool call its oldest position while the file goes? */
static struct {
	struct disk disk;
	const struct disk *real;
	struct spool *sp;
	lsn_t last;
	unsigned removed;
} watch;

static int watched_unlink(void *self, int dirfd, const char *name)
{
	if (watch.sp && strstr(name, ".seg")) {
		assert_true(spool_oldest(watch.sp) > watch.last);
		watch.last = spool_oldest(watch.sp);
		watch.removed++;
	}
	return watch.real->unlink(self, dirfd, name);
}

static void a_segment_whose_file_is_going_is_no_longer_the_oldest(void **state UNUSED)
{
	OWNED(disk_sim) sim = disk_sim_new();
	struct outcome end = { .kind = OUTCOME_DELIVERED };

	watch.real = disk_sim_disk(sim);
	watch.disk = *watch.real;
	watch.disk.unlink = watched_unlink;
	struct spool_options o = { .dir = "",
				   .disk = &watch.disk,
				   .segment_bytes = 4096,
				   .reserve_bytes = 1,
				   .clean_ratio = 110 };
	assert_int_equal(spool_open(&watch.sp, &o), 0);
	for (uint64_t i = 1; i < 200; i++) {
		assert_int_equal(put_sim(watch.sp, i, &end.job), 0);
		assert_int_equal(spool_put_outcome(watch.sp, &end, NULL), 0);
		assert_int_equal(spool_commit_now(watch.sp), 0);
		assert_true(spool_oldest(watch.sp) >= watch.last);
	}
	assert_true(watch.removed > 8);
	struct spool *sp = watch.sp;
	watch.sp = NULL;
	spool_free(sp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_whose_file_is_going_is_no_longer_the_oldest),
		cmocka_unit_test(what_is_too_large_is_refused_whole),
		cmocka_unit_test(the_largest_content_is_taken_and_given_back),
		cmocka_unit_test(a_cursor_that_cannot_be_is_refused),
		cmocka_unit_test(a_dropped_consumer_keeps_nothing),
		cmocka_unit_test(a_cursor_counts_forwards_once_durable_and_backwards_at_once),
		cmocka_unit_test(a_consumer_set_back_finds_the_log_from_there),
		cmocka_unit_test(damage_met_while_running_is_said_and_kept),
	};

	return cmocka_run_group_tests_name("spool limits", tests, NULL, NULL);
}
