/* Whatever recipients' fields hold, a message stays whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/message/composed.h"

static const struct slice hostile[] = {
	SLICE(""),
	SLICE("\r\nBcc: victim@b.example\r\n"),
	SLICE("\nBcc: victim@b.example\n\n<script>"),
	SLICE("\rBcc: x"),
	SLICE("a\0b\0"),
	SLICE("\r\n--=_postern_part--\r\n"),
	SLICE("\r\n--=_postern_part\r\nContent-Type: text/html\r\n\r\n"),
	SLICE("\r\n.\r\nMAIL FROM:<>\r\n"),
	SLICE("=?UTF-8?q?=0D=0ABcc:_x?="),
	SLICE("\">'><img src=x onerror=alert(1)>"),
	SLICE("javascript:alert(1)"),
	SLICE("https://x.example/>\r\nBcc: x"),
	SLICE("https://x.example/\"onclick=\"alert(1)"),
	SLICE(" \t \r\n \t"),
	SLICE("\xff\xfe\x80"),
	SLICE("\xe2\x80\xa8\xc2\x85"),
	SLICE("\x1b[31m\x7f"),
	SLICE("{{email}}{{{raw}}}"),
	SLICE("=3D=0D=0A=\r\n"),
	SLICE("-->]]><!--"),
	SLICE("r\xc3\xa9sum\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x98\x80"),
};

static void check_hostile(const struct program *p, const struct value *fields, unsigned n)
{
	struct buf out, names;

	composed_expand(p, fields, n, &out);
	composed_check_lines(buf_data(&out));
	composed_header_names(buf_data(&out), &names);
	if (strcmp(buf_cstr(&names), " Date From Reply-To To Subject Message-ID MIME-Version "
				     "List-Unsubscribe List-Unsubscribe-Post Content-Type") != 0 &&
	    strcmp(buf_cstr(&names), " Date From Reply-To To Subject Message-ID MIME-Version "
				     "Content-Type") != 0)
		fail_msg("header: %s", buf_cstr(&names));
	buf_consume(&out, composed_header_end(buf_data(&out)));
	assert_int_equal(composed_count(buf_data(&out), "--=_postern_part"), 3);
	buf_free(&names);
	buf_free(&out);
}

static void no_value_adds_a_header_or_ends_a_part(void **state)
{
	struct compose_in in = composed_campaign();
	struct value fields[16];
	struct program *p;
	struct buf bytes;
	char *big = malloc(60000);
	unsigned n;
	(void)state;

	p = composed_compose(&in, &bytes);
	n = program_field_count(p);
	assert_int_equal(n, 7);
	for (unsigned at = 0; at <= n; at++)
		for (size_t h = 0; h <= ARRAY_LEN(hostile); h++) {
			for (unsigned i = 0; i < n; i++)
				fields[i] = composed_string(SLICE("https://x.example/"));
			for (unsigned i = 0; i < n; i++)
				if (i == at || at == n) {
					memset(big, 'a', 60000);
					fields[i] = composed_string(h < ARRAY_LEN(hostile)
									? hostile[h]
									: slice_of(big, 60000));
				}
			check_hostile(p, fields, n);
		}
	free(big);
	buf_free(&bytes);
	p = program_free(p);
}

/* "Message-ID: <" and then no angle bracket but the one that ends it. */
static void id_is_whole(struct slice m)
{
	const char *at = memmem(m.p, m.n, "\r\nMessage-ID: <", 15), *end;

	assert_non_null(at);
	end = strpbrk(at + 15, "<>\r ");
	assert_true(end && memcmp(end, ">\r\n", 3) == 0);
}

static void engine_values_cannot_leave_their_headers(void **state)
{
	struct compose_in in = composed_campaign();
	struct value fields[16] = { 0 };
	struct program *p;
	struct buf bytes, out, names;
	(void)state;

	p = composed_compose(&in, &bytes);
	for (size_t h = 0; h < ARRAY_LEN(hostile); h++) {
		const struct expand_input x = { fields, 3, hostile[h], hostile[h], INT64_C(-1) };
		buf_init(&out, 0);
		assert_int_equal(program_expand(p, &x, &out), 0);
		composed_check_lines(buf_data(&out));
		composed_header_names(buf_data(&out), &names);
		assert_string_equal(buf_cstr(&names), " Date From Reply-To To Subject Message-ID "
						      "MIME-Version Content-Type");
		id_is_whole(buf_data(&out));
		buf_free(&names);
		buf_free(&out);
	}
	buf_free(&bytes);
	p = program_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_value_adds_a_header_or_ends_a_part),
		cmocka_unit_test(engine_values_cannot_leave_their_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
