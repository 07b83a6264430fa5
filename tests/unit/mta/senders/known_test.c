/* Unit test of mta/senders: what is known, without a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encode.h"
#include "mta/senders/address.h"
#include "mta/senders/known.h"
#include "mta/senders/options.h"

static void take(struct known *k, struct wire_fact f)
{
	struct buf b = { 0 };

	assert_int_equal(wire_fact_put(&b, &f), 0);
	assert_int_equal(known_prepare(k, buf_data(&b)), 0);
	known_take(k, buf_data(&b));
	buf_free(&b);
}

static void stop(struct known *k, enum wire_fact_kind kind, uint64_t tenant, const char *address)
{
	struct wire_fact f = { .kind = kind, .tenant = tenant };

	assert_int_equal(senders_address_hash(slice_str(address), f.hash), 0);
	take(k, f);
}

static bool stops(const struct known *k, uint64_t tenant, bool bulk, const char *address)
{
	uint8_t hash[WIRE_FACT_HASH];

	assert_int_equal(senders_address_hash(slice_str(address), hash), 0);
	return known_stops(k, tenant, bulk, hash);
}

static void sender(struct known *k, enum wire_fact_kind kind, uint64_t tenant, const char *domain)
{
	take(k,
	     (struct wire_fact){
		 .kind = kind, .tenant = tenant, .domain = slice_str(domain), .pool = SLICE("p") });
}

static uint64_t tenant_of(const struct known *k, const char *domain)
{
	struct known_sender s = { .tenant = 0 };

	return known_sender_of(k, slice_str(domain), &s) ? s.tenant : 0;
}

/* The hash of "a@b.test" was made with sha256sum; control/suppression/address.h says the same. */
static void an_address_has_the_hash_that_the_control_plane_gives_it(void **state)
{
	static const char *const same[] = { "a@b.test", "A@B.Test", "\"a\"@b.test",
					    "\"\\a\"@b.TEST" };
	uint8_t hash[WIRE_FACT_HASH];
	struct buf hex = { 0 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(same); i++) {
		assert_int_equal(senders_address_hash(slice_str(same[i]), hash), 0);
		buf_clear(&hex);
		assert_true(hex_encode(&hex, slice_of(hash, sizeof(hash))) >= 0);
		assert_string_equal(buf_cstr(&hex), "d98fb7ed563d6a2727d2de61d3ec97db");
	}
	assert_true(senders_address_hash(SLICE("nobody"), hash) < 0);
	buf_free(&hex);
}

static void who_has_unsubscribed_gets_transactional_mail_and_who_has_bounced_gets_none(void **state)
{
	OWNED(known) k = known_new();

	(void)state;
	stop(k, WIRE_FACT_STOPS_BULK, 1, "left@x.test");
	stop(k, WIRE_FACT_STOPS_ALL, 1, "gone@x.test");
	assert_true(stops(k, 1, true, "left@x.test") && !stops(k, 1, false, "left@x.test"));
	assert_true(stops(k, 1, true, "gone@x.test") && stops(k, 1, false, "gone@x.test"));
	assert_false(stops(k, 2, true, "gone@x.test"));
	stop(k, WIRE_FACT_STOPS_ALL, 1, "left@x.test");
	assert_true(stops(k, 1, false, "left@x.test"));
	stop(k, WIRE_FACT_STOPS_NONE, 1, "left@x.test");
	stop(k, WIRE_FACT_STOPS_NONE, 1, "gone@x.test");
	assert_false(stops(k, 1, true, "left@x.test") || stops(k, 1, true, "gone@x.test"));
	assert_true(known_equals(k, SLICE("")));
}

static void a_domain_is_one_tenants_and_covers_what_is_below_it(void **state)
{
	OWNED(known) k = known_new();

	(void)state;
	sender(k, WIRE_FACT_SENDER, 1, "shop.example");
	sender(k, WIRE_FACT_SENDER, 2, "news.shop.example");
	assert_int_equal(tenant_of(k, "shop.example"), 1);
	assert_int_equal(tenant_of(k, "Bounces.SHOP.example"), 1);
	assert_int_equal(tenant_of(k, "a.news.shop.example"), 2);
	assert_int_equal(tenant_of(k, "oneshop.example"), 0);
	assert_int_equal(tenant_of(k, "example"), 0);
	sender(k, WIRE_FACT_NO_SENDER, 1, "news.shop.example"); /* it is not tenant 1's */
	assert_int_equal(tenant_of(k, "news.shop.example"), 2);
	sender(k, WIRE_FACT_SENDER, 3, "shop.example");
	assert_int_equal(tenant_of(k, "shop.example"), 3);
	sender(k, WIRE_FACT_NO_SENDER, 3, "shop.example");
	assert_int_equal(tenant_of(k, "shop.example"), 0);
	sender(k, WIRE_FACT_SENDER, 4, "test");
	assert_int_equal(tenant_of(k, "x.test"), 0);
}

static void many_are_found_again_and_none_that_was_taken_back(void **state)
{
	enum { MANY = 20000 };
	OWNED(known) k = known_new();
	char address[64];
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(address, sizeof(address), "u%u@x.test", i);
		stop(k, i % 2 ? WIRE_FACT_STOPS_ALL : WIRE_FACT_STOPS_BULK, i % 3, address);
	}
	assert_int_equal(known_all(k).stops_all + known_all(k).stops_bulk, MANY);
	for (unsigned i = 0; i < MANY; i += 5) {
		(void)snprintf(address, sizeof(address), "u%u@x.test", i);
		stop(k, WIRE_FACT_STOPS_NONE, i % 3, address);
	}
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(address, sizeof(address), "u%u@x.test", i);
		assert_int_equal(stops(k, i % 3, true, address), i % 5 != 0);
		found += stops(k, i % 3, false, address);
	}
	assert_int_equal(found, MANY / 2 - MANY / 10);
}

static int put_fact(void *arg, const struct wire_fact *f)
{
	return wire_fact_put(arg, f);
}

/* Adds and removals in one run, in any order of tenants, need no more room than was prepared. */
static void a_run_of_facts_is_taken_as_a_whole(void **state)
{
	OWNED(known) k = known_new();
	OWNED(known) again = known_new();
	struct buf run = { 0 };

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct wire_fact f = { .kind = i % 7 ? WIRE_FACT_STOPS_ALL : WIRE_FACT_STOPS_NONE,
				       .tenant = i % 4,
				       .hash = { (uint8_t)(i / 5 % 250), (uint8_t)(i % 11), 1 } };
		assert_int_equal(wire_fact_put(&run, &f), 0);
	}
	assert_int_equal(known_prepare(k, buf_data(&run)), 0);
	known_take(k, buf_data(&run));
	buf_clear(&run);
	assert_int_equal(known_each_fact(k, put_fact, &run), 0);
	assert_int_equal(known_prepare(again, buf_data(&run)), 0);
	known_take(again, buf_data(&run));
	assert_int_equal(known_all(k).stops_all, known_all(again).stops_all);
	buf_free(&run);
}

static void sums_tell_whether_the_same_is_known(void **state)
{
	OWNED(known) k = known_new();
	struct buf sums = { 0 };
	struct wire_fact f = { .kind = WIRE_FACT_STOPS_ALL, .tenant = 5 }, s;

	(void)state;
	assert_int_equal(senders_address_hash(SLICE("a@b.test"), f.hash), 0);
	take(k, f);
	s = (struct wire_fact){ .kind = WIRE_FACT_SUM,
				.tenant = 5,
				.of = WIRE_FACT_STOPS_ALL,
				.count = 1,
				.sum = 0xd98fb7ed563d6a27 };
	assert_int_equal(wire_fact_put(&sums, &s), 0);
	assert_true(known_equals(k, buf_data(&sums)));
	assert_false(known_equals(k, SLICE("")));
	sender(k, WIRE_FACT_SENDER, 5, "b.test");
	assert_false(known_equals(k, buf_data(&sums)));
	/* printf b.test | sha256sum */
	s = (struct wire_fact){ .kind = WIRE_FACT_SUM,
				.tenant = 5,
				.of = WIRE_FACT_SENDER,
				.count = 1,
				.sum = 0xae869e1a1907c03d };
	assert_int_equal(wire_fact_put(&sums, &s), 0);
	assert_true(known_equals(k, buf_data(&sums)));
	stop(k, WIRE_FACT_STOPS_BULK, 5, "a@b.test");
	assert_false(known_equals(k, buf_data(&sums)));
	buf_free(&sums);
}

static void object(struct known *k, enum wire_fact_kind kind, uint64_t tenant, uint64_t id,
		   uint8_t stamp, const char *text)
{
	take(k, (struct wire_fact){ .kind = kind,
				    .tenant = tenant,
				    .id = id,
				    .hash = { 0, 0, 0, 0, 0, 0, 0, stamp },
				    .text = slice_str(text) });
}

static bool sums_are(const struct known *k, uint64_t tenant, enum wire_fact_kind of, uint64_t count,
		     uint64_t sum)
{
	struct wire_fact s = { .kind = WIRE_FACT_SUM, .tenant = tenant, .of = of };
	struct buf sums = { 0 };
	bool equal;

	s.count = count;
	s.sum = sum;
	assert_int_equal(wire_fact_put(&sums, &s), 0);
	equal = known_equals(k, buf_data(&sums));
	buf_free(&sums);
	return equal;
}

static int only_text(void *arg, const struct wire_fact *f)
{
	return slice_eq(f->text, slice_str(arg)) ? 0 : E_CONFLICT;
}

static void a_tenants_object_is_replaced_and_taken_back_by_its_own_number_alone(void **state)
{
	OWNED(known) k = known_new();

	(void)state;
	object(k, WIRE_FACT_CREDENTIAL, 5, 1, 3, "old");
	object(k, WIRE_FACT_CREDENTIAL, 5, 1, 4, "new");
	object(k, WIRE_FACT_NO_CREDENTIAL, 6, 1, 1, ""); /* another tenant's */
	object(k, WIRE_FACT_NO_SMART_ROUTE, 5, 1, 1, "");
	object(k, WIRE_FACT_NO_CREDENTIAL, 5, 2, 1, "");
	assert_int_equal(known_all(k).credentials, 1);
	assert_int_equal(known_each_object(k, WIRE_FACT_CREDENTIAL, only_text, "new"), 0);
	assert_true(sums_are(k, 5, WIRE_FACT_CREDENTIAL, 1, 4));
	assert_false(sums_are(k, 5, WIRE_FACT_CREDENTIAL, 1, 3));
	assert_false(sums_are(k, 5, WIRE_FACT_SMART_ROUTE, 1, 4));
	object(k, WIRE_FACT_SMART_ROUTE, 5, 1, 9, "route");
	assert_false(sums_are(k, 5, WIRE_FACT_CREDENTIAL, 1, 4));
	object(k, WIRE_FACT_NO_CREDENTIAL, 5, 1, 1, "");
	assert_true(sums_are(k, 5, WIRE_FACT_SMART_ROUTE, 1, 9));
	object(k, WIRE_FACT_NO_SMART_ROUTE, 5, 1, 1, "");
	assert_true(known_equals(k, SLICE("")));
}

/* ---- the operator's lists ---------------------------------------------------------------- */

static int read_local(const char *senders, const char *list, struct known **ret, char *error)
{
	struct senders_options o = { .senders = (char *)(uintptr_t)senders };
	char path[] = "/tmp/postern-senders.XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0 && write(fd, list, strlen(list)) == (ssize_t)strlen(list));
	o.suppressions = path;
	r = senders_local(&o, ret, error);
	close(fd);
	unlink(path);
	return r;
}

static void a_list_of_addresses_is_read_line_by_line(void **state)
{
	OWNED(known) k = NULL;
	char error[OPTION_ERROR_MAX];

	(void)state;
	assert_int_equal(
	    read_local("shop.example 7 fast\nOther.Example",
		       "# ours\n\nA@b.test\r\n\tleft@x.test bulk # asked\nall@x.test all", &k,
		       error),
	    0);
	assert_int_equal(tenant_of(k, "shop.example"), 7);
	assert_int_equal(known_all(k).senders, 2);
	assert_true(stops(k, 0, false, "a@b.test") && stops(k, 0, false, "all@x.test"));
	assert_true(stops(k, 0, true, "left@x.test") && !stops(k, 0, false, "left@x.test"));
}

static void a_line_that_is_no_address_is_named(void **state)
{
	static const char *const bad[] = { "a@b.test\nnobody\n", "a@b.test\nx@y.test sometimes\n" };
	char error[OPTION_ERROR_MAX];
	struct known *k;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(read_local("", bad[i], &k, error) < 0);
		assert_non_null(strstr(error, ":2: expected an address"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_the_hash_that_the_control_plane_gives_it),
		cmocka_unit_test(
		    who_has_unsubscribed_gets_transactional_mail_and_who_has_bounced_gets_none),
		cmocka_unit_test(a_domain_is_one_tenants_and_covers_what_is_below_it),
		cmocka_unit_test(many_are_found_again_and_none_that_was_taken_back),
		cmocka_unit_test(a_run_of_facts_is_taken_as_a_whole),
		cmocka_unit_test(sums_tell_whether_the_same_is_known),
		cmocka_unit_test(
		    a_tenants_object_is_replaced_and_taken_back_by_its_own_number_alone),
		cmocka_unit_test(a_list_of_addresses_is_read_line_by_line),
		cmocka_unit_test(a_line_that_is_no_address_is_named),
	};

	return cmocka_run_group_tests_name("mta_senders_known", tests, NULL, NULL);
}
