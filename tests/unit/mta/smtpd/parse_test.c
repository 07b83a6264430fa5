/* Unit test of mta/smtpd/command.h and mta/smtpd/body.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mta/smtpd/body.h"
#include "mta/smtpd/command.h"

/* ---- lines ------------------------------------------------------------------------------- */

static int line_of(struct slice in, struct slice *line, size_t *used)
{
	*line = slice_of("?", 1);
	*used = 99999;
	return smtpd_command_line(in, line, used);
}

static void a_line_ends_in_crlf_and_nothing_else(void **state)
{
	struct slice line;
	size_t used;

	(void)state;
	assert_int_equal(line_of(SLICE("NOOP\r\nQUIT\r\n"), &line, &used), 1);
	assert_true(slice_eq(line, SLICE("NOOP")));
	assert_int_equal(used, 6);
	assert_int_equal(line_of(SLICE("NOOP\r"), &line, &used), 0);
	assert_int_equal(line_of(SLICE("NOOP\nQUIT\r\n"), &line, &used), E_SYNTAX);
	assert_int_equal(used, 5);
	assert_int_equal(line_of(SLICE("NO\rOP\r\n"), &line, &used), E_SYNTAX);
	assert_int_equal(line_of(SLICE("NO\0OP\r\n"), &line, &used), E_SYNTAX);
	assert_int_equal(line_of(SLICE("\n"), &line, &used), E_SYNTAX);
	assert_int_equal(line_of(SLICE("\r\n"), &line, &used), 1);
	assert_int_equal(line.n, 0);
}

static void a_line_without_an_end_is_refused_at_the_limit(void **state)
{
	char bytes[SMTPD_COMMAND_LINE_MAX + 10];
	struct slice line;
	size_t used;

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	assert_int_equal(line_of(slice_of(bytes, SMTPD_COMMAND_LINE_MAX - 1), &line, &used), 0);
	assert_int_equal(line_of(slice_of(bytes, SMTPD_COMMAND_LINE_MAX), &line, &used), E_LIMIT);
	bytes[SMTPD_COMMAND_LINE_MAX - 2] = '\r';
	bytes[SMTPD_COMMAND_LINE_MAX - 1] = '\n';
	assert_int_equal(line_of(slice_of(bytes, sizeof(bytes)), &line, &used), 1);
	assert_int_equal(used, SMTPD_COMMAND_LINE_MAX);
}

static void verbs_are_known_in_any_case(void **state)
{
	struct slice arg;

	(void)state;
	assert_int_equal(smtpd_command_verb(SLICE("mAiL FROM:<a@b> "), &arg), SMTPD_VERB_MAIL);
	assert_true(slice_eq(arg, SLICE("FROM:<a@b>")));
	assert_int_equal(smtpd_command_verb(SLICE("MAILFROM:<a@b>"), &arg), SMTPD_VERB_UNKNOWN);
	assert_int_equal(smtpd_command_verb(SLICE("QUIT"), &arg), SMTPD_VERB_QUIT);
	assert_int_equal(smtpd_command_verb(SLICE(""), &arg), SMTPD_VERB_UNKNOWN);
}

static void paths_give_their_address_and_parameters(void **state)
{
	struct smtpd_path p;

	(void)state;
	assert_int_equal(
	    smtpd_command_path(SLICE("FROM:<a@b.example> SIZE=10 BODY=8BITMIME SMTPUTF8"),
			       SLICE("FROM:"), &p),
	    0);
	assert_true(slice_eq(p.address, SLICE("a@b.example")));
	assert_int_equal(p.n, 3);
	assert_true(slice_eq(p.params[0].value, SLICE("10")));
	assert_true(slice_eq(p.params[2].name, SLICE("SMTPUTF8")));
	assert_int_equal(p.params[2].value.n, 0);
	assert_int_equal(smtpd_command_path(SLICE("from:<>"), SLICE("FROM:"), &p), 0);
	assert_int_equal(p.address.n, 0);
	assert_int_equal(smtpd_command_path(SLICE("TO:<\"a>b\"@c.example>"), SLICE("TO:"), &p), 0);
	assert_true(slice_eq(p.address, SLICE("\"a>b\"@c.example")));
}

static void paths_that_are_none_are_refused(void **state)
{
	static const struct slice bad[] = {
		SLICE("TO:a@b"),
		SLICE("TO:<a@b"),
		SLICE("FROM:<a@b>"),
		SLICE("TO:<a@b>SIZE=1"),
		SLICE("TO:<a@b> =1"),
		SLICE("TO:<a@b> A="),
		SLICE("TO:<a@b> A_B=1"),
		SLICE("TO:<\"a>"),
		SLICE("TO:"),
		SLICE(""),
		SLICE("TO:<a@b> 1 2 3 4 5 6 7 8 9"),
	};
	struct smtpd_path p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (smtpd_command_path(bad[i], SLICE("TO:"), &p) == 0)
			fail_msg("taken: %s", bad[i].p);
}

/* ---- bodies ------------------------------------------------------------------------------ */

static struct smtpd_body feed(struct slice in, size_t step, struct buf *out, size_t *ret_used)
{
	struct smtpd_body b;
	size_t at = 0;

	smtpd_body_begin(&b);
	while (at < in.n && !b.done) {
		size_t n = MIN_OF(step, in.n - at),
		       used = smtpd_body_feed(&b, slice_of(in.p + at, n), out);
		assert_true(used == n || b.done);
		at += used;
	}
	*ret_used = at;
	return b;
}

static void dots_are_taken_out_however_the_bytes_are_cut(void **state)
{
	struct slice in = SLICE("..a\r\n.b\r\n\r\n...\r\nc.\r\n.\r\nQUIT\r\n");

	(void)state;
	for (size_t step = 1; step <= in.n; step++) {
		struct buf out = { 0 };
		size_t used;
		struct smtpd_body b = feed(in, step, &out, &used);
		assert_true(b.done && !b.lone && !b.nul && !b.overflow);
		assert_true(slice_eq(buf_data(&out), SLICE(".a\r\nb\r\n\r\n..\r\nc.\r\n")));
		assert_true(slice_eq(slice_of(in.p + used, in.n - used), SLICE("QUIT\r\n")));
		buf_free(&out);
	}
}

static void a_first_line_of_one_dot_is_an_empty_message(void **state)
{
	struct buf out = { 0 };
	size_t used;
	struct smtpd_body b = feed(SLICE(".\r\nX"), 99, &out, &used);

	(void)state;
	assert_true(b.done && !b.lone);
	assert_int_equal(used, 3);
	assert_int_equal(buf_len(&out), 0);
}

/* Each of these ends a message somewhere (smuggling); none of them may here. */
static void false_ends_do_not_end_and_refuse(void **state)
{
	static const struct slice ends[] = {
		SLICE("\n.\n"),     SLICE("\n.\r\n"),     SLICE("\r\n.\n"),   SLICE("\r.\r"),
		SLICE("\r\n.\r"),   SLICE("\r.\r\n"),     SLICE("\n\n.\r\n"), SLICE("\r\n\r.\r\n"),
		SLICE("\r\r\n.\n"), SLICE("\r\n.\r\r\n"), SLICE("\n.\n\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct buf in = { 0 };
		buf_put(&in, SLICE("text"));
		buf_put(&in, ends[i]);
		size_t before = buf_len(&in);
		buf_put(&in, SLICE("MAIL FROM:<a@b>\r\n.\r\n"));
		for (size_t step = 1; step <= buf_len(&in); step++) {
			struct buf out = { 0 };
			size_t used;
			struct smtpd_body b = feed(buf_data(&in), step, &out, &used);
			if (!b.done || !b.lone || used <= before)
				fail_msg("end %zu, step %zu: done %d lone %d used %zu", i, step,
					 b.done, b.lone, used);
			buf_free(&out);
		}
		buf_free(&in);
	}
}

static void a_nul_and_a_message_too_big_are_remembered_to_the_end(void **state)
{
	struct buf out = { .max = 8 };
	size_t used;
	struct smtpd_body b = feed(SLICE("a\0b\r\n.\r\n"), 3, &out, &used);

	(void)state;
	assert_true(b.done && b.nul && used == 8);
	buf_clear(&out);
	b = feed(SLICE("123456789\r\n.\r\n"), 4, &out, &used);
	assert_true(b.done && b.overflow && used == 14);
	buf_free(&out);
}

/* RFC 5321 section 4.5.3.1.6: the dot that was put before a line does not count. */
static void the_longest_line_is_known_however_the_bytes_are_cut(void **state)
{
	static const struct {
		const char *in;
		size_t longest;
	} cases[] = {
		{ ".\r\n", 0 },
		{ "ab\r\n.\r\n", 2 },
		{ "ab\r\n\r\nabcd\r\nabc\r\n.\r\n", 4 },
		{ "..bcd\r\nabc\r\n.\r\n", 4 },
	};
	struct buf out = { 0 };
	size_t used;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step < 8; step++) {
			buf_clear(&out);
			assert_int_equal(feed(slice_str(cases[i].in), step, &out, &used).longest,
					 cases[i].longest);
		}
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_ends_in_crlf_and_nothing_else),
		cmocka_unit_test(a_line_without_an_end_is_refused_at_the_limit),
		cmocka_unit_test(verbs_are_known_in_any_case),
		cmocka_unit_test(paths_give_their_address_and_parameters),
		cmocka_unit_test(paths_that_are_none_are_refused),
		cmocka_unit_test(dots_are_taken_out_however_the_bytes_are_cut),
		cmocka_unit_test(a_first_line_of_one_dot_is_an_empty_message),
		cmocka_unit_test(false_ends_do_not_end_and_refuse),
		cmocka_unit_test(the_longest_line_is_known_however_the_bytes_are_cut),
		cmocka_unit_test(a_nul_and_a_message_too_big_are_remembered_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
