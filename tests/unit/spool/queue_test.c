/* tests/unit/spool/queue_test.c - acceptance, outcomes, rules, events, recovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/spool/yard.h"

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 2000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void put_content_and_job_are_read_back_as_given(void **state UNUSED)
{
	struct yard y;
	struct buf meta = { .max = 0 }, bytes = { .max = 0 };
	struct job_info info;
	job_no job;

	yard_open(&y);
	for (int i = 0; i < 3;
	     i++) { /* from the batch, from the file, from the file after recovery */
		if (!i)
			assert_int_equal(yard_put(&y, 1, 2, true, &job), 0);
		assert_int_equal(spool_find_job(y.sp, yard_id(1), &job), 0);
		assert_int_equal(spool_read_job(y.sp, job, &meta, &bytes), 0);
		assert_true(slice_eq(buf_data(&meta), SLICE("job meta")));
		assert_true(slice_eq(buf_data(&bytes), SLICE("rows of 1")));
		buf_clear(&meta);
		buf_clear(&bytes);
		assert_int_equal(spool_read_content(y.sp, yard_id(1001), &meta, &bytes), 0);
		assert_true(slice_eq(buf_data(&meta), SLICE("content meta")));
		assert_true(slice_eq(buf_data(&bytes), SLICE("bytes of 1")));
		buf_clear(&meta);
		buf_clear(&bytes);
		assert_int_equal(spool_job_info(y.sp, job, &info), 0);
		assert_true(id_eq(info.id, yard_id(1)) && id_eq(info.content, yard_id(1001)));
		assert_true(info.tenant == 3 && info.campaign == 4 &&
			    info.class == CLASS_TRANSACTIONAL);
		assert_true(info.accepted_ms == 1000 && info.expires_ms == 2000);
		assert_true(info.rows == 2 && info.rows_live == 2);
		if (i == 0)
			yard_commit(&y);
		else
			yard_again(&y);
	}
	buf_free(&meta);
	buf_free(&bytes);
	yard_close(&y);
}

static void large_rows_are_packed_and_come_back_whole(void **state UNUSED)
{
	struct yard y;
	struct buf rows = { .max = 0 }, back = { .max = 0 };
	struct content_in c = { yard_id(9), SLICE(""), SLICE("x") };
	struct job_in j = { .id = yard_id(1), .content = c.id, .rows = 1000 };
	struct books b;
	job_no job;
	lsn_t lsn;

	yard_open(&y);
	for (int i = 0; i < 1000; i++)
		buf_putf(&rows, "user%d@domain.example, Name%d;", i, i);
	j.data = buf_data(&rows);
	assert_int_equal(spool_put(y.sp, &c, &j, &job, &lsn), 0);
	yard_commit(&y);
	b = yard_books(&y);
	assert_true(b.live_bytes < j.data.n / 2);
	assert_int_equal(spool_read_job(y.sp, job, NULL, &back), 0);
	assert_true(slice_eq(buf_data(&back), j.data));
	buf_free(&rows);
	buf_free(&back);
	yard_close(&y);
}

static void a_job_sent_again_exists_and_changes_nothing(void **state UNUSED)
{
	struct yard y;
	job_no job, again;

	yard_open(&y);
	assert_int_equal(yard_put(&y, 1, 2, true, &job), 0);
	assert_int_equal(yard_put(&y, 1, 2, true, &again), E_EXISTS);
	yard_again(&y);
	assert_int_equal(yard_put(&y, 1, 2, true, &again), E_EXISTS);
	assert_int_equal(yard_books(&y).accepted, 2);
	assert_int_equal(yard_end(&y, again, 0, OUTCOME_DELIVERED), 0);
	assert_int_equal(yard_end(&y, again, 1, OUTCOME_DELIVERED), 0);
	assert_int_equal(yard_put(&y, 1, 2, true, &again), E_EXISTS);
	yard_again(&y);
	assert_int_equal(yard_put(&y, 1, 2, true, &again), E_EXISTS);
	assert_int_equal(yard_books(&y).delivered, 2);
	yard_close(&y);
}

static void a_job_without_its_content_is_refused(void **state UNUSED)
{
	struct yard y;
	job_no job;

	yard_open(&y);
	assert_int_equal(yard_put(&y, 1, 2, false, &job), E_UNKNOWN);
	assert_int_equal(yard_books(&y).accepted, 0);
	yard_close(&y);
}

static void a_second_terminal_record_is_refused(void **state UNUSED)
{
	struct yard y;
	job_no job;

	yard_open(&y);
	assert_int_equal(yard_put(&y, 1, 2, true, &job), 0);
	assert_int_equal(yard_end(&y, job, 1, OUTCOME_BOUNCED), 0);
	assert_int_equal(yard_end(&y, job, 1, OUTCOME_DELIVERED), E_CONFLICT);
	assert_int_equal(yard_defer(&y, job, 1, 1, 5), E_CONFLICT);
	assert_int_equal(yard_end(&y, job, 2, OUTCOME_DELIVERED), E_UNKNOWN);
	yard_again(&y);
	assert_int_equal(spool_find_job(y.sp, yard_id(1), &job), 0);
	assert_int_equal(yard_end(&y, job, 1, OUTCOME_DELIVERED), E_CONFLICT);
	assert_int_equal(yard_end(&y, job, 0, OUTCOME_EXPIRED), 0);
	assert_int_equal(yard_end(&y, job, 0, OUTCOME_DELIVERED), E_CONFLICT);
	assert_int_equal(spool_find_job(y.sp, yard_id(1), &job), E_UNKNOWN);
	assert_int_equal(yard_books(&y).queued, 0);
	yard_close(&y);
}

static void a_deferral_keeps_its_count_and_time_over_a_restart(void **state UNUSED)
{
	struct yard y;
	uint16_t attempts;
	int64_t next;
	job_no job;
	const uint32_t sizes[] = { 1, 2, 64, 65, 1000 };

	yard_open(&y);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint32_t row = sizes[i] - 1;
		assert_int_equal(yard_put(&y, i, sizes[i], true, &job), 0);
		assert_int_equal(yard_defer(&y, job, row, 3, 1790000000000), 0);
		assert_true(spool_row_live(y.sp, job, row, &attempts, &next));
		assert_true(attempts == 3 && next == 1790000000000);
	}
	yard_again(&y);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint32_t row = sizes[i] - 1;
		assert_int_equal(spool_find_job(y.sp, yard_id(i), &job), 0);
		assert_true(spool_row_live(y.sp, job, row, &attempts, &next));
		assert_true(attempts == 3 && next == 1790000000000);
		if (row) {
			assert_true(spool_row_live(y.sp, job, 0, &attempts, &next));
			assert_true(attempts == 0 && next == 0);
		}
		assert_false(spool_row_live(y.sp, job, sizes[i], &attempts, &next));
	}
	assert_int_equal(yard_books(&y).deferred_attempts, ARRAY_LEN(sizes));
	yard_close(&y);
}

static void jobs_around_the_size_of_a_word_end_whole(void **state UNUSED)
{
	const uint32_t sizes[] = { 1, 63, 64, 65, 128, 129 };
	uint64_t ended = 0;
	struct yard y;
	job_no job;

	yard_open(&y);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_int_equal(yard_put(&y, i, sizes[i], true, &job), 0);
		for (uint32_t row = 0; row < sizes[i]; row++, ended++) {
			if (row == sizes[i] / 2)
				yard_again(&y);
			assert_int_equal(spool_find_job(y.sp, yard_id(i), &job), 0);
			assert_int_equal(yard_end(&y, job, row, OUTCOME_DELIVERED), 0);
		}
		assert_int_equal(spool_find_job(y.sp, yard_id(i), &job), E_UNKNOWN);
	}
	assert_true(yard_books(&y).delivered == ended && yard_books(&y).queued == 0);
	yard_again(&y);
	assert_true(yard_books(&y).delivered == ended && yard_books(&y).jobs == 0);
	yard_close(&y);
}

struct heard {
	unsigned n, accepted, ended;
	lsn_t last;
};
static int hear(void *arg, const struct event *e)
{
	struct heard *h = arg;

	assert_true(e->lsn > h->last);
	h->last = e->lsn;
	h->n++;
	if (e->kind == EVENT_ACCEPTED) {
		h->accepted += e->row;
	} else {
		h->ended++;
		assert_true(e->tenant == 3 && e->campaign == 4 && e->o.code == 250);
		assert_true(slice_eq(e->o.rcpt, SLICE("a@b.example")));
		assert_true(slice_eq(e->o.host, SLICE("mx.example")));
		assert_true(e->o.at_ms == 1500 && e->o.flags == OUTCOME_TLS);
	}
	return 0;
}

static void events_come_once_in_order_and_only_when_durable(void **state UNUSED)
{
	struct yard y;
	struct heard h = { 0 };
	job_no job;
	lsn_t at = 0;

	yard_open(&y);
	for (uint64_t i = 0; i < 200; i++) { /* several segments */
		assert_int_equal(yard_put(&y, i, 1, true, &job), 0);
		assert_int_equal(yard_end(&y, job, 0, OUTCOME_DELIVERED), 0);
	}
	at = spool_oldest(y.sp);
	assert_int_equal(spool_events(y.sp, at, 10, hear, &h, &at), 0);
	assert_int_equal(h.n, 0);
	assert_int_equal(spool_consumer_set(y.sp, SLICE("test"), at), 0); /* keeps what follows */
	yard_commit(&y);
	for (int i = 0; i < 1000 && h.n < 400; i++)
		assert_int_equal(spool_events(y.sp, at, 7, hear, &h, &at), 0);
	assert_true(h.n == 400 && h.accepted == 200 && h.ended == 200);
	assert_int_equal(spool_events(y.sp, at, 7, hear, &h, &at), 0);
	assert_int_equal(h.n, 400);
	assert_int_equal(at, spool_durable(y.sp));
	yard_close(&y);
}

static void a_consumer_keeps_the_segments_it_has_not_read(void **state UNUSED)
{
	struct yard y;
	job_no job;
	lsn_t cursor;

	yard_open(&y);
	assert_int_equal(spool_consumer_set(y.sp, SLICE("slow"), spool_oldest(y.sp)), 0);
	for (uint64_t i = 0; i < 200; i++) {
		assert_int_equal(yard_put(&y, i, 1, true, &job), 0);
		assert_int_equal(yard_end(&y, job, 0, OUTCOME_DELIVERED), 0);
		yard_commit(&y);
	}
	assert_true(yard_files(&y) > 10);
	yard_again(&y);
	assert_true(yard_files(&y) > 10);
	assert_int_equal(spool_consumer_get(y.sp, SLICE("slow"), &cursor), 0);
	assert_int_equal(cursor, 0);
	assert_int_equal(spool_consumer_set(y.sp, SLICE("slow"), spool_durable(y.sp)), 0);
	for (int i = 0; i < 4; i++)
		yard_commit(&y);
	assert_true(yard_files(&y) <= 4);
	assert_int_equal(yard_books(&y).delivered, 200);
	yard_close(&y);
}

static void the_cleaner_moves_what_lives_and_the_books_stay(void **state UNUSED)
{
	struct yard y;
	job_no job, old;
	uint16_t attempts;
	int64_t next;
	struct buf data = { .max = 0 };

	yard_open(&y);
	assert_int_equal(yard_put(&y, 5000, 70, true, &old), 0);
	assert_int_equal(yard_end(&y, old, 3, OUTCOME_BOUNCED), 0);
	assert_int_equal(yard_defer(&y, old, 69, 2, 777), 0);
	assert_int_equal(spool_put_rule(y.sp, SLICE("hold/all"), SLICE("test"), NULL), 0);
	for (uint64_t i = 0; i < 400; i++) {
		assert_int_equal(yard_put(&y, i, 1, true, &job), 0);
		assert_int_equal(yard_end(&y, job, 0, OUTCOME_DELIVERED), 0);
		yard_commit(&y);
	}
	assert_true(spool_oldest(y.sp) > 0);
	assert_true(yard_files(&y) < 10);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(spool_find_job(y.sp, yard_id(5000), &old), 0);
		assert_false(spool_row_live(y.sp, old, 3, &attempts, &next));
		assert_true(spool_row_live(y.sp, old, 69, &attempts, &next));
		assert_true(attempts == 2 && next == 777);
		assert_int_equal(spool_read_job(y.sp, old, NULL, &data), 0);
		assert_true(slice_eq(buf_data(&data), SLICE("rows of 5000")));
		buf_clear(&data);
		assert_true(yard_books(&y).accepted == 470 && yard_books(&y).queued == 69);
		assert_true(yard_books(&y).delivered == 400 && yard_books(&y).rules == 1);
		yard_again(&y);
	}
	buf_free(&data);
	yard_close(&y);
}

static void what_has_left_the_log_is_forgotten(void **state UNUSED)
{
	struct yard y;
	struct books b;
	job_no job;

	yard_open(&y);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(yard_put(&y, i, 1, true, &job), 0);
		assert_int_equal(yard_end(&y, job, 0, OUTCOME_DELIVERED), 0);
		yard_commit(&y);
	}
	b = yard_books(&y);
	assert_true(b.segments < 5 && b.jobs == 0 && b.contents == 0 && b.live_bytes == 0);
	assert_int_equal(yard_put(&y, 0, 1, false, &job), E_UNKNOWN); /* its content */
	assert_int_equal(yard_put(&y, 0, 1, true, &job), 0);          /* its id */
	assert_int_equal(yard_put(&y, 99, 1, true, &job), E_EXISTS);
	yard_again(&y);
	assert_int_equal(yard_books(&y).accepted, 101);
	yard_close(&y);
}

static void many_segments_are_read_with_few_descriptors(void **state UNUSED)
{
	enum { JOBS = 3000, DATA = 1400 };
	struct yard y;
	struct buf data = { .max = 0 };
	char big[DATA];
	struct content_in c = { yard_id(1), SLICE(""), SLICE("shared") };
	struct job_in j = { .content = yard_id(1), .rows = 1, .data = slice_of(big, DATA) };
	job_no job;
	lsn_t lsn;

	yard_open(&y);
	for (uint64_t i = 0; i < JOBS; i++) {
		for (size_t k = 0; k < DATA; k++) /* that cannot be packed */
			big[k] = (char)((i * 2654435761u + k * 40503u) * (k + i) >> 11);
		j.id = yard_id(100 + i);
		assert_int_equal(spool_put(y.sp, &c, &j, &job, &lsn), 0);
		if (i % 64 == 0)
			yard_commit(&y);
	}
	yard_again(&y);
	assert_true(yard_books(&y).segments > 600);
	for (uint64_t i = 0; i < JOBS; i += 2) {
		assert_int_equal(spool_find_job(y.sp, yard_id(100 + i * 7 % JOBS), &job), 0);
		buf_clear(&data);
		assert_int_equal(spool_read_job(y.sp, job, NULL, &data), 0);
		assert_int_equal(buf_len(&data), DATA);
	}
	assert_true(descriptors() < 300);
	buf_free(&data);
	yard_close(&y);
}

static void a_second_writer_is_refused_and_a_reader_is_not(void **state UNUSED)
{
	struct yard y;
	struct spool *other = NULL;
	struct spool_options o;
	job_no job;

	yard_open(&y);
	assert_int_equal(yard_put(&y, 1, 5, true, &job), 0);
	yard_commit(&y);
	assert_int_equal(spool_open(&other, &y.o), -EAGAIN);
	o = y.o;
	o.read_only = true;
	assert_int_equal(spool_open(&other, &o), 0);
	assert_int_equal(spool_find_job(other, yard_id(1), &job), 0);
	assert_int_equal(spool_put_rule(other, SLICE("a"), SLICE("b"), NULL), -EROFS);
	other = spool_free(other);
	yard_close(&y);
}

static int count_rule(void *arg, struct slice key, struct slice value)
{
	assert_true(slice_starts_nocase(key, SLICE("hold/")));
	assert_true(value.n > 0);
	++*(unsigned *)arg;
	return 0;
}

static void rules_are_kept_replaced_and_removed(void **state UNUSED)
{
	struct yard y;
	unsigned n = 0;

	yard_open(&y);
	assert_int_equal(spool_put_rule(y.sp, SLICE("hold/all"), SLICE("one"), NULL), 0);
	assert_int_equal(spool_put_rule(y.sp, SLICE("hold/all"), SLICE("two"), NULL), 0);
	assert_int_equal(spool_put_rule(y.sp, SLICE("hold/x"), SLICE("three"), NULL), 0);
	assert_int_equal(spool_put_rule(y.sp, SLICE("other"), SLICE("four"), NULL), 0);
	assert_int_equal(spool_put_rule(y.sp, SLICE("hold/x"), SLICE(""), NULL), 0);
	yard_again(&y);
	assert_int_equal(spool_each_rule(y.sp, SLICE("hold/"), count_rule, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(yard_books(&y).rules, 2);
	yard_close(&y);
}

static void who_names_no_sizes_gets_the_usual_ones(void **state UNUSED)
{
	char name[96];
	struct stat st;
	struct yard y;

	yard_open(&y);
	y.sp = spool_free(y.sp);
	(void)snprintf(name, sizeof(name), "%s/0000000000000000.seg", y.dir);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(spool_open(&y.sp, &y.o), E_CORRUPT);
	y.o.fresh = true;
	y.o.segment_bytes = y.o.reserve_bytes = 0;
	assert_int_equal(spool_open(&y.sp, &y.o), 0);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_size, 64 << 20);
	yard_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_names_no_sizes_gets_the_usual_ones),
		cmocka_unit_test(put_content_and_job_are_read_back_as_given),
		cmocka_unit_test(large_rows_are_packed_and_come_back_whole),
		cmocka_unit_test(a_job_sent_again_exists_and_changes_nothing),
		cmocka_unit_test(a_job_without_its_content_is_refused),
		cmocka_unit_test(a_second_terminal_record_is_refused),
		cmocka_unit_test(a_deferral_keeps_its_count_and_time_over_a_restart),
		cmocka_unit_test(jobs_around_the_size_of_a_word_end_whole),
		cmocka_unit_test(events_come_once_in_order_and_only_when_durable),
		cmocka_unit_test(a_consumer_keeps_the_segments_it_has_not_read),
		cmocka_unit_test(the_cleaner_moves_what_lives_and_the_books_stay),
		cmocka_unit_test(many_segments_are_read_with_few_descriptors),
		cmocka_unit_test(what_has_left_the_log_is_forgotten),
		cmocka_unit_test(a_second_writer_is_refused_and_a_reader_is_not),
		cmocka_unit_test(rules_are_kept_replaced_and_removed),
	};

	return cmocka_run_group_tests_name("spool queue", tests, NULL, NULL);
}
