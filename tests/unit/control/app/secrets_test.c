/* control/app/secrets, control/auth/permit: the key file, sealing, permissions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/auth/permit.h"
#include "control/app/secrets.h"

#define ROOT_LINE "root 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define SEAL_1 "seal 1 1111111111111111111111111111111111111111111111111111111111111111\n"
#define SEAL_2 "seal 2 2222222222222222222222222222222222222222222222222222222222222222\n"

static struct secrets *parsed(const char *text)
{
	struct secrets *s = NULL;

	assert_int_equal(secrets_parse(&s, slice_str(text)), 0);
	return s;
}

static void what_was_sealed_opens_again(void **state)
{
	struct buf sealed = { 0 }, opened = { 0 };
	struct secrets *s = parsed(ROOT_LINE SEAL_1);
	int id = 0;

	(void)state;
	assert_int_equal(secrets_seal(s, SLICE("row 7"), SLICE("the key"), &id, &sealed), 0);
	assert_int_equal(id, 1);
	assert_int_equal(secrets_open(s, id, SLICE("row 7"), buf_data(&sealed), &opened), 0);
	assert_true(slice_eq(buf_data(&opened), SLICE("the key")));
	buf_free(&sealed);
	buf_free(&opened);
	(void)secrets_free(s);
}

static void sealed_bytes_open_only_for_the_row_they_were_sealed_for(void **state)
{
	struct buf sealed = { 0 }, opened = { 0 };
	struct secrets *s = parsed(ROOT_LINE SEAL_1);
	int id = 0;

	(void)state;
	assert_int_equal(secrets_seal(s, SLICE("row 7"), SLICE("the key"), &id, &sealed), 0);
	assert_int_equal(secrets_open(s, id, SLICE("row 8"), buf_data(&sealed), &opened), E_CRYPTO);
	assert_int_equal(buf_len(&opened), 0);
	buf_free(&sealed);
	buf_free(&opened);
	(void)secrets_free(s);
}

static void a_changed_or_cut_byte_is_noticed(void **state)
{
	struct buf sealed = { 0 }, opened = { 0 };
	struct secrets *s = parsed(ROOT_LINE SEAL_1);
	int id = 0;

	(void)state;
	assert_int_equal(secrets_seal(s, SLICE("x"), SLICE("the key"), &id, &sealed), 0);
	for (size_t i = 0; i < buf_len(&sealed); i++) {
		sealed.p[sealed.start + i] ^= 1;
		assert_int_equal(secrets_open(s, id, SLICE("x"), buf_data(&sealed), &opened),
				 E_CRYPTO);
		sealed.p[sealed.start + i] ^= 1;
		assert_int_equal(
		    secrets_open(s, id, SLICE("x"), slice_of(buf_data(&sealed).p, i), &opened),
		    E_CRYPTO);
	}
	buf_free(&sealed);
	buf_free(&opened);
	(void)secrets_free(s);
}

static void two_seals_of_the_same_differ(void **state)
{
	struct buf a = { 0 }, b = { 0 };
	struct secrets *s = parsed(ROOT_LINE SEAL_1);
	int id = 0;

	(void)state;
	assert_int_equal(secrets_seal(s, SLICE("x"), SLICE("the key"), &id, &a), 0);
	assert_int_equal(secrets_seal(s, SLICE("x"), SLICE("the key"), &id, &b), 0);
	assert_false(slice_eq(buf_data(&a), buf_data(&b)));
	buf_free(&a);
	buf_free(&b);
	(void)secrets_free(s);
}

static void the_highest_key_seals_and_older_ones_still_open(void **state)
{
	struct secrets *before = parsed(ROOT_LINE SEAL_1), *after = parsed(SEAL_2 SEAL_1 ROOT_LINE);
	struct buf old = { 0 }, fresh = { 0 }, opened = { 0 };
	int old_id = 0, fresh_id = 0;

	(void)state;
	assert_int_equal(secrets_seal(before, SLICE("x"), SLICE("old"), &old_id, &old), 0);
	assert_int_equal(secrets_seal(after, SLICE("x"), SLICE("new"), &fresh_id, &fresh), 0);
	assert_int_equal(fresh_id, 2);
	assert_int_equal(secrets_open(after, old_id, SLICE("x"), buf_data(&old), &opened), 0);
	assert_int_equal(secrets_open(before, fresh_id, SLICE("x"), buf_data(&fresh), &opened),
			 E_UNKNOWN);
	buf_free(&old);
	buf_free(&fresh);
	buf_free(&opened);
	(void)secrets_free(before);
	(void)secrets_free(after);
}

static void each_purpose_has_its_own_secret_and_keeps_it(void **state)
{
	struct secrets *s = parsed(ROOT_LINE SEAL_1), *rotated = parsed(ROOT_LINE SEAL_1 SEAL_2);
	uint8_t a[32], b[32], again[32];

	(void)state;
	secrets_derive(s, "ids", a);
	secrets_derive(s, "cursor", b);
	secrets_derive(rotated, "ids", again);
	assert_memory_not_equal(a, b, 32);
	assert_memory_equal(a, again, 32);
	(void)secrets_free(s);
	(void)secrets_free(rotated);
}

static void a_file_that_is_not_whole_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		ROOT_LINE,
		SEAL_1,
		ROOT_LINE ROOT_LINE SEAL_1,
		ROOT_LINE SEAL_1 SEAL_1,
		ROOT_LINE
		"seal 0 1111111111111111111111111111111111111111111111111111111111111111\n",
		ROOT_LINE SEAL_1 "what is this\n",
		"root 0011\n" SEAL_1,
		ROOT_LINE
		"seal 1 1111111111111111111111111111111111111111111111111111111111111111 more\n",
	};
	struct secrets *s = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(secrets_parse(&s, slice_str(bad[i])), E_SYNTAX);
		assert_null(s);
	}
}

static void a_new_file_is_private_and_is_never_overwritten(void **state)
{
	char dir[] = "/tmp/postern-secrets.XXXXXX", path[64];
	struct secrets *s = NULL;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	assert_int_equal(secrets_make(path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(secrets_make(path), E_EXISTS);
	assert_int_equal(secrets_read(&s, path), 0);
	s = secrets_free(s);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(secrets_read(&s, path), E_DENIED);
	(void)unlink(path);
	(void)rmdir(dir);
}

static void each_role_may_no_more_than_the_one_above(void **state)
{
	(void)state;
	for (int role = ROLE_MANAGER; role < ROLE_END; role++)
		assert_true((permit_of_role(role) & ~permit_of_role(ROLE_ADMIN)) == 0 ||
			    role == ROLE_SENDER);
	assert_true(permit_of_role(ROLE_VIEWER) & PERMIT_CAMPAIGNS_READ);
	assert_false(permit_of_role(ROLE_VIEWER) & PERMIT_CONTACTS_WRITE);
	assert_false(permit_of_role(ROLE_EDITOR) & PERMIT_CAMPAIGNS_SEND);
	assert_false(permit_of_role(ROLE_MANAGER) & PERMIT_KEYS_WRITE);
	assert_true(permit_of_role(ROLE_SENDER) & PERMIT_SEND);
	assert_false(permit_of_role(ROLE_SENDER) & PERMIT_CONTACTS_READ);
	assert_true(permit_of_role((enum role)0) == 0 && permit_of_role(ROLE_END) == 0);
}

static void names_of_roles_and_permissions_come_back(void **state)
{
	enum role role;
	uint64_t bit;

	(void)state;
	for (int i = 1; i < ROLE_END; i++) {
		assert_int_equal(permit_role_parse(slice_str(permit_role_name(i)), &role), 0);
		assert_int_equal(role, i);
	}
	for (unsigned i = 0; permit_name(i); i++) {
		assert_int_equal(permit_parse(slice_str(permit_name(i)), &bit), 0);
		assert_true(bit == PERMIT(i));
	}
	assert_int_equal(permit_parse(SLICE("everything"), &bit), E_SYNTAX);
	assert_string_equal(permit_name(14), "campaigns.send");
	assert_string_equal(permit_name(22), "suppressions.delete_optout");
	assert_true(PERMIT_AUDIT_READ == PERMIT(20) && !strcmp(permit_name(20), "audit.read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens_again),
		cmocka_unit_test(sealed_bytes_open_only_for_the_row_they_were_sealed_for),
		cmocka_unit_test(a_changed_or_cut_byte_is_noticed),
		cmocka_unit_test(two_seals_of_the_same_differ),
		cmocka_unit_test(the_highest_key_seals_and_older_ones_still_open),
		cmocka_unit_test(each_purpose_has_its_own_secret_and_keeps_it),
		cmocka_unit_test(a_file_that_is_not_whole_is_refused),
		cmocka_unit_test(a_new_file_is_private_and_is_never_overwritten),
		cmocka_unit_test(each_role_may_no_more_than_the_one_above),
		cmocka_unit_test(names_of_roles_and_permissions_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
