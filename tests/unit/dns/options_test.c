/* tests/unit/dns/options_test.c - the resolver's options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "dns/resolver.h"

static int read_text(const char *text, struct resolver_options *o)
{
	char path[] = "/tmp/resolv-test-XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	resolver_options_default(o);
	r = resolver_options_system(o, path);
	unlink(path);
	return r;
}

static void only_nameserver_lines_count_and_in_their_order(void **state UNUSED)
{
	struct resolver_options o;
	char text[IP_TEXT_MAX];

	assert_int_equal(
	    read_text("# nameserver 192.0.2.9\nsearch example.org\n"
		      "nameserver 192.0.2.1\n  nameserver\t2001:db8::1 # second\r\n"
		      "nameserver not-an-address\nnameservers 192.0.2.8\noptions ndots:5\n"
		      "nameserver 192.0.2.3",
		      &o),
	    0);
	assert_int_equal(o.n_servers, 3);
	assert_string_equal(ip_format(&o.servers[0].ip, text), "192.0.2.1");
	assert_string_equal(ip_format(&o.servers[1].ip, text), "2001:db8::1");
	assert_string_equal(ip_format(&o.servers[2].ip, text), "192.0.2.3");
	assert_int_equal(o.servers[2].port, 53);
}

static void without_a_server_it_is_the_one_on_this_host(void **state UNUSED)
{
	struct resolver_options o;

	assert_int_equal(read_text("", &o), 0);
	assert_int_equal(o.n_servers, 1);
	assert_true(ip_is_loopback(&o.servers[0].ip));
	assert_int_equal(resolver_options_system(&o, "/nonexistent/resolv.conf"), 0);
	assert_int_equal(o.n_servers, 1);
}

static void more_servers_than_there_is_room_for_are_left_out(void **state UNUSED)
{
	struct resolver_options o;
	char text[1024] = "";

	for (int i = 0; i < 20; i++)
		strcat(text, "nameserver 192.0.2.1\n");
	assert_int_equal(read_text(text, &o), 0);
	assert_int_equal(o.n_servers, DNS_SERVERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_nameserver_lines_count_and_in_their_order),
		cmocka_unit_test(without_a_server_it_is_the_one_on_this_host),
		cmocka_unit_test(more_servers_than_there_is_room_for_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
