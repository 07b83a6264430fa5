/* control/http/guests: places and deadlines of connections, with sockets and without a clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/http/guests.h"

static const struct http_guest_rules rules = { .most = 6,
					       .most_per_address = 3,
					       .head_ms = 10000,
					       .kept_ms = 30000,
					       .body_ms = 20000,
					       .rate = 4096 };

struct pair {
	int ours, theirs;
	struct http_guest *guest;
};

static struct ip address(const char *text)
{
	struct ip ip = { 0 };

	assert_int_equal(text[0] ? ip_parse(slice_str(text), &ip) : 0, 0);
	return ip;
}

static struct pair come_as(struct http_guests *g, const char *from, bool shared, int64_t now)
{
	struct ip ip = address(from);
	struct pair p;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p = (struct pair){ .ours = fds[0], .theirs = fds[1] };
	p.guest = http_guests_enter(g, p.ours, &ip, shared, now);
	return p;
}

static struct pair come(struct http_guests *g, const char *from, int64_t now)
{
	return come_as(g, from, false, now);
}

/* "": still open; otherwise what was said before the end, or "closed". */
static const char *heard(const struct pair *p)
{
	static char text[64];
	ssize_t n = recv(p->theirs, text, 12, MSG_DONTWAIT);

	if (n < 0)
		return "";
	text[n] = '\0';
	return n ? text : "closed";
}

static void leave(struct pair *p)
{
	http_guest_leave(p->guest);
	(void)close(p->ours);
	(void)close(p->theirs);
}

static void the_longest_waiting_goes_when_all_places_are_taken(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair p[8];
	char from[32];

	(void)state;
	for (int i = 0; i < 6; i++) {
		(void)snprintf(from, sizeof(from), "192.0.2.%d", i);
		p[i] = come(g, from, 1000 + i);
	}
	http_guest_stage(p[0].guest, GUEST_BUSY, 0, 1010);
	http_guest_stage(p[1].guest, GUEST_BODY, 0, 1011);
	p[6] = come(g, "192.0.2.6", 1012);
	assert_string_equal(heard(&p[2]), "HTTP/1.1 503");
	p[7] = come(g, "192.0.2.7", 1013);
	assert_string_equal(heard(&p[3]), "HTTP/1.1 503");
	for (int i = 0; i < 8; i++)
		if (i != 2 && i != 3)
			assert_string_equal(heard(&p[i]), "");
	assert_int_equal(http_guests_counts(g).here, 6);
	assert_int_equal(http_guests_counts(g).crowded, 2);
	for (int i = 0; i < 8; i++)
		leave(&p[i]);
	assert_int_equal(http_guests_counts(g).here, 0);
	(void)http_guests_free(g);
}

static void an_address_that_is_full_loses_its_own(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair other = come(g, "192.0.2.1", 1), p[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		p[i] = come(g, "192.0.2.2", 10 + i);
	assert_string_equal(heard(&p[0]), "HTTP/1.1 503");
	assert_string_equal(heard(&other), "");
	assert_string_equal(heard(&p[1]), "");
	assert_string_equal(heard(&p[3]), "");
	for (int i = 0; i < 4; i++)
		leave(&p[i]);
	leave(&other);
	(void)http_guests_free(g);
}

static void addresses_of_one_64_are_one(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair p[5];

	(void)state;
	p[0] = come(g, "2001:db8::1", 1);
	p[1] = come(g, "2001:db8::ffff:0:1", 2);
	p[2] = come(g, "2001:db8:0:0:1::", 3);
	p[3] = come(g, "2001:db8:0:1::1", 4); /* another */
	assert_string_equal(heard(&p[0]), "");
	p[4] = come(g, "2001:db8::4", 5);
	assert_string_equal(heard(&p[0]), "HTTP/1.1 503");
	assert_string_equal(heard(&p[3]), "");
	for (int i = 0; i < 5; i++)
		leave(&p[i]);
	(void)http_guests_free(g);
}

static void proxies_and_unix_sockets_are_not_counted_by_address(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair p[6];

	(void)state;
	for (int i = 0; i < 6; i++)
		p[i] = come_as(g, i < 3 ? "192.0.2.1" : "", i < 3, i + 1);
	for (int i = 0; i < 6; i++)
		assert_string_equal(heard(&p[i]), "");
	for (int i = 0; i < 6; i++)
		leave(&p[i]);
	(void)http_guests_free(g);
}

static void who_comes_while_all_others_are_busy_goes(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair p[4];

	(void)state;
	for (int i = 0; i < 3; i++) {
		p[i] = come(g, "192.0.2.1", 1 + i);
		http_guest_stage(p[i].guest, GUEST_BUSY, 0, 5);
	}
	p[3] = come(g, "192.0.2.1", 6);
	assert_string_equal(heard(&p[3]), "HTTP/1.1 503");
	http_guest_stage(p[3].guest, GUEST_BODY, 0, 7); /* what comes too late is harmless */
	for (int i = 0; i < 4; i++)
		leave(&p[i]);
	(void)http_guests_free(g);
}

static void a_head_has_its_time_and_no_more(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair p = come(g, "192.0.2.1", 1000);

	(void)state;
	assert_int_equal(http_guests_sweep(g, 10999), 0);
	assert_int_equal(http_guests_sweep(g, 11000), 1);
	assert_string_equal(heard(&p), "HTTP/1.1 408");
	assert_int_equal(http_guests_sweep(g, 99999), 0);
	leave(&p);
	(void)http_guests_free(g);
}

static void a_body_has_its_time_and_a_second_for_what_flows(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair slow = come(g, "192.0.2.1", 1), fast = come(g, "192.0.2.2", 1);

	(void)state;
	http_guest_stage(slow.guest, GUEST_BODY, 0, 1000);
	http_guest_stage(fast.guest, GUEST_BODY, 0, 1000);
	for (int i = 1; i < 40; i++) /* a byte every second, and 8 KiB */
		if (i < 20) {
			http_guest_stage(slow.guest, GUEST_BODY, (uint64_t)i, 1000 + i * 1000);
			http_guest_stage(fast.guest, GUEST_BODY, (uint64_t)i * 8192,
					 1000 + i * 1000);
		}
	assert_int_equal(http_guests_sweep(g, 20999), 0);
	assert_int_equal(http_guests_sweep(g, 21004), 1);
	assert_string_equal(heard(&slow), "HTTP/1.1 408");
	assert_string_equal(heard(&fast), "");
	assert_int_equal(http_guests_sweep(g, 1000 + 20000 + 38000 - 1), 0);
	assert_int_equal(http_guests_sweep(g, 1000 + 20000 + 38000), 1);
	leave(&slow);
	leave(&fast);
	(void)http_guests_free(g);
}

static void a_reply_that_is_not_taken_ends_and_nothing_is_said_into_it(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair p = come(g, "192.0.2.1", 1), kept = come(g, "192.0.2.2", 1);

	(void)state;
	http_guest_stage(p.guest, GUEST_BUSY, 0, 1000);
	assert_int_equal(http_guests_sweep(g, 900000), 1); /* the other: its head */
	assert_string_equal(heard(&kept), "HTTP/1.1 408");
	http_guest_stage(p.guest, GUEST_REPLY, 8192, 1000000);
	assert_int_equal(http_guests_sweep(g, 1021999), 0);
	assert_int_equal(http_guests_sweep(g, 1022000), 1);
	assert_string_equal(heard(&p), "closed");
	leave(&p);
	leave(&kept);
	(void)http_guests_free(g);
}

static void a_kept_connection_waits_for_its_next_request_in_silence(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair p = come(g, "192.0.2.1", 1);

	(void)state;
	http_guest_stage(p.guest, GUEST_BODY, 0, 2);
	http_guest_stage(p.guest, GUEST_REPLY, 10, 3);
	http_guest_stage(p.guest, GUEST_KEPT, 0, 1000);
	assert_int_equal(http_guests_sweep(g, 30999), 0);
	assert_int_equal(http_guests_sweep(g, 31000), 1);
	assert_string_equal(heard(&p), "closed");
	leave(&p);
	(void)http_guests_free(g);
}

static void a_body_that_flows_is_not_the_longest_waiting(void **state)
{
	struct http_guests *g = http_guests_new(&rules);
	struct pair p[4];

	(void)state;
	p[0] = come(g, "192.0.2.1", 1);
	http_guest_stage(p[0].guest, GUEST_BODY, 0, 2);
	p[1] = come(g, "192.0.2.1", 3);
	http_guest_stage(p[1].guest, GUEST_BODY, 0, 3);
	p[2] = come(g, "192.0.2.1", 4);
	http_guest_stage(p[0].guest, GUEST_BODY, 100000, 5); /* flows */
	http_guest_stage(p[1].guest, GUEST_BODY, 10, 6);     /* trickles */
	p[3] = come(g, "192.0.2.1", 7);
	assert_string_equal(heard(&p[0]), "");
	assert_string_equal(heard(&p[1]), "HTTP/1.1 503");
	for (int i = 0; i < 4; i++)
		leave(&p[i]);
	(void)http_guests_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_waiting_goes_when_all_places_are_taken),
		cmocka_unit_test(an_address_that_is_full_loses_its_own),
		cmocka_unit_test(addresses_of_one_64_are_one),
		cmocka_unit_test(proxies_and_unix_sockets_are_not_counted_by_address),
		cmocka_unit_test(who_comes_while_all_others_are_busy_goes),
		cmocka_unit_test(a_head_has_its_time_and_no_more),
		cmocka_unit_test(a_body_has_its_time_and_a_second_for_what_flows),
		cmocka_unit_test(a_reply_that_is_not_taken_ends_and_nothing_is_said_into_it),
		cmocka_unit_test(a_kept_connection_waits_for_its_next_request_in_silence),
		cmocka_unit_test(a_body_that_flows_is_not_the_longest_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
