/* Unit test of mta/submit/message.c: what a message becomes when it is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mta/submit/submit.h"
#include "schema/wire/meta.h"
#include "tests/unit/mta/smtpd/talk.h"
#include "tests/unit/mta/submit/submission.h"

/* Sends one message and gives what the spool holds of it, until the next call. */
static const char *taken(struct box *b, int fd, const char *mail, const char *message,
			 struct wire_content_meta *ret)
{
	static struct buf bytes, meta;
	struct spool *sp = engine_spool(b->engine);
	struct job_info info;
	const char *reply;
	struct id128 id;
	job_no job;
	char *end;

	talk_say(fd, mail);
	talk_say(fd, "RCPT TO:<a@one.example>\r\nDATA\r\n");
	assert_non_null(strstr(talk_hear(fd, 3), "354 "));
	talk_say(fd, message);
	talk_say(fd, ".\r\n");
	reply = talk_hear(fd, 1);
	assert_int_equal(strncmp(reply, "250 2.0.0 queued as ", 20), 0);
	end = strpbrk(reply, "\r\n");
	assert_int_equal(id_parse(slice_of(reply + 20, (size_t)(end - reply - 20)), &id), 0);
	assert_int_equal(spool_find_job(sp, id, &job), 0);
	assert_int_equal(spool_job_info(sp, job, &info), 0);
	buf_clear(&bytes);
	buf_clear(&meta);
	assert_int_equal(spool_read_content(sp, info.content, &meta, &bytes), 0);
	assert_int_equal(wire_content_meta_get(buf_data(&meta), ret), 0);
	return buf_cstr(&bytes);
}

#define MAIL "MAIL FROM:<s@from.example>\r\n"

static void the_trace_line_says_how_the_message_came(void **state)
{
	static const char message[] = "From: x@author.example\r\n\r\nx\r\n";
	struct wire_content_meta meta;
	const char *text;
	struct box b;
	int fd;

	(void)state;
	box_start(&b, "log.deliveries = yes\n");
	fd = talk_connect(2525);
	(void)talk_hear(fd, 1);
	talk_expect(fd, "HELO client.example\r\n", "250 ");
	text = taken(&b, fd, MAIL, message, &meta);
	assert_non_null(strstr(text, " with SMTP id 0."));
	assert_non_null(strstr(text, "for <a@one.example>"));
	close(fd);
	fd = submission_greeted();
	text = taken(&b, fd, MAIL, message, &meta);
	assert_non_null(strstr(text, " with ESMTP id 0."));
	assert_false(meta.utf8);
	text = taken(&b, fd, "MAIL FROM:<s@from.example> SMTPUTF8\r\n", message, &meta);
	assert_non_null(strstr(text, " with UTF8SMTP id 0."));
	assert_true(meta.utf8);
	close(fd);
	box_remove(&b);
}

static void only_the_one_author_with_a_domain_signs(void **state)
{
	static const struct {
		const char *from, *domain;
	} rows[] = {
		{ "From: x@author.example\r\n", "author.example" },
		{ "From: X <x@Author.example>, y@other.example\r\n", "author.example" },
		{ "From: nobody at all\r\n", "" },
		{ "From: x@[192.0.2.1]\r\n", "" },
		{ "", "" },
	};
	struct wire_content_meta meta;
	char message[256];
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(message, sizeof(message), "%sSubject: s\r\n\r\nx\r\n", rows[i].from);
		(void)taken(&b, fd, MAIL, message, &meta);
		if (!slice_eq(meta.sign_domain, slice_str(rows[i].domain)))
			fail_msg("row %zu: %.*s", i, (int)meta.sign_domain.n, meta.sign_domain.p);
	}
	close(fd);
	box_remove(&b);
}

static void what_a_header_lacks_is_added_and_nothing_else(void **state)
{
	static const char whole[] = "Date: d\r\nMessage-ID: <m@x>\r\nSubject: s\r\n\r\nx\r\n";
	struct wire_content_meta meta;
	const char *text, *came;
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	text = taken(&b, fd, MAIL, whole, &meta);
	came = strstr(text, "Date: d");
	assert_non_null(came);
	assert_string_equal(came, whole);
	text = taken(&b, fd, MAIL, "Date: d\r\n\r\nx\r\n", &meta);
	assert_non_null(strstr(text, "\r\nMessage-ID: <0."));
	assert_ptr_equal(strstr(strstr(text, "Date: ") + 1, "Date: "), NULL);
	text = taken(&b, fd, MAIL, "just words, no header\r\n", &meta);
	assert_non_null(strstr(text, "\r\n\r\njust words, no header\r\n"));
	assert_non_null(strstr(text, "\r\nDate: "));
	text = taken(&b, fd, MAIL, "", &meta); /* nothing at all is a message too */
	assert_non_null(strstr(text, "\r\nMessage-ID: <0."));
	close(fd);
	box_remove(&b);
}

static void messages_that_cannot_go_on_are_refused_whole(void **state)
{
	static const char nul[] = "Subject: s\r\n\r\na\0b\r\n.\r\n";
	struct buf hops = { 0 };
	struct box b;
	char last;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	for (int i = 0; i < 101; i++)
		buf_put(&hops, SLICE("Received: from x by y; date\r\n"));
	buf_put(&hops, SLICE("\r\nx\r\n.\r\n"));
	for (int i = 0; i < 3; i++) {
		talk_say(fd, MAIL "RCPT TO:<a@one.example>\r\nDATA\r\n");
		(void)talk_hear(fd, 3);
		if (i == 0) {
			talk_expect(fd, buf_cstr(&hops), "554 5.4.6");
		} else if (i == 1) {
			talk_expect(fd, "Subject: s\r\nno field here\r\n\r\nx\r\n.\r\n",
				    "554 5.6.0");
		} else {
			assert_int_equal(send(fd, nul, sizeof(nul) - 1, MSG_NOSIGNAL),
					 sizeof(nul) - 1);
			assert_int_equal(strncmp(talk_hear(fd, 1), "554 5.6.", 8), 0);
		}
	}
	assert_int_equal(submission_accepted(&b), 0);
	talk_expect(fd, "QUIT\r\n", "221");
	assert_int_equal(recv(fd, &last, 1, 0), 0);
	close(fd);
	box_remove(&b);
	buf_free(&hops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_trace_line_says_how_the_message_came),
		cmocka_unit_test(only_the_one_author_with_a_domain_signs),
		cmocka_unit_test(what_a_header_lacks_is_added_and_nothing_else),
		cmocka_unit_test(messages_that_cannot_go_on_are_refused_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
