/* Unit test of mta/submit: the submission service in a real engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mta/submit/submit.h"
#include "schema/wire/meta.h"
#include "tests/unit/mta/smtpd/talk.h"
#include "tests/unit/mta/submit/submission.h"

static void a_message_is_one_job_with_all_its_recipients(void **state)
{
	struct buf message = { 0 }, rows = { 0 }, cm_bytes = { 0 }, jm_bytes = { 0 };
	OWNED(wire_rows) view = NULL;
	struct wire_content_meta cm;
	struct wire_job_meta jm;
	struct job_info info;
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	talk_say(fd,
		 "MAIL FROM:<s@from.example> BODY=8BITMIME SIZE=100\r\nRCPT TO:<a@One.example>\r\n"
		 "RCPT TO:<b@two.example>\r\nDATA\r\n");
	assert_non_null(strstr(talk_hear(fd, 4), "354 "));
	talk_expect(fd,
		    "From: X <x@Author.example>\r\nSubject: \xc3\xa4\r\n\r\n..dot\r\nend\r\n.\r\n",
		    "250 2.0.0 queued as 0.");
	submission_only_job(&b, &message, &rows, &cm, &cm_bytes, &jm_bytes, &info);
	assert_int_equal(info.rows, 2);
	assert_int_equal(info.class, CLASS_TRANSACTIONAL);
	assert_int_equal(wire_job_meta_get(buf_data(&jm_bytes), &jm), 0);
	assert_true(slice_eq(jm.mail_from, SLICE("s@from.example")));
	assert_true(slice_eq(jm.origin, SLICE("smtp")));
	assert_true(slice_eq(cm.sign_domain, SLICE("author.example")));
	assert_true(cm.body_8bit && !cm.utf8 && !cm.program);
	assert_int_equal(wire_rows_open(&view, buf_data(&rows), 2), 0);
	assert_true(slice_eq(wire_rows_address(view, 1), SLICE("b@two.example")));
	const char *text = buf_cstr(&message);
	assert_ptr_equal(strstr(text, "Received: from client.example"), text);
	assert_non_null(strstr(text, "\r\nDate: "));
	assert_non_null(strstr(text, "\r\nMessage-ID: <"));
	assert_non_null(strstr(
	    text, "\r\nFrom: X <x@Author.example>\r\nSubject: \xc3\xa4\r\n\r\n.dot\r\nend\r\n"));
	close(fd);
	box_remove(&b);
	buf_free(&message);
	buf_free(&rows);
	buf_free(&cm_bytes);
	buf_free(&jm_bytes);
}

static void what_was_acknowledged_is_there_after_a_restart(void **state)
{
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	talk_say(fd, "MAIL FROM:<>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n");
	(void)talk_hear(fd, 3);
	talk_expect(fd, "Subject: x\r\n\r\nx\r\n.\r\n", "250 2.0.0 queued");
	close(fd);
	box_stop(&b);
	box_start_again(&b, NULL);
	assert_int_equal(submission_accepted(&b), 1);
	box_remove(&b);
}

static void pipelined_messages_are_answered_in_order(void **state)
{
	struct buf all = { 0 };
	struct box b;
	const char *got;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	for (int i = 0; i < 40; i++)
		buf_putf(&all,
			 "MAIL FROM:<s%d@from.example>\r\nRCPT "
			 "TO:<a@one.example>\r\nDATA\r\nSubject: %d\r\n\r\nx\r\n.\r\nNOOP\r\n",
			 i, i);
	buf_put(&all, SLICE("QUIT\r\n"));
	talk_say(fd, buf_cstr(&all));
	got = talk_hear(fd, 40 * 5 + 1);
	for (int i = 0; i < 40; i++) {
		static const char *const order[] = { "250 2.1.0", "250 2.1.5", "354 ",
						     "250 2.0.0 queued", "250 2.0.0 ok" };
		for (size_t k = 0; k < ARRAY_LEN(order); k++) {
			if (strncmp(got, order[k], strlen(order[k])) != 0)
				fail_msg("message %d, reply %zu: %.40s", i, k, got);
			got = strchr(got, '\n') + 1;
		}
	}
	assert_int_equal(strncmp(got, "221 ", 4), 0);
	assert_int_equal(submission_accepted(&b), 40);
	close(fd);
	box_remove(&b);
	buf_free(&all);
}

/* SMTP smuggling: whatever a relay in front of us takes for the end, we do not; and what it says
 * behind the true end is no command of its own choice. */
static void a_lone_cr_or_lf_refuses_the_message_and_ends_the_session(void **state)
{
	static const char *const bodies[] = {
		"x\n.\r\n", "x\r.\r\n", "x\n.\n",  "x\r\n.\r",
		"x\r\n.\n", "x\ry\r\n", "x\r\r\n", "x\r\n\n",
	};
	char text[500];
	struct box b;
	char byte;
	int fd;

	(void)state;
	box_start(&b, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		fd = submission_greeted();
		talk_say(fd, "MAIL FROM:<s@from.example>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n");
		(void)talk_hear(fd, 3);
		(void)snprintf(text, sizeof(text),
			       "Subject: x\r\n\r\n%sMAIL FROM:<evil@x.example>\r\n"
			       "RCPT TO:<v@x.example>\r\nDATA\r\nSubject: y\r\n\r\ny\r\n.\r\n"
			       "MAIL FROM:<evil@x.example>\r\n",
			       bodies[i]);
		talk_expect(fd, text, "554 5.6.0 the message has a CR or LF");
		assert_int_equal(recv(fd, &byte, 1, 0), 0);
		close(fd);
	}
	assert_int_equal(submission_accepted(&b), 0);
	box_remove(&b);
}

/* RFC 5321 sections 4.1.1.3 and 4.1.2. */
static void the_postmaster_and_quoted_local_parts_are_recipients(void **state)
{
	struct buf message = { 0 }, rows = { 0 }, cm_bytes = { 0 }, jm_bytes = { 0 };
	OWNED(wire_rows) view = NULL;
	struct wire_content_meta cm;
	struct wire_job_meta jm;
	struct job_info info;
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	talk_expect(fd, "MAIL FROM:<\"the sender\"@from.example>\r\n", "250");
	talk_expect(fd, "RCPT TO:<PostMaster>\r\n", "250");
	talk_expect(fd, "RCPT TO:<\"john doe\"@one.example>\r\n", "250");
	talk_expect(fd, "RCPT TO:<\"a>b\\\" <c\"@one.example>\r\n", "250");
	talk_expect(fd, "RCPT TO:<\"a\tb\"@one.example>\r\n", "553");
	talk_expect(fd, "RCPT TO:<john doe@one.example>\r\n", "553");
	talk_expect(fd, "DATA\r\n", "354");
	talk_expect(fd, "From: \"john doe\"@from.example\r\n\r\nx\r\n.\r\n", "250");
	submission_only_job(&b, &message, &rows, &cm, &cm_bytes, &jm_bytes, &info);
	assert_int_equal(wire_job_meta_get(buf_data(&jm_bytes), &jm), 0);
	assert_true(slice_eq(jm.mail_from, SLICE("\"the sender\"@from.example")));
	assert_true(slice_eq(cm.sign_domain, SLICE("from.example")));
	assert_int_equal(wire_rows_open(&view, buf_data(&rows), info.rows), 0);
	assert_int_equal(info.rows, 3);
	assert_true(slice_eq(wire_rows_address(view, 0), SLICE("postmaster@box.example")));
	assert_true(slice_eq(wire_rows_address(view, 1), SLICE("\"john doe\"@one.example")));
	assert_true(slice_eq(wire_rows_address(view, 2), SLICE("\"a>b\\\" <c\"@one.example")));
	close(fd);
	box_remove(&b);
	buf_free(&message);
	buf_free(&rows);
	buf_free(&cm_bytes);
	buf_free(&jm_bytes);
}

static void commands_out_of_order_are_refused(void **state)
{
	static const struct {
		const char *say, *hear;
	} talk[] = {
		{ "MAIL FROM:<a@b.example>\r\n", "503 5.5.1" }, /* before EHLO */
		{ "EHLO\r\n", "501" },
		{ "EHLO a b\r\n", "" },
		{ "HELO \xff\r\n", "" },
		{ "BDAT 0 LAST\r\n", "502" },
		{ "\r\n", "500" },
		{ "HELO client.example\r\n", "250 " },
		{ "MAIL FROM:<a@b.example> SIZE=1\r\n", "555" }, /* HELO has no extensions */
		{ "EHLO client.example\r\n", "250-" },
		{ "RCPT TO:<a@b.example>\r\n", "503" },
		{ "DATA\r\n", "503" },
		{ "STARTTLS\r\n", "502" },
		{ "MAIL FROM:a@b.example\r\n", "501 5.5.4" },
		{ "MAIL FROM:<a b@c.example>\r\n", "553 5.1.3" },
		{ "MAIL FROM:<a@b.example> SIZE=99999999999\r\n", "552 5.3.4" },
		{ "MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n", "501" },
		{ "MAIL FROM:<a@b.example> FOO=1\r\n", "555" },
		{ "MAIL FROM:<a@b.example> SMTPUTF8=1\r\n", "5" },
		{ "MAIL FROM:<a@b.example>\r\n", "250" }, /* a recipient taken forgives */
		{ "RCPT TO:<c@b.example>\r\n", "250" },
		{ "RSET\r\n", "250" },
		{ "MAIL FROM:<a@b.example> SIZE=\r\n", "501" },
		{ "MAIL FROM:<a@b.example> SIZE=x\r\n", "501" },
		{ "MAIL FROM:<a@b.example> BODY\r\n", "501" },
		{ "MAIL FROM:<a@b.example> -=1\r\n", "501" },
		{ "MAIL TO:<a@b.example>\r\n", "501" },
		{ "MAIL FROM:<a@b.example\r\n", "501" },
		{ "MAIL FROM:<\"a\\\"@b.example>\r\n", "501" },
		{ "MAIL FROM:<\xc3\xa4@b.example>\r\n", "553 5.6.7" },
		{ "MAIL FROM:<\xc3\xa4@b.example> SMTPUTF8\r\n", "250" },
		{ "MAIL FROM:<a@b.example>\r\n", "503" },
		{ "DATA\r\n", "554 5.5.1" },
		{ "RCPT TO:<>\r\n", "501" },
		{ "RCPT TO:<nobody>\r\n", "553" },
		{ "RCPT TO:<a@b.example> NOTIFY=MAYBE\r\n", "501" },
		{ "RCPT TO:\r\n", "501" },
		{ "RCPT FROM:<a@b.example>\r\n", "501" },
		{ "RCPT TO:<a@b.example> X=\r\n", "5" },
		{ "DATA now\r\n", "5" },
		{ "STARTTLS now\r\n", "50" },
		{ "RSET now\r\n", "501" },
		{ "RSET\r\n", "250" },
		{ "VRFY a\r\n", "252" },
		{ "EXPN a\r\n", "500 5.5.2" },
		{ "NOOP\nQUIT\r\n", "500 5.5.2" },
	};
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = talk_connect(2525);
	(void)talk_hear(fd, 1);
	for (size_t i = 0; i < ARRAY_LEN(talk); i++)
		talk_expect(fd, talk[i].say, talk[i].hear);
	close(fd);
	box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_one_job_with_all_its_recipients),
		cmocka_unit_test(what_was_acknowledged_is_there_after_a_restart),
		cmocka_unit_test(pipelined_messages_are_answered_in_order),
		cmocka_unit_test(a_lone_cr_or_lf_refuses_the_message_and_ends_the_session),
		cmocka_unit_test(the_postmaster_and_quoted_local_parts_are_recipients),
		cmocka_unit_test(commands_out_of_order_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
