/* tests/unit/control/mail/texts_test.c - what the platform writes to people: languages, the
 * operator's own texts, and their faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "control/mail/texts.h"

static struct mail_texts *shipped(void)
{
	struct mail_texts *t = NULL;
	char error[MAIL_ERROR_MAX] = "";

	if (mail_texts_read(&t, "", error) < 0)
		fail_msg("%s", error);
	return t;
}

static void each_kind_has_a_text_in_each_shipped_language(void **state)
{
	static const char *const languages[] = { "en", "de", "es", "fr" };
	OWNED(mail_texts) t = shipped();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		assert_true(mail_texts_speaks(t, slice_str(languages[i])));
		for (unsigned k = 1; k < MAIL_KINDS; k++) {
			struct template_source own =
			    mail_texts_find(t, (enum mail_kind)k, slice_str(languages[i]));
			struct template_source english =
			    mail_texts_find(t, (enum mail_kind)k, SLICE("en"));
			assert_true(own.subject.n && own.text.n);
			assert_true(i == 0 || own.text.p != english.text.p);
		}
	}
}

/* What was changed is said in the mail's own language: a section for each change. */
static void each_change_of_the_sign_in_has_a_line_in_each_shipped_language(void **state)
{
	static const char *const languages[] = { "en", "de", "es", "fr" };
	struct template_env env = mail_kind_env(MAIL_FACTOR_CHANGED);
	OWNED(mail_texts) t = shipped();
	char section[64];
	unsigned n = 0;

	(void)state;
	for (unsigned f = 0; f < env.n_fields; f++) {
		struct slice name = env.fields[f].name;

		if (!memchr(name.p, '_', name.n) && !memmem(name.p, name.n, "linked", 6))
			continue;
		n++;
		(void)snprintf(section, sizeof(section), "{{#%.*s}}", (int)name.n, name.p);
		for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
			struct template_source s =
			    mail_texts_find(t, MAIL_FACTOR_CHANGED, slice_str(languages[i]));
			assert_non_null(memmem(s.text.p, s.text.n, section, strlen(section)));
		}
	}
	assert_int_equal(n, 10);
}

static void a_language_falls_back_to_its_first_part_and_then_to_english(void **state)
{
	OWNED(mail_texts) t = shipped();
	const char *german = mail_texts_find(t, MAIL_INVITE, SLICE("de")).text.p;
	const char *english = mail_texts_find(t, MAIL_INVITE, SLICE("en")).text.p;

	(void)state;
	assert_ptr_equal(mail_texts_find(t, MAIL_INVITE, SLICE("de-AT")).text.p, german);
	assert_ptr_equal(mail_texts_find(t, MAIL_INVITE, SLICE("DE")).text.p, german);
	assert_ptr_equal(mail_texts_find(t, MAIL_INVITE, SLICE("pt-br")).text.p, english);
	assert_ptr_equal(mail_texts_find(t, MAIL_INVITE, SLICE("")).text.p, english);
	assert_false(mail_texts_speaks(t, SLICE("pt-br")));
	assert_true(mail_texts_speaks(t, SLICE("fr-CA")));
}

static void own_sections_replace_the_shipped_ones_alone(void **state)
{
	OWNED(mail_texts) t = shipped();
	char error[MAIL_ERROR_MAX] = "";
	struct template_source s;
	const char *reset = mail_texts_find(t, MAIL_RESET, SLICE("en")).text.p;

	(void)state;
	assert_int_equal(
	    mail_texts_add(t, "en.txt", SLICE("en"),
			   SLICE("# ours\n\n== invite\nSubject: Join {{organization}}\n\n"
				 "{{#link}}{{link}}{{/link}}\n-- html --\n<p>{{inviter}}</p>\n"),
			   error),
	    0);
	s = mail_texts_find(t, MAIL_INVITE, SLICE("en"));
	assert_true(slice_eq(s.subject, SLICE("Join {{organization}}")));
	assert_true(slice_eq(s.text, SLICE("{{#link}}{{link}}{{/link}}\n")));
	assert_true(slice_eq(s.html, SLICE("<p>{{inviter}}</p>\n")));
	assert_ptr_equal(mail_texts_find(t, MAIL_RESET, SLICE("en")).text.p, reset);
}

static void faults_name_the_file_and_the_line(void **state)
{
	static const struct {
		const char *text, *error;
	} faults[] = {
		{ "hello\n", "x.txt:1: expected \"== \"" },
		{ "\n== nothing\nSubject: a\n\nb\n", "x.txt:2: no mail is of this kind" },
		{ "== reset\nTopic: a\n\nb\n", "x.txt:2: expected \"Subject: \"" },
		{ "== reset\nSubject: a\nb\n", "x.txt:3: expected an empty line" },
		{ "== reset\nSubject: a\n\n\n", "x.txt:1: the mail has no text" },
		{ "== reset\nSubject: a\n\n{{password}}\n", "x.txt:1: reset, text, line 1" },
		{ "== reset\nSubject: {{link\n\nb\n", "x.txt:1: reset, subject, line 1" },
		{ "== reset\nSubject: a\n\nb\n-- html --\n<p {{link}}>\n", "reset, html, line 1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		OWNED(mail_texts) t = shipped();
		char error[MAIL_ERROR_MAX] = "";
		if (mail_texts_add(t, "x.txt", SLICE("x"), slice_str(faults[i].text), error) !=
		    E_SYNTAX)
			fail_msg("taken: %s", faults[i].text);
		if (!strstr(error, faults[i].error))
			fail_msg("%s: not %s", error, faults[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_a_text_in_each_shipped_language),
		cmocka_unit_test(each_change_of_the_sign_in_has_a_line_in_each_shipped_language),
		cmocka_unit_test(a_language_falls_back_to_its_first_part_and_then_to_english),
		cmocka_unit_test(own_sections_replace_the_shipped_ones_alone),
		cmocka_unit_test(faults_name_the_file_and_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
