/* What a check of a source finds: names in DNS, block lists, the machine, port 25. */
#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/site/check.h"
#include "tests/replay/engine_world.h"

#define A "127.0.0.2"
#define LISTS                                                                                      \
	CONFIG "egress.sources = default " A " a.test\nsource.check_zones = bl.test, wl.test\n"    \
	       "source.check_host = 127.0.1.1:25\n"

struct run {
	struct check_user user;
	struct source_check *check;
	bool done;
};

static void done(struct check_user *u)
{
	container_of(u, struct run, user)->done = true;
}

static void start(struct world *w, struct run *r, const char *ip, const char *ehlo)
{
	struct ip at = { 0 };

	if (*ip)
		assert_int_equal(ip_parse(slice_str(ip), &at), 0);
	*r = (struct run){ .user = { done } };
	r->check = check_new(&at, ehlo, false);
	check_start(r->check, sites_of(engine_lane(w->engine, 0)), &r->user);
	assert_false(r->done);
}

/* The finding of this kind whose text has these words. */
static void found(const struct run *r, const char *what, enum check_result result,
		  const char *words)
{
	const struct check_finding *f;
	unsigned i = 0;

	while ((f = check_finding(r->check, i++)) != NULL)
		if (strcmp(f->what, what) == 0 && strstr(f->text, words)) {
			assert_int_equal(f->result, result);
			assert_true(result != CHECK_BAD || *f->advice);
			return;
		}
	for (i = 0; (f = check_finding(r->check, i)) != NULL; i++)
		print_message("%s %d %s\n", f->what, f->result, f->text);
	fail_msg("no finding %s: %s", what, words);
}

static void look(struct world *w, struct run *r)
{
	start(w, r, A, "a.test");
	world_run(w, MINUTE);
	assert_true(r->done);
}

static void names_of(const char *ptr, const char *address)
{
	resolver_sim_set("2.0.0.127.in-addr.arpa", DNS_PTR, 5, ptr);
	resolver_sim_set("a.test", DNS_A, 5, address);
}

static void a_source_that_is_as_it_should_be_is_good(void **state)
{
	const struct check_finding *f;
	struct world w;
	struct run r;

	(void)state;
	world_open(&w, LISTS, decent);
	names_of("a.test", A);
	look(&w, &r);
	for (unsigned i = 0; (f = check_finding(r.check, i)) != NULL; i++)
		assert_int_equal(f->result, CHECK_GOOD);
	found(&r, "ehlo", CHECK_GOOD, "greets with the name");
	found(&r, "port 25", CHECK_GOOD, "opened");
	found(&r, "block list", CHECK_GOOD, "bl.test does not list");
	check_free(r.check);
	world_end(&w);
}

static void names_that_do_not_lead_back_are_found(void **state)
{
	struct world w;
	struct run r;

	(void)state;
	world_open(&w, LISTS, decent);
	names_of("NXDOMAIN", A);
	look(&w, &r);
	found(&r, "ptr", CHECK_BAD, "no name");
	found(&r, "ehlo", CHECK_BAD, "another name");
	check_free(r.check);
	names_of("other.test", "127.9.9.9");
	look(&w, &r);
	found(&r, "ptr", CHECK_GOOD, "other.test");
	found(&r, "fcrdns", CHECK_BAD, "other.test does not lead");
	found(&r, "ehlo", CHECK_BAD, "a.test does not lead");
	check_free(r.check);
	names_of("TEMP", "TEMP");
	look(&w, &r);
	found(&r, "ptr", CHECK_UNKNOWN, "did not say");
	found(&r, "ehlo", CHECK_UNKNOWN, "did not say");
	check_free(r.check);
	world_end(&w);
}

static void only_answers_of_a_list_that_works_are_listings(void **state)
{
	struct world w;
	struct run r;

	(void)state;
	world_open(&w, LISTS, decent);
	names_of("a.test", A);
	resolver_sim_set("2.0.0.127.bl.test", DNS_A, 5, "127.0.0.4");
	resolver_sim_set("2.0.0.127.wl.test", DNS_A, 5, "127.255.255.254");
	look(&w, &r);
	found(&r, "block list", CHECK_BAD, "bl.test lists");
	found(&r, "block list", CHECK_UNKNOWN, "refuses to answer");
	check_free(r.check);
	resolver_sim_set("2.0.0.127.bl.test", DNS_A, 5, "192.0.2.80");
	resolver_sim_set("2.0.0.127.wl.test", DNS_A, 5, "TEMP");
	look(&w, &r);
	found(&r, "block list", CHECK_UNKNOWN, "bl.test answers 192.0.2.80");
	found(&r, "block list", CHECK_UNKNOWN, "wl.test gave no usable");
	check_free(r.check);
	world_end(&w);
}

static void a_check_ends_in_time_whatever_does_not_answer(void **state)
{
	struct world w;
	struct run r;

	(void)state;
	world_open(&w, LISTS, "hang\n");
	names_of("a.test", A);
	resolver_sim_set("2.0.0.127.bl.test", DNS_A, 600000, "127.0.0.4");
	start(&w, &r, A, "a.test");
	world_run(&w, CHECK_MS + 1000);
	assert_true(r.done);
	found(&r, "block list", CHECK_UNKNOWN, "bl.test did not answer");
	check_free(r.check);
	start(&w, &r, A, "a.test");
	world_run(&w, 100);
	assert_false(r.done);
	check_free(r.check); /* in the middle */
	world_host("127.0.1.1", refuses);
	look(&w, &r);
	found(&r, "port 25", CHECK_BAD, "");
	check_free(r.check);
	world_end(&w);
}

static void the_names_of_addresses_are_written_backwards(void **state)
{
	struct buf name;
	struct ip ip;

	(void)state;
	buf_init(&name, 0);
	assert_int_equal(ip_parse(SLICE("2001:db8::1"), &ip), 0);
	check_reverse_name(&ip, SLICE("ip6.arpa"), &name);
	assert_string_equal(
	    buf_cstr(&name),
	    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
	buf_free(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_that_is_as_it_should_be_is_good),
		cmocka_unit_test(names_that_do_not_lead_back_are_found),
		cmocka_unit_test(only_answers_of_a_list_that_works_are_listings),
		cmocka_unit_test(a_check_ends_in_time_whatever_does_not_answer),
		cmocka_unit_test(the_names_of_addresses_are_written_backwards),
	};
	return cmocka_run_group_tests_name("engine_source_check", tests, NULL, NULL);
}
