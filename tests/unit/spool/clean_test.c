/* Cleaning: what is still needed is never lost, whatever happens to the step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/hash.h"
#include "tests/unit/spool/gated.h"

static void a_segment_that_cannot_be_removed_waits(void **state UNUSED)
{
	struct gated g;

	gated_make(&g);
	gated_open(&g);
	disk_gate_fail(g.gate, CALL_UNLINK, EACH_CALL, -EPERM);
	gated_fill(&g, 0, 40, 300, 0);
	assert_true(disk_gate_met(g.gate, CALL_UNLINK) > 1);
	assert_int_equal(spool_oldest(g.sp), 0);
	disk_gate_open(g.gate);
	gated_commit(&g);
	assert_true(spool_oldest(g.sp) > 4096);
	assert_true(gated_segments(&g) < 3);
	gated_end(&g);
}

/* Job 0 alone holds the oldest segment of a log that would else be short. */
static job_no hold_oldest(struct gated *g)
{
	job_no job;

	gated_make(g);
	g->o.clean_ratio = 1000000; /* nothing is copied */
	gated_open(g);
	assert_int_equal(gated_put(g, 0, 1, 300, &job), 0);
	gated_fill(g, 1, 40, 300, 0);
	assert_int_equal(spool_oldest(g->sp), 0);
	return job;
}

static void remove_first(void *arg)
{
	const struct disk *d = disk_sim_disk(((struct gated *)arg)->sim);

	assert_int_equal(d->unlink(d->self, 0, "0000000000000000.seg"), 0);
}

static void a_segment_whose_file_has_gone_already_is_no_failure(void **state UNUSED)
{
	struct gated g;
	job_no job = hold_oldest(&g);

	assert_int_equal(gated_finish(&g, job, 0), 0);
	disk_gate_meet(g.gate, CALL_UNLINK, 1, remove_first, &g);
	gated_commit(&g);
	assert_int_equal(disk_gate_met(g.gate, CALL_UNLINK), 1);
	assert_true(spool_oldest(g.sp) > 4096); /* those behind it went at once too */
	assert_int_equal(spool_failed(g.sp), 0);
	gated_end(&g);
}

static void a_removal_that_is_not_synced_ends_acceptance(void **state UNUSED)
{
	struct gated g;
	job_no job = hold_oldest(&g);

	assert_int_equal(gated_finish(&g, job, 0), 0);
	disk_gate_fail(g.gate, CALL_SYNC_DIR, 1, -EIO); /* no segment is made in this commit */
	gated_commit(&g);
	assert_int_equal(spool_failed(g.sp), E_POISONED);
	assert_int_equal(gated_put(&g, 50, 1, 10, &job), E_POISONED);
	disk_gate_open(g.gate);
	gated_close(&g);
	gated_open(&g);
	assert_int_equal(gated_books(&g).delivered, 40); /* that was durable before */
	gated_end(&g);
}

struct meeting {
	struct gated *g;
	job_no job;
};
static void end_job(void *arg)
{
	struct meeting *m = arg;

	assert_int_equal(gated_finish(m->g, m->job, 0), 0);
}

/* The nth read of the cleaner meets the end of the job it reads for. */
static void job_ends_while_it_is_copied(unsigned nth)
{
	struct meeting m;
	struct gated g;

	gated_make(&g);
	gated_open(&g);
	m.g = &g;
	assert_int_equal(gated_put(&g, 1, 1, 300, &m.job), 0);
	gated_commit(&g);
	disk_gate_meet(g.gate, CALL_PREAD, nth, end_job, &m);
	gated_fill(&g, 2, 60, 300, 0);
	assert_int_equal(disk_gate_met(g.gate, CALL_PREAD), 1);
	assert_false(gated_has(&g, 1));
	gated_commit(&g);
	assert_true(spool_oldest(g.sp) > 4096); /* it holds nothing back */
	assert_int_equal(gated_books(&g).queued, 0);
	gated_close(&g);
	gated_open(&g);
	assert_int_equal(gated_books(&g).delivered, 59);
	gated_end(&g);
}

static void a_job_that_ends_while_it_is_copied_has_ended(void **state UNUSED)
{
	job_ends_while_it_is_copied(1);
}

static void a_content_nobody_needs_any_more_while_it_is_copied_goes(void **state UNUSED)
{
	job_ends_while_it_is_copied(2);
}

static void a_record_that_cannot_be_read_keeps_its_segment(void **state UNUSED)
{
	struct gated g;
	job_no job;

	for (unsigned nth = 1; nth <= 2; nth++) { /* of the job; of its content */
		gated_make(&g);
		gated_open(&g);
		assert_int_equal(gated_put(&g, 1, 1, 300, &job), 0);
		gated_commit(&g);
		disk_gate_fail(g.gate, CALL_PREAD, nth, -EIO);
		gated_fill(&g, 2, 60, 300, 0);
		assert_int_equal(disk_gate_met(g.gate, CALL_PREAD), 1);
		gated_commit(&g);
		assert_true(gated_has(&g, 1)); /* it was only this once */
		assert_true(spool_oldest(g.sp) > 0);
		gated_end(&g);
	}
}

/* Rules and jobs in the oldest segment, a log that is too long, and no room but `left` records less
 * than the newest segment has. */
static void fill_the_disk(struct gated *g, unsigned left)
{
	char value[120] = { 1 };
	const struct slice v = slice_of(value, sizeof(value));
	unsigned segments;

	gated_make(g);
	gated_open(g);
	for (char key = 'a'; key < 'f'; key++)
		assert_int_equal(spool_put_rule(g->sp, slice_of(&key, 1), v, NULL), 0);
	gated_fill(g, 0, 4, 400, 1);
	assert_int_equal(spool_consumer_set(g->sp, SLICE("reader"), 0), 0); /* keeps all */
	gated_fill(g, 4, 40, 300, 0);
	disk_gate_fail(g->gate, CALL_ALLOCATE, EACH_CALL, -ENOSPC);
	segments = gated_segments(g);
	while (gated_segments(g) == segments || left-- > 0) { /* uses up the spare */
		assert_int_equal(spool_put_rule(g->sp, SLICE("z"), v, NULL), 0);
		gated_commit(g);
	}
	disk_sim_capacity(g->sim, 0); /* not one byte more */
}

static void all_is_kept(struct gated *g)
{
	for (uint64_t n = 0; n < 4; n++)
		assert_true(gated_has(g, n));
	assert_int_equal(gated_books(g).rules, 6);
	assert_int_equal(gated_books(g).queued, 4);
}

static void wherever_the_room_for_copies_ends_nothing_is_lost(void **state UNUSED)
{
	unsigned stuck = 0, done = 0;

	for (unsigned left = 0; left < 24; left++) {
		struct gated g;
		fill_the_disk(&g, left);
		assert_int_equal(spool_consumer_drop(g.sp, SLICE("reader")), 0);
		for (int i = 0; i < 4; i++)
			gated_commit(&g);
		stuck += spool_oldest(g.sp) == 0;
		done += spool_oldest(g.sp) > 0;
		all_is_kept(&g);
		disk_sim_capacity(g.sim, (uint64_t)1 << 40);
		disk_gate_open(g.gate);
		for (int i = 0; i < 8; i++)
			gated_commit(&g);
		assert_true(spool_oldest(g.sp) > 0); /* it was only put off */
		all_is_kept(&g);
		gated_close(&g);
		gated_open(&g);
		all_is_kept(&g);
		gated_end(&g);
	}
	assert_true(stuck > 0 && done > 0); /* it did end, and not always */
}

static void a_segment_of_many_small_things_is_cleaned_in_steps(void **state UNUSED)
{
	enum { MANY = 5000, KEPT = 100 };
	struct gated g;
	unsigned steps = 0;
	char key[8];
	job_no job;

	gated_make(&g);
	g.o.segment_bytes = 4 << 20;
	gated_open(&g);
	for (uint64_t n = 0; n < MANY; n++) {
		assert_int_equal(gated_put(&g, n, 1, 10, &job), 0);
		if (n % KEPT)
			assert_int_equal(gated_finish(&g, job, 0), 0);
	}
	for (unsigned n = 0; n < 1500; n++) {
		(void)snprintf(key, sizeof(key), "%u", n);
		assert_int_equal(spool_put_rule(g.sp, slice_str(key), SLICE("v"), NULL), 0);
	}
	gated_commit(&g);
	for (uint64_t n = MANY; n < MANY + 30; n++) /* the log grows long with what is not needed */
		gated_fill(&g, n, n + 1, 1 << 20, 0);
	while (spool_oldest(g.sp) == 0) {
		gated_commit(&g);
		assert_true(++steps < 50);
	}
	for (uint64_t n = 0; n < MANY; n += KEPT)
		assert_true(gated_has(&g, n));
	assert_int_equal(gated_books(&g).rules, 1500);
	assert_int_equal(gated_books(&g).queued, MANY / KEPT);
	assert_int_equal(gated_put(&g, 1, 1, 10, &job), 0); /* its first record has left the log */
	gated_end(&g);
}

/* Rows that do not pack: a job of 100 KiB. */
static void put_large_job(struct gated *g, uint64_t n)
{
	static char noise[100 << 10];
	struct job_in j = { .id = gated_id(n),
			    .content = { 8, 0 },
			    .rows = 1,
			    .meta = SLICE("job"),
			    .data = slice_of(noise, sizeof(noise)) };
	lsn_t lsn;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)hash_mix(n * sizeof(noise) + i);
	assert_int_equal(spool_put(g->sp, NULL, &j, NULL, &lsn), 0);
}

static void what_lives_of_a_large_segment_is_copied_a_mebibyte_at_a_time(void **state UNUSED)
{
	enum { LIVE = 20, JOBS = 40, BYTES = 100 << 10 };
	uint64_t before, most = 0;
	struct gated g;
	job_no job;

	gated_make(&g);
	g.o.segment_bytes = 8 << 20;
	gated_open(&g);
	for (uint64_t n = 0; n < LIVE; n++)
		assert_int_equal(gated_put(&g, n, 1, BYTES, &job), 0);
	for (uint64_t n = LIVE; n < JOBS; n++)
		put_large_job(&g, n);
	gated_commit(&g);
	for (uint64_t n = 100; n < 160; n++) {
		before = gated_books(&g).bytes_written;
		gated_fill(&g, n, n + 1, 1 << 20, 0);
		most = MAX_OF(most, gated_books(&g).bytes_written - before);
	}
	assert_true(spool_oldest(g.sp) > 0);
	assert_true(most < (1 << 20) * 5 / 2); /* one job of a MiB, and one step */
	for (int again = 0; again < 2; again++) {
		job_no large = 0;
		for (uint64_t n = 0; n < LIVE; n++)
			assert_true(gated_has(&g, n));
		assert_int_equal(spool_find_job(g.sp, gated_id(JOBS - 1), &large), 0);
		assert_int_equal(gated_books(&g).queued, JOBS);
		gated_close(&g);
		gated_open(&g); /* records over the edges of the blocks it is read in */
	}
	gated_end(&g);
}

struct reading {
	struct gated *g;
	unsigned heard;
	job_no last;
};
static int clean_under_it(void *arg, const struct event *e UNUSED)
{
	struct reading *rd = arg;

	if (rd->heard++ == 0) {
		assert_int_equal(gated_finish(rd->g, rd->last, 0), 0);
		gated_commit(rd->g);
		gated_commit(rd->g);
		assert_true(spool_oldest(rd->g->sp) > 0);
	}
	return 0;
}

static void a_reader_reads_on_in_a_segment_that_was_removed_under_it(void **state UNUSED)
{
	struct reading rd = { .heard = 0 };
	struct gated g;
	lsn_t at = 0;

	rd.last = hold_oldest(&g);
	rd.g = &g;
	assert_int_equal(spool_events(g.sp, 0, 1000, clean_under_it, &rd, &at), 0);
	assert_true(rd.heard > 4);                         /* all of that segment */
	assert_true(at > 2048 && at < spool_oldest(g.sp)); /* and not what went meanwhile */
	assert_int_equal(spool_events(g.sp, at, 1000, clean_under_it, &rd, &at), E_UNKNOWN);
	gated_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_whose_file_has_gone_already_is_no_failure),
		cmocka_unit_test(a_segment_that_cannot_be_removed_waits),
		cmocka_unit_test(a_removal_that_is_not_synced_ends_acceptance),
		cmocka_unit_test(a_job_that_ends_while_it_is_copied_has_ended),
		cmocka_unit_test(a_content_nobody_needs_any_more_while_it_is_copied_goes),
		cmocka_unit_test(a_record_that_cannot_be_read_keeps_its_segment),
		cmocka_unit_test(wherever_the_room_for_copies_ends_nothing_is_lost),
		cmocka_unit_test(a_segment_of_many_small_things_is_cleaned_in_steps),
		cmocka_unit_test(what_lives_of_a_large_segment_is_copied_a_mebibyte_at_a_time),
		cmocka_unit_test(a_reader_reads_on_in_a_segment_that_was_removed_under_it),
	};

	return cmocka_run_group_tests_name("spool cleaning", tests, NULL, NULL);
}
