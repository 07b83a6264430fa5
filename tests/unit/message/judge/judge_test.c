/* tests/unit/message/judge/judge_test.c - rules and what they say about replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "message/judge/judge.h"
#include "tests/unit/message/judge/written.h"

static struct judge *shipped;

static int open_shipped(void **state)
{
	char error[JUDGE_ERROR_MAX] = "";
	int r = judge_load(&shipped, NULL, false, error);

	(void)state;
	assert_string_equal(error, "");
	return r;
}

static int close_shipped(void **state)
{
	(void)state;
	shipped = judge_free(shipped);
	return 0;
}

static struct judgement ask(const struct judge *j, unsigned code, struct status status,
			    const char *text)
{
	struct judge_reply reply = { (uint16_t)code, status, slice_str(text), slice_of("", 0) };
	struct judgement ret;

	judge_reply(j, &reply, &ret);
	return ret;
}

static struct judgement shipped_says(unsigned code, const char *text)
{
	return ask(shipped, code, STATUS(0, 0, 0), text);
}

/* A judge of one file of the test's own. */
static struct judge *judge_of(const char *text, int want, const char *want_error)
{
	char error[JUDGE_ERROR_MAX] = "";
	struct judge *j = judge_new();

	assert_int_equal(judge_read(j, slice_str(text), "own.rules", error), want);
	assert_string_equal(error, want_error);
	if (want < 0)
		return judge_free(j);
	judge_ready(j);
	return j;
}

static void a_block_of_our_address_is_never_the_recipients_fault(void **state)
{
	static const struct {
		unsigned code;
		const char *text;
	} blocks[] = {
		{ 550,
		  "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact "
		  "your Internet service provider since part of their network is on our block "
		  "list (S3150)." },
		{ 421,
		  "4.7.28 [192.0.2.1 19] Our system has detected an unusual rate of unsolicited "
		  "mail originating from your IP address." },
		{ 421,
		  "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected "
		  "volume or user complaints" },
		{ 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using "
		       "bl.example.net" },
		{ 550,
		  "5.1.1 <a@b.example>: 192.0.2.1 is blocked using rbl.example: no such user" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		struct judgement j = shipped_says(blocks[i].code, blocks[i].text);
		assert_int_equal(j.class, JUDGE_SPAM_BLOCK);
		assert_false(j.hard);
		assert_true(judge_action_keeps(j.action));
	}
}

static void a_refusal_for_missing_authentication_has_its_own_class(void **state)
{
	struct judgement j;

	(void)state;
	j = shipped_says(550,
			 "5.7.515 Access denied, sending domain shop.example does not meet the "
			 "required authentication level.");
	assert_int_equal(j.class, JUDGE_AUTHENTICATION_FAILED);
	assert_false(j.hard);
	assert_int_equal(j.action.kind, JUDGE_END);
}

static void only_a_permanent_reply_is_hard(void **state)
{
	(void)state;
	assert_true(shipped_says(550, "5.1.1 <a@b.example>: User unknown").hard);
	assert_true(shipped_says(0, "User unknown").hard);
	assert_false(shipped_says(450, "4.1.1 <a@b.example>: User unknown").hard);
	assert_false(ask(shipped, 0, STATUS(4, 1, 1), "User unknown").hard);
	assert_int_equal(shipped_says(450, "4.1.1 User unknown").action.kind, JUDGE_RETRY);
	assert_int_equal(shipped_says(550, "5.1.1 User unknown").action.kind, JUDGE_END);
}

static void an_address_in_the_text_means_nothing(void **state)
{
	struct judgement j;

	(void)state;
	j = shipped_says(550, "5.1.1 <spam.blocked-by.spamhaus@quota.example>: User unknown");
	assert_int_equal(j.class, JUDGE_INVALID_RECIPIENT);
}

static void the_time_that_the_text_names_is_read_within_bounds(void **state)
{
	static const struct {
		const char *text;
		unsigned s;
	} times[] = {
		{ "4.7.0 rate limited, try again in 300 seconds", 300 },
		{ "4.7.1 greylisted, please try again in 5 minutes", 300 },
		{ "4.7.1 greylisted: retry after 1 hour", 3600 },
		{ "4.3.2 Too many mails, try again in 1 hour(s) 25 minute(s)", 5100 },
		{ "4.7.1 Greylisting in action, please come back in 00:05:00", 300 },
		{ "4.7.1 greylisted for 90s", 90 },
		{ "4.7.1 greylisted, wait 2m30s", 150 },
		{ "4.7.1 greylisted, try again in 1 second", 30 },
		{ "4.7.1 greylisted, try again in 9 days", 4 * 3600 },
		{ "4.7.1 greylisted, bitte in 10 Minuten erneut versuchen", 600 },
		{ "4.7.1 greylisted, try again later", 0 },
		{ "4.7.1 too many messages: 3 of 5 minutes", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		assert_int_equal(shipped_says(451, times[i].text).named_s, times[i].s);
	assert_int_equal(shipped_says(554, "4.4.7 unable to deliver in 840 minutes").named_s, 0);
}

static void every_class_is_reached_by_a_shipped_rule(void **state)
{
	struct buf out = { 0 };
	char line[64];

	(void)state;
	written_rules(shipped, &out);
	for (unsigned c = 0; c < JUDGE_CLASSES; c++) {
		if (c == JUDGE_OTHER)
			continue;
		(void)snprintf(line, sizeof(line), "\nclass = %s\n", judge_class_name(c));
		assert_non_null(strstr(buf_cstr(&out), line));
	}
	buf_free(&out);
}

static void the_operators_rules_come_first_and_name_themselves(void **state)
{
	char error[JUDGE_ERROR_MAX];
	OWNED(judge) j = judge_new();
	struct judgement called;

	(void)state;
	assert_int_equal(judge_read(j,
				    SLICE("# mine\n\n[not-here]\ntext = user unknown\n"
					  "class = policy\naction = suspend tenant 90m\n"),
				    "own.rules", error),
			 0);
	assert_int_equal(judge_read_shipped(j, error), 0);
	judge_ready(j);
	called = ask(j, 550, STATUS(5, 1, 1), "User unknown");
	assert_int_equal(called.class, JUDGE_POLICY);
	assert_int_equal(called.action.kind, JUDGE_SUSPEND_TENANT);
	assert_int_equal(called.action.for_s, 5400);
	assert_true(slice_eq(called.rule, SLICE("not-here")));
	assert_string_equal(called.file, "own.rules");
	assert_int_equal(called.line, 3);
	called = ask(j, 550, STATUS(5, 1, 1), "no such user");
	assert_string_equal(called.file, "3-recipients.rules");
}

static void a_rule_of_a_provider_binds_only_that_provider(void **state)
{
	OWNED(judge)
	j = judge_of("[big-77]\nprovider = big, bigger\ntext = code 77\n"
		     "class = spam-block\n",
		     0, "");
	struct judge_reply reply = { 550, STATUS(5, 0, 0), SLICE("code 77"), SLICE("bigger") };
	struct judgement called;

	(void)state;
	judge_reply(j, &reply, &called);
	assert_int_equal(called.class, JUDGE_SPAM_BLOCK);
	reply.provider = SLICE("small");
	judge_reply(j, &reply, &called);
	assert_int_equal(called.class, JUDGE_OTHER);
	assert_int_equal(called.rule.n, 0);
}

static void conditions_of_code_and_status_hold_as_written(void **state)
{
	OWNED(judge)
	j = judge_of("[a]\ncode = 551-553, 42x\nclass = quota\n"
		     "[b]\nstatus = x.7.600-699, 5.3.x\nclass = virus\n"
		     "[c]\ncode = none\nstatus = none\nclass = expired\n",
		     0, "");

	(void)state;
	assert_int_equal(ask(j, 552, STATUS(0, 0, 0), "").class, JUDGE_QUOTA);
	assert_int_equal(ask(j, 429, STATUS(0, 0, 0), "").class, JUDGE_QUOTA);
	assert_int_equal(ask(j, 554, STATUS(0, 0, 0), "").class, JUDGE_OTHER);
	assert_int_equal(ask(j, 554, STATUS(5, 7, 606), "").class, JUDGE_VIRUS);
	assert_int_equal(ask(j, 554, STATUS(5, 7, 700), "").class, JUDGE_OTHER);
	assert_int_equal(ask(j, 554, STATUS(5, 3, 9), "").class, JUDGE_VIRUS);
	assert_int_equal(ask(j, 454, STATUS(4, 3, 9), "").class, JUDGE_OTHER);
	assert_int_equal(ask(j, 0, STATUS(0, 0, 0), "").class, JUDGE_EXPIRED);
	/* The text names a status when the reply gave none. */
	assert_int_equal(ask(j, 554, STATUS(5, 0, 0), "(#5.7.650) no").class, JUDGE_VIRUS);
}

static void patterns_match_words_in_a_row(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} rows[] = {
		{ "user unknown", "User-Unknown!", true },
		{ "user unknown", "the unknown user", false },
		{ "user .. unknown", "user <a@b.example> is here unknown", true },
		{ "user .. unknown", "user one two three four five unknown", false },
		{ "user ... unknown", "user one two three four five unknown", true },
		{ "user|box [is] full", "your box full", true },
		{ "user|box [is] full", "your box is full", true },
		{ "user|box [is] full", "your box was full", false },
		{ "grey*", "Greylisted", true },
		{ "*list*", "a blacklisted host", true },
		{ "^ no such", "no such thing", true },
		{ "^ no such", "there is no such thing", false },
		{ "rejected $", "address rejected", true },
		{ "rejected $", "rejected address", false },
		{ "@ unknown", "<a@b.example> unknown", true },
		{ "boite pleine", "Bo\303\256te pleine", true },
		{ "boite pleine", "Bo\356te pleine", true },
		{ "doesnt exist", "it doesn't exist", true },
		{ "n existe", "il n'existe pas", true },
		{ "*满*", "邮箱已满", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char file[256];
		(void)snprintf(file, sizeof(file), "[a]\ntext = %s\nclass = quota\n",
			       rows[i].pattern);
		OWNED(judge) j = judge_of(file, 0, "");
		bool found = ask(j, 550, STATUS(0, 0, 0), rows[i].text).class == JUDGE_QUOTA;
		if (found != rows[i].matches)
			fail_msg("%s: %s", rows[i].pattern, rows[i].text);
	}
}

static void a_rule_file_that_is_wrong_says_where_and_what_to_do(void **state)
{
	(void)state;
	(void)judge_of(
	    "[a]\nclass = nothing\n", E_SYNTAX,
	    "own.rules:2: class: \"nothing\": expected one class of postern-rules(5), such "
	    "as invalid-recipient");
	(void)judge_of("[a]\ntext = x\n\n[b]\n", E_SYNTAX,
		       "own.rules:1: [a] has no class; add a line \"class = ...\"");
	(void)judge_of("[a]\nclass = quota\n", E_SYNTAX,
		       "own.rules:1: [a] would match every reply; add code, status or text");
	(void)judge_of("[a]\ncode = 550\nclass = quota\n[a]\n", E_SYNTAX,
		       "own.rules:4: [a] is there already, in line 1; choose another name");
	(void)judge_of("code = 550\n", E_SYNTAX,
		       "own.rules:1: a key stands before the first rule; begin one with [name]");
	(void)judge_of("[a]\ncolour = red\n", E_SYNTAX,
		       "own.rules:2: \"colour\" is no key; postern-rules(5) lists them");
	(void)judge_of("[a]\nwhatever\n", E_SYNTAX,
		       "own.rules:2: expected \"[name]\" or \"key = value\"");
	(void)judge_of("[a]\naction = suspend source\n", E_SYNTAX,
		       "own.rules:2: action: \"suspend source\": expected one action of "
		       "postern-rules(5), such as end, retry or suspend source 30m");
	(void)judge_of("[a]\ntext = ..\n", E_SYNTAX,
		       "own.rules:2: text: \"..\": a pattern needs a word that may not be missing");
	(void)judge_of("[A]\n", E_SYNTAX,
		       "own.rules:1: a name has small letters, digits, '.' and '-', and at most 64 "
		       "of them");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_of_our_address_is_never_the_recipients_fault),
		cmocka_unit_test(a_refusal_for_missing_authentication_has_its_own_class),
		cmocka_unit_test(only_a_permanent_reply_is_hard),
		cmocka_unit_test(an_address_in_the_text_means_nothing),
		cmocka_unit_test(the_time_that_the_text_names_is_read_within_bounds),
		cmocka_unit_test(every_class_is_reached_by_a_shipped_rule),
		cmocka_unit_test(the_operators_rules_come_first_and_name_themselves),
		cmocka_unit_test(a_rule_of_a_provider_binds_only_that_provider),
		cmocka_unit_test(conditions_of_code_and_status_hold_as_written),
		cmocka_unit_test(patterns_match_words_in_a_row),
		cmocka_unit_test(a_rule_file_that_is_wrong_says_where_and_what_to_do),
	};

	return cmocka_run_group_tests(tests, open_shipped, close_shipped);
}
