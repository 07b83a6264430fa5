/* Unit test of mta/credentials: lines of the file, guessing, and what was sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/crypted.h"
#include "mta/credentials/counted.h"
#include "mta/credentials/inside.h"
#include "mta/credentials/slow.h"

#define HASH                                                                                       \
	"$y$j9T$PAiU12Kz/"                                                                         \
	"42MGRRPIBLUqtRHzd9Q7wB2xLl.IbFEGJC$.ogcamAuJOfcHQ1UYUuvdS2wWTZ5IH.H9dY9WL/SBa."

static void a_hash_is_of_one_password(void **state)
{
	char one[CRYPTED_HASH_MAX + 1], two[CRYPTED_HASH_MAX + 1];

	(void)state;
	assert_int_equal(crypted_make(SLICE("secret"), one), 0);
	assert_int_equal(crypted_make(SLICE("secret"), two), 0);
	assert_string_not_equal(one, two);
	assert_true(crypted_is_good(slice_str(one)));
	assert_true(crypted_matches(SLICE("secret"), one));
	assert_true(crypted_matches(SLICE("secret"), HASH));
	assert_false(crypted_matches(SLICE("Secret"), one));
	assert_false(crypted_matches(SLICE("secret\0"), one));
	assert_false(crypted_matches(SLICE(""), one));
	assert_int_equal(crypted_make(SLICE(""), one), E_SYNTAX);
}

static void what_is_no_hash_is_not_taken_for_one(void **state)
{
	static const char *const bad[] = {
		"", "secret", "*", "!", "$9$x$y", "ab01FAX.bQRSU", "$1"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (crypted_is_good(slice_str(bad[i])))
			fail_msg("%s", bad[i]);
	assert_true(crypted_is_good(SLICE("$6$saltsalt$x")));
}

static void a_line_says_who_and_what_for(void **state)
{
	struct credential *c;
	const char *why;

	(void)state;
	assert_int_equal(
	    credential_line(SLICE("  shop\t" HASH " tenant=7 domains=shop.example,x.example "
				  "pools=fast,slow stream=news hour=10 day=100 # the shop\r"),
			    &c, &why),
	    1);
	assert_true(slice_eq(c->name, SLICE("shop")));
	assert_int_equal(c->tenant, 7);
	assert_int_equal(c->limits.hour, 10);
	assert_int_equal(c->limits.day, 100);
	assert_true(slice_eq(c->stream, SLICE("news")));
	assert_true(credential_names_domain(c, SLICE("Shop.Example")));
	assert_true(credential_names_domain(c, SLICE("a.b.x.example")));
	assert_false(credential_names_domain(c, SLICE("example")));
	assert_false(credential_names_domain(c, SLICE("ashop.example")));
	assert_true(credential_names_pool(c, SLICE("slow")));
	assert_false(credential_names_pool(c, SLICE("fast,slow")));
	credential_unref(c);
	assert_int_equal(credential_line(SLICE(" # a comment"), &c, &why), 0);
	assert_int_equal(credential_line(SLICE(""), &c, &why), 0);
}

static void a_line_with_a_fault_is_refused(void **state)
{
	static const char *const bad[] = {
		"shop",
		"shop secret",
		"shop " HASH " tenant=x",
		"shop " HASH " tenant",
		"shop " HASH " tenant=-1",
		"shop " HASH " domains=",
		"shop " HASH " domains=a.example,",
		"shop " HASH " domains=a.example,,b.example",
		"shop " HASH " domains=a_b..example",
		"shop " HASH " pools=a/b",
		"shop " HASH " stream=",
		"shop " HASH " expires=0",
		"shop " HASH " expires=soon",
		"shop " HASH " networks=",
		"shop " HASH " networks=10.0.0.0/8,",
		"shop " HASH " networks=10.0.0.0/8 networks=::1",
		"shop " HASH " networks=10.0.0.0/33",
		"shop " HASH " networks=1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
		"1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
		"1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
		"1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
		"shop " HASH " colour=red",
		"sh\x01op " HASH,
	};
	struct credential *c;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (credential_line(slice_str(bad[i]), &c, &why) != E_SYNTAX)
			fail_msg("%s", bad[i]);
}

static bool from(const struct credential *c, const char *text)
{
	struct ip ip;

	assert_int_equal(ip_parse(slice_str(text), &ip), 0);
	return credential_may_from(c, &ip);
}

static void a_name_may_be_bound_to_networks_and_a_time(void **state)
{
	struct credential *c;
	const char *why;

	(void)state;
	assert_int_equal(credential_line(SLICE("shop " HASH " networks=192.0.2.0/24,2001:db8::1 "
					       "expires=1893456000"),
					 &c, &why),
			 1);
	assert_true(from(c, "192.0.2.77") && from(c, "2001:db8::1"));
	assert_false(from(c, "192.0.3.1") || from(c, "2001:db8::2"));
	assert_int_equal(c->expires_ms, 1893456000000);
	credential_unref(c);
	assert_int_equal(credential_line(SLICE("shop " HASH), &c, &why), 1);
	assert_true(from(c, "203.0.113.9"));
	assert_int_equal(c->expires_ms, 0);
	credential_unref(c);
}

static void a_fact_says_whose_a_credential_is_and_its_text_cannot(void **state)
{
	static const char *const bad[] = { "",
					   "# nothing",
					   "shop",
					   "shop " HASH " tenant=8",
					   "shop " HASH " tenant=0",
					   "shop " HASH " pools=fast" };
	struct wire_fact f = { .kind = WIRE_FACT_CREDENTIAL, .tenant = 7, .id = 3 };
	struct credential *c;
	const char *why = NULL;

	(void)state;
	f.text = SLICE("shop " HASH " domains=shop.example");
	c = credential_of_fact(&f, &why);
	assert_non_null(c);
	assert_true(c->fed && c->tenant == 7 && c->id == 3);
	credential_unref(c);
	f.tenant = 0;
	assert_null(credential_of_fact(&f, &why));
	f.tenant = 7;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		f.text = slice_str(bad[i]);
		if (credential_of_fact(&f, &why))
			fail_msg("%s", bad[i]);
	}
}

static void what_was_sent_is_read_as_it_was_written(void **state)
{
	static const char *const bad[] = { "",
					   "= 1 2 3 4 5 6",
					   "0/1 1 2 3 4 5 6",
					   "7/3 1 2 3 4 5",
					   "7/3 1 2 3 4 5 6 7",
					   "7/3 1 2 3 4 5 x",
					   "7 1 2 3 4 5 6",
					   "7/3 1 2 3 4 5 -6" };
	const struct counted_line a = { .name = SLICE(""),
					.tenant = 7,
					.id = 3,
					.hour = { 1000, 2, 3 },
					.day = { 4000, 5, 6 } };
	const struct quota_limits five = { .day = 5 };
	struct quota *q = quota_new();
	struct counted_line b;
	struct buf text = { 0 };
	struct slice rest;

	(void)state;
	counted_line_put(&text, &a);
	rest = buf_data(&text);
	assert_true(counted_line_take(slice_take(&rest, '\n'), &b));
	assert_true(b.tenant == 7 && b.id == 3 && !b.name.n);
	assert_memory_equal(&a.day, &b.day, sizeof(a.day));
	assert_memory_equal(&a.hour, &b.hour, sizeof(a.hour));
	assert_true(counted_line_take(SLICE("=shop 1 2 3 4 5 6"), &b));
	assert_true(slice_eq(b.name, SLICE("shop")));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (counted_line_take(slice_str(bad[i]), &b))
			fail_msg("%s", bad[i]);
	quota_restore(q, &a.hour, &a.day, 5000);
	assert_true(quota_ask(q, &five, 5000, false) > 0);
	quota_restore(q, &a.hour, &a.day, 3000); /* of a day that has yet to begin */
	assert_int_equal(quota_ask(q, &five, 3000, false), 0);
	(void)quota_unref(q);
	buf_free(&text);
}

static void who_is_wrong_again_and_again_waits_longer(void **state)
{
	struct slow *s = must_alloc(sizeof(*s));
	int64_t now = 1000000;

	(void)state;
	slow_init(s);
	for (unsigned i = 0; i < SLOW_FREE; i++)
		slow_wrong(s, 7, now);
	assert_int_equal(slow_wait(s, 7, now), 0);
	slow_wrong(s, 7, now);
	assert_int_equal(slow_wait(s, 7, now), 1000);
	slow_wrong(s, 7, now += 1000);
	assert_int_equal(slow_wait(s, 7, now), 2000);
	for (unsigned i = 0; i < 100; i++)
		slow_wrong(s, 7, now);
	assert_int_equal(slow_wait(s, 7, now), SLOW_WAIT_MAX_MS);
	assert_int_equal(slow_wait(s, 8, now), 0);
	assert_int_equal(slow_wait(s, 7, now + SLOW_WAIT_MAX_MS), 0);
	slow_wrong(s, 7, now += SLOW_FORGET_MS);
	assert_int_equal(slow_wait(s, 7, now), 0);
	for (unsigned i = 0; i < 10; i++)
		slow_wrong(s, 7, now);
	slow_right(s, 7);
	assert_int_equal(slow_wait(s, 7, now), 0);
	slow_end(s);
	free(s);
}

/* As many others as the table holds, and more: the one that is wrong most often stays slow. */
static void a_flood_of_others_does_not_make_a_guesser_fast_again(void **state)
{
	struct slow *s = must_alloc(sizeof(*s));

	(void)state;
	slow_init(s);
	for (unsigned i = 0; i < 20; i++)
		slow_wrong(s, 7, 1000);
	for (uint64_t other = 8; other < 10ULL * SLOW_SETS * SLOW_WAYS; other++)
		slow_wrong(s, other, 1000);
	assert_true(slow_wait(s, 7, 1000) > 0);
	slow_end(s);
	free(s);
}

static void so_many_an_hour_and_so_many_a_day(void **state)
{
	const struct quota_limits hourly = { .hour = 3 }, daily = { .day = 5 }, none = { 0 };
	const int64_t hour = 3600 * 1000, start = 1699920000000;
	struct quota *q = quota_new();

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(quota_ask(q, &hourly, start, true), 0);
	assert_int_equal(quota_ask(q, &hourly, start + 1000, true), hour - 1000);
	assert_int_equal(quota_ask(q, &none, start + 1000, false), 0);
	/* Half an hour into the next window half of them still count. */
	assert_int_equal(quota_ask(q, &hourly, start + hour + hour / 2, true), 0);
	assert_int_equal(quota_ask(q, &hourly, start + hour + hour / 2, true), 0);
	assert_true(quota_ask(q, &hourly, start + hour + hour / 2, true) > 0);
	assert_true(quota_ask(q, &daily, start + hour + hour / 2, false) > 0);
	assert_int_equal(quota_ask(q, &daily, start + 72 * hour, false), 0);
	assert_int_equal(quota_ask(q, &hourly, start - 10 * hour, true), 0); /* the clock was set */
	quota_unref(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_is_of_one_password),
		cmocka_unit_test(what_is_no_hash_is_not_taken_for_one),
		cmocka_unit_test(a_line_says_who_and_what_for),
		cmocka_unit_test(a_line_with_a_fault_is_refused),
		cmocka_unit_test(a_name_may_be_bound_to_networks_and_a_time),
		cmocka_unit_test(a_fact_says_whose_a_credential_is_and_its_text_cannot),
		cmocka_unit_test(what_was_sent_is_read_as_it_was_written),
		cmocka_unit_test(who_is_wrong_again_and_again_waits_longer),
		cmocka_unit_test(a_flood_of_others_does_not_make_a_guesser_fast_again),
		cmocka_unit_test(so_many_an_hour_and_so_many_a_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
