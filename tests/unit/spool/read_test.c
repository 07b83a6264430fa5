/* Reading: the queue, the events, the audit and the verification over a disk that refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/spool/gated.h"
#include "tests/unit/spool/yard.h"

static void make_log(struct gated *g)
{
	gated_make(g);
	gated_open(g);
	gated_fill(g, 0, 20, 500, 1);
	assert_true(gated_segments(g) > 2);
}

static void what_is_not_there_is_unknown(void **state UNUSED)
{
	struct job_info info;
	struct gated g;
	uint16_t attempts = 1;
	int64_t next = 1;
	job_no job;

	make_log(&g);
	assert_int_equal(spool_read_job(g.sp, 777, NULL, NULL), E_UNKNOWN);
	assert_int_equal(spool_job_info(g.sp, 777, &info), E_UNKNOWN);
	assert_int_equal(spool_read_content(g.sp, gated_id(1), NULL, NULL), E_UNKNOWN);
	assert_false(spool_row_live(g.sp, 777, 0, &attempts, &next));
	assert_true(attempts == 0 && next == 0);
	assert_int_equal(spool_find_job(g.sp, gated_id(5), &job), 0);
	assert_true(spool_row_live(g.sp, job, 0, &attempts, &next));
	assert_false(spool_row_live(g.sp, job, 1, &attempts, &next));
	assert_int_equal(gated_finish(&g, job, 1), E_UNKNOWN);
	assert_int_equal(gated_finish(&g, job, 0), 0);
	assert_int_equal(gated_finish(&g, job, 0), E_CONFLICT);
	assert_int_equal(spool_read_job(g.sp, job, NULL, NULL), E_UNKNOWN);
	gated_end(&g);
}

static void a_read_the_disk_refuses_is_said_and_may_succeed_later(void **state UNUSED)
{
	struct buf b = { .max = 0 };
	struct gated g;
	job_no job;

	make_log(&g);
	assert_int_equal(spool_find_job(g.sp, gated_id(0), &job), 0);
	disk_gate_fail(g.gate, CALL_PREAD, 1, -EIO);
	assert_int_equal(spool_read_job(g.sp, job, &b, &b), -EIO);
	disk_gate_fail(g.gate, CALL_PREAD, 1, -EIO);
	assert_int_equal(spool_read_content(g.sp, (struct id128){ 8, 0 }, &b, &b), -EIO);
	disk_gate_short(g.gate, CALL_PREAD, 1, 20);
	assert_int_equal(spool_read_job(g.sp, job, &b, &b), E_CORRUPT);
	assert_int_equal(buf_len(&b), 0);
	assert_true(gated_has(&g, 0));
	gated_end(&g);
}

static void a_buffer_that_may_not_hold_it_is_a_limit(void **state UNUSED)
{
	struct buf small = { .max = 2 };
	char rows[3000] = { 0 };
	struct content_in c = { { 8, 99 }, SLICE("meta"), SLICE("bytes") };
	struct job_in j = { .id = gated_id(99),
			    .content = c.id,
			    .rows = 1,
			    .meta = SLICE("job"),
			    .data = slice_of(rows, sizeof(rows)) };
	struct gated g;
	job_no job;
	lsn_t lsn;

	make_log(&g);
	assert_int_equal(spool_put(g.sp, &c, &j, &job, &lsn), 0);
	assert_int_equal(spool_read_job(g.sp, job, &small, NULL), E_LIMIT);
	assert_int_equal(spool_read_job(g.sp, job, NULL, &small), E_LIMIT); /* it is unpacked */
	assert_int_equal(spool_read_job(g.sp, job, &small, &small), E_LIMIT);
	assert_int_equal(spool_read_content(g.sp, c.id, &small, NULL), E_LIMIT);
	assert_int_equal(spool_read_content(g.sp, c.id, NULL, &small), E_LIMIT);
	assert_int_equal(spool_read_content(g.sp, c.id, &small, &small), E_LIMIT);
	buf_free(&small);
	gated_end(&g);
}

struct glance {
	struct gated *g;
	uint64_t job;
	bool seen;
};
static void look(void *arg)
{
	struct glance *l = arg;

	l->seen = gated_has(l->g, l->job);
}

static void what_is_being_written_is_read_back_meanwhile(void **state UNUSED)
{
	struct gated g;
	struct glance l = { &g, 50, false };
	job_no job;

	make_log(&g);
	assert_int_equal(gated_put(&g, 50, 1, 300, &job), 0);
	disk_gate_meet(g.gate, CALL_PWRITE, 1, look, &l);
	gated_commit(&g);
	assert_true(l.seen);
	gated_end(&g);
}

/* More segments than descriptors are kept for: the old ones are opened when they are read. */
static void a_segment_that_cannot_be_opened_is_said(void **state UNUSED)
{
	OWNED(disk_gate) gate = disk_gate_new(disk_real());
	struct buf data = { .max = 0 };
	struct job_info info;
	struct yard y;
	lsn_t at;
	job_no job;

	yard_open(&y);
	y.o.disk = disk_gate_disk(gate);
	yard_again(&y);
	for (uint64_t n = 0; n < 5000; n++)
		assert_int_equal(yard_put(&y, n, 1, true, &job), 0);
	yard_commit(&y);
	assert_true(yard_files(&y) > 260);
	yard_again(&y);
	assert_int_equal(spool_find_job(y.sp, yard_id(0), &job), 0);
	disk_gate_fail(gate, CALL_OPEN, 1, -EMFILE);
	assert_int_equal(spool_read_job(y.sp, job, NULL, &data), -EMFILE);
	disk_gate_fail(gate, CALL_OPEN, 1, -EMFILE);
	assert_int_equal(spool_events(y.sp, 0, 1, NULL, NULL, &at), -EMFILE);
	assert_int_equal(spool_read_job(y.sp, job, NULL, &data), 0);
	assert_true(slice_eq(buf_data(&data), SLICE("rows of 0")));
	assert_int_equal(spool_job_info(y.sp, job, &info), 0);
	assert_true(info.rows == 1 && info.rows_live == 1);
	buf_free(&data);
	yard_close(&y);
}

static int count_event(void *arg, const struct event *e UNUSED)
{
	++*(unsigned *)arg;
	return 0;
}

static void events_the_disk_refuses_are_heard_later_and_once(void **state UNUSED)
{
	struct gated g;
	unsigned heard = 0;
	lsn_t at = 0;
	int r;

	make_log(&g);
	disk_gate_fail(g.gate, CALL_PREAD, 2, -EIO);
	assert_int_equal(spool_events(g.sp, 0, 1000, count_event, &heard, &at), -EIO);
	assert_true(heard > 0 && heard < 20);
	disk_gate_open(g.gate);
	do
		r = spool_events(g.sp, at, 3, count_event, &heard, &at);
	while (r == 0 && at < spool_durable(g.sp));
	assert_int_equal(r, 0);
	assert_int_equal(heard, 20);
	gated_end(&g);
}

static void kinds_of_events_have_names(void **state UNUSED)
{
	assert_string_equal(spool_event_name(EVENT_ACCEPTED), "accepted");
	assert_string_equal(spool_event_name(OUTCOME_DEFERRED), "deferred");
	assert_string_equal(spool_event_name(0), "unknown");
	assert_string_equal(spool_event_name(EVENT_ACCEPTED + 1), "unknown");
}

/* Every call of this kind that fails must make the audit fail, and the verification too. */
static void both_say(struct gated *g, enum disk_call call, unsigned expected)
{
	struct spool_verify v = { .segments = 4711 };
	struct spool_audit a;
	unsigned nth = 1;

	for (;; nth++) {
		disk_gate_fail(g->gate, call, nth, -EIO);
		if (spool_audit("", disk_gate_disk(g->gate), &a) == 0)
			break;
		assert_int_equal(disk_gate_met(g->gate, call), 1);
		disk_gate_fail(g->gate, call, nth, -EIO);
		assert_int_equal(spool_verify("", disk_gate_disk(g->gate), NULL, NULL, &v), -EIO);
		assert_int_equal(v.segments, 4711); /* written on success only */
	}
	assert_int_equal(nth - 1, expected);
	assert_true(a.balanced);
	disk_gate_open(g->gate);
}

static void audit_and_verification_say_what_the_disk_refuses(void **state UNUSED)
{
	struct spool_verify v;
	struct spool_audit a;
	struct gated g;
	unsigned segments;

	gated_make(&g);
	assert_int_equal(spool_audit("", disk_gate_disk(g.gate), &a), -ENOENT);
	assert_int_equal(spool_verify("", disk_gate_disk(g.gate), NULL, NULL, &v), -ENOENT);
	gated_end(&g);
	make_log(&g);
	gated_close(&g);
	segments = gated_segments(&g);
	both_say(&g, CALL_OPEN_DIR, 1);
	both_say(&g, CALL_EACH_NAME, 1);
	both_say(&g, CALL_OPEN, 1 + segments); /* the second record of what is durable */
	both_say(&g, CALL_PREAD, 1 + 2 * segments);
	both_say(&g, CALL_SIZE, 1); /* of the newest */
	gated_end(&g);
}

static void a_segment_that_goes_meanwhile_is_no_damage(void **state UNUSED)
{
	struct spool_verify v;
	struct spool_audit a;
	struct gated g;
	unsigned segments;

	make_log(&g);
	segments = gated_segments(&g);
	disk_gate_fail(g.gate, CALL_OPEN, 2, -ENOENT);
	assert_int_equal(spool_audit("", disk_gate_disk(g.gate), &a), 0); /* it looks again */
	assert_true(a.balanced && a.segments == segments && a.books.queued == 20);
	disk_gate_fail(g.gate, CALL_OPEN, 2, -ENOENT);
	assert_int_equal(spool_verify("", disk_gate_disk(g.gate), NULL, NULL, &v), 0);
	assert_true(v.segments == segments - 1 && v.damaged == 0);
	gated_end(&g);
}

static int stop_at_second(void *arg UNUSED, const struct spool_verify_segment *seg)
{
	return seg->index == 1 ? -ECANCELED : 0;
}

static void a_verification_that_is_stopped_says_so(void **state UNUSED)
{
	struct spool_verify v = { .segments = 4711 };
	struct gated g;

	make_log(&g);
	assert_int_equal(spool_verify("", disk_gate_disk(g.gate), stop_at_second, NULL, &v),
			 -ECANCELED);
	assert_int_equal(v.segments, 4711);
	gated_end(&g);
}

struct found {
	uint64_t damaged, first, bytes;
};
static int take_first(void *arg, const struct spool_verify_segment *seg)
{
	if (seg->index == 0)
		*(struct found *)arg =
		    (struct found){ seg->damaged, seg->first_damage, seg->damaged_bytes };
	return 0;
}

static void a_verification_goes_on_after_damage(void **state UNUSED)
{
	static const char first[] = "0000000000000000.seg";
	struct spool_verify v;
	struct found found;
	struct gated g;

	make_log(&g);
	gated_close(&g);
	disk_sim_flip(g.sim, first, SEGMENT_HEADER + 30, 1);
	assert_int_equal(spool_verify("", disk_sim_disk(g.sim), take_first, &found, &v), 0);
	assert_true(found.damaged == 1 && found.first == SEGMENT_HEADER && v.damaged == 1);
	disk_sim_flip(g.sim, first, disk_sim_size(g.sim, first) - 300, 1);
	assert_int_equal(spool_verify("", disk_sim_disk(g.sim), take_first, &found, &v), 0);
	assert_true(found.damaged == 2 && found.first == SEGMENT_HEADER);
	disk_sim_flip(g.sim, first, 60, 1); /* in its header: nothing of it can be told */
	assert_int_equal(spool_verify("", disk_sim_disk(g.sim), take_first, &found, &v), 0);
	assert_true(found.damaged == 1 && v.damaged == 1 && v.segments > 2);
	gated_end(&g);
}

/* The passage over damage reads the disk too. */
static void damage_on_a_disk_that_refuses_is_what_the_disk_says(void **state UNUSED)
{
	struct spool_verify v;
	unsigned refused = 0;
	struct gated g;
	int r;

	for (unsigned nth = 1; nth < 12; nth++) {
		make_log(&g);
		gated_close(&g);
		disk_sim_flip(g.sim, "0000000000000000.seg", SEGMENT_HEADER + 30, 1);
		disk_gate_fail(g.gate, CALL_PREAD, nth, -EIO);
		r = spool_verify("", disk_gate_disk(g.gate), NULL, NULL, &v);
		assert_int_equal(r, disk_gate_met(g.gate, CALL_PREAD) ? -EIO : 0);
		refused += r < 0;
		gated_end(&g);
	}
	assert_true(refused > 4);
}

static void a_torn_tail_on_a_disk_that_refuses_is_not_cut(void **state UNUSED)
{
	struct spool_verify v;
	unsigned refused = 0;
	struct gated g;
	job_no job;
	int r;

	for (unsigned nth = 1; nth < 8; nth++) {
		OWNED(disk_gate) again = NULL;
		OWNED(disk_sim) torn = NULL;
		char name[IMAGE_NAME];
		struct spool_options o;
		gated_make(&g);
		gated_open(&g);
		assert_int_equal(gated_put(&g, 1, 1, 1000, &job), 0);
		assert_int_equal(gated_put(&g, 2, 1, 1000, &job), 0);
		disk_sim_crash_at(g.sim, disk_sim_ops(g.sim) + 1);
		assert_int_equal(spool_commit_now(g.sp), E_POISONED);
		for (unsigned i = 0; i < disk_sim_images(g.sim) && !torn; i++) {
			torn = disk_sim_image(g.sim, i, name);
			if (strcmp(name, "last write, sectors from 1") != 0)
				torn = disk_sim_free(torn);
		}
		assert_non_null(torn);
		again = disk_gate_new(disk_sim_disk(torn));
		assert_int_equal(spool_verify("", disk_sim_disk(torn), NULL, NULL, &v), 0);
		assert_true(v.torn && v.damaged == 0);
		disk_gate_fail(again, CALL_PREAD, nth, -EIO);
		r = spool_verify("", disk_gate_disk(again), NULL, NULL, &v);
		assert_int_equal(r, disk_gate_met(again, CALL_PREAD) ? -EIO : 0);
		o = g.o;
		o.disk = disk_gate_disk(again);
		disk_gate_fail(again, CALL_PREAD, nth, -EIO);
		gated_close(&g);
		r = spool_open(&g.sp, &o);
		assert_int_equal(r, disk_gate_met(again, CALL_PREAD) ? -EIO : 0);
		gated_close(&g);
		assert_int_equal(spool_verify("", disk_sim_disk(torn), NULL, NULL, &v), 0);
		assert_int_equal(v.torn, r < 0);
		refused += r < 0;
		gated_end(&g);
	}
	assert_true(refused > 2 && refused < 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_there_is_unknown),
		cmocka_unit_test(a_read_the_disk_refuses_is_said_and_may_succeed_later),
		cmocka_unit_test(a_buffer_that_may_not_hold_it_is_a_limit),
		cmocka_unit_test(what_is_being_written_is_read_back_meanwhile),
		cmocka_unit_test(a_segment_that_cannot_be_opened_is_said),
		cmocka_unit_test(events_the_disk_refuses_are_heard_later_and_once),
		cmocka_unit_test(kinds_of_events_have_names),
		cmocka_unit_test(audit_and_verification_say_what_the_disk_refuses),
		cmocka_unit_test(a_segment_that_goes_meanwhile_is_no_damage),
		cmocka_unit_test(a_verification_that_is_stopped_says_so),
		cmocka_unit_test(a_verification_goes_on_after_damage),
		cmocka_unit_test(damage_on_a_disk_that_refuses_is_what_the_disk_says),
		cmocka_unit_test(a_torn_tail_on_a_disk_that_refuses_is_not_cut),
	};

	return cmocka_run_group_tests_name("spool reading", tests, NULL, NULL);
}
