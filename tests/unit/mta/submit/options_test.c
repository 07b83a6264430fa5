/* Unit test of mta/submit/options.h: the set, read as the program reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mta/submit/options.h"

static const struct option_set *const sets[] = { &submit_option_set };

static const struct submit_options *read_text(struct settings **ret, const char *text)
{
	char error[OPTION_ERROR_MAX] = "";

	if (settings_parse(ret, sets, 1, slice_str(text), "test", error) < 0)
		fail_msg("%s", error);
	return settings_of(*ret, &submit_option_set);
}

static bool allows(const struct submit_options *o, const char *address)
{
	struct ip ip;

	assert_int_equal(ip_parse(slice_str(address), &ip), 0);
	return net_list_has(&o->nets, &ip);
}

static void by_default_the_host_itself_may_submit_and_nothing_listens(void **state)
{
	OWNED(settings) all = NULL;
	const struct submit_options *o = read_text(&all, "");

	(void)state;
	assert_int_equal(o->listeners.n, 0);
	assert_int_equal(o->nets.n, 2);
	assert_true(allows(o, "127.9.9.9") && allows(o, "::1"));
	assert_false(allows(o, "192.0.2.1") || allows(o, "::2"));
	assert_int_equal(o->max_size, 25 * 1024 * 1024);
	assert_int_equal(o->max_rcpts, 1000);
	assert_int_equal(o->timeout, 300 * 1000);
}

static void lists_become_networks_and_addresses(void **state)
{
	OWNED(settings) all = NULL;
	const struct submit_options *o =
	    read_text(&all, "listen.submission = 127.0.0.1:587, [::1]:2525\n"
			    "submission.networks = 10.0.0.0/8\nsubmission.networks = 192.0.2.7\n");

	(void)state;
	assert_int_equal(o->listeners.n, 2);
	assert_int_equal(o->listeners.at[0].port, 587);
	assert_int_equal(o->listeners.at[1].port, 2525);
	assert_true(allows(o, "10.255.0.1") && allows(o, "192.0.2.7"));
	assert_false(allows(o, "192.0.2.8") || allows(o, "127.0.0.1"));
}

static void what_is_wrong_is_said_with_its_option(void **state)
{
	static const struct {
		const char *text, *option;
	} bad[] = {
		{ "submission.networks = 10.0.0.0/99\n", "submission.networks" },
		{ "listen.submission = 127.0.0.1\n", "listen.submission" },
		{ "tls.cert = /c.pem\n", "tls.key" },
		{ "tls.key = /k.pem\n", "tls.key" },
		{ "submission.max_rcpts = 0\n", "submission.max_rcpts" },
		{ "submission.max_size = 65M\n", "submission.max_size" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char error[OPTION_ERROR_MAX] = "";
		struct settings *all = NULL;
		int r = settings_parse(&all, sets, 1, slice_str(bad[i].text), "test", error);
		if (r != E_SYNTAX || !strstr(error, bad[i].option))
			fail_msg("%s gave %d: %s", bad[i].text, r, error);
	}
}

static void a_list_too_long_is_refused(void **state)
{
	char error[OPTION_ERROR_MAX] = "";
	struct settings *all = NULL;
	struct buf text = { 0 };

	(void)state;
	for (int i = 0; i <= NETS_MAX; i++)
		buf_putf(&text, "submission.networks = 10.0.0.%d\n", i);
	assert_int_equal(settings_parse(&all, sets, 1, buf_data(&text), "test", error), E_SYNTAX);
	buf_clear(&text);
	for (int i = 0; i <= LISTENERS_MAX; i++)
		buf_putf(&text, "listen.submission = 127.0.0.1:%d\n", 1000 + i);
	assert_int_equal(settings_parse(&all, sets, 1, buf_data(&text), "test", error), E_SYNTAX);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_default_the_host_itself_may_submit_and_nothing_listens),
		cmocka_unit_test(lists_become_networks_and_addresses),
		cmocka_unit_test(what_is_wrong_is_said_with_its_option),
		cmocka_unit_test(a_list_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
