/* What becomes of an 8-bit message, case by case; tests/fuzz/message/sevenbit_fuzz.c has the
 * laws. */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <cmocka.h>

#include "message/sevenbit.h"

#define MIME "MIME-Version: 1.0\r\n"
#define U "\xc3\xbc"

static void assert_becomes(const char *in, const char *want)
{
	struct buf out = { 0 };

	assert_int_equal(sevenbit_append(&out, slice_str(in)), 0);
	assert_string_equal(buf_cstr(&out), want);
	buf_free(&out);
}

static void assert_refused(const char *in, int err)
{
	struct buf out = { 0 };

	assert_int_equal(sevenbit_append(&out, slice_str(in)), err);
	buf_free(&out);
}

static void text_becomes_quoted_printable(void **state)
{
	(void)state;
	assert_becomes("Subject: x\r\n" MIME "Content-Type: text/plain; charset=utf-8\r\n"
		       "Content-Transfer-Encoding: 8bit\r\n\r\nGr" U
		       "n und 1=1\r\nend \r\n-- \r\nme\r\n",
		       "Subject: x\r\n" MIME "Content-Type: text/plain; charset=utf-8\r\n"
		       "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BCn und 1=3D1\r\n"
		       "end=20\r\n=2D-=20\r\nme\r\n");
}

static void much_that_is_odd_becomes_base64(void **state)
{
	(void)state;
	assert_becomes(MIME "Content-Type: image/png\r\n\r\n" U U U U,
		       MIME "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
			    "w7zDvMO8w7w=\r\n");
}

static void a_message_without_mime_says_what_its_bytes_may_be(void **state)
{
	(void)state;
	assert_becomes(
	    "Subject: x\r\n\r\nsome text with " U "\r\n",
	    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\nsome text with =C3=BC\r\n");
	assert_becomes(
	    "Subject: x\r\n\r\nsome text with \xfc\r\n",
	    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit"
	    "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nsome text with =FC\r\n");
}

static void parts_that_need_nothing_stay_as_they_are(void **state)
{
	(void)state;
	assert_becomes(
	    MIME "Content-Type: multipart/mixed;\r\n\tboundary=\"a b\" (the parts)\r\n"
		 "content-transfer-ENCODING: 8bit\r\n\r\nbefore " U "\r\n--a b\r\n\r\nplain\r\n"
		 "--a b  \r\nContent-Type: text/plain\r\n\r\nno boundary: --a bc, and " U
		 "\r\n--a b--\r\nbehind\r\n",
	    MIME "Content-Type: multipart/mixed;\r\n\tboundary=\"a b\" (the parts)\r\n"
		 "Content-Transfer-Encoding: 7bit\r\n\r\n--a b\r\n\r\nplain\r\n--a b  \r\n"
		 "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
		 "no boundary: --a bc, and =C3=BC\r\n--a b--\r\nbehind\r\n");
}

static void a_message_in_a_digest_is_entered(void **state)
{
	(void)state;
	assert_becomes(
	    MIME "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\n"
		 "Subject: in it\r\n\r\nsome words with " U "\r\n--d--\r\n",
	    MIME "Content-Type: multipart/digest; boundary=d\r\n"
		 "Content-Transfer-Encoding: 7bit\r\n\r\n--d\r\n"
		 "Content-Transfer-Encoding: 7bit\r\n\r\nSubject: in it\r\nMIME-Version: 1.0\r\n"
		 "Content-Type: text/plain; charset=utf-8\r\n"
		 "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		 "some words with =C3=BC\r\n--d--\r\n");
}

static void a_broken_line_never_begins_with_a_dash(void **state)
{
	char in[400] = "\r\n", *p = in + 2;
	struct buf out = { 0 };

	(void)state;
	memset(p, '-', 300);
	memcpy(p + 300, U "\r\n", 5);
	assert_int_equal(sevenbit_append_quoted(&out, slice_str(in)), 0);
	assert_null(strstr(buf_cstr(&out), "\n-"));
	buf_free(&out);
}

static void what_must_not_be_encoded_is_refused(void **state)
{
	(void)state;
	assert_refused("Subject: " U "\r\n\r\nx\r\n", E_DENIED);
	assert_refused(MIME "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n" U
			    "\r\n--b--\r\n",
		       E_DENIED);
	assert_refused(MIME "Content-Type: message/partial; id=1\r\n\r\n" U "\r\n", E_DENIED);
	assert_refused(MIME "Content-Transfer-Encoding: base64\r\n\r\n" U "\r\n", E_SYNTAX);
	assert_refused(MIME "Content-Transfer-Encoding: x-own\r\n\r\n" U "\r\n", E_SYNTAX);
	assert_refused(MIME "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\n" U "\r\n", E_SYNTAX);
	assert_refused(MIME "Content-Type: multipart/mixed; boundary=b\r\n\r\n" U "\r\n", E_SYNTAX);
}

static void parts_in_parts_without_end_are_refused(void **state)
{
	struct buf in = { 0 }, out = { 0 };

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		buf_putf(&in, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
	buf_put(&in, SLICE("\r\n" U "\r\n"));
	assert_int_equal(sevenbit_append(&out, buf_data(&in)), E_LIMIT);
	buf_free(&in);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_quoted_printable),
		cmocka_unit_test(much_that_is_odd_becomes_base64),
		cmocka_unit_test(a_message_without_mime_says_what_its_bytes_may_be),
		cmocka_unit_test(parts_that_need_nothing_stay_as_they_are),
		cmocka_unit_test(a_message_in_a_digest_is_entered),
		cmocka_unit_test(a_broken_line_never_begins_with_a_dash),
		cmocka_unit_test(what_must_not_be_encoded_is_refused),
		cmocka_unit_test(parts_in_parts_without_end_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
