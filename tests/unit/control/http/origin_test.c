/* control/http/origin: which origins are taken, and in which form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/http/origin.h"

static const char *fault(const char *text)
{
	struct origin parts;

	return origin_parse(slice_str(text), &parts);
}

static void what_browsers_send_is_taken(void **state UNUSED)
{
	static const char *const fine[] = {
		"https://example.com",
		"https://a.b-c.example",
		"https://example.com:8443",
		"https://xn--bcher-kva.example",
		"https://intranet",
		"https://192.0.2.7",
		"https://192.0.2.7:1",
		"https://[2001:db8::1]",
		"https://[2001:db8::1]:65535",
		"http://localhost",
		"http://localhost:3000",
		"http://127.0.0.1:8080",
		"http://127.9.9.9",
		"http://[::1]:3000",
		"https://localhost",
		"https://example.com:80",
		"https://1.example",
	};

	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		assert_null(fault(fine[i]));
}

static void everything_else_is_refused(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		"*",
		"null",
		"example.com",
		"//example.com",
		"https:/example.com",
		"https://",
		/* other schemes, and http elsewhere */
		"ftp://example.com",
		"file://",
		"HTTPS://example.com",
		"http://example.com",
		"http://192.0.2.7",
		"http://localhost.example.com",
		"http://[2001:db8::1]",
		"http://127.0.0.1.example.com",
		"moz-extension://1234",
		/* more than an origin */
		"https://example.com/",
		"https://example.com/a",
		"https://example.com?a",
		"https://example.com#a",
		"https://me@example.com",
		"https://me:pw@example.com",
		"https://example.com ",
		" https://example.com",
		"https://example.com\r\nX: y",
		"https://a.example https://b.example",
		"https://a.example,https://b.example",
		/* hosts */
		"https://*",
		"https://*.example.com",
		"https://Example.com",
		"https://example.com.",
		"https://.example.com",
		"https://a..b",
		"https://-a.example",
		"https://a-.example",
		"https://a_b.example",
		"https://b\303\274cher.example",
		"https://a%2eb",
		/* addresses that browsers write in another way */
		"https://1",
		"https://127.1",
		"https://0x7f.1",
		"https://1.2.3.0x4",
		"https://192.0.2.07",
		"https://256.1.1.1",
		"https://[2001:DB8::1]",
		"https://[2001:db8:0::1]",
		"https://[::1",
		"https://::1",
		"https://[::1]a",
		"https://[1.2.3.4]",
		"https://[fe80::1%eth0]",
		"https://[]",
		/* ports */
		"https://example.com:",
		"https://example.com:443",
		"http://localhost:80",
		"https://example.com:0",
		"https://example.com:0443",
		"https://example.com:65536",
		"https://example.com:+1",
		"https://example.com:1:2",
		"https://example.com:a",
		"https://[::1]:443",
		"https://example.com:*",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!fault(bad[i]))
			fail_msg("%s was taken", bad[i]);
}

static void a_host_has_bounds(void **state UNUSED)
{
	char text[8 + ORIGIN_HOST_MAX + 2] = "https://";

	for (size_t i = 8; i < 8 + ORIGIN_HOST_MAX; i++)
		text[i] = (i - 8) % 50 == 49 ? '.' : 'a';
	assert_null(fault(text));
	text[8 + ORIGIN_HOST_MAX] = 'a';
	assert_non_null(fault(text));
	memset(text, 0, sizeof(text));
	memcpy(text, "https://", 8);
	memset(text + 8, 'a', 63);
	assert_null(fault(text));
	text[8 + 63] = 'a';
	assert_non_null(fault(text));
}

static void its_parts_are_told(void **state UNUSED)
{
	struct origin o;

	assert_null(origin_parse(SLICE("https://[2001:db8::1]:8443"), &o));
	assert_true(slice_eq(o.scheme, SLICE("https")));
	assert_true(slice_eq(o.host, SLICE("[2001:db8::1]")));
	assert_int_equal(o.port, 8443);
	assert_null(origin_parse(SLICE("http://localhost"), &o));
	assert_true(slice_eq(o.host, SLICE("localhost")));
	assert_int_equal(o.port, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_browsers_send_is_taken),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(a_host_has_bounds),
		cmocka_unit_test(its_parts_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
