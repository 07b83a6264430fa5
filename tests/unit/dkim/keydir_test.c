/* tests/unit/dkim/keydir_test.c - the folder of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "dkim/keydir.h"

static char dir[64];
static struct buf pem[2];

static int start(void **state UNUSED)
{
	struct buf txt;

	(void)snprintf(dir, sizeof(dir), "/tmp/keydir-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	buf_init(&txt, 0);
	for (int i = 0; i < 2; i++) {
		buf_init(&pem[i], 0);
		assert_int_equal(sign_key_generate(i ? SIGN_RSA : SIGN_ED25519, &pem[i], &txt), 0);
	}
	buf_free(&txt);
	return 0;
}

static int stop(void **state UNUSED)
{
	buf_free(&pem[0]);
	buf_free(&pem[1]);
	return rmdir(dir); /* fails when a test left anything */
}

static unsigned load(const char *domain, struct sign_key **keys)
{
	unsigned n = 99;

	assert_int_equal(keydir_load(dir, slice_str(domain), keys, KEYDIR_KEYS_MAX, &n), 0);
	return n;
}

static void drop(struct sign_key **keys, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		keys[i] = sign_key_free(keys[i]);
}

static void keys_come_back_in_the_order_of_their_selectors(void **state UNUSED)
{
	struct sign_key *keys[KEYDIR_KEYS_MAX];
	char path[128];
	struct stat st;

	assert_int_equal(load("shop.example", keys), 0);
	assert_int_equal(keydir_store(dir, SLICE("Shop.Example"), SLICE("S2"), buf_data(&pem[1])),
			 0);
	assert_int_equal(keydir_store(dir, SLICE("shop.example"), SLICE("s1"), buf_data(&pem[0])),
			 0);
	assert_int_equal(load("SHOP.example", keys), 2);
	assert_true(slice_eq(sign_key_selector(keys[0]), SLICE("s1")));
	assert_true(slice_eq(sign_key_selector(keys[1]), SLICE("s2")));
	assert_true(slice_eq(sign_key_domain(keys[1]), SLICE("shop.example")));
	assert_int_equal(sign_key_type(keys[0]), SIGN_ED25519);
	drop(keys, 2);
	(void)snprintf(path, sizeof(path), "%s/shop.example/s2.pem", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(keydir_remove(dir, SLICE("shop.example"), SLICE("s2")), 0);
	assert_int_equal(load("shop.example", keys), 1);
	drop(keys, 1);
	assert_int_equal(keydir_remove(dir, SLICE("shop.example"), SLICE("s1")), 0);
	assert_int_equal(keydir_remove(dir, SLICE("shop.example"), SLICE("s1")), E_UNKNOWN);
	assert_int_equal(load("shop.example", keys), 0);
}

static void names_that_could_leave_the_folder_are_refused(void **state UNUSED)
{
	static const char *const bad[] = { "",     ".",       "..", "../x", "a/b",
					   "a..b", ".hidden", "a.", "a\nb", "a b" };
	struct sign_key *keys[KEYDIR_KEYS_MAX];
	unsigned n;

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		struct slice s = slice_str(bad[i]);

		assert_int_equal(keydir_store(dir, s, SLICE("s"), buf_data(&pem[0])), E_SYNTAX);
		assert_int_equal(keydir_store(dir, SLICE("a.example"), s, buf_data(&pem[0])),
				 E_SYNTAX);
		assert_int_equal(keydir_load(dir, s, keys, KEYDIR_KEYS_MAX, &n), E_SYNTAX);
		assert_int_equal(keydir_remove(dir, s, SLICE("s")), E_SYNTAX);
		assert_int_equal(keydir_remove(dir, SLICE("a.example"), s), E_SYNTAX);
	}
}

static void a_key_that_cannot_sign_is_never_stored(void **state UNUSED)
{
	struct sign_key *keys[KEYDIR_KEYS_MAX];

	assert_int_equal(keydir_store(dir, SLICE("a.example"), SLICE("s"), buf_data(&pem[0])), 0);
	assert_int_equal(keydir_store(dir, SLICE("a.example"), SLICE("s"), SLICE("not a key")),
			 E_CRYPTO);
	assert_int_equal(load("a.example", keys), 1);
	drop(keys, 1);
	assert_int_equal(keydir_remove(dir, SLICE("a.example"), SLICE("s")), 0);
}

static void one_bad_file_or_one_too_many_gives_no_keys_at_all(void **state UNUSED)
{
	struct sign_key *keys[KEYDIR_KEYS_MAX];
	char path[128];
	unsigned n = 99;

	assert_int_equal(keydir_store(dir, SLICE("a.example"), SLICE("a"), buf_data(&pem[0])), 0);
	(void)snprintf(path, sizeof(path), "%s/a.example/b.pem", dir);
	assert_int_equal(file_write_atomic(path, SLICE("junk"), 0600), 0);
	assert_int_equal(keydir_load(dir, SLICE("a.example"), keys, KEYDIR_KEYS_MAX, &n), E_CRYPTO);
	assert_int_equal(keydir_load(dir, SLICE("a.example"), keys, 1, &n), E_LIMIT);
	assert_int_equal(n, 99);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(load("a.example", keys), 1);
	drop(keys, 1);
	assert_int_equal(keydir_remove(dir, SLICE("a.example"), SLICE("a")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_come_back_in_the_order_of_their_selectors),
		cmocka_unit_test(names_that_could_leave_the_folder_are_refused),
		cmocka_unit_test(a_key_that_cannot_sign_is_never_stored),
		cmocka_unit_test(one_bad_file_or_one_too_many_gives_no_keys_at_all),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
