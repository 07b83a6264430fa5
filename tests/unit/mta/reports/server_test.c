/* Mail that comes back: who takes it, what is made of it, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/skip.h"
#include "tests/unit/mta/reports/returning.h"
#include "tests/unit/mta/smtpd/talk.h"

static struct box box;
static struct returning_fact facts[16];

#define PEOPLE "From: a@example.org\r\nSubject: hello\r\n\r\nI am a person.\r\n"

static const char complaint[] =
    "From: feedback@provider.example\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=feedback-report; boundary=\"x\"\r\n\r\n"
    "--x\r\nContent-Type: text/plain\r\n\r\nAn abuse report.\r\n"
    "--x\r\nContent-Type: message/feedback-report\r\n\r\n"
    "Feedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n"
    "Original-Rcpt-To: <redacted@redacted.invalid>\r\n\r\n"
    "--x\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    "From: a@sender.test\r\nX-Postern-Ref: %s\r\nSubject: News\r\n\r\n--x--\r\n";

static void a_notice_is_a_fact_about_the_recipient_of_its_return_path(void **state UNUSED)
{
	struct books k;
	const char *reply;

	returning_start(&box, "");
	reply = returning_send(returning_address(&box, 'b', 1, 3), returning_notice(false));
	assert_non_null(strstr(reply, "250 2.0.0 queued"));
	k = returning_settled(&box, 1);
	assert_int_equal(k.returned, 1);
	assert_int_equal(k.accepted, 0); /* the books of outcomes are as they were */
	assert_int_equal(k.bounced, 0);
	assert_int_equal(returning_facts(&box, facts, 16), 1);
	assert_int_equal(facts[0].kind, LATE_DSN);
	assert_true(id_eq(facts[0].job, (struct id128){ 5, 1 }));
	assert_true(facts[0].row == 3 && facts[0].tenant == 8 && facts[0].hard);
	assert_string_equal(facts[0].dsn, "5.1.1");
	assert_string_equal(facts[0].rcpt, "user@example.org");
	assert_string_equal(facts[0].host, "mx.example.org");
	assert_string_equal(facts[0].class, "invalid-recipient");
	assert_non_null(strstr(facts[0].evidence, "User unknown"));
	assert_non_null(strstr(facts[0].to, "@" RETURNING_HOST));
	returning_stop(&box);
}

static void the_same_notice_again_is_not_counted_again(void **state UNUSED)
{
	struct books k;

	returning_start(&box, "");
	for (unsigned i = 0; i < 3; i++)
		(void)returning_send(returning_address(&box, 'b', 1, 3), returning_notice(false));
	(void)returning_send(returning_address(&box, 'b', 1, 4), returning_notice(false));
	k = returning_settled(&box, 4);
	assert_true(k.returned == 2 && k.returned_again == 2);
	assert_int_equal(returning_facts(&box, facts, 16), 2);
	returning_stop(&box);
}

static void delays_answers_and_unsubscribes_are_no_bounces(void **state UNUSED)
{
	static const char answer[] =
	    "From: user@example.org\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n"
	    "\r\nI am away until Monday.\r\n";
	struct books k;
	int fd;
	char line[512];

	returning_start(&box, "");
	(void)returning_send(returning_address(&box, 'b', 1, 1), returning_notice(true));
	(void)returning_send(returning_address(&box, 'b', 1, 2), answer);
	(void)returning_send(returning_address(&box, 'b', 1, 3), PEOPLE);
	/* A bounce to an address for unsubscribing is a bounce. */
	(void)returning_send(returning_address(&box, 'u', 1, 4), returning_notice(false));
	fd = returning_session();
	talk_expect(fd, "MAIL FROM:<user@example.org>\r\n", "250");
	(void)snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", returning_address(&box, 'u', 1, 5));
	talk_expect(fd, line, "250");
	talk_expect(fd, "DATA\r\n", "354");
	talk_expect(fd, "Subject: unsubscribe\r\n\r\n.\r\n", "250");
	(void)close(fd);
	k = returning_settled(&box, 5);
	assert_int_equal(k.returned_delays, 1);
	assert_int_equal(k.returned_auto_replies, 1);
	assert_int_equal(k.returned_other, 1);
	assert_int_equal(k.returned, 1);
	assert_int_equal(k.returned_unsubscribes, 1);
	assert_int_equal(returning_facts(&box, facts, 16), 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_true(id_eq(facts[i].job, (struct id128){ 5, 1 }));
		assert_int_equal(facts[i].hard, facts[i].row == 4);
		if (facts[i].row == 5)
			assert_int_equal(facts[i].kind, LATE_UNSUBSCRIBE);
	}
	returning_stop(&box);
}

static void a_redacted_complaint_finds_its_recipient(void **state UNUSED)
{
	static char text[4096];
	struct books k;

	returning_start(&box, "");
	(void)snprintf(text, sizeof(text), complaint, returning_address(&box, 'b', 2, 7));
	(void)returning_send("abuse@" RETURNING_HOST, text);
	(void)snprintf(text, sizeof(text), complaint, "b+forged@" RETURNING_HOST);
	(void)returning_send("ABUSE@R.Test", text);
	k = returning_settled(&box, 2);
	assert_int_equal(k.returned_complaints, 2);
	assert_int_equal(returning_facts(&box, facts, 16), 2);
	assert_int_equal(facts[0].kind, LATE_COMPLAINT);
	assert_true(id_eq(facts[0].job, (struct id128){ 5, 2 }) && facts[0].row == 7);
	assert_false(facts[0].hard);
	assert_true(id_eq(facts[1].job, (struct id128){ 0, 0 }) && facts[1].tenant == 0);
	returning_stop(&box);
}

static void expect_stranger(const char *to)
{
	char line[600];
	int fd = returning_session();

	talk_expect(fd, "MAIL FROM:<>\r\n", "250");
	(void)snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", to);
	talk_expect(fd, line, "550 5.1.1 no such recipient here\r\n");
	talk_expect(fd, "DATA\r\n", "5");
	(void)close(fd);
}

static void what_carries_no_token_of_ours_is_refused_in_one_way(void **state UNUSED)
{
	static char a[400];
	size_t n;

	returning_start(&box, "reports.mailbox = abuse, dmarc@other.test\n");
	expect_stranger("somebody@" RETURNING_HOST);
	expect_stranger("postmaster@" RETURNING_HOST); /* not in the list that was given */
	expect_stranger("abuse@elsewhere.test");
	expect_stranger("dmarc@" RETURNING_HOST);
	expect_stranger("b+@" RETURNING_HOST);
	(void)strcpy(a, returning_address(&box, 'b', 1, 1));
	n = strcspn(a, "@");
	a[10] = a[10] == 'a' ? 'b' : 'a'; /* forged */
	expect_stranger(a);
	(void)strcpy(a, returning_address(&box, 'b', 1, 1));
	memmove(a + n - 1, a + n, strlen(a + n) + 1); /* a part of it */
	expect_stranger(a);
	(void)strcpy(a, returning_address(&box, 'b', 1, 1));
	(void)strcpy(a + n, "@s.test"); /* of another host */
	expect_stranger(a);
	(void)strcpy(a, returning_address(&box, 'b', 1, 1));
	a[0] = 'u'; /* of another kind */
	expect_stranger(a);
	returning_stop(&box);
}

static void case_does_not_count_in_addresses(void **state UNUSED)
{
	static char a[400];
	struct books k;

	returning_start(&box, "");
	(void)strcpy(a, returning_address(&box, 'b', 1, 1));
	for (char *p = a; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 32);
	(void)returning_send(a, returning_notice(false));
	k = returning_settled(&box, 1);
	assert_int_equal(k.returned, 1);
	returning_stop(&box);
}

static void a_peer_that_hurries_is_put_off(void **state UNUSED)
{
	int fd;
	unsigned refused = 0;

	returning_start(&box, "reports.rate = 4/m\n");
	fd = returning_session();
	for (unsigned i = 0; i < 8; i++) {
		talk_say(fd, "MAIL FROM:<>\r\n");
		refused += strncmp(talk_hear(fd, 1), "451 4.7.1 ", 10) == 0;
		talk_expect(fd, "RSET\r\n", "250");
	}
	assert_int_equal(refused, 6); /* two lanes: half of it each */
	(void)close(fd);
	returning_stop(&box);
}

static void what_waits_is_read_after_a_restart(void **state UNUSED)
{
	struct books k;
	struct late_mail m = { .id = { 0, 42 }, .at_ms = 1000 };
	char envelope[600];
	int n;
	lsn_t at;

	returning_start(&box, "");
	n = snprintf(envelope, sizeof(envelope), "192.0.2.1%c%c%s%c", 0, 0,
		     returning_address(&box, 'b', 9, 9), 0);
	m.meta = slice_of(envelope, (size_t)n);
	m.bytes = slice_str(returning_notice(false));
	assert_int_equal(spool_put_late_mail(engine_spool(box.engine), &m, &at), 0);
	box_stop(&box);
	char extra[256];
	(void)snprintf(extra, sizeof(extra), "listen.reports = 127.0.0.1:%d\n", RETURNING_PORT);
	box_start_again(&box, extra);
	k = returning_settled(&box, 1);
	assert_int_equal(k.returned + k.returned_again, 1); /* keys or not: it is read */
	returning_stop(&box);
}

static void mail_of_people_goes_on_once_and_never_in_a_circle(void **state UNUSED)
{
	struct books k;

	returning_start(&box, "reports.forward = ops@company.test\n");
	(void)returning_send("postmaster", PEOPLE);
	(void)returning_send("postmaster@" RETURNING_HOST, returning_notice(false));
	(void)returning_send("postmaster@" RETURNING_HOST,
			     "X-Postern-Forwarded: box.example\r\n" PEOPLE);
	(void)returning_send(returning_address(&box, 'b', 1, 1), PEOPLE);
	k = returning_settled(&box, 4);
	assert_int_equal(k.accepted, 1);
	assert_int_equal(k.returned_other, 3);
	returning_stop(&box);
}

static void reports_about_a_domain_are_kept_as_what_they_say(void **state UNUSED)
{
	static const char report[] =
	    "From: noreply@google.test\r\nSubject: %s\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: application/xml; name=\"a.xml\"\r\n\r\n"
	    "<feedback><report_metadata><org_name>google.test</org_name><report_id>%u</report_id>"
	    "</report_metadata><policy_published><domain>sender.test</domain></policy_published>"
	    "<record><row><source_ip>192.0.2.1</source_ip><count>7</count></row></record>"
	    "</feedback>\r\n";
	char text[2048];
	struct books k;

	returning_start(&box, "reports.mailbox = dmarc\n");
	(void)snprintf(text, sizeof(text), report, "Report Domain: sender.test", 1U);
	(void)returning_send("dmarc@" RETURNING_HOST, text);
	(void)snprintf(text, sizeof(text), report, "the same again", 1U);
	(void)returning_send("dmarc@" RETURNING_HOST, text);
	(void)snprintf(text, sizeof(text), report, "another", 2U);
	(void)returning_send("dmarc@" RETURNING_HOST, text);
	(void)returning_send(returning_address(&box, 'b', 1, 1), text);
	k = returning_settled(&box, 4);
	assert_true(k.returned_dmarc == 2 && k.returned_again == 1 && k.returned_other == 1);
	assert_int_equal(returning_facts(&box, facts, 16), 3);
	assert_int_equal(facts[0].kind, LATE_DMARC);
	assert_true(id_eq(facts[0].job, (struct id128){ 0, 0 }));
	assert_non_null(strstr(facts[0].report, "\"ip\": \"192.0.2.1\", \"count\": 7"));
	returning_stop(&box);
}

/* SMTP smuggling: as tests/unit/mta/submit/server_test.c has it for submission. */
static void a_lone_cr_or_lf_refuses_the_mail_and_ends_the_session(void **state UNUSED)
{
	static const char *const bodies[] = {
		"x\n.\r\n", "x\r.\r\n", "x\n.\n",  "x\r\n.\r",
		"x\r\n.\n", "x\ry\r\n", "x\r\r\n", "x\r\n\n",
	};
	char text[600];
	struct books k;
	char byte;

	returning_start(&box, "");
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		int fd = returning_session();
		talk_say(fd, "MAIL FROM:<>\r\nRCPT TO:<abuse@" RETURNING_HOST ">\r\nDATA\r\n");
		(void)talk_hear(fd, 3);
		(void)snprintf(text, sizeof(text),
			       "Subject: x\r\n\r\n%sMAIL FROM:<evil@x.example>\r\n"
			       "RCPT TO:<abuse@" RETURNING_HOST ">\r\nDATA\r\nSubject: y\r\n\r\n"
			       "y\r\n.\r\nMAIL FROM:<evil@x.example>\r\n",
			       bodies[i]);
		talk_expect(fd, text, "554 5.6.0 the message has a CR or LF");
		assert_int_equal(recv(fd, &byte, 1, 0), 0);
		(void)close(fd);
	}
	spool_books(engine_spool(box.engine), &k);
	assert_int_equal(k.returned_mails, 0);
	returning_stop(&box);
}

/* What would put a line or a NUL into the envelope or the records is no address. */
static void an_address_cannot_bring_lines_or_ends_of_text(void **state UNUSED)
{
	static const char *const bad[] = {
		"RCPT TO:<abuse@" RETURNING_HOST ">\nRCPT TO:<x@y.test>\r\n",
		"RCPT TO:<\"ab\rcd\"@" RETURNING_HOST ">\r\n",
		"RCPT TO:<ab\tcd@" RETURNING_HOST ">\r\n",
		"RCPT TO:<\"b+x\\\x01\"@" RETURNING_HOST ">\r\n",
		"RCPT TO:<@relay.test:b+x@" RETURNING_HOST ">\r\n",
		"RCPT TO:<abuse%other.test@" RETURNING_HOST ">\r\n",
		"RCPT TO:<abuse@" RETURNING_HOST "@other.test>\r\n",
	};
	int fd;

	returning_start(&box, "");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		fd = returning_session();
		talk_expect(fd, "MAIL FROM:<>\r\n", "250");
		talk_say(fd, bad[i]);
		assert_int_equal(talk_hear(fd, 1)[0], '5');
		(void)close(fd);
	}
	returning_stop(&box);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_is_a_fact_about_the_recipient_of_its_return_path),
		cmocka_unit_test(the_same_notice_again_is_not_counted_again),
		cmocka_unit_test(delays_answers_and_unsubscribes_are_no_bounces),
		cmocka_unit_test(a_redacted_complaint_finds_its_recipient),
		cmocka_unit_test(what_carries_no_token_of_ours_is_refused_in_one_way),
		cmocka_unit_test(case_does_not_count_in_addresses),
		cmocka_unit_test(a_peer_that_hurries_is_put_off),
		cmocka_unit_test(what_waits_is_read_after_a_restart),
		cmocka_unit_test(a_lone_cr_or_lf_refuses_the_mail_and_ends_the_session),
		cmocka_unit_test(an_address_cannot_bring_lines_or_ends_of_text),
		cmocka_unit_test(reports_about_a_domain_are_kept_as_what_they_say),
		cmocka_unit_test(mail_of_people_goes_on_once_and_never_in_a_circle),
	};

	returning_main(argc, argv);
	SKIP_UNDER_THREAD_SANITIZER;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
