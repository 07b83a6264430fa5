/* Orders over the link of a real engine: which are taken, and which are refused one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "dkim/sign.h"
#include "schema/wire/meta.h"
#include "base/tree.h"
#include "tests/unit/mta/link/speak.h"

static void a_job_sent_again_does_nothing_and_with_other_bytes_is_refused(void **state)
{
	struct link_frame other = { .type = LINK_CONTENT,
				    .request = 31,
				    .content = { speak_content_id, SLICE("\x80"), SLICE("y") } };
	struct box b;
	struct framed c;
	struct books books;
	struct buf rows = { 0 };

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)speak_hello(&c, "control");
	for (uint64_t i = 0; i < 3; i++) {
		speak_content(&c, 10 + i, speak_content_id);
		speak_job(&c, 20 + i, speak_job_id, speak_content_id,
			  speak_row(&rows, "a@one.example"), 1);
		(void)speak_expect_ack(&c, 10 + i);
		(void)speak_expect_ack(&c, 20 + i);
	}
	speak_job(&c, 30, speak_job_id, speak_content_id, speak_row(&rows, "b@one.example"), 1);
	speak_expect_error(&c, 30, E_CONFLICT);
	framed_send(&c, &other);
	speak_expect_error(&c, 31, E_CONFLICT);
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
	(void)speak_hello(&c, "control");
	speak_job(&c, 2, speak_job_id, speak_content_id, speak_row(&rows, "a@one.example"), 1);
	speak_expect_error(&c, 2, E_UNKNOWN); /* its content is not here */
	speak_content(&c, 3, speak_content_id);
	(void)speak_expect_ack(&c, 3);
	speak_job(&c, 4, speak_job_id, speak_content_id,
		  speak_row(&rows, "a@one.example\r\nRCPT TO:<b@x>"), 1);
	speak_expect_error(&c, 4, E_SYNTAX);
	speak_job(&c, 5, speak_job_id, speak_content_id, speak_row(&rows, "a@one.example"), 2);
	speak_expect_error(&c, 5, E_SYNTAX);
	speak_job(&c, 6, speak_job_id, speak_content_id, SLICE(""), 0);
	speak_expect_error(&c, 6, E_SYNTAX);
	speak_job(&c, 7, (struct id128){ 0, 9 }, speak_content_id,
		  speak_row(&rows, "a@one.example"), 1);
	speak_expect_error(&c, 7, E_DENIED); /* such ids are the engine's own */
	framed_send(&c, &(struct link_frame){ .type = LINK_RULE,
					      .request = 8,
					      .rule = { SLICE("engine/id"), SLICE("x") } });
	speak_expect_error(&c, 8, E_SYNTAX);
	framed_send(&c, &(struct link_frame){
			    .type = LINK_ADMIN, .request = 9, .admin.command = SLICE("nosuch") });
	speak_expect_error(&c, 9, E_UNKNOWN);
	framed_send(&c, &(struct link_frame){
			    .type = LINK_CONTENT,
			    .request = 11,
			    .content = { { 7, 9 }, SLICE("\x81\xa1p\xc3"), SLICE("no program") } });
	speak_expect_error(&c, 11, E_CORRUPT);
	speak_lsn(&c, LINK_CURSOR, 10, UINT64_MAX);
	speak_expect_error(&c, 10, E_SYNTAX);
	spool_books(engine_spool(b.engine), &books);
	assert_int_equal(books.accepted, 0);
	framed_close(&c);
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
	(void)speak_hello(&c, "control");
	speak_content(&c, 2, speak_content_id);
	framed_send(&c, &(struct link_frame){ .type = LINK_RULE,
					      .request = 3,
					      .rule = { SLICE("hold/all"), SLICE("test") } });
	speak_job(&c, 4, speak_job_id, speak_content_id, speak_row(&rows, "a@one.example"), 1);
	(void)speak_expect_ack(&c, 2);
	(void)speak_expect_ack(&c, 3);
	(void)speak_expect_ack(&c, 4);
	framed_send(&c,
		    &(struct link_frame){ .type = LINK_RULE,
					  .request = 5,
					  .rule = { SLICE("hold/campaign/x"), SLICE("test") } });
	speak_expect_error(&c, 5, E_SYNTAX);
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
	(void)speak_hello(&c, "control");
	assert_int_equal(sign_key_generate(SIGN_ED25519, &pem, &txt), 0);
	f.key.pem = buf_data(&pem);
	framed_send(&c, &f);
	(void)speak_expect_ack(&c, 2);
	(void)snprintf(path, sizeof(path), "%s/keys/one.example/s1.pem", b.dir);
	assert_int_equal(access(path, R_OK), 0);
	f.request = 3;
	f.key.pem = SLICE("no key");
	framed_send(&c, &f);
	speak_expect_error(&c, 3, E_CRYPTO);
	f.request = 4;
	f.key.domain = SLICE("../../etc");
	f.key.pem = buf_data(&pem);
	framed_send(&c, &f);
	speak_expect_error(&c, 4, E_SYNTAX);
	f = (struct link_frame){ .type = LINK_KEY,
				 .request = 5,
				 .key = { SLICE("one.example"), SLICE("s1"), SLICE("") } };
	framed_send(&c, &f);
	(void)speak_expect_ack(&c, 5);
	assert_int_equal(access(path, R_OK), -1);
	f.request = 6; /* again: there is nothing, and that was wanted */
	framed_send(&c, &f);
	(void)speak_expect_ack(&c, 6);
	framed_close(&c);
	box_remove(&b);
	buf_free(&pem);
	buf_free(&txt);
}

static void orders_of_the_wrong_shape_are_refused_one_by_one(void **state)
{
	int64_t now = clock_wall_ms();
	struct link_frame job = { .type = LINK_JOB,
				  .job = { .id = speak_job_id,
					   .content = speak_content_id,
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
	(void)speak_hello(&c, "control");
	speak_content(&c, 2, (struct id128){ 0, 1 });
	speak_expect_error(&c, 2, E_DENIED); /* such ids are the engine's own */
	framed_send(
	    &c, &(struct link_frame){ .type = LINK_CONTENT,
				      .request = 3,
				      .content = { speak_content_id, SLICE("\x90"), SLICE("x") } });
	speak_expect_error(&c, 3, E_SYNTAX); /* its meta is a list */
	speak_content(&c, 4, speak_content_id);
	(void)speak_expect_ack(&c, 4);
	job.job.data = speak_row(&rows, "a@one.example");
	job.request = 5;
	job.job.class = CLASS_TRANSACTIONAL + 1;
	framed_send(&c, &job);
	speak_expect_error(&c, 5, E_SYNTAX);
	job.request = 6;
	job.job.class = CLASS_BULK;
	job.job.meta = SLICE("\x90");
	framed_send(&c, &job);
	speak_expect_error(&c, 6, E_SYNTAX);
	assert_int_equal(
	    wire_job_meta_put(&meta, &(struct wire_job_meta){ .mail_from = SLICE("a b@c") }), 0);
	job.request = 7;
	job.job.meta = buf_data(&meta);
	framed_send(&c, &job);
	speak_expect_error(&c, 7, E_SYNTAX);
	buf_clear(&meta);
	assert_int_equal(wire_job_meta_put(&meta, &(struct wire_job_meta){ .mail_from = SLICE(
									       "s@from.example") }),
			 0);
	job.request = 8;
	job.job.meta = buf_data(&meta);
	framed_send(&c, &job);
	(void)speak_expect_ack(&c, 8);
	framed_send(&c, &(struct link_frame){ .type = LINK_ACK, .request = 9 });
	speak_expect_error(&c, 9, E_DENIED); /* the engine's to say */
	speak_lsn(&c, LINK_SUBSCRIBE, 10, spool_durable(engine_spool(b.engine)) + 8);
	speak_expect_error(&c, 10, E_SYNTAX);
	framed_close(&c);
	box_remove(&b);
	buf_free(&rows);
	buf_free(&meta);
}

/* Waits for the report of a question. */
static struct value report_of(struct framed *c, const char *command, struct tree *arguments,
			      uint64_t request)
{
	OWNED(tree) t = arguments;
	struct link_frame f = { .type = LINK_ADMIN,
				.request = request,
				.admin.command = slice_str(command) };

	f.admin.args = *tree_value(t);
	framed_send(c, &f);
	assert_true(framed_next(c, &f));
	assert_int_equal(f.type, LINK_REPORT);
	assert_int_equal(f.request, request);
	return f.report;
}

static void the_control_plane_gives_orders_by_its_name(void **state)
{
	struct tree *t = tree_new(), *nothing = tree_new();
	const struct value *orders, *author;
	struct framed c;
	struct value v;
	struct box b;

	(void)state;
	box_start(&b, NULL);
	framed_open(&c, &b, "link.sock");
	(void)speak_hello(&c, "control");
	branch_str(tree_map(t), "what", "tenant/3 provider/big");
	branch_str(tree_map(t), "author", "anna@example.test");
	v = report_of(&c, "hold", t, 21);
	assert_int_equal(value_member(&v, SLICE("order"))->i, 1);
	(void)tree_map(nothing);
	v = report_of(&c, "orders", nothing, 22);
	orders = value_member(&v, SLICE("orders"));
	assert_int_equal(orders->count, 1);
	author = value_member(&orders->items[0], SLICE("author"));
	assert_true(slice_eq(author->s, SLICE("anna@example.test (link control)")));
	framed_close(&c);
	box_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_sent_again_does_nothing_and_with_other_bytes_is_refused),
		cmocka_unit_test(orders_that_lie_are_refused_and_the_link_goes_on),
		cmocka_unit_test(rules_are_acknowledged_and_bad_ones_refused),
		cmocka_unit_test(the_control_plane_gives_orders_by_its_name),
		cmocka_unit_test(keys_are_stored_and_removed),
		cmocka_unit_test(orders_of_the_wrong_shape_are_refused_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
