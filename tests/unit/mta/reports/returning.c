/* tests/unit/mta/reports/returning.c - see the header. */
#include "tests/unit/mta/reports/returning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "mta/reports/reader.h"
#include "tests/unit/mta/smtpd/talk.h"

static char keys[64];

void returning_main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], READER_ARGUMENT) == 0)
		exit(reader_main(argv[2]));
}

void returning_start(struct box *b, const char *more)
{
	char extra[1024];

	(void)strcpy(keys, "/tmp/postern-return-XXXXXX");
	assert_non_null(mkdtemp(keys));
	(void)snprintf(extra, sizeof(extra),
		       "listen.reports = 127.0.0.1:%d\nreturn.hosts = " RETURNING_HOST
		       "\nreturn.keys = %s\n%s",
		       RETURNING_PORT, keys, more);
	box_start(b, extra);
}

void returning_stop(struct box *b)
{
	char command[128];

	box_stop(b);
	box_remove(b);
	(void)snprintf(command, sizeof(command), "rm -r %s", keys);
	assert_int_equal(system(command), 0);
}

const char *returning_address(struct box *b, char kind, uint64_t job, unsigned row)
{
	static char address[RETURNPATH_MAX + 1];
	struct verp t = { .kind = (enum verp_kind)kind,
			  .job = { 5, job },
			  .row = (uint16_t)row,
			  .last_day = (uint16_t)(clock_wall_ms() / 86400000 + 30),
			  .tenant = 8 };
	size_t n = returnpath_write(returnpath_of(b->engine), &t, SLICE(RETURNING_HOST), address);

	assert_true(n > 0);
	address[n] = '\0';
	return address;
}

int returning_session(void)
{
	return talk_greeted(RETURNING_PORT, NULL);
}

const char *returning_send(const char *to, const char *message)
{
	int fd = returning_session();
	const char *reply;
	char line[512];

	talk_expect(fd, "MAIL FROM:<>\r\n", "250");
	(void)snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", to);
	talk_expect(fd, line, "250");
	talk_expect(fd, "DATA\r\n", "354");
	talk_say(fd, message);
	talk_say(fd, ".\r\n");
	reply = talk_hear(fd, 1);
	(void)close(fd);
	return reply;
}

struct books returning_settled(struct box *b, uint64_t mails)
{
	struct books k;

	for (unsigned i = 0; i < 3000; i++) {
		spool_books(engine_spool(b->engine), &k);
		if (k.returned_mails == mails && !k.returned_waiting)
			return k;
		usleep(10000);
	}
	fail_msg("%llu mails came, %llu wait", (unsigned long long)k.returned_mails,
		 (unsigned long long)k.returned_waiting);
	return k;
}

struct finding {
	struct returning_fact *to;
	unsigned n, max;
};

static int find(void *arg, const struct event *e)
{
	struct finding *x = arg;
	const struct late_fact *f = e->late;
	struct returning_fact *to = &x->to[x->n];
	char status[STATUS_TEXT_MAX];

	if (!f || x->n == x->max)
		return 0;
	x->n++;
	to->kind = f->kind;
	to->job = f->job;
	to->row = f->row;
	to->tenant = f->tenant;
	to->hard = f->flags & OUTCOME_HARD;
	(void)snprintf(to->dsn, sizeof(to->dsn), "%s", status_format(f->status, status));
	slice_copy(to->rcpt, sizeof(to->rcpt), f->rcpt);
	slice_copy(to->to, sizeof(to->to), f->to);
	slice_copy(to->class, sizeof(to->class), f->class);
	slice_copy(to->host, sizeof(to->host), f->host);
	slice_copy(to->rule, sizeof(to->rule), f->rule);
	slice_copy(to->evidence, sizeof(to->evidence), f->evidence);
	slice_copy(to->report, sizeof(to->report), f->report);
	return 0;
}

unsigned returning_facts(struct box *b, struct returning_fact *ret, unsigned max)
{
	struct finding x = { ret, 0, max };
	struct spool *sp = engine_spool(b->engine);
	lsn_t head = spool_head(sp), at = spool_oldest(sp);

	for (unsigned i = 0; i < 1000 && spool_durable(sp) < head; i++)
		usleep(10000);
	while (at < head)
		assert_int_equal(spool_events(sp, at, 1000, find, &x, &at), 0);
	return x.n;
}

const char *returning_notice(bool delay)
{
	static char text[4096];

	(void)snprintf(
	    text, sizeof(text),
	    "From: MAILER-DAEMON@mx.example.org (Mail Delivery System)\r\n"
	    "Subject: %s\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status; boundary=\"x\"\r\n\r\n"
	    "--x\r\nContent-Type: text/plain\r\n\r\nThis is the mail system.\r\n\r\n"
	    "--x\r\nContent-Type: message/delivery-status\r\n\r\n"
	    "Reporting-MTA: dns; mx.example.org\r\n\r\n"
	    "Final-Recipient: rfc822; user@example.org\r\nAction: %s\r\nStatus: %s\r\n"
	    "Diagnostic-Code: smtp; %s\r\n\r\n"
	    "--x\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: News\r\n\r\n--x--\r\n",
	    delay ? "Delayed Mail (still being retried)" : "Undelivered Mail Returned to Sender",
	    delay ? "delayed" : "failed", delay ? "4.4.1" : "5.1.1",
	    delay ? "connect to mx: Connection timed out"
		  : "550 5.1.1 <user@example.org>: Recipient address rejected: User unknown");
	return text;
}
