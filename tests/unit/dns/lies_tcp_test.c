/* The resolver against servers whose answers come over TCP: in pieces, broken off,
 * too large, lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/dns/lied.h"

static void truncated(const struct liar_question *q)
{
	struct lie lie;

	evil(&lie, q);
	lie_truncated(&lie);
	lie_send(&lie, q);
}

/* UDP always truncated; what comes over TCP decides. */
static int over_tcp(liar_fn on_tcp, uint32_t timeout_ms, enum dns_type type)
{
	struct liar l;

	liar_start(&l, truncated, on_tcp);
	resolve_with(&l, 1, timeout_ms, 2);
	(void)ask_liars("a.example", type);
	assert_true(resolved().tcp >= 1);
	liar_stop(&l);
	return reply.status;
}

static void byte_by_byte(const struct liar_question *q)
{
	struct lie lie;
	uint8_t length[2];

	lie_start(&lie, q);
	lie_record(&lie, NULL, 1, 300, "\xc0\x00\x02\x50", 4);
	length[0] = 0;
	length[1] = (uint8_t)lie.n;
	for (size_t i = 0; i < lie.n + 2; i++) {
		(void)send(q->tcp, i < 2 ? length + i : lie.bytes + i - 2, 1, MSG_NOSIGNAL);
		usleep(500);
	}
}

static void an_answer_in_pieces_over_tcp_is_one_answer(void **state UNUSED)
{
	assert_int_equal(over_tcp(byte_by_byte, LONG_MS, DNS_A), 0);
	assert_int_equal(reply.n, 1);
}

static void as_large_as_can_be(const struct liar_question *q)
{
	char text[256];
	struct lie lie;

	memset(text, 'x', sizeof(text));
	text[0] = (char)255;
	lie_start(&lie, q);
	while (lie.n + 268 <= 65535)
		lie_record(&lie, NULL, 16, 300, text, 256);
	lie_send(&lie, q);
}

static void sixty_four_kilobytes_are_taken_up_to_the_limit_of_records(void **state UNUSED)
{
	assert_int_equal(over_tcp(as_large_as_can_be, LONG_MS, DNS_TXT), 0);
	assert_int_equal(reply.n, DNS_RECORDS_MAX);
	assert_int_equal(reply.records[63].data_n, 255);
}

/* 200 hosts, the best of them last; hN has preference 1000 - N. */
static void two_hundred_hosts(const struct liar_question *q)
{
	struct lie lie;

	lie_start(&lie, q);
	for (unsigned i = 0; i < 200; i++) {
		char rdata[] = "ppNhNNN";

		rdata[0] = (char)((1000 - i) >> 8);
		rdata[1] = (char)(1000 - i);
		rdata[2] = 4;
		for (unsigned k = 6, n = i; k > 3; n /= 10)
			rdata[k--] = (char)('0' + n % 10);
		rdata[3] = 'h';
		lie_record(&lie, NULL, 15, 300, rdata, 8);
	}
	lie_send(&lie, q);
}

static void of_more_hosts_than_are_kept_the_best_are(void **state UNUSED)
{
	assert_int_equal(over_tcp(two_hundred_hosts, LONG_MS, DNS_MX), 0);
	assert_int_equal(reply.n, DNS_RECORDS_MAX);
	for (unsigned i = 0; i < reply.n; i++)
		assert_in_range(reply.records[i].preference, 801, 864);
}

static void tcp_wrong_id(const struct liar_question *q)
{
	struct lie lie;

	evil(&lie, q);
	lie.bytes[0] ^= 1;
	lie_send(&lie, q);
}

static void tcp_hang_up(const struct liar_question *q UNUSED)
{
}

static void tcp_half(const struct liar_question *q)
{
	(void)send(q->tcp, "\x00\x40half", 6, MSG_NOSIGNAL);
}

static void tcp_nothing(const struct liar_question *q)
{
	(void)send(q->tcp, "\x00\x00", 2, MSG_NOSIGNAL);
}

static void tcp_garbage(const struct liar_question *q)
{
	struct lie lie;

	lie_start(&lie, q);
	lie.bytes[7] = 9;
	lie_send(&lie, q);
}

static void lies_and_broken_connections_over_tcp_are_temporary(void **state UNUSED)
{
	assert_int_equal(over_tcp(tcp_wrong_id, LONG_MS, DNS_A), E_DNS_TEMP);
	assert_int_equal(over_tcp(tcp_hang_up, LONG_MS, DNS_A), E_DNS_TEMP);
	assert_int_equal(over_tcp(tcp_half, LONG_MS, DNS_A), E_DNS_TEMP);
	assert_int_equal(over_tcp(tcp_nothing, LONG_MS, DNS_A), E_DNS_TEMP);
	assert_int_equal(over_tcp(tcp_garbage, LONG_MS, DNS_A), E_DNS_TEMP);
	assert_int_equal(over_tcp(NULL, SHORT_MS, DNS_A), E_DNS_TEMP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_pieces_over_tcp_is_one_answer),
		cmocka_unit_test(sixty_four_kilobytes_are_taken_up_to_the_limit_of_records),
		cmocka_unit_test(of_more_hosts_than_are_kept_the_best_are),
		cmocka_unit_test(lies_and_broken_connections_over_tcp_are_temporary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
