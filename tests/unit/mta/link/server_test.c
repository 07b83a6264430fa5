/* The link of a real engine, with a client that speaks its frames: jobs, events, cursors, flow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "mta/link/link.h"
#include "tests/unit/mta/link/speak.h"

static void a_job_is_acknowledged_and_its_acceptance_is_an_event(void **state)
{
	struct box b;
	struct framed c;
	struct buf rows = { 0 };
	struct link_event e;
	lsn_t ack;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)speak_hello(&c, "control");
	speak_content(&c, 2, speak_content_id);
	speak_job(&c, 3, speak_job_id, speak_content_id, speak_row(&rows, "a@one.example"), 1);
	(void)speak_expect_ack(&c, 2);
	ack = speak_expect_ack(&c, 3);
	assert_true(spool_durable(engine_spool(b.engine)) >= ack);
	speak_lsn(&c, LINK_SUBSCRIBE, 4, 0);
	(void)speak_expect_ack(&c, 4);
	e = speak_expect_event(&c, EVENT_ACCEPTED, speak_job_id);
	assert_true(e.tenant == 3 && e.campaign == 4 && e.row == 1);
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
}

static void the_engine_keeps_its_name_and_the_cursor_over_a_restart(void **state)
{
	struct box b;
	struct framed c;
	struct buf rows = { 0 };
	struct link_frame w;
	char id[ID_TEXT_MAX];
	lsn_t ack;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	w = speak_hello(&c, "control");
	slice_copy(id, sizeof(id), w.welcome.engine);
	assert_int_equal(w.welcome.cursor, 0);
	speak_content(&c, 2, speak_content_id);
	speak_job(&c, 3, speak_job_id, speak_content_id, speak_row(&rows, "a@one.example"), 1);
	(void)speak_expect_ack(&c, 2);
	ack = speak_expect_ack(&c, 3);
	speak_lsn(&c, LINK_CURSOR, 4, ack);
	assert_int_equal(speak_expect_ack(&c, 4), ack);
	framed_close(&c);
	box_stop(&b);

	box_start_again(&b, NULL);
	framed_open(&c, &b, "link.sock");
	w = speak_hello(&c, "control");
	assert_true(slice_eq(w.welcome.engine, slice_str(id)));
	assert_int_equal(w.welcome.cursor, ack);
	assert_true(w.welcome.durable >= ack);
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
}

static void a_reader_that_begins_anew_has_the_log_kept_from_there(void **state)
{
	struct box b;
	struct framed c, again;
	struct buf rows = { 0 };
	struct link_frame w;
	lsn_t ack, from;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)speak_hello(&c, "reader");
	speak_content(&c, 2, speak_content_id);
	speak_job(&c, 3, speak_job_id, speak_content_id, speak_row(&rows, "a@one.example"), 1);
	(void)speak_expect_ack(&c, 2);
	ack = speak_expect_ack(&c, 3);
	speak_lsn(&c, LINK_CURSOR, 4, ack);
	(void)speak_expect_ack(&c, 4);
	speak_lsn(&c, LINK_SUBSCRIBE, 5, 0);
	from = speak_expect_ack(&c, 5);
	assert_true(from < ack);
	framed_open(&again, &b, "link.sock");
	w = speak_hello(&again, "reader");
	assert_int_equal(w.welcome.cursor, from);
	framed_close(&again);
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
}

static void events_come_to_whoever_waits_for_them(void **state)
{
	struct box b;
	struct framed feeder, reader;
	struct buf rows = { 0 };

	(void)state;
	box_start(&b, NULL);
	framed_open(&reader, &b, "link.sock");
	(void)speak_hello(&reader, "reader");
	speak_lsn(&reader, LINK_SUBSCRIBE, 2, 0);
	(void)speak_expect_ack(&reader, 2);
	framed_open(&feeder, &b, "link.sock");
	(void)speak_hello(&feeder, "");
	speak_content(&feeder, 2, speak_content_id);
	(void)speak_expect_ack(&feeder, 2);
	for (uint64_t i = 0; i < 20; i++) {
		struct id128 id = { 8, i };
		speak_job(&feeder, 3 + i, id, speak_content_id, speak_row(&rows, "a@one.example"),
			  1);
		(void)speak_expect_event(&reader, EVENT_ACCEPTED, id);
		(void)speak_expect_ack(&feeder, 3 + i);
	}
	framed_close(&feeder);
	framed_close(&reader);
	box_remove(&b);
	buf_free(&rows);
}

/* A frame larger than any read, and many small ones in one write. */
static void frames_are_heard_however_they_are_cut(void **state)
{
	static char big[3 * 1024 * 1024];
	struct link_frame f = { .type = LINK_CONTENT,
				.request = 2,
				.content = { speak_content_id, SLICE("\x80"),
					     slice_of(big, sizeof(big)) } };
	struct box b;
	struct framed c;
	struct buf rows = { 0 }, many = { 0 };

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)speak_hello(&c, "control");
	framed_send(&c, &f);
	(void)speak_expect_ack(&c, 2);
	buf_putf(&many, "%s", "");
	for (uint64_t i = 0; i < 500; i++)
		assert_int_equal(
		    link_put(&many, &(struct link_frame){ .type = LINK_JOB,
							  .request = 10 + i,
							  .job = { .id = { 9, i },
								   .content = speak_content_id,
								   .rows = 1,
								   .expires_ms = INT64_MAX / 2,
								   .meta = SLICE("\x80"),
								   .data = speak_row(
								       &rows, "a@one.example") } }),
		    0);
	framed_send_raw(&c, buf_data(&many));
	for (uint64_t i = 0; i < 500; i++)
		(void)speak_expect_ack(&c, 10 + i);
	for (size_t i = 0; i < 64; i++) /* a byte at a time */
		assert_int_equal(send(c.fd, big, 0, 0), 0);
	buf_clear(&many);
	assert_int_equal(
	    link_put(&many, &(struct link_frame){ .type = LINK_RULE,
						  .request = 9,
						  .rule = { SLICE("hold/all"), SLICE("x") } }),
	    0);
	for (size_t i = 0; i < buf_len(&many); i++)
		framed_send_raw(&c, slice_of(many.p + many.start + i, 1));
	(void)speak_expect_ack(&c, 9);
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
	buf_free(&many);
}

/* Answers wait in the engine only up to a bound.  Beyond it the client is not heard, and its own
 * socket fills up. */
static void a_client_that_does_not_read_is_not_heard_for_ever(void **state)
{
	struct box b;
	struct framed c;
	struct buf many = { 0 };
	size_t sent = 0;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)speak_hello(&c, "control");
	for (uint64_t i = 0; i < 1000; i++) /* each is answered with a longer error */
		assert_int_equal(link_put(&many, &(struct link_frame){ .type = LINK_CURSOR,
								       .request = i,
								       .lsn = UINT64_MAX }),
				 0);
	for (int idle = 0; idle < 50 && sent < (64u << 20);) {
		size_t at = sent % buf_len(&many);
		ssize_t n = send(c.fd, many.p + many.start + at, buf_len(&many) - at,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		idle = n > 0 ? 0 : idle + 1;
		sent += n > 0 ? (size_t)n : 0;
		if (n <= 0)
			usleep(10000);
	}
	assert_true(sent < (16u << 20));
	framed_close(&c);
	box_remove(&b);
	buf_free(&many);
}

/* The figure is printed for the reader; the test is that every chunk is acknowledged. */
static void a_campaign_is_fed_in_chunks(void **state)
{
	enum { CHUNKS = 200, ROWS = 1000 };
	struct value fields[] = { { .type = VALUE_STRING, .s = SLICE("Ada") },
				  { .type = VALUE_STRING, .s = SLICE("Lovelace") },
				  { .type = VALUE_STRING, .s = SLICE("London") } };
	struct box b;
	struct framed c;
	struct buf rows = { 0 };
	int64_t start;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)speak_hello(&c, "control");
	speak_content(&c, 2, speak_content_id);
	(void)speak_expect_ack(&c, 2);
	framed_send(&c, &(struct link_frame){ .type = LINK_RULE,
					      .request = 3,
					      .rule = { SLICE("hold/all"), SLICE("x") } });
	(void)speak_expect_ack(&c, 3);
	for (unsigned i = 0; i < ROWS; i++) {
		char address[64];
		int n = snprintf(address, sizeof(address), "recipient%u@d%u.example", i, i % 200);
		assert_int_equal(wire_row_put(&rows, slice_of(address, (size_t)n), i, fields, 3),
				 0);
	}
	start = clock_mono_us();
	for (uint64_t i = 0; i < CHUNKS; i++) {
		speak_job(&c, 10 + i, (struct id128){ 5, i }, speak_content_id, buf_data(&rows),
			  ROWS);
		if (i >= 16) /* a window of chunks on their way */
			(void)speak_expect_ack(&c, 10 + i - 16);
	}
	for (uint64_t i = CHUNKS - 16; i < CHUNKS; i++)
		(void)speak_expect_ack(&c, 10 + i);
	print_message("fed %.0f recipients/s\n",
		      1e6 * CHUNKS * ROWS / (double)(clock_mono_us() - start));
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_acknowledged_and_its_acceptance_is_an_event),
		cmocka_unit_test(the_engine_keeps_its_name_and_the_cursor_over_a_restart),
		cmocka_unit_test(a_reader_that_begins_anew_has_the_log_kept_from_there),
		cmocka_unit_test(events_come_to_whoever_waits_for_them),
		cmocka_unit_test(frames_are_heard_however_they_are_cut),
		cmocka_unit_test(a_client_that_does_not_read_is_not_heard_for_ever),
		cmocka_unit_test(a_campaign_is_fed_in_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
