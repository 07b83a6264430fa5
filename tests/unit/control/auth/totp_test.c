/* control/auth/totp, control/auth/qr: RFC 6238's own vectors, what counts and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/members/qr.h"
#include "control/auth/totp.h"

static const uint8_t secret[] = "12345678901234567890";

/* Appendix B, SHA-1; the last six of its eight digits. */
static const struct {
	int64_t time_s;
	const char *code;
} vectors[] = {
	{ 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
	{ 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" },
};

static void the_codes_of_the_rfc_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		int64_t step = vectors[i].time_s / 30;

		assert_int_equal(
		    totp_step(secret, vectors[i].time_s * 1000, 0, slice_str(vectors[i].code)),
		    step);
	}
}

static void a_clock_may_be_a_step_wrong_and_no_more(void **state)
{
	const struct slice code = SLICE("005924");
	const int64_t at = 1234567890 / 30;

	(void)state;
	for (int off = -3; off <= 3; off++) {
		int64_t step = totp_step(secret, (at + off) * 30 * 1000, 0, code);

		assert_int_equal(step, off >= -1 && off <= 1 ? at : 0);
	}
}

static void a_code_counts_once(void **state)
{
	const int64_t at = 1234567890 / 30;

	(void)state;
	assert_int_equal(totp_step(secret, at * 30 * 1000, at - 1, SLICE("005924")), at);
	assert_int_equal(totp_step(secret, at * 30 * 1000, at, SLICE("005924")), 0);
	assert_int_equal(totp_step(secret, at * 30 * 1000, at + 1, SLICE("005924")), 0);
}

static void what_is_no_code_does_not_count(void **state)
{
	static const char *const bad[] = {
		"", "0", "00592", "0059240", "5924", "005 924", "005925"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(totp_step(secret, 1234567890000, 0, slice_str(bad[i])), 0);
}

static void an_uri_is_what_apps_read(void **state)
{
	struct buf uri = { 0 };

	(void)state;
	assert_int_equal(totp_uri(secret, SLICE("Käse & Co:1"), SLICE("a+b@x.test"), &uri), 0);
	assert_string_equal(buf_cstr(&uri),
			    "otpauth://totp/K%C3%A4se%20%26%20Co%3A1:a%2Bb%40x.test"
			    "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
			    "&issuer=K%C3%A4se%20%26%20Co%3A1&algorithm=SHA1&digits=6&period=30");
	buf_free(&uri);
}

static void what_is_too_long_for_a_qr_code_is_refused(void **state)
{
	char text[QR_TEXT_MAX + 1];
	struct buf svg = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(qr_svg(slice_of(text, QR_TEXT_MAX + 1), &svg), E_LIMIT);
	assert_int_equal(qr_svg(slice_of(text, QR_TEXT_MAX), &svg), 0);
	assert_true(slice_starts_nocase(buf_data(&svg), SLICE("<svg ")));
	buf_free(&svg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_codes_of_the_rfc_count),
		cmocka_unit_test(a_clock_may_be_a_step_wrong_and_no_more),
		cmocka_unit_test(a_code_counts_once),
		cmocka_unit_test(what_is_no_code_does_not_count),
		cmocka_unit_test(an_uri_is_what_apps_read),
		cmocka_unit_test(what_is_too_long_for_a_qr_code_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
