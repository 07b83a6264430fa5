/* Unit test of the parameters of MAIL and RCPT at submission (RFC 3461, 4865, 8689), in a real
 * engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "schema/wire/dsn.h"
#include "tests/unit/mta/smtpd/talk.h"
#include "tests/unit/mta/submit/submission.h"

static void what_is_asked_is_in_the_job(void **state)
{
	struct buf message = { 0 }, data = { 0 }, cm_bytes = { 0 }, jm_bytes = { 0 };
	OWNED(wire_rows) rows = NULL;
	struct wire_content_meta cm;
	struct wire_job_meta jm;
	struct job_info info;
	struct wire_row row;
	struct wire_dsn dsn;
	const char *ehlo;
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = talk_greeted(2525, &ehlo);
	assert_non_null(strstr(ehlo, "250-DSN\r\n"));
	assert_non_null(strstr(ehlo, "FUTURERELEASE 2592000 20"));
	assert_null(strstr(ehlo, "REQUIRETLS"));
	/* What a MAIL or RCPT that was reset or refused asked for is forgotten. */
	talk_expect(fd, "MAIL FROM:<s@from.example> RET=HDRS ENVID=old HOLDFOR=60\r\n", "250");
	talk_expect(fd, "RSET\r\n", "250");
	talk_expect(fd, "MAIL FROM:<s@from.example> RET=full ENVID=QQ+2B314 HOLDFOR=3600\r\n",
		    "250");
	talk_expect(fd, "RCPT TO:<nobody> NOTIFY=NEVER\r\n", "553");
	talk_expect(fd, "RCPT TO:<a@one.example>\r\n", "250");
	talk_expect(
	    fd, "RCPT TO:<b@one.example> NOTIFY=success,DELAY ORCPT=rfc822;B+2Bx@one.example\r\n",
	    "250");
	talk_expect(fd, "DATA\r\n", "354");
	talk_expect(fd, "From: s@from.example\r\n\r\nx\r\n.\r\n", "250");
	close(fd);
	submission_only_job(&b, &message, &data, &cm, &cm_bytes, &jm_bytes, &info);
	assert_int_equal(wire_job_meta_get(buf_data(&jm_bytes), &jm), 0);
	assert_true(slice_eq(jm.envid, SLICE("QQ+314")));
	assert_false(jm.return_headers);
	assert_false(jm.require_tls);
	assert_true(jm.not_before_ms > info.accepted_ms + 3590000);
	assert_true(jm.not_before_ms < info.accepted_ms + 3610000);
	assert_int_equal(wire_rows_open(&rows, buf_data(&data), 2), 0);
	assert_int_equal(wire_rows_n_fields(rows, 0), 0);
	assert_int_equal(wire_rows_get(rows, 1, &row), 0);
	wire_dsn_get(&row, &dsn);
	assert_int_equal(dsn.notify, WIRE_NOTIFY_SUCCESS | WIRE_NOTIFY_DELAY);
	assert_true(slice_eq(dsn.orcpt, SLICE("rfc822;B+2Bx@one.example")));
	buf_free(&message);
	buf_free(&data);
	buf_free(&cm_bytes);
	buf_free(&jm_bytes);
	box_remove(&b);
}

static void what_no_parameter_may_say_is_refused(void **state)
{
	static const char *const mail[][2] = {
		{ "RET=SOME", "501" },
		{ "RET", "501" },
		{ "RET=HDRS RET=FULL", "501" },
		{ "ENVID=a+zz", "501" },
		{ "ENVID=a+00b", "501" },
		{ "ENVID=a ENVID=b", "501" },
		{ "ENVID=0123456789012345678901234567890123456789012345678901234567890123456789"
		  "0123456789012345678901234567890",
		  "501" },
		{ "HOLDFOR=x", "501" },
		{ "HOLDFOR=-1", "501" },
		{ "HOLDFOR=9999999999", "501" },
		{ "HOLDFOR=2592001", "501 5.5.4 that is later" },
		{ "HOLDUNTIL=tomorrow", "501" },
		{ "HOLDUNTIL=2099-01-01T00:00:00Z", "501 5.5.4 that is later" },
		{ "HOLDFOR=1 HOLDUNTIL=2026-01-01T00:00:00Z", "501" },
		{ "REQUIRETLS", "555" },
	};
	static const char *const rcpt[] = {
		"NOTIFY",
		"NOTIFY=NEVER,SUCCESS",
		"NOTIFY=OFTEN",
		"NOTIFY=SUCCESS,",
		"NOTIFY=SUCCESS NOTIFY=DELAY",
		"ORCPT=a@one.example",
		"ORCPT=;a",
		"ORCPT=rfc822;",
		"ORCPT=rfc822;a+0Ab",
		"ORCPT=rf/c;a",
		"ORCPT=rfc822;a ORCPT=rfc822;b",
	};
	char line[512];
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	for (size_t i = 0; i < ARRAY_LEN(mail); i++) {
		(void)snprintf(line, sizeof(line), "MAIL FROM:<s@from.example> %s\r\n", mail[i][0]);
		talk_expect(fd, line, mail[i][1]);
		talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
		talk_expect(fd, "RCPT TO:<a@one.example>\r\n", "250");
		talk_expect(fd, "RSET\r\n", "250");
	}
	talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
	for (size_t i = 0; i < ARRAY_LEN(rcpt); i++) {
		(void)snprintf(line, sizeof(line), "RCPT TO:<a@one.example> %s\r\n", rcpt[i]);
		talk_expect(fd, line, "501");
		talk_expect(fd, "RCPT TO:<a@one.example>\r\n", "250");
	}
	close(fd);
	box_remove(&b);
}

static void without_hold_max_no_mail_is_held(void **state)
{
	const char *ehlo;
	struct box b;
	int fd;

	(void)state;
	box_start(&b, "submission.hold_max = 0\n");
	fd = talk_greeted(2525, &ehlo);
	assert_null(strstr(ehlo, "FUTURERELEASE"));
	talk_expect(fd, "MAIL FROM:<s@from.example> HOLDFOR=60\r\n", "501");
	close(fd);
	box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_is_in_the_job),
		cmocka_unit_test(what_no_parameter_may_say_is_refused),
		cmocka_unit_test(without_hold_max_no_mail_is_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
