/* The link of a real engine, with a client that speaks its frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "dkim/sign.h"
#include "mta/link/link.h"
#include "schema/wire/meta.h"
#include "tests/unit/mta/engine_box.h"

static struct link_frame hello(struct framed *c, const char *name)
{
	struct link_frame f = { .type = LINK_HELLO,
				.request = 1,
				.hello = { LINK_VERSION, slice_str(name) } };
	bool came;

	framed_send(c, &f);
	came = framed_next(c, &f);
	assert_true(came);
	assert_int_equal(f.type, LINK_WELCOME);
	return f;
}

static void send_content(struct framed *c, uint64_t request, struct id128 id)
{
	struct link_frame f = { .type = LINK_CONTENT,
				.request = request,
				.content = { id, SLICE("\x80"),
					     SLICE("Subject: x\r\n\r\nx\r\n") } };
	framed_send(c, &f);
}

static void send_job(struct framed *c, uint64_t request, struct id128 id, struct id128 content,
		     struct slice data, uint32_t rows)
{
	int64_t now = clock_wall_ms();
	struct link_frame f = { .type = LINK_JOB,
				.request = request,
				.job = { .id = id,
					 .content = content,
					 .tenant = 3,
					 .campaign = 4,
					 .accepted_ms = now,
					 .expires_ms = now + 3600000,
					 .rows = rows,
					 .meta = SLICE("\x80"),
					 .data = data } };
	framed_send(c, &f);
}

static void send_lsn(struct framed *c, enum link_type type, uint64_t request, uint64_t lsn)
{
	framed_send(c, &(struct link_frame){ .type = type, .request = request, .lsn = lsn });
}

static lsn_t expect_ack(struct framed *c, uint64_t request)
{
	struct link_frame f;

	assert_true(framed_next(c, &f));
	if (f.type == LINK_ERROR)
		fail_msg("request %lu: error %d %.*s", f.request, f.error.code, (int)f.error.text.n,
			 f.error.text.p);
	assert_int_equal(f.type, LINK_ACK);
	assert_int_equal(f.request, request);
	return f.lsn;
}

static void expect_error(struct framed *c, uint64_t request, int code)
{
	struct link_frame f;

	assert_true(framed_next(c, &f));
	assert_int_equal(f.type, LINK_ERROR);
	assert_int_equal(f.request, request);
	assert_int_equal(f.error.code, code);
}

/* Reads EVENTS until one of this kind and job comes. */
static struct link_event expect_event(struct framed *c, unsigned kind, struct id128 job)
{
	struct link_frame f;
	struct link_event e;

	while (framed_next(c, &f)) {
		size_t pos = 0;
		if (f.type != LINK_EVENTS)
			continue;
		while (link_event_next(&f, &pos, &e) > 0)
			if (e.kind == kind && id_eq(e.job, job))
				return e;
	}
	fail_msg("no event of kind %u", kind);
	return e;
}

static const struct id128 content_id = { 7, 1 }, job_id = { 7, 2 };

static struct slice one_row(struct buf *b, const char *address)
{
	buf_clear(b);
	assert_int_equal(wire_row_put(b, slice_str(address), 1, NULL, 0), 0);
	return buf_data(b);
}

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
	(void)hello(&c, "control");
	send_content(&c, 2, content_id);
	send_job(&c, 3, job_id, content_id, one_row(&rows, "a@one.example"), 1);
	(void)expect_ack(&c, 2);
	ack = expect_ack(&c, 3);
	assert_true(spool_durable(engine_spool(b.engine)) >= ack);
	send_lsn(&c, LINK_SUBSCRIBE, 4, 0);
	(void)expect_ack(&c, 4);
	e = expect_event(&c, EVENT_ACCEPTED, job_id);
	assert_true(e.tenant == 3 && e.campaign == 4 && e.row == 1);
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
}

static void a_job_sent_again_does_nothing_and_with_other_bytes_is_refused(void **state)
{
	struct link_frame other = { .type = LINK_CONTENT,
				    .request = 31,
				    .content = { content_id, SLICE("\x80"), SLICE("y") } };
	struct box b;
	struct framed c;
	struct books books;
	struct buf rows = { 0 };

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)hello(&c, "control");
	for (uint64_t i = 0; i < 3; i++) {
		send_content(&c, 10 + i, content_id);
		send_job(&c, 20 + i, job_id, content_id, one_row(&rows, "a@one.example"), 1);
		(void)expect_ack(&c, 10 + i);
		(void)expect_ack(&c, 20 + i);
	}
	send_job(&c, 30, job_id, content_id, one_row(&rows, "b@one.example"), 1);
	expect_error(&c, 30, E_CONFLICT);
	framed_send(&c, &other);
	expect_error(&c, 31, E_CONFLICT);
	spool_books(engine_spool(b.engine), &books);
	assert_int_equal(books.accepted, 1);
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
}

static void orders_that_lie_are_refused_and_the_link_goes_on(void **state)
{
	struct box b;
	struct framed c;
	struct buf rows = { 0 };
	struct books books;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)hello(&c, "control");
	send_job(&c, 2, job_id, content_id, one_row(&rows, "a@one.example"), 1);
	expect_error(&c, 2, E_UNKNOWN); /* its content is not here */
	send_content(&c, 3, content_id);
	(void)expect_ack(&c, 3);
	send_job(&c, 4, job_id, content_id, one_row(&rows, "a@one.example\r\nRCPT TO:<b@x>"), 1);
	expect_error(&c, 4, E_SYNTAX);
	send_job(&c, 5, job_id, content_id, one_row(&rows, "a@one.example"), 2);
	expect_error(&c, 5, E_SYNTAX);
	send_job(&c, 6, job_id, content_id, SLICE(""), 0);
	expect_error(&c, 6, E_SYNTAX);
	send_job(&c, 7, (struct id128){ 0, 9 }, content_id, one_row(&rows, "a@one.example"), 1);
	expect_error(&c, 7, E_DENIED); /* such ids are the engine's own */
	framed_send(&c, &(struct link_frame){ .type = LINK_RULE,
					      .request = 8,
					      .rule = { SLICE("engine/id"), SLICE("x") } });
	expect_error(&c, 8, E_SYNTAX);
	framed_send(&c, &(struct link_frame){
			    .type = LINK_ADMIN, .request = 9, .admin.command = SLICE("status") });
	expect_error(&c, 9, E_DENIED);
	framed_send(&c, &(struct link_frame){
			    .type = LINK_CONTENT,
			    .request = 11,
			    .content = { { 7, 9 }, SLICE("\x81\xa1p\xc3"), SLICE("no program") } });
	expect_error(&c, 11, E_CORRUPT);
	send_lsn(&c, LINK_CURSOR, 10, UINT64_MAX);
	expect_error(&c, 10, E_SYNTAX);
	spool_books(engine_spool(b.engine), &books);
	assert_int_equal(books.accepted, 0);
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
	w = hello(&c, "control");
	slice_copy(id, sizeof(id), w.welcome.engine);
	assert_int_equal(w.welcome.cursor, 0);
	send_content(&c, 2, content_id);
	send_job(&c, 3, job_id, content_id, one_row(&rows, "a@one.example"), 1);
	(void)expect_ack(&c, 2);
	ack = expect_ack(&c, 3);
	send_lsn(&c, LINK_CURSOR, 4, ack);
	assert_int_equal(expect_ack(&c, 4), ack);
	framed_close(&c);
	box_stop(&b);

	box_start_again(&b, NULL);
	framed_open(&c, &b, "link.sock");
	w = hello(&c, "control");
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
	(void)hello(&c, "reader");
	send_content(&c, 2, content_id);
	send_job(&c, 3, job_id, content_id, one_row(&rows, "a@one.example"), 1);
	(void)expect_ack(&c, 2);
	ack = expect_ack(&c, 3);
	send_lsn(&c, LINK_CURSOR, 4, ack);
	(void)expect_ack(&c, 4);
	send_lsn(&c, LINK_SUBSCRIBE, 5, 0);
	from = expect_ack(&c, 5);
	assert_true(from < ack);
	framed_open(&again, &b, "link.sock");
	w = hello(&again, "reader");
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
	(void)hello(&reader, "reader");
	send_lsn(&reader, LINK_SUBSCRIBE, 2, 0);
	(void)expect_ack(&reader, 2);
	framed_open(&feeder, &b, "link.sock");
	(void)hello(&feeder, "");
	send_content(&feeder, 2, content_id);
	(void)expect_ack(&feeder, 2);
	for (uint64_t i = 0; i < 20; i++) {
		struct id128 id = { 8, i };
		send_job(&feeder, 3 + i, id, content_id, one_row(&rows, "a@one.example"), 1);
		(void)expect_event(&reader, EVENT_ACCEPTED, id);
		(void)expect_ack(&feeder, 3 + i);
	}
	framed_close(&feeder);
	framed_close(&reader);
	box_remove(&b);
	buf_free(&rows);
}

static void rules_are_acknowledged_and_bad_ones_refused(void **state)
{
	struct box b;
	struct framed c;
	struct buf rows = { 0 };

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)hello(&c, "control");
	send_content(&c, 2, content_id);
	framed_send(&c, &(struct link_frame){ .type = LINK_RULE,
					      .request = 3,
					      .rule = { SLICE("hold/all"), SLICE("test") } });
	send_job(&c, 4, job_id, content_id, one_row(&rows, "a@one.example"), 1);
	(void)expect_ack(&c, 2);
	(void)expect_ack(&c, 3);
	(void)expect_ack(&c, 4);
	framed_send(&c,
		    &(struct link_frame){ .type = LINK_RULE,
					  .request = 5,
					  .rule = { SLICE("hold/campaign/x"), SLICE("test") } });
	expect_error(&c, 5, E_SYNTAX);
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
}

static void keys_are_stored_and_removed(void **state)
{
	struct link_frame f = { .type = LINK_KEY,
				.request = 2,
				.key = { SLICE("one.example"), SLICE("s1"), SLICE("") } };
	struct buf pem = { 0 }, txt = { 0 };
	char path[160];
	struct box b;
	struct framed c;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)hello(&c, "control");
	assert_int_equal(sign_key_generate(SIGN_ED25519, &pem, &txt), 0);
	f.key.pem = buf_data(&pem);
	framed_send(&c, &f);
	(void)expect_ack(&c, 2);
	(void)snprintf(path, sizeof(path), "%s/keys/one.example/s1.pem", b.dir);
	assert_int_equal(access(path, R_OK), 0);
	f.request = 3;
	f.key.pem = SLICE("no key");
	framed_send(&c, &f);
	expect_error(&c, 3, E_CRYPTO);
	f.request = 4;
	f.key.domain = SLICE("../../etc");
	f.key.pem = buf_data(&pem);
	framed_send(&c, &f);
	expect_error(&c, 4, E_SYNTAX);
	f = (struct link_frame){ .type = LINK_KEY,
				 .request = 5,
				 .key = { SLICE("one.example"), SLICE("s1"), SLICE("") } };
	framed_send(&c, &f);
	(void)expect_ack(&c, 5);
	assert_int_equal(access(path, R_OK), -1);
	f.request = 6; /* again: there is nothing, and that was wanted */
	framed_send(&c, &f);
	(void)expect_ack(&c, 6);
	framed_close(&c);
	box_remove(&b);
	buf_free(&pem);
	buf_free(&txt);
}

static void whoever_does_not_begin_with_hello_is_turned_away(void **state)
{
	struct box b;
	struct framed c;
	struct link_frame f;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	send_lsn(&c, LINK_SUBSCRIBE, 2, 0);
	expect_error(&c, 2, E_CONFLICT);
	assert_false(framed_next(&c, &f));
	framed_close(&c);

	framed_open(&c, &b, "link.sock");
	framed_send(&c, &(struct link_frame){
			    .type = LINK_HELLO, .request = 1, .hello = { 99, SLICE("x") } });
	expect_error(&c, 1, E_VERSION);
	assert_false(framed_next(&c, &f));
	framed_close(&c);

	framed_open(&c, &b, "link.sock");
	framed_send(&c, &(struct link_frame){
			    .type = LINK_HELLO, .request = 1, .hello = { 1, SLICE("../x Y") } });
	expect_error(&c, 1, E_SYNTAX);
	framed_close(&c);

	framed_open(&c, &b, "link.sock");
	framed_send_raw(&c, SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
	assert_false(framed_next(&c, &f));
	framed_close(&c);
	box_remove(&b);
}

/* A frame larger than any read, and many small ones in one write. */
static void frames_are_heard_however_they_are_cut(void **state)
{
	static char big[3 * 1024 * 1024];
	struct link_frame f = { .type = LINK_CONTENT,
				.request = 2,
				.content = { content_id, SLICE("\x80"),
					     slice_of(big, sizeof(big)) } };
	struct box b;
	struct framed c;
	struct buf rows = { 0 }, many = { 0 };

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)hello(&c, "control");
	framed_send(&c, &f);
	(void)expect_ack(&c, 2);
	buf_putf(&many, "%s", "");
	for (uint64_t i = 0; i < 500; i++)
		assert_int_equal(link_put(&many,
					  &(struct link_frame){
					      .type = LINK_JOB,
					      .request = 10 + i,
					      .job = { .id = { 9, i },
						       .content = content_id,
						       .rows = 1,
						       .expires_ms = INT64_MAX / 2,
						       .meta = SLICE("\x80"),
						       .data = one_row(&rows, "a@one.example") } }),
				 0);
	framed_send_raw(&c, buf_data(&many));
	for (uint64_t i = 0; i < 500; i++)
		(void)expect_ack(&c, 10 + i);
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
	(void)expect_ack(&c, 9);
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
	(void)hello(&c, "control");
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
	(void)hello(&c, "control");
	send_content(&c, 2, content_id);
	(void)expect_ack(&c, 2);
	framed_send(&c, &(struct link_frame){ .type = LINK_RULE,
					      .request = 3,
					      .rule = { SLICE("hold/all"), SLICE("x") } });
	(void)expect_ack(&c, 3);
	for (unsigned i = 0; i < ROWS; i++) {
		char address[64];
		int n = snprintf(address, sizeof(address), "recipient%u@d%u.example", i, i % 200);
		assert_int_equal(wire_row_put(&rows, slice_of(address, (size_t)n), i, fields, 3),
				 0);
	}
	start = clock_mono_us();
	for (uint64_t i = 0; i < CHUNKS; i++) {
		send_job(&c, 10 + i, (struct id128){ 5, i }, content_id, buf_data(&rows), ROWS);
		if (i >= 16) /* a window of chunks on their way */
			(void)expect_ack(&c, 10 + i - 16);
	}
	for (uint64_t i = CHUNKS - 16; i < CHUNKS; i++)
		(void)expect_ack(&c, 10 + i);
	print_message("fed %.0f recipients/s\n",
		      1e6 * CHUNKS * ROWS / (double)(clock_mono_us() - start));
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
}

static void orders_of_the_wrong_shape_are_refused_one_by_one(void **state)
{
	int64_t now = clock_wall_ms();
	struct link_frame job = { .type = LINK_JOB,
				  .job = { .id = job_id,
					   .content = content_id,
					   .accepted_ms = now,
					   .expires_ms = now + 3600000,
					   .rows = 1,
					   .meta = SLICE("\x80") } };
	struct buf rows = { 0 }, meta = { 0 };
	struct framed c;
	struct box b;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)hello(&c, "control");
	send_content(&c, 2, (struct id128){ 0, 1 });
	expect_error(&c, 2, E_DENIED); /* such ids are the engine's own */
	framed_send(&c,
		    &(struct link_frame){ .type = LINK_CONTENT,
					  .request = 3,
					  .content = { content_id, SLICE("\x90"), SLICE("x") } });
	expect_error(&c, 3, E_SYNTAX); /* its meta is a list */
	send_content(&c, 4, content_id);
	(void)expect_ack(&c, 4);
	job.job.data = one_row(&rows, "a@one.example");
	job.request = 5;
	job.job.class = CLASS_TRANSACTIONAL + 1;
	framed_send(&c, &job);
	expect_error(&c, 5, E_SYNTAX);
	job.request = 6;
	job.job.class = CLASS_BULK;
	job.job.meta = SLICE("\x90");
	framed_send(&c, &job);
	expect_error(&c, 6, E_SYNTAX);
	assert_int_equal(
	    wire_job_meta_put(&meta, &(struct wire_job_meta){ .mail_from = SLICE("a b@c") }), 0);
	job.request = 7;
	job.job.meta = buf_data(&meta);
	framed_send(&c, &job);
	expect_error(&c, 7, E_SYNTAX);
	buf_clear(&meta);
	assert_int_equal(wire_job_meta_put(&meta, &(struct wire_job_meta){ .mail_from = SLICE(
									       "s@from.example") }),
			 0);
	job.request = 8;
	job.job.meta = buf_data(&meta);
	framed_send(&c, &job);
	(void)expect_ack(&c, 8);
	framed_send(&c, &(struct link_frame){ .type = LINK_ACK, .request = 9 });
	expect_error(&c, 9, E_DENIED); /* the engine's to say */
	send_lsn(&c, LINK_SUBSCRIBE, 10, spool_durable(engine_spool(b.engine)) + 8);
	expect_error(&c, 10, E_SYNTAX);
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
	buf_free(&meta);
}

/* The link ends after what it says. */
static void refused_at_the_door(struct box *b, const struct link_frame *first, int code)
{
	struct link_frame f;
	struct framed c;

	framed_open(&c, b, "link.sock");
	framed_send(&c, first);
	expect_error(&c, first->request, code);
	assert_false(framed_next(&c, &f));
	framed_close(&c);
}

static void the_link_begins_with_one_good_hello(void **state)
{
	static const char *const names[] = { "Upper", "a b", "a/b", "\x80" };
	struct link_frame f = { .type = LINK_SUBSCRIBE, .request = 7 };
	char name[300];
	struct framed c;
	struct box b;

	(void)state;
	box_start(&b, NULL);
	refused_at_the_door(&b, &f, E_CONFLICT);
	f = (struct link_frame){ .type = LINK_HELLO,
				 .request = 8,
				 .hello = { LINK_VERSION + 1, SLICE("x") } };
	refused_at_the_door(&b, &f, E_VERSION);
	f.hello.version = LINK_VERSION;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		f.hello.name = slice_str(names[i]);
		refused_at_the_door(&b, &f, E_SYNTAX);
	}
	f.hello.name = SLICE("a\0b");
	refused_at_the_door(&b, &f, E_SYNTAX);
	memset(name, 'n', sizeof(name));
	f.hello.name = slice_of(name, sizeof(name));
	refused_at_the_door(&b, &f, E_SYNTAX);
	framed_open(&c, &b, "link.sock");
	(void)hello(&c, "control");
	f.hello.name = SLICE("control");
	framed_send(&c, &f); /* once more */
	expect_error(&c, 8, E_CONFLICT);
	assert_false(framed_next(&c, &f));
	framed_close(&c);
	box_remove(&b);
}

static void a_client_without_a_name_has_no_cursor(void **state)
{
	struct link_frame f;
	struct framed c;
	struct box b;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	assert_int_equal(hello(&c, "").welcome.cursor, 0);
	send_lsn(&c, LINK_CURSOR, 2, 0);
	expect_error(&c, 2, E_DENIED);
	send_lsn(&c, LINK_SUBSCRIBE, 3, 0); /* but may read */
	(void)expect_ack(&c, 3);
	send_lsn(&c, LINK_SUBSCRIBE, 4, 0);
	do /* events may have come before */
		assert_true(framed_next(&c, &f));
	while (f.type == LINK_EVENTS);
	assert_int_equal(f.type, LINK_ERROR);
	assert_int_equal(f.error.code, E_CONFLICT); /* once is enough */
	framed_close(&c);
	box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_acknowledged_and_its_acceptance_is_an_event),
		cmocka_unit_test(a_job_sent_again_does_nothing_and_with_other_bytes_is_refused),
		cmocka_unit_test(orders_that_lie_are_refused_and_the_link_goes_on),
		cmocka_unit_test(the_engine_keeps_its_name_and_the_cursor_over_a_restart),
		cmocka_unit_test(a_reader_that_begins_anew_has_the_log_kept_from_there),
		cmocka_unit_test(events_come_to_whoever_waits_for_them),
		cmocka_unit_test(rules_are_acknowledged_and_bad_ones_refused),
		cmocka_unit_test(keys_are_stored_and_removed),
		cmocka_unit_test(whoever_does_not_begin_with_hello_is_turned_away),
		cmocka_unit_test(frames_are_heard_however_they_are_cut),
		cmocka_unit_test(a_client_that_does_not_read_is_not_heard_for_ever),
		cmocka_unit_test(a_campaign_is_fed_in_chunks),
		cmocka_unit_test(orders_of_the_wrong_shape_are_refused_one_by_one),
		cmocka_unit_test(the_link_begins_with_one_good_hello),
		cmocka_unit_test(a_client_without_a_name_has_no_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
