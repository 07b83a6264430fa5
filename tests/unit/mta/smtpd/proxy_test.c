/* Unit test of mta/smtpd/proxy.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mta/smtpd/proxy.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

static void is_client(struct slice header, const char *client)
{
	char text[1024], got[IP_TEXT_MAX] = "";
	size_t used = 0;
	struct ip ip;

	memcpy(text, header.p, header.n);
	memcpy(text + header.n, "EHLO", 4);
	for (size_t n = 0; n < header.n; n++)
		assert_int_equal(proxy_parse(slice_of(text, n), &ip, &used), 0);
	assert_int_equal(proxy_parse(slice_of(text, header.n + 4), &ip, &used), 1);
	assert_int_equal(used, header.n);
	assert_string_equal(ip.family ? ip_format(&ip, got) : got, client);
}

static void both_versions_name_the_client_and_end_where_the_client_begins(void **state)
{
	(void)state;
	is_client(SLICE("PROXY TCP4 192.0.2.7 192.0.2.1 40000 587\r\n"), "192.0.2.7");
	is_client(SLICE("PROXY TCP6 2001:db8::7 2001:db8::1 40000 587\r\n"), "2001:db8::7");
	is_client(SLICE("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "192.0.2.7");
	is_client(SLICE("PROXY UNKNOWN\r\n"), "");
	is_client(SLICE("PROXY UNKNOWN ffff:: what ever 1 2\r\n"), "");
	is_client(SLICE(V2 "\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x9c\x40\x02\x4b"),
		  "192.0.2.7");
	is_client(SLICE(V2 "\x21\x11\0\x10\xc0\0\x02\x07\xc0\0\x02\x01\x9c\x40\x02\x4b\x04\0\x01z"),
		  "192.0.2.7");
	is_client(SLICE(V2
			"\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8"
			"\0\0\0\0\0\0\0\0\0\0\0\x01\x9c\x40\x02\x4b"),
		  "2001:db8::7");
	is_client(SLICE(V2 "\x20\0\0\0"), "");
	is_client(SLICE(V2 "\x21\0\0\x02zz"), "");
}

static void what_is_no_header_is_refused(void **state)
{
	static const struct {
		struct slice text;
		int err;
	} rows[] = {
		{ SLICE("EHLO x\r\n"), E_SYNTAX },
		{ SLICE("PROXX"), E_SYNTAX },
		{ SLICE("proxy TCP4 192.0.2.7 192.0.2.1 1 2\r\n"), E_SYNTAX },
		{ SLICE("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\rx"), E_SYNTAX },
		{ SLICE("PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n"), E_SYNTAX },
		{ SLICE("PROXY TCP4 192.0.2.7 192.0.2.1 1 65536\r\n"), E_SYNTAX },
		{ SLICE("PROXY TCP4 192.0.2.7 192.0.2.1 1 2 3\r\n"), E_SYNTAX },
		{ SLICE("PROXY TCP4 2001:db8::7 192.0.2.1 1 2\r\n"), E_SYNTAX },
		{ SLICE("PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n"), E_SYNTAX },
		{ SLICE("PROXY UNKNOWN ...................................................."
			"...................................................................\r\n"),
		  E_LIMIT },
		{ SLICE(V2 "\x11\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x9c\x40\x02\x4b"),
		  E_SYNTAX },
		{ SLICE(V2 "\x22\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x9c\x40\x02\x4b"),
		  E_SYNTAX },
		{ SLICE(V2 "\x21\x11\0\x0b\xc0\0\x02\x07\xc0\0\x02\x01\x9c\x40\x02"), E_SYNTAX },
		{ SLICE(V2 "\x21\x12\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x9c\x40\x02\x4b"),
		  E_SYNTAX },
		{ SLICE(V2 "\x21\x31\0\0"), E_SYNTAX },
		{ SLICE(V2 "\x21\x11\xff\xff"), E_LIMIT },
	};
	struct ip ip;
	size_t used;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (proxy_parse(rows[i].text, &ip, &used) != rows[i].err)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_versions_name_the_client_and_end_where_the_client_begins),
		cmocka_unit_test(what_is_no_header_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
