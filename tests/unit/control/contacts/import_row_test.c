/* control/contacts/import_map, import_row and values, control/db/column: from a record of a file to
 * what the database takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "control/contacts/import_row.h"
#include "control/db/column.h"

static const char *value(enum contact_field_type type, const char *text)
{
	static char out[256];
	struct buf b;

	buf_init(&b, 0);
	if (contact_field_value_from_text(type, slice_str(text), &b) < 0)
		(void)snprintf(out, sizeof(out), "refused");
	else
		slice_copy(out, sizeof(out), buf_data(&b));
	buf_free(&b);
	return out;
}

static void a_number_is_decimal_and_finite(void **state UNUSED)
{
	assert_string_equal(value(FIELD_NUMBER, "42"), "42");
	assert_string_equal(value(FIELD_NUMBER, "-1.5"), "-1.5");
	assert_string_equal(value(FIELD_NUMBER, "1e3"), "1000");
	for (size_t i = 0; i < 7; i++)
		assert_string_equal(
		    value(FIELD_NUMBER,
			  ((const char *[]){ "", "x", "0x10", "inf", "nan", "1 ", "1e999" })[i]),
		    "refused");
}

static void a_boolean_is_one_of_six_words(void **state UNUSED)
{
	assert_string_equal(value(FIELD_BOOLEAN, "Yes"), "true");
	assert_string_equal(value(FIELD_BOOLEAN, "0"), "false");
	assert_string_equal(value(FIELD_BOOLEAN, "maybe"), "refused");
}

static void a_date_exists(void **state UNUSED)
{
	assert_string_equal(value(FIELD_DATE, "2026-11-20"), "\"2026-11-20\"");
	assert_string_equal(value(FIELD_DATE, "2026-11-20T10:00:00Z"), "\"2026-11-20T10:00:00Z\"");
	assert_string_equal(value(FIELD_DATE, "2026-02-30"), "refused");
	assert_string_equal(value(FIELD_DATE, "20.11.2026"), "refused");
	assert_string_equal(value(FIELD_DATE, "2026-13-01"), "refused");
}

static void text_becomes_json_whatever_it_holds(void **state UNUSED)
{
	assert_string_equal(value(FIELD_TEXT, "a\"b\\c\n\x01\xc3\xa9"),
			    "\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa9\"");
	assert_string_equal(value(FIELD_TEXT, "\xff"), "refused");
}

static struct sheet_record record(const struct slice *cells, unsigned n)
{
	return (struct sheet_record){ .line = 5, .n = n, .n_seen = n, .fields = cells };
}

static struct slice cell(const char *text)
{
	return slice_str(text);
}

/* A file without own fields. */
struct taken {
	bool fine;
	struct import_note fault;
	unsigned left_out;
	enum import_problem why; /* of the last value left out */
	int status;
};

static struct taken put(const struct slice *titles, const struct slice *cells, unsigned n,
			struct buf *out)
{
	OWNED(import_map) map = NULL;
	OWNED(import_row) reader = NULL;
	struct sheet_record header = record(titles, n), row = record(cells, n);
	struct import_rules rules = { 0 };
	struct taken t;

	map = import_map_new(&header, &rules);
	assert_string_equal(map->fault.code, "");
	reader = import_row_new(map);
	t.fine = import_row_put(reader, &row, SLICE("1\t2\t"), out);
	t.fault = reader->fault;
	t.left_out = reader->n_notes_seen;
	t.why = t.left_out ? reader->notes[reader->n_notes - 1].problem : IMPORT_OK;
	t.status = reader->status;
	return t;
}

static const struct slice three[] = { { "E-Mail", 6 }, { "First name", 10 }, { "Notes", 5 } };

static void a_record_is_one_line_of_copy(void **state UNUSED)
{
	const struct slice cells[] = { { " Ann@Example.Test ", 18 },
				       { "A\tB\\C\nD", 7 },
				       { "ignored", 7 } };
	struct buf out;
	const char *text;

	buf_init(&out, 0);
	assert_true(put(three, cells, 3, &out).fine);
	text = buf_cstr(&out);
	assert_memory_equal(text, "1\t2\t5\tAnn@example.test\tann@example.test\t\\\\x", 43);
	/* Tabs and line ends in a name are spaces; the backslash is escaped for COPY. */
	assert_non_null(strstr(text, "\tA B\\\\C D\t\t{}\t0\n"));
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
	buf_free(&out);
}

static void a_name_becomes_one_plain_line(void **state UNUSED)
{
	static const char *const names[][2] = {
		{ "a\xe2\x80\xae"
		  "b",
		  "ab" }, /* U+202E */
		{ "a\xe2\x80\xa8"
		  "b",
		  "a b" }, /* U+2028 */
		{ "a\xc2\x85"
		  "b",
		  "a b" }, /* U+0085 */
		{ "a\x7f"
		  "b",
		  "a b" },
		{ "\xd7\xa9\xd7\x9c", "\xd7\xa9\xd7\x9c" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct slice cells[] = { cell("a@c.test"), cell(names[i][0]), cell("") };
		char want[64];
		struct buf out;

		buf_init(&out, 0);
		assert_true(put(three, cells, 3, &out).fine);
		(void)snprintf(want, sizeof(want), "\t%s\t\t{}\t0\n", names[i][1]);
		assert_non_null(strstr(buf_cstr(&out), want));
		buf_free(&out);
	}
}

static void a_name_has_two_hundred_characters_at_most(void **state UNUSED)
{
	char long_name[2 * 201 + 1];

	for (size_t i = 0; i < sizeof(long_name) - 1; i += 2)
		memcpy(long_name + i, "\xc3\xa4", 2);
	for (size_t n = 200; n <= 201; n++) {
		const struct slice cells[] = { cell("a@c.test"), { long_name, 2 * n }, cell("") };
		struct buf out;

		buf_init(&out, 0);
		assert_int_equal(put(three, cells, 3, &out).left_out, n > 200);
		buf_free(&out);
	}
}

static void what_is_wrong_appends_nothing(void **state UNUSED)
{
	static const struct {
		struct slice email, name;
		enum import_problem problem;
	} rows[] = {
		{ { "", 0 }, { "x", 1 }, IMPORT_NO_EMAIL },
		{ { "  ", 2 }, { "x", 1 }, IMPORT_NO_EMAIL },
		{ { "a b@c.test", 10 }, { "x", 1 }, IMPORT_BAD_EMAIL },
		{ { "a@c", 3 }, { "x", 1 }, IMPORT_BAD_EMAIL },
		{ { "\xc2\xa0\xe2\x80\x8b", 5 }, { "x", 1 }, IMPORT_NO_EMAIL },
		{ { "a\xff@c.test", 9 }, { "x", 1 }, IMPORT_BAD_ENCODING },
		{ { "a\0@c.test", 9 }, { "x", 1 }, IMPORT_BAD_ENCODING },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct slice cells[] = { rows[i].email, rows[i].name, { "", 0 } };
		struct buf out;
		struct taken t;

		buf_init(&out, 0);
		t = put(three, cells, 3, &out);
		assert_false(t.fine);
		assert_int_equal(t.fault.problem, rows[i].problem);
		assert_int_equal(buf_len(&out), 0);
		buf_free(&out);
	}
}

static void a_bad_optional_value_costs_that_value_only(void **state UNUSED)
{
	static const struct slice titles[] = { { "email", 5 }, { "last_name", 9 }, { "city", 4 } };
	char long_name[202];
	struct slice names[] = { { "\xff", 1 }, { "a\0b", 3 }, { long_name, 201 } };

	memset(long_name, 'x', sizeof(long_name));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct slice cells[] = { cell("a@c.test"), names[i], cell("") };
		struct buf out;
		struct taken t;

		buf_init(&out, 0);
		t = put(titles, cells, 3, &out);
		assert_true(t.fine);
		assert_int_equal(t.left_out, 1);
		assert_int_equal(t.why, i == 2 ? IMPORT_TOO_LONG : IMPORT_BAD_ENCODING);
		assert_non_null(strstr(buf_cstr(&out), "\t\t\t{}\t0\n"));
		buf_free(&out);
	}
}

static void an_address_is_found_in_what_people_put_around_it(void **state UNUSED)
{
	static const char *const texts[] = {
		"\xc2\xa0 a@c.test",
		"a@c.test\xe2\x80\x8b",
		"a@c.test\n",
		"Ann Lee <a@c.test>",
		"<a@c.test>",
		"mailto:a@c.test",
		("a@\xe2\x80\x8b"
		 "c.test"),
		"a@c.test ::: b@c.test",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct slice cells[] = { cell(texts[i]), cell(""), cell("") };
		struct buf out;
		struct taken t;

		buf_init(&out, 0);
		t = put(three, cells, 3, &out);
		assert_true(t.fine);
		assert_non_null(strstr(buf_cstr(&out), "\t5\ta@c.test\ta@c.test\t"));
		assert_int_equal(t.why,
				 strstr(texts[i], ":::") ? IMPORT_MORE_ADDRESSES : IMPORT_OK);
		buf_free(&out);
	}
}

static void the_column_that_says_most_against_mail_counts(void **state UNUSED)
{
	static const struct slice titles[] = { { "email", 5 },
					       { "status", 6 },
					       { "Email Opt Out", 13 } };
	static const struct {
		const char *word, *flag;
		int status;
	} rows[] = {
		{ "", "", 0 },
		{ "active", "", CONTACT_SUBSCRIBED },
		{ "active", "yes", CONTACT_UNSUBSCRIBED },
		{ "cleaned", "yes", CONTACT_BOUNCED },
		{ "gold", "", -1 },
		{ "active", "perhaps", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct slice cells[] = { cell("a@c.test"), cell(rows[i].word),
					       cell(rows[i].flag) };
		struct buf out;
		struct taken t;

		buf_init(&out, 0);
		t = put(titles, cells, 3, &out);
		assert_int_equal(t.fine, rows[i].status >= 0);
		if (t.fine)
			assert_int_equal(t.status, rows[i].status);
		else
			assert_int_equal(t.fault.problem, IMPORT_BAD_STATUS);
		buf_free(&out);
	}
}

static void a_header_says_what_is_wrong_with_it(void **state UNUSED)
{
	static const struct {
		const char *first, *second, *code, *mapping;
	} headers[] = {
		{ "email", "x", "", "{}" },
		{ "E-mail 1 - Value", "E-mail 2 - Value", "", "{}" },
		{ "name", "x", "no_address_column", "{}" },
		{ "a@c.test", "x", "no_titles", "{}" },
		{ "email", "email", "repeated_title", "{}" },
		{ "email", "E-Mail", "ambiguous_columns", "{}" },
		{ "email", "x", "unknown_column", "{\"y\": \"first_name\"}" },
		{ "email", "x", "unknown_field", "{\"x\": \"nosuch\"}" },
		{ "name", "x", "", "{\"Name\": \"email\"}" },
		{ "email", "x", "", "{\"x\": \"email\"}" },
		{ "email", "email", "no_address_column", "{\"email\": null}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		const struct slice titles[] = { cell(headers[i].first), cell(headers[i].second) };
		json_t *mapping = json_loads(headers[i].mapping, 0, NULL);
		struct sheet_record header = record(titles, 2);
		struct import_rules rules = { mapping, NULL };
		OWNED(import_map) map = import_map_new(&header, &rules);

		assert_string_equal(map->fault.code, headers[i].code);
		json_decref(mapping);
	}
}

static void a_column_is_an_array_whatever_it_holds(void **state UNUSED)
{
	struct db_column c;

	db_column_init(&c);
	assert_string_equal(db_column_array(&c), "{}");
	db_column_text(&c, SLICE("a\"b\\c"));
	db_column_text(&c, SLICE("\xff\x00z"));
	db_column_null(&c);
	assert_string_equal(db_column_array(&c), "{\"a\\\"b\\\\c\",\"??z\",NULL}");
	db_column_int(&c, -5);
	assert_string_equal(db_column_array(&c), "{\"a\\\"b\\\\c\",\"??z\",NULL,-5}");
	db_column_clear(&c);
	db_column_bytes(&c, SLICE("\x01\xff"));
	db_column_u64(&c, UINT64_MAX);
	assert_string_equal(db_column_array(&c), "{\"\\\\x01ff\",18446744073709551615}");
	db_column_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_decimal_and_finite),
		cmocka_unit_test(a_boolean_is_one_of_six_words),
		cmocka_unit_test(a_date_exists),
		cmocka_unit_test(text_becomes_json_whatever_it_holds),
		cmocka_unit_test(a_record_is_one_line_of_copy),
		cmocka_unit_test(a_name_becomes_one_plain_line),
		cmocka_unit_test(a_name_has_two_hundred_characters_at_most),
		cmocka_unit_test(what_is_wrong_appends_nothing),
		cmocka_unit_test(a_bad_optional_value_costs_that_value_only),
		cmocka_unit_test(an_address_is_found_in_what_people_put_around_it),
		cmocka_unit_test(the_column_that_says_most_against_mail_counts),
		cmocka_unit_test(a_header_says_what_is_wrong_with_it),
		cmocka_unit_test(a_column_is_an_array_whatever_it_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
