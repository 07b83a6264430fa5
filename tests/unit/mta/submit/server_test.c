/* Unit test of mta/submit: the submission service in a real engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mta/smtpd/smtpd.h"
#include "mta/submit/submit.h"
#include "schema/wire/meta.h"
#include "tests/unit/mta/engine_box.h"
#include "tests/unit/mta/smtpd/talk.h"

static int greeted(void)
{
	return talk_greeted(2525, NULL);
}

static uint64_t accepted(struct box *b)
{
	struct books k;

	spool_books(engine_spool(b->engine), &k);
	return k.accepted;
}

/* Content and rows of the only job. */
static void only_job(struct box *b, struct buf *message, struct buf *rows,
		     struct wire_content_meta *cm, struct buf *cm_bytes, struct buf *job_meta,
		     struct job_info *info)
{
	struct spool *sp = engine_spool(b->engine);
	uint64_t cursor = 0;
	job_no job;

	assert_int_equal(spool_next_job(sp, &cursor, &job), 0);
	assert_int_equal(spool_job_info(sp, job, info), 0);
	assert_int_equal(spool_read_job(sp, job, job_meta, rows), 0);
	assert_int_equal(spool_read_content(sp, info->content, cm_bytes, message), 0);
	assert_int_equal(wire_content_meta_get(buf_data(cm_bytes), cm), 0);
	assert_int_equal(spool_next_job(sp, &cursor, &job), E_UNKNOWN);
}

/* What the one message `came` is in the log, from the first field that came; NULL: it was refused
 * with `refusal`. */
static void submits(struct box *b, const char *came, const char *want, const char *refusal)
{
	struct buf message = { 0 }, rows = { 0 }, cm_bytes = { 0 }, meta = { 0 };
	struct wire_content_meta cm;
	struct job_info info;
	const char *text;
	int fd;

	box_start(b, NULL);
	fd = greeted();
	talk_say(fd, "MAIL FROM:<s@from.example>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n");
	(void)talk_hear(fd, 3);
	talk_say(fd, came);
	talk_expect(fd, ".\r\n", want ? "250 2.0.0 queued" : refusal);
	close(fd);
	if (want) {
		only_job(b, &message, &rows, &cm, &cm_bytes, &meta, &info);
		text = strstr(buf_cstr(&message), "\r\nMessage-ID: ");
		assert_non_null(text);
		text = strchr(text + 2, '\n') + 1;
		assert_string_equal(text, want);
	} else {
		assert_int_equal(accepted(b), 0);
	}
	box_remove(b);
	buf_free(&message);
	buf_free(&rows);
	buf_free(&cm_bytes);
	buf_free(&meta);
}

static void what_is_not_for_recipients_does_not_reach_them(void **state)
{
	struct box b;

	(void)state;
	submits(
	    &b,
	    "Return-Path: <x@y.example>\r\nFrom: a@b.example\r\nBcc: secret@x.example,\r\n"
	    "\tother@x.example\r\nresent-bcc : z@x.example\r\nTo: c@d.example\r\n\r\nBcc: body\r\n",
	    "From: a@b.example\r\nTo: c@d.example\r\n\r\nBcc: body\r\n", NULL);
}

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
	fd = greeted();
	talk_say(fd,
		 "MAIL FROM:<s@from.example> BODY=8BITMIME SIZE=100\r\nRCPT TO:<a@One.example>\r\n"
		 "RCPT TO:<b@two.example>\r\nDATA\r\n");
	assert_non_null(strstr(talk_hear(fd, 4), "354 "));
	talk_expect(fd,
		    "From: X <x@Author.example>\r\nSubject: \xc3\xa4\r\n\r\n..dot\r\nend\r\n.\r\n",
		    "250 2.0.0 queued as 0.");
	only_job(&b, &message, &rows, &cm, &cm_bytes, &jm_bytes, &info);
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
	fd = greeted();
	talk_say(fd, "MAIL FROM:<>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n");
	(void)talk_hear(fd, 3);
	talk_expect(fd, "Subject: x\r\n\r\nx\r\n.\r\n", "250 2.0.0 queued");
	close(fd);
	box_stop(&b);
	box_start_again(&b, NULL);
	assert_int_equal(accepted(&b), 1);
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
	fd = greeted();
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
	assert_int_equal(accepted(&b), 40);
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
		fd = greeted();
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
	assert_int_equal(accepted(&b), 0);
	box_remove(&b);
}

static void bad_commands_in_a_row_end_the_session(void **state)
{
	static const char *const bad[] = {
		"XYZZY\r\n",    "NOOP\n", "RCPT TO:<a@b.example>\r\n", "MAIL TO:<a@b.example>\r\n",
		"STARTTLS\r\n",
	};
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *got = "";
		unsigned said = 0;
		fd = greeted();
		while (said < 1000 && strncmp(got, "421 4.7.0", 9) != 0) {
			talk_say(fd, bad[i]);
			got = talk_hear(fd, 1);
			assert_true(*got);
			said++;
		}
		assert_int_equal(said, SMTPD_FAULTS_MAX);
		close(fd);
	}
	box_remove(&b);
}

static void addresses_that_are_none_end_the_session_later_and_good_ones_forgive(void **state)
{
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = greeted();
	for (unsigned k = 0; k < 3; k++) {
		talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
		for (unsigned i = 1; i < 60; i++)
			talk_expect(fd, "RCPT TO:<nobody>\r\n", "553 5.1.3");
		talk_expect(fd, "RCPT TO:<a@one.example>\r\n", "250");
		talk_expect(fd, "RSET\r\n", "250");
	}
	talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
	for (unsigned i = 1; i < 5 * SMTPD_FAULTS_MAX; i++)
		talk_expect(fd, "RCPT TO:<nobody>\r\n", "553 5.1.3");
	talk_expect(fd, "RCPT TO:<nobody>\r\n", "421 4.7.0");
	close(fd);
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
	fd = greeted();
	talk_expect(fd, "MAIL FROM:<\"the sender\"@from.example>\r\n", "250");
	talk_expect(fd, "RCPT TO:<PostMaster>\r\n", "250");
	talk_expect(fd, "RCPT TO:<\"john doe\"@one.example>\r\n", "250");
	talk_expect(fd, "RCPT TO:<\"a>b\\\" <c\"@one.example>\r\n", "250");
	talk_expect(fd, "RCPT TO:<\"a\tb\"@one.example>\r\n", "553");
	talk_expect(fd, "RCPT TO:<john doe@one.example>\r\n", "553");
	talk_expect(fd, "DATA\r\n", "354");
	talk_expect(fd, "From: \"john doe\"@from.example\r\n\r\nx\r\n.\r\n", "250");
	only_job(&b, &message, &rows, &cm, &cm_bytes, &jm_bytes, &info);
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

#define HEADER "From: a@b.example\r\nTo: c@d.example\r\nSubject: e\r\n"

static void what_stands_before_the_header_does_not_make_it_the_body(void **state)
{
	static const char *const before[] = {
		"From ann@sender.test Thu Nov 26 10:00:00 2026\r\n",
		">From ann@sender.test Thu Nov 26 10:00:00 2026\r\n",
		"\xef\xbb\xbf",
	};
	char came[300];
	struct box b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		(void)snprintf(came, sizeof(came), "%s%s\r\nbody\r\n", before[i], HEADER);
		submits(&b, came, HEADER "\r\nbody\r\n", NULL);
	}
	submits(&b, "From : a@b.example\r\nTo\t: c@d.example\r\n\r\nbody\r\n",
		"From: a@b.example\r\nTo: c@d.example\r\n\r\nbody\r\n", NULL);
	submits(&b, "just\r\na body\r\n", "\r\njust\r\na body\r\n", NULL);
	submits(&b, "\r\nalso\r\n", "\r\nalso\r\n", NULL);
}

static void a_header_that_does_not_begin_with_a_field_is_refused(void **state)
{
	static const char *const came[] = {
		"hello\r\n" HEADER "\r\nbody\r\n",
		" " HEADER "\r\nbody\r\n",
		"\r\n" HEADER "\r\nbody\r\n",
		"\xc2\xa0" HEADER "\r\nbody\r\n",
		"From a b c\r\nhello\r\n" HEADER "\r\n",
		"Bcc: a@b.example\r\nFrom b\r\nX: c\r\n",
	};
	struct box b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(came); i++)
		submits(&b, came[i], NULL, "554 5.6.0");
}

static void a_field_that_may_stand_once_stands_once(void **state)
{
	static const char *const twice[] = { "From",       "from ",      "Sender",     "Reply-To",
					     "To",         "Cc",         "Subject",    "Date",
					     "References", "Message-ID", "In-Reply-To" };
	char came[300];
	struct box b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(twice); i++) {
		(void)snprintf(came, sizeof(came), "%s: a\r\nX-Other: b\r\n%s: c\r\n\r\nbody\r\n",
			       twice[i], twice[i]);
		submits(&b, came, NULL, "554 5.6.0 the message has more than one ");
	}
	submits(&b, HEADER "Comments: a\r\nComments: b\r\n\r\nFrom: body\r\nFrom: body\r\n",
		HEADER "Comments: a\r\nComments: b\r\n\r\nFrom: body\r\nFrom: body\r\n", NULL);
}

static void a_line_of_more_than_998_bytes_is_refused(void **state)
{
	char line[1000], came[1200];
	struct box b;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[998] = '\0';
	(void)snprintf(came, sizeof(came), HEADER "\r\n%s\r\n", line);
	submits(&b, came, came, NULL);
	line[998] = 'x';
	line[999] = '\0';
	(void)snprintf(came, sizeof(came), HEADER "\r\n%s\r\n", line);
	submits(&b, came, NULL, "554 5.6.0 the message has a line that is too long");
	memcpy(line, "X: ", 3);
	(void)snprintf(came, sizeof(came), "%s\r\n" HEADER "\r\nx\r\n", line);
	submits(&b, came, NULL, "554 5.6.0 the message has a line that is too long");
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
		{ "BDAT 5 LAST\r\n", "5" },
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
		{ "RCPT TO:<a@b.example> NOTIFY=NEVER\r\n", "555" },
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

static void limits_are_kept(void **state)
{
	char line[3000], big[9000];
	struct box b;
	int fd, second;

	(void)state;
	box_start(&b, "submission.max_size = 8K\nsubmission.max_rcpts = "
		      "2\nsubmission.max_sessions_client = 1\n");
	fd = greeted();
	second = talk_connect(2525);
	assert_non_null(strstr(talk_hear(second, 1), "421 4.7.0"));
	close(second);
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	talk_expect(fd, line, "500 5.5.2 line too long");
	talk_expect(fd, "NOOP\r\n", "250");
	talk_say(fd,
		 "MAIL FROM:<a@b.example>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<a@b.example>\r\n");
	(void)talk_hear(fd, 3);
	talk_expect(fd, "RCPT TO:<a@b.example>\r\n", "452 4.5.3");
	talk_expect(fd, "DATA\r\n", "354");
	for (size_t i = 0; i < sizeof(big); i += 60)
		memcpy(big + i, "123456789 123456789 123456789 123456789 123456789 12345678\r\n",
		       MIN_OF(sizeof(big) - i, (size_t)60));
	for (int i = 0; i < 3; i++)
		assert_int_equal(send(fd, big, sizeof(big), MSG_NOSIGNAL), sizeof(big));
	talk_expect(fd, ".\r\n", "552 5.3.4");
	assert_int_equal(accepted(&b), 0);
	close(fd);
	box_remove(&b);
}

static void strangers_are_turned_away(void **state)
{
	struct box b;
	int fd;

	(void)state;
	box_start(&b, "submission.networks = 192.0.2.0/24\n");
	fd = talk_connect(2525);
	assert_int_equal(strncmp(talk_hear(fd, 1), "554 5.7.1", 9), 0);
	close(fd);
	box_remove(&b);
}

struct reloading {
	struct note note, marks[2];
	struct settings *fresh;
	sem_t done;
};
static struct reloading reloading;

static void mark(struct note *n, struct lane *l)
{
	(void)n, (void)l;
	sem_post(&reloading.done);
}

/* The lanes take the marks after the reload. */
static void reload(struct note *n, struct lane *front)
{
	struct engine *e = lane_engine(front);

	(void)n;
	engine_reload(e, TAKE(reloading.fresh));
	for (unsigned i = 0; i < engine_lanes(e); i++) {
		reloading.marks[i].run = mark;
		lane_post(engine_lane(e, i), &reloading.marks[i]);
	}
}

static void box_reload(struct box *b, const char *options)
{
	char error[OPTION_ERROR_MAX] = "";

	if (settings_parse(&reloading.fresh, mta_option_sets, mta_option_sets_n, slice_str(options),
			   "reload", error) < 0)
		fail_msg("%s", error);
	assert_int_equal(engine_lanes(b->engine), ARRAY_LEN(reloading.marks));
	sem_init(&reloading.done, 0, 0);
	reloading.note.run = reload;
	lane_post(engine_front(b->engine), &reloading.note);
	for (unsigned i = 0; i < engine_lanes(b->engine); i++)
		sem_wait(&reloading.done);
	sem_destroy(&reloading.done);
}

static void a_reload_changes_networks_and_limits_at_once(void **state)
{
	const char *reply;
	struct box b;
	int fd, stranger;

	(void)state;
	box_start(&b, NULL);
	fd = greeted();
	box_reload(&b, "hostname = new.example\nlog.level = error\nsubmission.max_size = 8K\n"
		       "submission.networks = 192.0.2.0/24\n");
	talk_say(fd, "EHLO client.example\r\n"); /* a session that is here already */
	reply = talk_hear(fd, 1);
	assert_non_null(strstr(reply, "250-new.example\r\n"));
	assert_non_null(strstr(reply, "250-SIZE 8192\r\n"));
	stranger = talk_connect(2525);
	assert_int_equal(strncmp(talk_hear(stranger, 1), "554 5.7.1", 9), 0);
	close(stranger);
	close(fd);
	box_remove(&b);
}

static void a_silent_client_is_let_go(void **state)
{
	struct box b;
	int fd;

	(void)state;
	box_start(&b, "submission.timeout = 1s\n");
	fd = greeted();
	assert_int_equal(strncmp(talk_hear(fd, 1), "421 4.4.2", 9), 0);
	close(fd);
	box_remove(&b);
}

/* One byte per quarter of a second, and never a whole line: no byte makes a command. */
static void a_client_that_dribbles_a_command_is_let_go(void **state)
{
	struct box b;
	char reply[256];
	ssize_t n = 0;
	int fd;

	(void)state;
	box_start(&b, "submission.timeout = 1s\n");
	fd = greeted();
	for (int i = 0; i < 200 && n <= 0; i++) {
		(void)!send(fd, "N", 1, MSG_NOSIGNAL);
		usleep(250000);
		n = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
	}
	assert_true(n > 9);
	assert_int_equal(strncmp(reply, "421 4.4.2", 9), 0);
	close(fd);
	box_remove(&b);
}

/* Ten thousand commands and no reply read: the session stops reading and stays within its
 * bounds. */
static void a_client_that_never_reads_is_not_heard_for_ever(void **state)
{
	struct box b;
	char line[252];
	size_t sent = 0;
	ssize_t n;
	int fd, idle = 0;

	(void)state;
	box_start(&b, "submission.timeout = 2s\n");
	fd = greeted();
	for (size_t i = 0; i < sizeof(line); i += 6)
		memcpy(line + i, "NOOP\r\n", 6);
	while (idle < 20 && sent < (64u << 20)) {
		n = send(fd, line, sizeof(line), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		else if (errno != EAGAIN)
			break;
		else
			usleep(50000);
		idle = n > 0 ? 0 : idle + 1;
	}
	assert_true(sent < (64u << 20));
	close(fd);
	fd = greeted(); /* and others are served */
	close(fd);
	box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_one_job_with_all_its_recipients),
		cmocka_unit_test(what_is_not_for_recipients_does_not_reach_them),
		cmocka_unit_test(what_was_acknowledged_is_there_after_a_restart),
		cmocka_unit_test(pipelined_messages_are_answered_in_order),
		cmocka_unit_test(a_lone_cr_or_lf_refuses_the_message_and_ends_the_session),
		cmocka_unit_test(bad_commands_in_a_row_end_the_session),
		cmocka_unit_test(
		    addresses_that_are_none_end_the_session_later_and_good_ones_forgive),
		cmocka_unit_test(the_postmaster_and_quoted_local_parts_are_recipients),
		cmocka_unit_test(what_stands_before_the_header_does_not_make_it_the_body),
		cmocka_unit_test(a_header_that_does_not_begin_with_a_field_is_refused),
		cmocka_unit_test(a_field_that_may_stand_once_stands_once),
		cmocka_unit_test(a_line_of_more_than_998_bytes_is_refused),
		cmocka_unit_test(commands_out_of_order_are_refused),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(strangers_are_turned_away),
		cmocka_unit_test(a_reload_changes_networks_and_limits_at_once),
		cmocka_unit_test(a_silent_client_is_let_go),
		cmocka_unit_test(a_client_that_dribbles_a_command_is_let_go),
		cmocka_unit_test(a_client_that_never_reads_is_not_heard_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
