/* tests/unit/base/options_test.c - the grammar of configuration files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/options.h"

struct conf {
	bool on;
	int64_t number, wait, size;
	char *name, *list;
};
static const struct option table[] = {
	{ "a.on", T_BOOL, offsetof(struct conf, on), 0, 0, "yes", false, "A switch." },
	{ "a.number", T_INT, offsetof(struct conf, number), -5, 100, "7", true, "A number." },
	{ "a.wait", T_DURATION, offsetof(struct conf, wait), 10, 3600000, "30s", true, "A wait." },
	{ "a.size", T_SIZE, offsetof(struct conf, size), 1, 1 << 30, "64K", false, "A size." },
	{ "a.name", T_STR, offsetof(struct conf, name), 0, 20, "bob", false, "A name." },
	{ "a.list", T_LIST, offsetof(struct conf, list), 0, 0, "x, y", false, "A list." },
};
enum { N = ARRAY_LEN(table) };

static void defaults_are_read_like_a_file(void **state)
{
	struct conf c = { 0 };

	(void)state;
	options_defaults(table, N, &c);
	assert_true(c.on);
	assert_int_equal(c.number, 7);
	assert_int_equal(c.wait, 30000);
	assert_int_equal(c.size, 65536);
	assert_string_equal(c.name, "bob");
	assert_string_equal(c.list, "x\ny");
	options_free(table, N, &c);
}

static void a_file_sets_what_it_names(void **state)
{
	struct conf c = { 0 };
	char error[OPTION_ERROR_MAX];
	struct slice entry;
	size_t pos = 0;

	(void)state;
	options_defaults(table, N, &c);
	assert_int_equal(
	    options_parse(
		table, N, &c,
		SLICE(
		    "# comment\n\n a.on = no   # off\na.number=-5\r\na.wait = 250ms\na.size = 2M\n"
		    "a.name = x#y\na.list = one,two\na.list = three"),
		"test", error),
	    0);
	assert_false(c.on);
	assert_int_equal(c.number, -5);
	assert_int_equal(c.wait, 250);
	assert_int_equal(c.size, 2 << 20);
	assert_string_equal(c.name, "x#y");
	assert_string_equal(c.list, "one\ntwo\nthree");
	assert_true(option_list_next(c.list, &pos, &entry));
	assert_true(slice_eq(entry, SLICE("one")));
	assert_true(option_list_next(c.list, &pos, &entry));
	assert_true(option_list_next(c.list, &pos, &entry));
	assert_true(slice_eq(entry, SLICE("three")));
	assert_false(option_list_next(c.list, &pos, &entry));
	options_free(table, N, &c);
}

static void each_error_names_file_line_and_what_was_expected_and_changes_nothing(void **state)
{
	static const char *const bad[][2] = {
		{ "a.number = 5\nb.what = 1", "test:2: unknown option \"b.what\"" },
		{ "a.on = maybe", "test:1: a.on: expected yes or no" },
		{ "a.number = 101", "test:1: a.number: must lie between -5 and 100" },
		{ "a.number = 1\na.number = 2", "test:2: a.number is given twice" },
		{ "a.wait = 5 parsecs",
		  "test:1: a.wait: \"5 parsecs\" is not a duration such as 30s" },
		{ "a.size = 99999999999999999999G",
		  "test:1: a.size: \"99999999999999999999G\" is not a size such as 64M" },
		{ "a.name = 123456789012345678901", "test:1: a.name: longer than 20 bytes" },
		{ "a.size = 9223372036854775807G",
		  "test:1: a.size: \"9223372036854775807G\" is not a size such as 64M" },
		{ "a.size = 0", "test:1: a.size: must lie between 1 and 1073741824 bytes" },
		{ "a.wait = 2h", "test:1: a.wait: must lie between 10 and 3600000 milliseconds" },
		{ "a.number = -", "test:1: a.number: \"-\" is not a number" },
		{ "just words", "test:1: expected \"name = value\"" },
	};
	char error[OPTION_ERROR_MAX];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		struct conf c = { 0 };
		options_defaults(table, N, &c);
		assert_int_equal(options_parse(table, N, &c, slice_str(bad[i][0]), "test", error),
				 E_SYNTAX);
		assert_string_equal(error, bad[i][1]);
		assert_int_equal(c.number, 7);
		assert_string_equal(c.name, "bob");
		options_free(table, N, &c);
	}
}

/* Shown as "name = #x" it would read as a comment. */
static void a_value_or_an_entry_that_reads_as_a_comment_when_shown_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "a.name =#x",
		  "test:1: a.name: \"#x\" begins with #, which starts a comment there" },
		{ "a.list = b,#c, d",
		  "test:1: a.list: \"#c\" begins with #, which starts a comment there" },
		{ "a.list = b\na.list=#",
		  "test:2: a.list: \"#\" begins with #, which starts a comment "
		  "there" },
	};
	char error[OPTION_ERROR_MAX];
	struct conf c = { 0 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(options_parse(table, N, &c, slice_str(bad[i][0]), "test", error),
				 E_SYNTAX);
		assert_string_equal(error, bad[i][1]);
	}
	assert_int_equal(options_parse(table, N, &c, SLICE("a.list = b#c,d#"), "test", error), 0);
	assert_string_equal(c.list, "b#c\nd#");
	options_free(table, N, &c);
}

/* Many lines add up to one list, which is shown in one line. */
static void a_list_that_is_taken_can_be_shown_in_one_line(void **state)
{
	char error[OPTION_ERROR_MAX];
	struct conf c = { 0 };
	struct buf text, shown;

	(void)state;
	buf_init(&text, 0);
	buf_init(&shown, 0);
	buf_put(&shown, SLICE("a.list = "));
	for (int i = 0; i < 655; i++) /* 100 bytes each, with the comma */
		buf_putf(&text, "a.list = %098d\n", i);
	assert_int_equal(options_parse(table, N, &c, buf_data(&text), "test", error), 0);
	options_show(&table[5], &c, &shown);
	assert_int_equal(options_parse(table, N, &c, buf_data(&shown), "shown", error), 0);
	buf_put(&text, SLICE("a.list = 1234567890123,890123456789\n"));
	assert_int_equal(options_parse(table, N, &c, buf_data(&text), "test", error), E_SYNTAX);
	assert_string_equal(error, "test:656: a.list: all entries together are longer than 64 KiB");
	options_free(table, N, &c);
	buf_free(&text);
	buf_free(&shown);
}

static void the_sample_read_back_without_its_marks_is_the_defaults(void **state)
{
	struct conf c = { 0 };
	char error[OPTION_ERROR_MAX];
	struct buf sample, bare, shown;

	(void)state;
	buf_init(&sample, 0);
	buf_init(&bare, 0);
	buf_init(&shown, 0);
	options_sample(table, N, &sample);
	for (const char *line = buf_cstr(&sample); *line;) {
		const char *end = strchrnul(line, '\n');
		if (line[0] == '#' && line[1] != ' ')
			buf_put(&bare, slice_of(line + 1, (size_t)(end - line)));
		line = *end ? end + 1 : end;
	}
	options_defaults(table, N, &c);
	c.number = 99;
	assert_int_equal(options_parse(table, N, &c, buf_data(&bare), "sample", error), 0);
	assert_int_equal(c.number, 7);
	for (unsigned i = 0; i < N; i++) {
		buf_clear(&shown);
		options_show(&table[i], &c, &shown);
		assert_string_equal(buf_cstr(&shown), table[i].def);
	}
	options_free(table, N, &c);
	buf_free(&sample);
	buf_free(&bare);
	buf_free(&shown);
}

static void a_line_too_long_or_with_a_nul_is_named(void **state)
{
	static char line[66000];
	char error[OPTION_ERROR_MAX];
	struct conf c = { 0 };

	(void)state;
	options_defaults(table, N, &c);
	memset(line, '#', sizeof(line));
	assert_int_equal(options_parse(table, N, &c, slice_of(line, sizeof(line)), "test", error),
			 E_SYNTAX);
	assert_string_equal(error, "test:1: the line is longer than 64 KiB");
	assert_int_equal(options_parse(table, N, &c, SLICE("\na.on = y\0es"), "test", error),
			 E_SYNTAX);
	assert_string_equal(error, "test:2: a NUL byte cannot stand here");
	memset(line, 'x', sizeof(error) * 2);
	line[sizeof(error) * 2] = '\0'; /* a name of the file longer than the text may be */
	assert_int_equal(options_parse(table, N, &c, SLICE("what"), line, error), E_SYNTAX);
	assert_int_equal(strlen(error), sizeof(error) - 1);
	options_free(table, N, &c);
}

static void entries_of_a_list_are_trimmed_and_empty_ones_left_out(void **state)
{
	struct conf c = { 0 };
	char error[OPTION_ERROR_MAX];
	struct slice entry;
	size_t pos = 0;

	(void)state;
	assert_int_equal(options_parse(table, N, &c, SLICE("a.list = , one ,\t, two ,\na.list ="),
				       "test", error),
			 0);
	assert_string_equal(c.list, "one\ntwo");
	assert_int_equal(
	    options_parse(table, N, &c, SLICE("a.list =\na.list = two"), "test", error), 0);
	assert_string_equal(c.list, "two");
	assert_int_equal(options_parse(table, N, &c, SLICE("a.list = ,"), "test", error), 0);
	assert_string_equal(c.list, "");
	assert_false(option_list_next(c.list, &pos, &entry));
	assert_false(option_list_next(NULL, &pos, &entry));
	options_free(table, N, &c);
}

static void a_file_is_read_and_one_that_is_not_there_is_named(void **state)
{
	char name[] = "/tmp/postern-options-XXXXXX", error[OPTION_ERROR_MAX];
	struct conf c = { 0 };
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, SLICE("a.number = 42\n")), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(options_read(table, N, &c, name, error), 0);
	assert_int_equal(c.number, 42);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(options_read(table, N, &c, name, error), -ENOENT);
	assert_ptr_equal(strstr(error, name), error);
	assert_int_equal(c.number, 42);
	options_free(table, N, &c);
}

static void a_file_is_replaced_whole_or_not_at_all(void **state)
{
	char dir[] = "/tmp/postern-unit-XXXXXX", path[64];
	struct stat st;
	struct buf b;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/a/b/c", dir);
	assert_int_equal(file_make_dirs(path, 0700), 0);
	assert_int_equal(file_make_dirs(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/a/b/c/key", dir);
	assert_int_equal(file_write_atomic(path, SLICE("one"), 0600), 0);
	assert_int_equal(file_write_atomic(path, SLICE("second"), 0600), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_init(&b, 0);
	assert_int_equal(file_read(path, 100, &b), 0);
	assert_true(slice_eq(buf_data(&b), SLICE("second")));
	buf_clear(&b);
	assert_int_equal(file_read(path, 3, &b), E_LIMIT);
	assert_int_equal(file_read("/nonexistent/file", 3, &b), -ENOENT);
	buf_free(&b);
	(void)unlink(path);
	for (size_t cut = 6; cut > 0; cut -= 2) {
		(void)snprintf(path, sizeof(path), "%s%.*s", dir, (int)cut, "/a/b/c");
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_read_like_a_file),
		cmocka_unit_test(a_file_sets_what_it_names),
		cmocka_unit_test(
		    each_error_names_file_line_and_what_was_expected_and_changes_nothing),
		cmocka_unit_test(a_value_or_an_entry_that_reads_as_a_comment_when_shown_is_refused),
		cmocka_unit_test(a_list_that_is_taken_can_be_shown_in_one_line),
		cmocka_unit_test(the_sample_read_back_without_its_marks_is_the_defaults),
		cmocka_unit_test(a_line_too_long_or_with_a_nul_is_named),
		cmocka_unit_test(entries_of_a_list_are_trimmed_and_empty_ones_left_out),
		cmocka_unit_test(a_file_is_read_and_one_that_is_not_there_is_named),
		cmocka_unit_test(a_file_is_replaced_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
