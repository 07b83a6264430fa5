/* control/http/gunzip and multipart: the wrappings of an upload, however their bytes arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/buf.h"
#include "control/http/gunzip.h"
#include "control/http/multipart.h"

/* ---- gzip -------------------------------------------------------------------------------- */

static void add_member(struct buf *out, struct slice plain)
{
	unsigned char packed[4096];
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
	z.next_in = (const unsigned char *)plain.p;
	z.avail_in = (unsigned)plain.n;
	z.next_out = packed;
	z.avail_out = sizeof(packed);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_put(out, slice_of(packed, sizeof(packed) - z.avail_out));
	(void)deflateEnd(&z);
}

static int collect(void *arg, struct slice plain)
{
	buf_put(arg, plain);
	return 0;
}

static int unpack(struct slice in, size_t piece, struct buf *out)
{
	OWNED(gunzip) z = NULL;

	assert_int_equal(gunzip_open(&z, collect, out), 0);
	for (size_t at = 0; at < in.n; at += piece)
		if (gunzip_feed(z, slice_of(in.p + at, MIN_OF(piece, in.n - at))) < 0)
			break;
	return gunzip_end(z);
}

static void expect_plain(struct slice in, int result, const char *want)
{
	for (size_t piece = 1; piece <= in.n; piece += 3) {
		struct buf out;

		buf_init(&out, 0);
		assert_int_equal(unpack(in, piece, &out), result);
		if (want)
			assert_string_equal(buf_cstr(&out), want);
		buf_free(&out);
	}
}

static void members_follow_one_another_and_zeros_may_end_them(void **state UNUSED)
{
	struct buf in;

	buf_init(&in, 0);
	add_member(&in, SLICE("email\n"));
	expect_plain(buf_data(&in), 0, "email\n");
	add_member(&in, SLICE("a@ok.test\n"));
	expect_plain(buf_data(&in), 0, "email\na@ok.test\n");
	buf_put(&in, slice_of("\0\0\0", 3));
	expect_plain(buf_data(&in), 0, "email\na@ok.test\n");
	buf_put(&in, SLICE("x"));
	expect_plain(buf_data(&in), E_SYNTAX, NULL);
	buf_free(&in);
}

static void a_stream_that_is_cut_or_damaged_is_refused(void **state UNUSED)
{
	struct buf in;

	buf_init(&in, 0);
	add_member(&in, SLICE("email\na@ok.test\nb@ok.test\n"));
	for (size_t n = 1; n < buf_len(&in); n++)
		expect_plain(slice_of(in.p, n), E_SYNTAX, NULL);
	in.p[in.end - 6] ^= 1; /* its checksum */
	expect_plain(buf_data(&in), E_SYNTAX, NULL);
	expect_plain(SLICE("email\n"), E_SYNTAX, NULL);
	buf_free(&in);
}

static int stop_after_a_mebibyte(void *arg, struct slice plain)
{
	*(size_t *)arg += plain.n;
	return *(size_t *)arg > 1 << 20 ? E_LIMIT : 0;
}

static void the_receiver_bounds_what_a_small_stream_becomes(void **state UNUSED)
{
	OWNED(gunzip) z = NULL;
	OWNED_MEM char *zeros = must_alloc(1 << 21);
	struct buf in;
	size_t n = 0;

	buf_init(&in, 0);
	add_member(&in, slice_of(zeros, 1 << 21));
	assert_int_equal(gunzip_open(&z, stop_after_a_mebibyte, &n), 0);
	assert_int_equal(gunzip_feed(z, buf_data(&in)), E_LIMIT);
	assert_in_range(n, 1 << 20, (1 << 20) + 65536);
	buf_free(&in);
}

/* ---- forms ------------------------------------------------------------------------------- */

static int on_part(void *arg, struct slice name, bool file)
{
	buf_putf(arg, "[%.*s%s]", (int)name.n, name.p, file ? " file" : "");
	return 0;
}

static int on_content(void *arg, struct slice bytes)
{
	buf_put(arg, bytes);
	return 0;
}

static const struct multipart_events events = { on_part, on_content };

static void expect_form(struct slice in, int result, const char *want)
{
	for (size_t piece = 1; piece <= in.n; piece++) {
		OWNED(multipart) m = NULL;
		struct buf out;

		buf_init(&out, 0);
		assert_int_equal(multipart_open(&m, SLICE("XyZ"), &events, &out), 0);
		for (size_t at = 0; at < in.n; at += piece)
			if (multipart_feed(m, slice_of(in.p + at, MIN_OF(piece, in.n - at))) < 0)
				break;
		assert_int_equal(multipart_end(m), result);
		if (want)
			assert_string_equal(buf_cstr(&out), want);
		buf_free(&out);
	}
}

#define FILE_PART                                                                                  \
	"--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b.csv\"\r\n"         \
	"Content-Type: text/csv\r\n\r\n"

static void a_form_is_its_parts(void **state UNUSED)
{
	expect_form(SLICE(FILE_PART "email\r\n--Xy\r\n\r\n--XyZ--\r\n"), 0,
		    "[file file]email\r\n--Xy\r\n");
	expect_form(
	    SLICE("some preamble\r\n" FILE_PART "a\r\n--XyZ \t\r\n"
		  "content-disposition:form-data;name=list\r\n\r\nlst_1\r\n--XyZ--epilogue"),
	    0, "[file file]a[list]lst_1");
	expect_form(SLICE(FILE_PART "\r\n--XyZ--"), 0, "[file file]");
}

static void a_form_that_breaks_off_or_is_none_is_refused(void **state UNUSED)
{
	expect_form(SLICE(FILE_PART "email\r\n--XyZ"), E_SYNTAX, NULL);
	expect_form(SLICE(FILE_PART "email\r\n"), E_SYNTAX, NULL);
	expect_form(SLICE("email\r\na@ok.test\r\n"), E_SYNTAX, NULL);
	expect_form(SLICE("--XyZ\r\nContent-Type: text/csv\r\n\r\nemail\r\n--XyZ--"), E_SYNTAX,
		    NULL);
	expect_form(SLICE("--XyZ\r\nContent-Disposition: form-data; name=file\r\n"
			  "Content-Transfer-Encoding: base64\r\n\r\nZW1haWw=\r\n--XyZ--"),
		    E_SYNTAX, NULL);
}

static void a_boundary_is_a_parameter_of_a_form(void **state UNUSED)
{
	assert_true(
	    slice_eq(multipart_boundary(SLICE("multipart/form-data; boundary=XyZ")), SLICE("XyZ")));
	assert_true(slice_eq(
	    multipart_boundary(SLICE("Multipart/Form-Data;charset=utf-8; Boundary=\"X;yZ\"")),
	    SLICE("X;yZ")));
	assert_int_equal(multipart_boundary(SLICE("multipart/mixed; boundary=XyZ")).n, 0);
	assert_int_equal(multipart_boundary(SLICE("text/csv")).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_follow_one_another_and_zeros_may_end_them),
		cmocka_unit_test(a_stream_that_is_cut_or_damaged_is_refused),
		cmocka_unit_test(the_receiver_bounds_what_a_small_stream_becomes),
		cmocka_unit_test(a_form_is_its_parts),
		cmocka_unit_test(a_form_that_breaks_off_or_is_none_is_refused),
		cmocka_unit_test(a_boundary_is_a_parameter_of_a_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
