/* control/contacts/import_row and values, control/db/column: from a record of a file to what
 * the database takes. */
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

/* A file without own fields: "E-Mail,First name,Notes". */
static enum import_problem put(const struct slice cells[3], struct buf *out)
{
	static const struct slice titles[] = { { "E-Mail", 6 },
					       { "First name", 10 },
					       { "Notes", 5 } };
	OWNED(import_map) map = NULL;
	struct sheet_record header = record(titles, 3), row = record(cells, 3);
	struct slice bad;
	char error[200];

	assert_int_equal(import_map_new(&map, &header, NULL, NULL, error), 0);
	return import_row_put(map, &row, SLICE("1\t2\t"), out, &bad);
}

static void a_record_is_one_line_of_copy(void **state UNUSED)
{
	const struct slice cells[] = { { " Ann@Example.Test ", 18 },
				       { "A\tB\\C\nD", 7 },
				       { "ignored", 7 } };
	struct buf out;
	const char *text;

	buf_init(&out, 0);
	assert_int_equal(put(cells, &out), IMPORT_OK);
	text = buf_cstr(&out);
	assert_memory_equal(text, "1\t2\t5\tAnn@example.test\tann@example.test\t\\\\x", 43);
	/* Tabs and line ends in a name are spaces; the backslash is escaped for COPY. */
	assert_non_null(strstr(text, "\tA B\\\\C D\t\t{}\n"));
	assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
	buf_free(&out);
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
		{ { "a@c.test", 8 }, { "\xff", 1 }, IMPORT_BAD_ENCODING },
		{ { "a@c.test", 8 }, { "a\0b", 3 }, IMPORT_BAD_ENCODING },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct slice cells[] = { rows[i].email, rows[i].name, { "", 0 } };
		struct buf out;

		buf_init(&out, 0);
		assert_int_equal(put(cells, &out), rows[i].problem);
		assert_int_equal(buf_len(&out), 0);
		buf_free(&out);
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
		cmocka_unit_test(what_is_wrong_appends_nothing),
		cmocka_unit_test(a_column_is_an_array_whatever_it_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
