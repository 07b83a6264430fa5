/* Unit test of mta/submit: what a header must be, and what becomes of it, in a real engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mta/submit/submit.h"
#include "schema/wire/meta.h"
#include "tests/unit/mta/smtpd/talk.h"
#include "tests/unit/mta/submit/submission.h"

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
	fd = submission_greeted();
	talk_say(fd, "MAIL FROM:<s@from.example>\r\nRCPT TO:<a@one.example>\r\nDATA\r\n");
	(void)talk_hear(fd, 3);
	talk_say(fd, came);
	talk_expect(fd, ".\r\n", want ? "250 2.0.0 queued" : refusal);
	close(fd);
	if (want) {
		submission_only_job(b, &message, &rows, &cm, &cm_bytes, &meta, &info);
		text = strstr(buf_cstr(&message), "\r\nMessage-ID: ");
		assert_non_null(text);
		text = strchr(text + 2, '\n') + 1;
		assert_string_equal(text, want);
	} else {
		assert_int_equal(submission_accepted(b), 0);
	}
	box_remove(b);
	buf_free(&message);
	buf_free(&rows);
	buf_free(&cm_bytes);
	buf_free(&meta);
}

#define HEADER "From: a@b.example\r\nTo: c@d.example\r\nSubject: e\r\n"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_for_recipients_does_not_reach_them),
		cmocka_unit_test(what_stands_before_the_header_does_not_make_it_the_body),
		cmocka_unit_test(a_header_that_does_not_begin_with_a_field_is_refused),
		cmocka_unit_test(a_field_that_may_stand_once_stands_once),
		cmocka_unit_test(a_line_of_more_than_998_bytes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
