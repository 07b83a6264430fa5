/* Unit test of mta/smtpd/sasl.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/encode.h"
#include "mta/smtpd/sasl.h"

static int plain(struct slice message, struct sasl_answer *ret)
{
	struct buf out = { 0 };
	int r;

	assert_int_equal(base64_encode(&out, message), 0);
	r = sasl_plain(buf_data(&out), ret);
	buf_free(&out);
	return r;
}

static void plain_gives_name_and_password(void **state)
{
	struct sasl_answer a;

	(void)state;
	assert_int_equal(plain(SLICE("\0tim\0tanstaaftanstaaf"), &a), 0); /* RFC 4616 section 4 */
	assert_true(slice_eq(a.name, SLICE("tim")));
	assert_true(slice_eq(a.password, SLICE("tanstaaftanstaaf")));
	assert_int_equal(plain(SLICE("tim\0tim\0x"), &a), 0);
	sasl_forget(&a);
	for (size_t i = 0; i < sizeof(a.text); i++)
		assert_int_equal(a.text[i], 0);
}

static void what_plain_must_not_hold_is_refused(void **state)
{
	static const struct {
		struct slice text;
		int err;
	} rows[] = {
		{ SLICE(""), E_SYNTAX },
		{ SLICE("tim\0pass"), E_SYNTAX },
		{ SLICE("\0tim\0"), E_SYNTAX },
		{ SLICE("\0\0pass"), E_SYNTAX },
		{ SLICE("\0tim\0pa\0ss"), E_SYNTAX },
		{ SLICE("\0ti\nm\0pass"), E_SYNTAX },
		{ SLICE("admin\0tim\0pass"), E_DENIED },
	};
	char large[SASL_TEXT_MAX + 10] = "";
	struct sasl_answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (plain(rows[i].text, &a) != rows[i].err)
			fail_msg("row %zu", i);
	memset(large, 'x', sizeof(large));
	assert_int_equal(plain(slice_of(large, sizeof(large)), &a), E_LIMIT);
	large[0] = large[4] = '\0';
	assert_int_equal(plain(slice_of(large, 5 + SASL_PASSWORD_MAX), &a), 0);
	assert_int_equal(plain(slice_of(large, 6 + SASL_PASSWORD_MAX), &a), E_LIMIT);
	assert_int_equal(sasl_plain(SLICE("AHRpbQB0YW5z dGFhZg=="), &a), E_SYNTAX);
	assert_int_equal(sasl_plain(SLICE("="), &a), E_SYNTAX);
	assert_int_equal(sasl_plain(SLICE("AHRpbQBwYXNz="), &a), E_SYNTAX);
}

static void login_gives_one_after_the_other(void **state)
{
	struct sasl_answer a;

	(void)state;
	assert_int_equal(sasl_login_name(SLICE("dGlt"), &a), 0);
	assert_true(slice_eq(a.name, SLICE("tim")));
	assert_int_equal(sasl_login_password(SLICE("cGFzcw=="), &a), 0);
	assert_true(slice_eq(a.password, SLICE("pass")));
	assert_int_equal(sasl_login_password(SLICE("cGEAc3M="), &a), E_SYNTAX);
	assert_int_equal(sasl_login_name(SLICE(""), &a), E_SYNTAX);
	assert_int_equal(sasl_login_name(SLICE("dGkAbQ=="), &a), E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_gives_name_and_password),
		cmocka_unit_test(what_plain_must_not_hold_is_refused),
		cmocka_unit_test(login_gives_one_after_the_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
