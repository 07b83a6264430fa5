/* encode, hash, address, clock, log: what is written as text and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"

static void base64_agrees_with_rfc_4648_section_10(void **state)
{
	static const char *const pairs[][2] = { { "", "" },
						{ "f", "Zg==" },
						{ "fo", "Zm8=" },
						{ "foo", "Zm9v" },
						{ "foob", "Zm9vYg==" },
						{ "fooba", "Zm9vYmE=" },
						{ "foobar", "Zm9vYmFy" } };
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
		buf_clear(&b);
		assert_int_equal(base64_encode(&b, slice_str(pairs[i][0])), 0);
		assert_true(slice_eq(buf_data(&b), slice_str(pairs[i][1])));
		buf_clear(&b);
		assert_int_equal(base64_decode(&b, slice_str(pairs[i][1])), 0);
		assert_true(slice_eq(buf_data(&b), slice_str(pairs[i][0])));
	}
	buf_free(&b);
}

static void base64_refuses_what_no_encoder_writes(void **state)
{
	static const char *const bad[] = { "Zg=",   "Zg",    "Zh==",  "Z===",
					   "Zm9v=", "Zm 9v", "Zm9\n", "=" };
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(base64_decode(&b, slice_str(bad[i])), E_SYNTAX);
	assert_int_equal(base64url_decode(&b, SLICE("Zg==")), E_SYNTAX);
	assert_int_equal(hex_decode(&b, SLICE("0g")), E_SYNTAX);
	assert_int_equal(hex_decode(&b, SLICE("012")), E_SYNTAX);
	buf_free(&b);
}

static void any_bytes_survive_each_encoding(void **state)
{
	char raw[200];
	struct buf text, back;

	(void)state;
	buf_init(&text, 0);
	buf_init(&back, 0);
	for (size_t n = 0; n < sizeof(raw); n++) {
		random_bytes(raw, n);
		buf_clear(&text);
		buf_clear(&back);
		assert_int_equal(base64url_encode(&text, slice_of(raw, n)), 0);
		assert_int_equal(base64url_decode(&back, buf_data(&text)), 0);
		assert_true(slice_eq(buf_data(&back), slice_of(raw, n)));
		buf_clear(&text);
		buf_clear(&back);
		assert_int_equal(hex_encode(&text, slice_of(raw, n)), 0);
		assert_int_equal(hex_decode(&back, buf_data(&text)), 0);
		assert_true(slice_eq(buf_data(&back), slice_of(raw, n)));
	}
	buf_free(&text);
	buf_free(&back);
}

static void overlong_surrogate_and_cut_utf8_is_not_valid(void **state)
{
	(void)state;
	assert_true(utf8_valid(SLICE("Gr\xc3\xbc\xc3\x9f Gott \xf0\x9f\x93\xac")));
	assert_false(utf8_valid(SLICE("\xc0\x80")));
	assert_false(utf8_valid(SLICE("\xe0\x80\x80")));
	assert_false(utf8_valid(SLICE("\xed\xa0\x80")));
	assert_false(utf8_valid(SLICE("\xf4\x90\x80\x80")));
	assert_false(utf8_valid(SLICE("\xc3")));
	assert_false(utf8_valid(SLICE("\xff")));
	assert_false(utf8_valid(SLICE("\xc3x")));
	assert_false(utf8_valid(SLICE("\xe2\x82x")));
	assert_false(utf8_valid(SLICE("\xf0\x8f\xbf\xbf")));
	assert_true(utf8_valid(SLICE("\xee\x80\x80\xf4\x8f\xbf\xbf")));
}

static void crc32c_gives_the_published_check_value(void **state)
{
	uint32_t parts;

	(void)state;
	assert_int_equal(hash_crc32c(0, "123456789", 9), 0xe3069283);
	parts = hash_crc32c(0, "1234", 4);
	assert_int_equal(hash_crc32c(parts, "56789", 5), 0xe3069283);
}

static void keyed_hash_folds_case_only_when_asked(void **state)
{
	(void)state;
	assert_true(hash_keyed_nocase(SLICE("Example.ORG")) ==
		    hash_keyed_nocase(SLICE("example.org")));
	assert_true(hash_keyed(SLICE("Example.ORG")) != hash_keyed(SLICE("example.org")));
	assert_true(hash_keyed_nocase(SLICE("a-name-longer-than-8")) ==
		    hash_keyed(SLICE("a-name-longer-than-8")));
}

static void special_addresses_are_recognised_in_every_disguise(void **state)
{
	static const char *const special[] = { "0.0.0.0",
					       "127.0.0.1",
					       "10.1.2.3",
					       "172.31.0.1",
					       "192.168.0.1",
					       "169.254.1.1",
					       "100.64.0.1",
					       "224.0.0.1",
					       "255.255.255.255",
					       "::",
					       "::1",
					       "fe80::1",
					       "fc00::1",
					       "ff02::1",
					       "::ffff:127.0.0.1",
					       "64:ff9b::a00:1",
					       "192.0.0.8",
					       "198.18.0.1",
					       "198.19.255.1",
					       "fd00::1",
					       "febf::1" };
	static const char *const plain[] = { "8.8.8.8",     "172.32.0.1",     "100.128.0.1",
					     "2001:db8::1", "::ffff:8.8.8.8", "169.253.1.1",
					     "192.0.1.1",   "192.1.0.1",      "192.169.0.1",
					     "198.17.0.1",  "fec0::1",        "::2",
					     "fb00::1" };
	struct ip ip;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(special); i++) {
		assert_int_equal(ip_parse(slice_str(special[i]), &ip), 0);
		assert_true(ip_is_special(&ip));
	}
	for (unsigned i = 0; i < ARRAY_LEN(plain); i++) {
		assert_int_equal(ip_parse(slice_str(plain[i]), &ip), 0);
		assert_false(ip_is_special(&ip));
	}
}

static void a_network_holds_its_addresses_and_no_others(void **state)
{
	struct ip_net net;
	struct ip in, out;

	(void)state;
	assert_int_equal(ip_net_parse(SLICE("10.32.0.0/11"), &net), 0);
	assert_int_equal(ip_parse(SLICE("10.63.255.255"), &in), 0);
	assert_int_equal(ip_parse(SLICE("10.64.0.0"), &out), 0);
	assert_true(ip_net_has(&net, &in));
	assert_false(ip_net_has(&net, &out));
	assert_int_equal(ip_net_parse(SLICE("10.0.0.0/33"), &net), E_SYNTAX);
	assert_int_equal(ip_net_parse(SLICE("10.0.0/8"), &net), E_SYNTAX);
	assert_int_equal(ip_net_parse(SLICE("::1"), &net), 0);
	assert_int_equal(net.bits, 128);
}

static void address_and_port_need_both_and_brackets_for_ipv6(void **state)
{
	struct ip ip;
	uint16_t port;

	(void)state;
	assert_int_equal(ip_port_parse(SLICE("127.0.0.1:25"), &ip, &port), 0);
	assert_int_equal(port, 25);
	assert_int_equal(ip_port_parse(SLICE("[::1]:587"), &ip, &port), 0);
	assert_int_equal(ip.family, AF_INET6);
	assert_int_equal(ip_port_parse(SLICE("127.0.0.1"), &ip, &port), E_SYNTAX);
	assert_int_equal(ip_port_parse(SLICE("127.0.0.1:"), &ip, &port), E_SYNTAX);
	assert_int_equal(ip_port_parse(SLICE("127.0.0.1:65536"), &ip, &port), E_SYNTAX);
	assert_int_equal(ip_port_parse(SLICE("::1:25"), &ip, &port), E_SYNTAX);
}

static void an_address_comes_back_from_a_socket_as_it_went(void **state)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1" };
	struct sockaddr_storage sa;
	char text[IP_TEXT_MAX];
	struct ip ip, back, other;
	uint16_t port;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(ip_parse(slice_str(texts[i]), &ip), 0);
		assert_true(ip_sockaddr(&ip, 25, &sa) <= sizeof(sa));
		ip_from_sockaddr((struct sockaddr *)&sa, &back, &port);
		assert_true(ip_eq(&ip, &back) && port == 25);
		assert_string_equal(ip_format(&back, text), texts[i]);
	}
	assert_int_equal(ip_parse(slice_str(texts[0]), &other), 0);
	assert_false(ip_eq(&ip, &other));
	sa.ss_family = AF_UNIX; /* has no address of this kind */
	ip_from_sockaddr((struct sockaddr *)&sa, &back, &port);
	assert_true(back.family == 0 && port == 0);
	assert_string_equal(ip_format(&back, text), "none");
	back.family = AF_UNIX;
	assert_string_equal(ip_format(&back, text), "none");
}

static void text_that_is_no_address_is_refused(void **state)
{
	static const char long_one[] = "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000";
	struct ip ip;
	struct ip_net net;
	uint16_t port;

	(void)state;
	assert_int_equal(ip_parse(SLICE(""), &ip), E_SYNTAX);
	assert_int_equal(ip_parse(SLICE("10.0.0.1\0"), &ip), E_SYNTAX);
	assert_int_equal(ip_parse(SLICE(long_one), &ip), E_SYNTAX);
	assert_int_equal(ip_net_parse(SLICE(""), &net), E_SYNTAX);
	assert_int_equal(ip_net_parse(SLICE("10.0.0.0/"), &net), E_SYNTAX);
	assert_int_equal(ip_port_parse(SLICE(""), &ip, &port), E_SYNTAX);
	assert_int_equal(ip_port_parse(SLICE("[::1"), &ip, &port), E_SYNTAX);
	assert_int_equal(ip_port_parse(SLICE("[::1]25"), &ip, &port), E_SYNTAX);
	assert_int_equal(ip_port_parse(SLICE("[x]:25"), &ip, &port), E_SYNTAX);
}

static void a_loopback_is_one_of_either_family(void **state)
{
	struct ip ip = { 0 };

	(void)state;
	assert_false(ip_is_loopback(&ip));
	assert_int_equal(ip_parse(SLICE("127.9.9.9"), &ip), 0);
	assert_true(ip_is_loopback(&ip));
	assert_int_equal(ip_parse(SLICE("128.0.0.1"), &ip), 0);
	assert_false(ip_is_loopback(&ip));
	assert_int_equal(ip_parse(SLICE("::1"), &ip), 0);
	assert_true(ip_is_loopback(&ip));
	assert_int_equal(ip_parse(SLICE("::2"), &ip), 0);
	assert_false(ip_is_loopback(&ip));
}

static void an_encoding_without_room_is_refused_and_leaves_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 3);
	assert_int_equal(base64_encode(&b, SLICE("a")), E_LIMIT);
	assert_int_equal(base64_decode(&b, SLICE("Zm9vYmFy")), E_LIMIT);
	assert_int_equal(hex_encode(&b, SLICE("ab")), E_LIMIT);
	assert_int_equal(hex_decode(&b, SLICE("0011223344")), E_LIMIT);
	assert_int_equal(buf_len(&b), 0);
	buf_free(&b);
	buf_init(&b, 0);
	assert_int_equal(base64_decode(&b, SLICE("Zg\0=")), E_SYNTAX);
	assert_int_equal(hex_decode(&b, SLICE("/0")), E_SYNTAX);
	assert_int_equal(hex_decode(&b, SLICE("0G")), E_SYNTAX);
	assert_int_equal(hex_decode(&b, SLICE("aF")), 0);
	assert_true(slice_eq(buf_data(&b), SLICE("\xaf")));
	buf_free(&b);
}

static void dates_are_written_as_the_rfcs_say(void **state)
{
	char text[RFC5322_DATE_MAX];

	(void)state;
	assert_string_equal(clock_rfc3339(1700000000123, text), "2023-11-14T22:13:20.123Z");
	assert_string_equal(clock_rfc5322(1700000000123, text), "Tue, 14 Nov 2023 22:13:20 +0000");
	assert_string_equal(clock_rfc3339(-1, text), "1969-12-31T23:59:59.999Z");
}

static void a_log_line_stays_one_line_whatever_a_peer_wrote(void **state)
{
	int fds[2];
	char line[8192];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	log_open(fds[1], LOG_INFO);
	log_info("test.event", kv_slice("text", SLICE("a\r\nb\"c\\d\x1b[0m\xff\0e\xc2\x85")),
		 kv_int("n", -5), kv_err("why", E_EOF));
	log_debug("test.hidden", kv_int("n", 1));
	n = read(fds[0], line, sizeof(line) - 1);
	assert_true(n > 0);
	line[n] = '\0';
	assert_int_equal(strlen(line), n);
	assert_ptr_equal(strchr(line, '\n'), line + n - 1);
	assert_non_null(
	    strstr(line, "event=test.event text=\"a\\u000d\\u000ab\\\"c\\\\d\\u001b[0m\xef\xbf\xbd"
			 "\\u0000e\\u0085\" n=-5 why=\"peer closed the connection\"\n"));
	char *big = must_alloc(100000);
	memset(big, 'x', 100000);
	log_info("test.long", kv_slice("text", slice_of(big, 100000)));
	n = read(fds[0], line, sizeof(line));
	assert_in_range(n, 1000, 4096);
	assert_memory_equal(line + n - 17, "\" truncated=true\n", 17);
	/* What follows a text that filled the line has no room, whatever it is. */
	log_info("test.long", kv_slice("text", slice_of(big, 100000)), kv_int("n", 12345),
		 kv_slice("more", slice_of(big, 5000)), kv_str("last", "\"x\""));
	n = read(fds[0], line, sizeof(line));
	assert_in_range(n, 1000, 4096);
	assert_memory_equal(line + n - 28, "last=\"\\\"x\\\"\" truncated=true\n", 28);
	log_set_format(LOG_JSON);
	log_info("test.long", kv_slice("text", slice_of(big, 5000)), kv_bool("b", true),
		 kv_int("n", INT64_MIN));
	n = read(fds[0], line, sizeof(line));
	assert_memory_equal(line, "{\"ts\":\"", 7);
	assert_memory_equal(line + n - 55,
			    "x\",\"b\":true,\"n\":-9223372036854775808,\"truncated\":true}\n", 55);
	log_set_format(LOG_LOGFMT);
	free(big);
	log_open(STDERR_FILENO, LOG_INFO);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_agrees_with_rfc_4648_section_10),
		cmocka_unit_test(base64_refuses_what_no_encoder_writes),
		cmocka_unit_test(any_bytes_survive_each_encoding),
		cmocka_unit_test(overlong_surrogate_and_cut_utf8_is_not_valid),
		cmocka_unit_test(crc32c_gives_the_published_check_value),
		cmocka_unit_test(keyed_hash_folds_case_only_when_asked),
		cmocka_unit_test(special_addresses_are_recognised_in_every_disguise),
		cmocka_unit_test(a_network_holds_its_addresses_and_no_others),
		cmocka_unit_test(address_and_port_need_both_and_brackets_for_ipv6),
		cmocka_unit_test(an_address_comes_back_from_a_socket_as_it_went),
		cmocka_unit_test(text_that_is_no_address_is_refused),
		cmocka_unit_test(a_loopback_is_one_of_either_family),
		cmocka_unit_test(an_encoding_without_room_is_refused_and_leaves_nothing),
		cmocka_unit_test(dates_are_written_as_the_rfcs_say),
		cmocka_unit_test(a_log_line_stays_one_line_whatever_a_peer_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
