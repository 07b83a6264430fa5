/* Transcripts: what is kept of a session, and what never is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/buf.h"
#include "tests/unit/mta/smtp/bed.h"

static void put_line(void *arg, enum transcript_who who, uint32_t ms, struct slice text)
{
	static const char marks[] = { '>', '<', '*', '*' };

	(void)ms;
	buf_putf(arg, "%c ", marks[who]);
	buf_put(arg, who == TRANSCRIPT_BODY ? SLICE("body") : text);
	buf_put(arg, SLICE("\n"));
}

static const char *text_of(const struct transcript *t, struct buf *b)
{
	buf_clear(b);
	transcript_each(t->opening, t->opening_n, put_line, b);
	transcript_each(t->recent, t->recent_n, put_line, b);
	return buf_cstr(b);
}

static void a_session_keeps_its_opening_and_the_transaction_in_hand(void **unused)
{
	struct buf text = { 0 };
	struct bed b;
	const char *said;

	(void)unused;
	bed_open(&b, "say 220 hello\nreply RCPT 451 4.2.0 later\nserve");
	b.txn[0].message = SLICE("Subject: hidden\r\n\r\nhidden words\r\n");
	loop_sim_run(&b.loop, 1);
	assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
	loop_sim_run(&b.loop, 1);
	assert_int_equal(b.user.done, 1);
	said = text_of(session_transcript(b.user.session), &text);
	assert_non_null(strstr(said, "* connected\n< 220 hello\n> EHLO "));
	assert_non_null(strstr(said, "> MAIL FROM:<"));
	assert_non_null(strstr(said, "< 451 4.2.0 later\n"));
	assert_null(strstr(said, "hidden"));
	buf_free(&text);
	bed_close(&b);
}

static void a_message_is_never_in_it_however_it_is_sent(void **unused)
{
	static const char *const hosts[] = {
		"say 220\nserve",
		"say 220\nexpect EHLO our.test\nsay 250-mx\nsay 250-PIPELINING\nsay 250 CHUNKING\n"
		"expect MAIL FROM:<a@our.test>\nexpect RCPT TO:<b@mx.test>\nchunk\nsay 250\nsay "
		"250\nsay 250\nchunk\nsay 250 ok\nserve"
	};
	struct buf text = { 0 };
	struct bed b;

	(void)unused;
	for (unsigned i = 0; i < ARRAY_LEN(hosts); i++) {
		bed_open(&b, hosts[i]);
		b.txn[0].head = SLICE("DKIM-Signature: hidden\r\n");
		b.txn[0].message = SLICE("Subject: hidden\r\n\r\n.hidden words\r\n");
		loop_sim_run(&b.loop, 1);
		assert_int_equal(session_send(b.user.session, &b.txn[0]), 0);
		loop_sim_run(&b.loop, 1);
		assert_int_equal(b.rcpts[0][0].verdict.kind, VERDICT_DELIVERED);
		assert_non_null(
		    strstr(text_of(session_transcript(b.user.session), &text), "* body\n"));
		assert_true((strstr(buf_cstr(&text), "> BDAT ") != NULL) == (i == 1));
		assert_null(strstr(buf_cstr(&text), "hidden"));
		bed_close(&b);
	}
	buf_free(&text);
}

static void add(struct transcript *t, enum transcript_who who, const char *text)
{
	transcript_add(t, who, slice_str(text), 0);
}

static void nothing_of_auth_is_kept_but_that_it_was(void **unused)
{
	struct transcript *t = must_alloc(sizeof(*t));
	struct buf text = { 0 };

	(void)unused;
	add(t, TRANSCRIPT_WE, "aUTH PLAIN c2VjcmV0\r\n");
	add(t, TRANSCRIPT_THEY, "334 c2VjcmV0\r\n");
	add(t, TRANSCRIPT_WE, "c2VjcmV0\r\n");
	add(t, TRANSCRIPT_THEY, "334-c2VjcmV0\r\n");
	add(t, TRANSCRIPT_WE, "c2VjcmV0\r\n");
	add(t, TRANSCRIPT_THEY, "235 fine\r\n");
	add(t, TRANSCRIPT_WE, "MAIL FROM:<a@b>\r\n");
	assert_string_equal(text_of(t, &text),
			    "> AUTH [hidden]\n< 334 [hidden]\n> [hidden]\n< 334 [hidden]\n> "
			    "[hidden]\n< 235 fine\n> MAIL FROM:<a@b>\n");
	buf_free(&text);
	free(t);
}

static void it_is_bounded_and_keeps_the_last_lines(void **unused)
{
	struct transcript *t = must_alloc(sizeof(*t));
	struct buf text = { 0 };
	char line[600];

	(void)unused;
	memset(line, 'x', sizeof(line));
	transcript_add(t, TRANSCRIPT_THEY, SLICE("220 first"), 0);
	transcript_begin(t);
	for (unsigned i = 0; i < 1000; i++) {
		int n = snprintf(line, 8, "%06u", i);
		line[n] = ' ';
		transcript_add(t, TRANSCRIPT_THEY, slice_of(line, i % 2 ? 20 : sizeof(line)), i);
		assert_true(t->recent_n <= TRANSCRIPT_RECENT);
	}
	assert_true(t->cut);
	text_of(t, &text);
	assert_memory_equal(buf_cstr(&text), "< 220 first\n", 12);
	assert_non_null(strstr(buf_cstr(&text), "< 000999 "));
	assert_non_null(strstr(buf_cstr(&text), "< 000998 "));
	buf_free(&text);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_keeps_its_opening_and_the_transaction_in_hand),
		cmocka_unit_test(a_message_is_never_in_it_however_it_is_sent),
		cmocka_unit_test(nothing_of_auth_is_kept_but_that_it_was),
		cmocka_unit_test(it_is_bounded_and_keeps_the_last_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
