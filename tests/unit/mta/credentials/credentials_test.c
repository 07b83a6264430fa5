/* Unit test of mta/credentials: lines of the file, guessing, and what was sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/crypted.h"
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
		cmocka_unit_test(who_is_wrong_again_and_again_waits_longer),
		cmocka_unit_test(a_flood_of_others_does_not_make_a_guesser_fast_again),
		cmocka_unit_test(so_many_an_hour_and_so_many_a_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
