/* Unit test of BDAT (RFC 3030) at submission, in a real engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mta/smtpd/smtpd.h"
#include "tests/unit/mta/smtpd/talk.h"
#include "tests/unit/mta/submit/submission.h"

#define HEAD "From: a@from.example\r\nTo: a@one.example\r\n\r\n" /* 43 bytes */

static int opened(void)
{
	const char *ehlo;
	int fd = talk_greeted(2525, &ehlo);

	assert_non_null(strstr(ehlo, "CHUNKING\r\n"));
	assert_null(strstr(ehlo, "BINARYMIME"));
	talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
	talk_expect(fd, "RCPT TO:<a@one.example>\r\n", "250");
	return fd;
}

/* What arrived behind our own fields ends so. */
static void taken_is(struct box *b, const char *end)
{
	struct buf message = { 0 }, rows = { 0 }, cm_bytes = { 0 }, jm_bytes = { 0 };
	struct wire_content_meta cm;
	struct job_info info;
	struct slice all;

	submission_only_job(b, &message, &rows, &cm, &cm_bytes, &jm_bytes, &info);
	all = buf_data(&message);
	assert_true(all.n > strlen(end));
	assert_memory_equal(all.p + all.n - strlen(end), end, strlen(end));
	buf_free(&message);
	buf_free(&rows);
	buf_free(&cm_bytes);
	buf_free(&jm_bytes);
}

static void a_message_comes_in_chunks_and_dots_mean_nothing(void **state)
{
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = opened();
	talk_expect(fd, "BDAT 43\r\n" HEAD, "250 2.0.0 chunk");
	talk_expect(fd, "BDAT 0\r\n", "250 2.0.0 chunk");
	talk_expect(fd, "NOOP\r\n", "250");
	talk_expect(fd, "BDAT 9\r\n..\r\n.\r\n.\r", "250 2.0.0 chunk");
	talk_expect(fd, "BDAT 3 last\r\n\nx.", "250 2.0.0 queued");
	talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
	close(fd);
	taken_is(&b, "one.example\r\n\r\n..\r\n.\r\n.\r\nx.\r\n");
	box_remove(&b);
}

static void everything_in_one_write_is_answered_in_order(void **state)
{
	static const char *const begins[] = {
		"250 2.1.0",       "250 2.1.5", "250 2.0.0 chunk", "250 2.0.0 queued", "250 2.1.0",
		"250 2.0.0 reset", "221"
	};
	const char *got;
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = talk_greeted(2525, NULL);
	talk_say(fd, "MAIL FROM:<s@from.example>\r\nRCPT TO:<a@one.example>\r\nBDAT 43\r\n" HEAD
		     "BDAT 3 LAST\r\nx\r\nMAIL FROM:<s@from.example>\r\nRSET\r\nQUIT\r\n");
	got = talk_hear(fd, ARRAY_LEN(begins));
	for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
		if (strncmp(got, begins[i], strlen(begins[i])) != 0)
			fail_msg("%zu: %s", i, got);
		got = strchr(got, '\n') + 1;
	}
	close(fd);
	assert_int_equal(submission_accepted(&b), 1);
	box_remove(&b);
}

/* The bytes of a chunk are never commands, whoever refuses it and why. */
static void a_refused_chunk_is_read_past(void **state)
{
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = talk_connect(2525);
	(void)talk_hear(fd, 1);
	talk_expect(fd, "BDAT 6 LAST\r\nQUIT\r\n", "502 5.5.1");
	talk_expect(fd, "EHLO x\r\n", "250");
	talk_expect(fd, "BDAT 6\r\nQUIT\r\n", "503 5.5.1");
	talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
	talk_expect(fd, "BDAT 6 LAST\r\nQUIT\r\n", "554 5.5.1");
	talk_expect(fd, "RCPT TO:<nobody>\r\n", "553");
	talk_expect(fd, "BDAT 6 LAST\r\nRSET\r\n", "554 5.5.1");
	talk_expect(fd, "RCPT TO:<a@one.example>\r\n", "250");
	talk_expect(fd, "BDAT 43\r\n" HEAD, "250");
	talk_expect(fd, "RCPT TO:<b@one.example>\r\n", "503 5.5.1");
	talk_expect(fd, "DATA\r\n", "503 5.5.1");
	talk_expect(fd, "MAIL FROM:<t@from.example>\r\n", "503 5.5.1");
	talk_expect(fd, "RSET\r\n", "250");
	talk_expect(fd, "BDAT 6 LAST\r\nQUIT\r\n", "503 5.5.1");
	talk_expect(fd, "HELO x\r\n", "250");
	talk_expect(fd, "BDAT 6\r\nQUIT\r\n", "502 5.5.1");
	talk_expect(fd, "NOOP\r\n", "250");
	close(fd);
	assert_int_equal(submission_accepted(&b), 0);
	box_remove(&b);
}

static void what_no_message_may_hold_is_refused_at_its_end_and_the_session_goes_on(void **state)
{
	static const char *const rows[][2] = {
		{ "BDAT 3 LAST\r\na\nb", "554 5.6.0 the message has a CR or LF" },
		{ "BDAT 3 LAST\r\na\rb", "554 5.6.0 the message has a CR or LF" },
		{ "BDAT 2 LAST\r\na\r", "554 5.6.0 the message has a CR or LF" },
		{ "BDAT 7 LAST\r\na\n.\nb\r\n", "554 5.6.0 the message has a CR or LF" },
	};
	char line[2048];
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fd = opened();
		talk_expect(fd, "BDAT 43\r\n" HEAD, "250");
		talk_expect(fd, rows[i][0], rows[i][1]);
		talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
		close(fd);
	}
	fd = opened();
	talk_expect(fd, "BDAT 43\r\n" HEAD, "250");
	assert_int_equal(send(fd, "BDAT 3 LAST\r\na\0b", 16, MSG_NOSIGNAL), 16);
	talk_expect(fd, "", "554 5.6.0 the message has a NUL");
	close(fd);
	fd = opened();
	talk_expect(fd, "BDAT 43\r\n" HEAD, "250");
	(void)snprintf(line, sizeof(line), "BDAT 999 LAST\r\n%0999d", 1);
	talk_expect(fd, line, "554 5.6.0 the message has a line that is too long");
	close(fd);
	assert_int_equal(submission_accepted(&b), 0);
	box_remove(&b);
}

static void a_count_that_cannot_be_read_ends_the_session(void **state)
{
	static const char *const rows[][2] = {
		{ "BDAT\r\n", "501" },
		{ "BDAT x\r\n", "501" },
		{ "BDAT -1\r\n", "501" },
		{ "BDAT 5 FIRST\r\n", "501" },
		{ "BDAT 0x5\r\n", "501" },
		{ "BDAT 99999999999999999999\r\n", "501" },
		{ "BDAT 5 LAST 6\r\n", "501" },
		{ "BDAT +5\r\n", "501" },
		{ "BDAT 18446744073709551615\r\n", "552" },
		{ "BDAT 100000000 LAST\r\n", "552" },
	};
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fd = opened();
		talk_expect(fd, rows[i][0], rows[i][1]);
		(void)send(fd, "NOOP\r\n", 6, MSG_NOSIGNAL);
		assert_string_equal(talk_hear(fd, 1), "");
		close(fd);
	}
	box_remove(&b);
}

static void chunks_together_are_no_larger_than_a_message(void **state)
{
	char *large = must_alloc(8192);
	struct box b;
	int fd;

	(void)state;
	box_start(&b, "submission.max_size = 16K\n");
	fd = opened();
	talk_expect(fd, "BDAT 43\r\n" HEAD, "250");
	for (size_t i = 0; i < 4000; i++)
		memcpy(large + 11 + 2 * (i % 2000), "\r\n", 2);
	memcpy(large, "BDAT 4000\r\n", 11);
	for (size_t i = 0; i < 8; i++) {
		talk_say(fd, large);
		if (strncmp(talk_hear(fd, 1), "552 5.3.4", 9) == 0)
			break;
		assert_true(i < 7);
	}
	talk_expect(fd, "BDAT 6 LAST\r\nQUIT\r\n", "503 5.5.1");
	talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
	close(fd);
	free(large);
	box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_comes_in_chunks_and_dots_mean_nothing),
		cmocka_unit_test(everything_in_one_write_is_answered_in_order),
		cmocka_unit_test(a_refused_chunk_is_read_past),
		cmocka_unit_test(
		    what_no_message_may_hold_is_refused_at_its_end_and_the_session_goes_on),
		cmocka_unit_test(a_count_that_cannot_be_read_ends_the_session),
		cmocka_unit_test(chunks_together_are_no_larger_than_a_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
