/* Tokens: what we made is read, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mta/returnpath/keyfiles.h"

static const uint8_t secret[VERP_KEY_BYTES] = "a key of thirty-two bytes, whole";
static const uint8_t other[VERP_KEY_BYTES] = "another of thirty-two bytes, too";
enum { DAY = 20500 };
#define HOST SLICE("bounces.example.com")

static const struct verp full = { .kind = VERP_BOUNCE,
				  .job = { 0xfedcba9876543210, 0x0123456789abcdef },
				  .row = 65534,
				  .last_day = DAY + 30,
				  .tenant = (1ULL << 56) - 1 };

static struct verp_keys *keys(const uint8_t *first)
{
	struct verp_keys *k = verp_keys_new();

	assert_int_equal(verp_keys_add(k, DAY, first), 0);
	return k;
}

static int read_at(const struct verp_keys *k, struct slice local, unsigned today)
{
	struct verp t;

	return verp_read(k, local, HOST, today, &t);
}

static void what_was_written_is_read(void **state UNUSED)
{
	OWNED(verp_keys) k = keys(secret);
	static const uint64_t tenants[] = { 0, 1, 255, 256, 70000, (1ULL << 56) - 1, 1ULL << 56 };
	char local[VERP_LOCAL_MAX];

	for (unsigned i = 0; i < ARRAY_LEN(tenants); i++) {
		struct verp t = full, got;
		size_t n;
		t.tenant = tenants[i];
		t.kind = i % 2 ? VERP_BOUNCE : VERP_UNSUBSCRIBE;
		n = verp_write(k, &t, HOST, local);
		assert_in_range(n, 40, VERP_LOCAL_MAX);
		assert_int_equal(local[0], i % 2 ? 'b' : 'u');
		assert_int_equal(verp_read(k, slice_of(local, n), HOST, DAY, &got), 0);
		assert_true(got.kind == t.kind && id_eq(got.job, t.job) && got.row == t.row &&
			    got.last_day == t.last_day);
		assert_int_equal(got.tenant, i == 6 ? 0 : t.tenant);
	}
}

static void case_does_not_count(void **state UNUSED)
{
	OWNED(verp_keys) k = keys(secret);
	char local[VERP_LOCAL_MAX];
	size_t n = verp_write(k, &full, HOST, local);
	struct verp t;

	for (size_t i = 0; i < n; i++)
		if (i % 3 && local[i] >= 'a' && local[i] <= 'z')
			local[i] = (char)(local[i] - 'a' + 'A');
	local[0] = 'B';
	assert_int_equal(verp_read(k, slice_of(local, n), SLICE("BOUNCES.example.COM"), DAY, &t),
			 0);
	assert_true(id_eq(t.job, full.job));
}

static void each_changed_character_is_refused(void **state UNUSED)
{
	OWNED(verp_keys) k = keys(secret);
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567=+-@0189 ";
	char local[VERP_LOCAL_MAX], changed[VERP_LOCAL_MAX];
	size_t n = verp_write(k, &full, HOST, local);

	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; letters[c]; c++) {
			if (letters[c] == local[i])
				continue;
			memcpy(changed, local, n);
			changed[i] = letters[c];
			assert_int_equal(read_at(k, slice_of(changed, n), DAY), E_DENIED);
		}
}

static void a_part_of_it_or_more_than_it_is_refused(void **state UNUSED)
{
	OWNED(verp_keys) k = keys(secret);
	char local[VERP_LOCAL_MAX + 8];
	struct verp t = full;
	size_t n;

	for (unsigned tenant = 0; tenant < 2; tenant++) {
		t.tenant = tenant ? full.tenant : 0;
		n = verp_write(k, &t, HOST, local);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(read_at(k, slice_of(local, i), DAY), E_DENIED);
		memset(local + n, 'a', 8);
		for (size_t i = 1; i <= 8; i++)
			assert_int_equal(read_at(k, slice_of(local, n + i), DAY), E_DENIED);
	}
}

static void it_is_good_for_its_kind_its_host_and_its_days(void **state UNUSED)
{
	OWNED(verp_keys) k = keys(secret);
	OWNED(verp_keys) foreign = keys(other);
	char local[VERP_LOCAL_MAX];
	size_t n = verp_write(k, &full, HOST, local);
	struct verp t;

	assert_int_equal(read_at(k, slice_of(local, n), DAY + 30), 0);
	assert_int_equal(read_at(k, slice_of(local, n), DAY + 31), E_DENIED);
	assert_int_equal(read_at(foreign, slice_of(local, n), DAY), E_DENIED);
	assert_int_equal(verp_read(k, slice_of(local, n), SLICE("other.example.com"), DAY, &t),
			 E_DENIED);
	local[0] = 'u';
	assert_int_equal(read_at(k, slice_of(local, n), DAY), E_DENIED);
}

static void an_older_key_reads_and_the_newest_writes(void **state UNUSED)
{
	OWNED(verp_keys) k = keys(secret);
	OWNED(verp_keys) both = verp_keys_new();
	OWNED(verp_keys) young = verp_keys_new();
	char local[VERP_LOCAL_MAX];
	size_t n = verp_write(k, &full, HOST, local);

	assert_int_equal(verp_write(both, &full, HOST, local), 0); /* there is no key */
	assert_int_equal(verp_keys_newest(both), -1);
	n = verp_write(k, &full, HOST, local);
	assert_int_equal(verp_keys_add(both, DAY + 7, other), 0);
	assert_int_equal(verp_keys_add(both, DAY, secret), 0);
	assert_int_equal(verp_keys_add(both, DAY + 256, secret), E_EXISTS);
	assert_int_equal(verp_keys_newest(both), DAY + 7);
	assert_int_equal(read_at(both, slice_of(local, n), DAY), 0);
	n = verp_write(both, &full, HOST, local);
	assert_int_equal(read_at(k, slice_of(local, n), DAY), E_DENIED);
	assert_int_equal(verp_keys_add(young, DAY + 7, other), 0);
	assert_int_equal(read_at(young, slice_of(local, n), DAY), 0);
	assert_false(verp_keys_same(k, both));
	assert_true(verp_keys_same(both, both));
}

/* ---- the folder -------------------------------------------------------------------------- */

static char dir[64], path[KEYFILES_PATH_MAX];

static int read_dir(unsigned today, struct verp_keys **ret)
{
	return keyfiles_read(dir, today, 30, ret, path);
}

static bool has_file(unsigned day)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "%s/%u.key", dir, day);
	return access(name, F_OK) == 0;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	char whole[128];
	FILE *f;

	(void)snprintf(whole, sizeof(whole), "%s/%s", dir, name);
	f = fopen(whole, "w");
	assert_non_null(f);
	(void)fputs(text, f);
	(void)fclose(f);
	assert_int_equal(chmod(whole, mode), 0);
}

static int make_dir(void **state UNUSED)
{
	(void)strcpy(dir, "/tmp/postern-return-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state UNUSED)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void a_key_is_made_each_week_and_kept_for_its_life(void **state UNUSED)
{
	struct verp_keys *k = NULL;
	char local[VERP_LOCAL_MAX];
	size_t n;

	assert_int_equal(read_dir(DAY, &k), 0);
	assert_true(has_file(DAY));
	n = verp_write(k, &full, HOST, local);
	k = verp_keys_free(k);
	assert_int_equal(read_dir(DAY + 6, &k), 0);
	assert_int_equal(verp_keys_newest(k), DAY);
	k = verp_keys_free(k);
	assert_int_equal(read_dir(DAY + 7, &k), 0);
	assert_int_equal(verp_keys_newest(k), DAY + 7);
	assert_int_equal(read_at(k, slice_of(local, n), DAY + 30), 0);
	k = verp_keys_free(k);
	assert_int_equal(read_dir(DAY + 37, &k), 0);
	assert_true(has_file(DAY));
	k = verp_keys_free(k);
	assert_int_equal(read_dir(DAY + 38, &k), 0);
	assert_false(has_file(DAY));
	assert_int_equal(read_at(k, slice_of(local, n), DAY), E_DENIED);
	k = verp_keys_free(k);
}

static void a_key_that_others_may_read_is_refused_and_named(void **state UNUSED)
{
	struct verp_keys *k = NULL;

	write_file("20500.key", "00", 0644);
	assert_int_equal(read_dir(DAY, &k), E_DENIED);
	assert_non_null(strstr(path, "/20500.key"));
	write_file("20500.key", "00", 0600);
	assert_int_equal(read_dir(DAY, &k), E_SYNTAX);
	write_file("20500.key", "no digits", 0600);
	assert_int_equal(read_dir(DAY, &k), E_SYNTAX);
	assert_null(k);
}

static void other_files_in_the_folder_are_left_alone(void **state UNUSED)
{
	struct verp_keys *k = NULL;

	write_file("README", "keep", 0644);
	write_file("x20500.key", "keep", 0644);
	write_file("99999.key", "keep", 0644);
	assert_int_equal(read_dir(DAY, &k), 0);
	assert_int_equal(verp_keys_newest(k), DAY);
	assert_true(has_file(99999));
	k = verp_keys_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(case_does_not_count),
		cmocka_unit_test(each_changed_character_is_refused),
		cmocka_unit_test(a_part_of_it_or_more_than_it_is_refused),
		cmocka_unit_test(it_is_good_for_its_kind_its_host_and_its_days),
		cmocka_unit_test(an_older_key_reads_and_the_newest_writes),
		cmocka_unit_test_setup_teardown(a_key_is_made_each_week_and_kept_for_its_life,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_key_that_others_may_read_is_refused_and_named,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(other_files_in_the_folder_are_left_alone, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
