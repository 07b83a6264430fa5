/* Unit test of base/settings.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <unistd.h>

#include "base/file.h"
#include "base/settings.h"

struct colours {
	char *words;
	bool loud;
	unsigned n;
};
static const struct option colour_rows[] = {
	{ "colour.words", T_LIST, offsetof(struct colours, words), 0, 0, "red, blue", true,
	  "Words." },
	{ "colour.loud", T_BOOL, offsetof(struct colours, loud), 0, 0, "no", false, "Loud." },
};

static int count_word(void *options, struct slice e)
{
	struct colours *c = options;

	if (slice_eq(e, SLICE("beige")))
		return E_SYNTAX;
	c->n++;
	return 0;
}

static int derive_colours(void *options, const struct settings *all, struct option_fault *f)
{
	struct colours *c = options;

	(void)all;
	return option_entries(f, "colour.words", c->words, "a colour", count_word, c);
}

static int cleared;
static void clear_colours(void *options)
{
	(void)options;
	cleared++;
}

static const struct option_set colours = { colour_rows, ARRAY_LEN(colour_rows),
					   sizeof(struct colours), derive_colours, clear_colours };

struct size {
	int64_t lines;
	unsigned colours_seen;
};
static const struct option size_rows[] = {
	{ "size.lines", T_INT, offsetof(struct size, lines), 1, 9, "3", false, "Lines." },
};

static int derive_size(void *options, const struct settings *all, struct option_fault *f)
{
	const struct colours *c = settings_of(all, &colours);

	(void)f;
	((struct size *)options)->colours_seen = c->n;
	return 0;
}

static const struct option_set size = { size_rows, ARRAY_LEN(size_rows), sizeof(struct size),
					derive_size, NULL };
static const struct option_set *const sets[] = { &colours, &size };

static struct settings *parse(const char *text)
{
	char error[OPTION_ERROR_MAX];
	struct settings *s;

	assert_int_equal(0, settings_parse(&s, sets, 2, slice_str(text), "file", error));
	return s;
}

static void each_set_gets_its_own_rows_and_sees_those_before_it(void **state)
{
	OWNED(settings) s = parse("size.lines = 7\ncolour.words = a, b, c\n");
	const struct colours *c = settings_of(s, &colours);
	const struct size *z = settings_of(s, &size);

	(void)state;
	assert_int_equal(3, c->n);
	assert_false(c->loud);
	assert_int_equal(7, z->lines);
	assert_int_equal(3, z->colours_seen);
}

static void an_entry_that_does_not_fit_is_named_with_its_option(void **state)
{
	char error[OPTION_ERROR_MAX];
	struct settings *s = NULL;

	(void)state;
	cleared = 0;
	assert_int_equal(E_SYNTAX, settings_parse(&s, sets, 2, SLICE("colour.words = red, beige\n"),
						  "file", error));
	assert_string_equal("file: colour.words: \"beige\" is not a colour", error);
	assert_null(s);
	assert_int_equal(1, cleared);
}

static void an_unknown_name_and_a_missing_file_are_refused(void **state)
{
	char error[OPTION_ERROR_MAX];
	struct settings *s = NULL;

	(void)state;
	assert_int_equal(E_SYNTAX,
			 settings_parse(&s, sets, 2, SLICE("size.rows = 1\n"), "file", error));
	assert_string_equal("file:1: unknown option \"size.rows\"", error);
	assert_int_equal(-ENOENT, settings_read(&s, sets, 2, "/nowhere/at.all", error));
	assert_non_null(strstr(error, "/nowhere/at.all: "));
	assert_null(s);
}

static void a_file_is_read_and_none_gives_the_defaults(void **state)
{
	char name[] = "/tmp/postern-settings-XXXXXX", error[OPTION_ERROR_MAX];
	struct settings *s = NULL;
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, SLICE("size.lines = 8\n")), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(settings_read(&s, sets, 2, name, error), 0);
	assert_int_equal(((const struct size *)settings_of(s, &size))->lines, 8);
	s = settings_free(s);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(settings_read(&s, sets, 2, NULL, error), 0);
	assert_int_equal(((const struct size *)settings_of(s, &size))->lines, 3);
	s = settings_free(s);
	assert_null(settings_free(NULL));
}

static void only_rows_that_a_reload_does_not_take_up_need_a_restart(void **state)
{
	OWNED(settings) a = parse("");
	OWNED(settings) words = parse("colour.words = green\n");
	OWNED(settings) lines = parse("size.lines = 4\n");

	(void)state;
	assert_null(settings_needs_restart(a, words));
	assert_string_equal("size.lines", settings_needs_restart(a, lines));
}

static void rows_and_sample_stand_in_the_order_of_the_sets(void **state)
{
	OWNED(settings) s = parse("size.lines = 4\n");
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_string_equal("colour.words", settings_row(s, 0)->name);
	assert_string_equal("size.lines", settings_row(s, 2)->name);
	assert_null(settings_row(s, 3));
	settings_show(s, 2, &out);
	assert_true(slice_eq(SLICE("4"), buf_data(&out)));
	buf_clear(&out);
	settings_sample(sets, 2, &out);
	assert_true(slice_eq(SLICE("# Words. (taken up by a reload)\n#colour.words = red, blue\n\n"
				   "# Loud.\n#colour.loud = no\n\n# Lines.\n#size.lines = 3\n"),
			     buf_data(&out)));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_set_gets_its_own_rows_and_sees_those_before_it),
		cmocka_unit_test(an_entry_that_does_not_fit_is_named_with_its_option),
		cmocka_unit_test(an_unknown_name_and_a_missing_file_are_refused),
		cmocka_unit_test(a_file_is_read_and_none_gives_the_defaults),
		cmocka_unit_test(only_rows_that_a_reload_does_not_take_up_need_a_restart),
		cmocka_unit_test(rows_and_sample_stand_in_the_order_of_the_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
