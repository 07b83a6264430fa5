/* What a sender asks to be told (RFC 3461): passed on to hosts that offer DSN, else told by notices
 * of our own. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "tests/replay/engine_world.h"

#define NOTICES CONFIG "deliver.delay_warning = 4h\n"

static const char no_such_user[] = "say 220 mx.test\nreply RCPT 550 5.1.1 no such user\nserve\n";
static const char offers_dsn[] =
    "say 220 mx.test\nexpect EHLO\nsay 250-mx.test\nsay 250 DSN\n"
    "expect MAIL FROM:<a@sender.test> RET=HDRS ENVID=QQ+2B314\nsay 250 ok\n"
    "expect RCPT TO:<u@one.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;U+2Bx@One.test\nsay 250 ok\n"
    "expect DATA\nsay 354 go\nbody\nsay 250 taken\nexpect QUIT\nsay 221 bye\nclose\n";

/* The sender's own host takes the notices. */
static void open_world(struct world *w, const char *script)
{
	world_open(w, NOTICES, script);
	world_domain("sender.test", "10 mx9.sender.test");
	resolver_sim_set("mx9.sender.test", DNS_A, 5, "127.0.1.9");
	world_host("127.0.1.9", decent);
}

/* An empty message is the dot of a transaction without recipients. */
static const char *find(struct slice m, const char *text)
{
	return m.n ? memmem(m.p, m.n, text, strlen(text)) : NULL;
}

static unsigned notices(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < conn_sim_messages(); i++)
		n += find(conn_sim_message(i), "report-type=delivery-status") != NULL;
	return n;
}

/* The message that has all of this text in it, in this order; it is the only such one. */
static bool told(const char *const *texts, unsigned n)
{
	unsigned found = 0;

	for (unsigned i = 0; i < conn_sim_messages(); i++) {
		struct slice m = conn_sim_message(i);
		unsigned k = 0;

		for (; k < n; k++) {
			const char *at = find(m, texts[k]);
			if (!at)
				break;
			m = slice_skip(m, (size_t)(at - m.p));
		}
		found += k == n;
	}
	return found == 1;
}
#define TOLD(...)                                                                                  \
	told((const char *const[]){ __VA_ARGS__ },                                                 \
	     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void ask(struct world *w, unsigned notify)
{
	w->dsn = (struct wire_dsn){ notify, SLICE("rfc822;U+2Bx@One.test") };
	w->envid = "QQ+314";
	w->return_headers = true;
}

static void a_host_that_offers_dsn_is_asked_and_answers_itself(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, offers_dsn);
	ask(&w, WIRE_NOTIFY_SUCCESS | WIRE_NOTIFY_DELAY);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	world_run(&w, HOUR);
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&w).delivered, 1);
	assert_int_equal(notices(), 0);
	world_end(&w);
}

static void a_host_that_does_not_is_told_nothing_and_the_sender_hears_relayed(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, decent);
	ask(&w, WIRE_NOTIFY_SUCCESS);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	world_run(&w, HOUR);
	assert_int_equal(world_books(&w).delivered, 2);
	assert_true(TOLD("Subject: Your message was handed on", "Original-Envelope-Id: QQ+314\r\n",
			 "Original-Recipient: rfc822; U+x@One.test\r\n"
			 "Final-Recipient: rfc822; u@one.test\r\nAction: relayed\r\nStatus: 2.",
			 "text/rfc822-headers", "Subject: 1"));
	world_end(&w);
}

static void success_is_told_to_nobody_who_did_not_ask(void **state)
{
	static const unsigned asked[] = { 0, WIRE_NOTIFY_FAILURE, WIRE_NOTIFY_DELAY,
					  WIRE_NOTIFY_NEVER };
	struct world w;

	(void)state;
	open_world(&w, decent);
	for (unsigned i = 0; i < ARRAY_LEN(asked); i++) {
		w.dsn.notify = asked[i];
		world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	}
	world_run(&w, HOUR);
	assert_int_equal(notices(), 0);
	world_end(&w);
}

static void failures_are_told_unless_notify_says_otherwise(void **state)
{
	static const struct {
		unsigned notify;
		bool told;
	} rows[] = {
		{ 0, true },
		{ WIRE_NOTIFY_FAILURE, true },
		{ WIRE_NOTIFY_SUCCESS | WIRE_NOTIFY_FAILURE, true },
		{ WIRE_NOTIFY_SUCCESS, false },
		{ WIRE_NOTIFY_DELAY, false },
		{ WIRE_NOTIFY_NEVER, false },
	};
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		open_world(&w, no_such_user);
		ask(&w, rows[i].notify);
		world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
		world_run(&w, HOUR);
		assert_int_equal(world_books(&w).bounced, 1);
		assert_int_equal(notices(), rows[i].told);
		if (rows[i].told)
			assert_true(TOLD("Original-Envelope-Id: QQ+314\r\n",
					 "Original-Recipient: rfc822; U+x@One.test\r\n",
					 "Action: failed\r\nStatus: 5.1.1"));
		world_end(&w);
	}
}

#define EIGHT_BIT                                                                                  \
	"From: a@sender.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n"                               \
	"Content-Type: text/plain; charset=utf-8\r\n"                                              \
	"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f"                                \
	"e aus der Stadt an der Spree\r\n"

/* RFC 3461 section 4.3: all of it with a failure, where the sender asks for it. */
static void a_failure_takes_the_whole_message_back_where_ret_asks(void **state)
{
	static const char eight_bit[] = EIGHT_BIT;
	static const char signed_one[] =
	    "From: a@sender.test\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/signed; boundary=b; micalg=x; protocol=\"x/y\"\r\n\r\n"
	    "--b\r\n\r\nGr\xc3\xbc\xc3\x9f"
	    "e\r\n--b--\r\n";
	static const struct {
		const char *config, *raw, *has, *has_not;
		bool full;
	} rows[] = {
		{ NOTICES, NULL, "Content-Type: message/rfc822\r\n\r\nFrom: a@sender.test\r\n",
		  "rfc822-headers", true },
		{ NOTICES, NULL, "text/rfc822-headers", "message/rfc822", false },
		{ NOTICES, eight_bit, "Gr=C3=BC=C3=9Fe aus der Stadt an der Spree\r\n",
		  "rfc822-headers", true },
		{ NOTICES, eight_bit, "text/rfc822-headers", "aus der Stadt", false },
		/* What must not be changed, and what is too large: the header. */
		{ NOTICES, signed_one, "text/rfc822-headers", "message/rfc822", true },
		{ NOTICES "bounce.return_size = 20\n", NULL, "text/rfc822-headers",
		  "message/rfc822", true },
	};
	struct world w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		world_open(&w, rows[i].config, no_such_user);
		world_domain("sender.test", "10 mx9.sender.test");
		resolver_sim_set("mx9.sender.test", DNS_A, 5, "127.0.1.9");
		world_host("127.0.1.9", decent);
		w.raw = rows[i].raw;
		w.return_full = rows[i].full;
		world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
		world_run(&w, HOUR);
		assert_int_equal(notices(), 1);
		struct slice m = conn_sim_message(conn_sim_messages() - 1);
		if (!find(m, rows[i].has))
			fail_msg("row %u: %.*s", i, (int)m.n, m.p);
		assert_null(find(m, rows[i].has_not));
		world_end(&w);
	}
}

static void ret_full_is_passed_on(void **state)
{
	static const char script[] =
	    "say 220 mx.test\nexpect EHLO\nsay 250-mx.test\nsay 250 DSN\n"
	    "expect MAIL FROM:<a@sender.test> RET=FULL\nsay 250 ok\nexpect RCPT\nsay 250 ok\n"
	    "expect DATA\nsay 354 go\nbody\nsay 250 taken\nexpect QUIT\nsay 221 bye\nclose\n";
	struct world w;

	(void)state;
	open_world(&w, script);
	w.return_full = true;
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	world_run(&w, HOUR);
	assert_null(conn_sim_mistake());
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

static void a_delay_is_told_once(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, full);
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	w.dsn.notify = WIRE_NOTIFY_NEVER;
	world_submit(&w, two_rcpt, 1, DAY, "smtp", 2);
	world_run(&w, 3 * HOUR - MINUTE);
	assert_int_equal(notices(), 0);
	world_restart(&w);
	world_run(&w, 3 * HOUR);
	assert_int_equal(notices(), 1);
	assert_true(TOLD("Subject: Your message is not delivered yet",
			 "Action: delayed\r\nStatus: 4.", "Will-Retry-Until: ", "Subject: 1"));
	world_restart(&w);
	world_run(&w, 12 * HOUR);
	assert_int_equal(notices(), 1);
	world_run(&w, DAY);
	assert_int_equal(notices(), 2); /* then it expired */
	assert_true(TOLD("Action: failed\r\nStatus: 5.4.7"));
	world_end(&w);
}

static void mail_for_later_is_not_late_before_it_is_due(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, full);
	w.not_before_ms = clock_wall_ms() + 5 * HOUR;
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	world_run(&w, 8 * HOUR - MINUTE);
	assert_int_equal(notices(), 0);
	world_run(&w, 3 * HOUR);
	assert_int_equal(notices(), 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_that_offers_dsn_is_asked_and_answers_itself),
		cmocka_unit_test(a_host_that_does_not_is_told_nothing_and_the_sender_hears_relayed),
		cmocka_unit_test(success_is_told_to_nobody_who_did_not_ask),
		cmocka_unit_test(failures_are_told_unless_notify_says_otherwise),
		cmocka_unit_test(a_failure_takes_the_whole_message_back_where_ret_asks),
		cmocka_unit_test(ret_full_is_passed_on),
		cmocka_unit_test(a_delay_is_told_once),
		cmocka_unit_test(mail_for_later_is_not_late_before_it_is_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
